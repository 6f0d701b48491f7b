"""What marks films is kept like what seals them, and a former key is never forgotten."""

import stat
from pathlib import Path

import pytest

from governance.errors import KeysDamaged, KeysExist, KeysMissing, KeysUnsafe
from governance.markkeys import FILE, KEY_BYTES, MarkKeys


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir(mode=0o700)
    return tmp_path / "keys"


def test_what_was_made_is_loaded_and_kept_from_others(directory: Path):
    made = MarkKeys.create(directory)
    assert MarkKeys.load(directory) == made
    assert [len(key) for key in made.keys] == [KEY_BYTES]
    assert stat.S_IMODE((directory / FILE).stat().st_mode) == 0o600


def test_keys_are_made_once(directory: Path):
    made = MarkKeys.create(directory)
    with pytest.raises(KeysExist):
        MarkKeys.create(directory)
    assert MarkKeys.load(directory) == made


def test_a_new_key_comes_first_and_the_former_stay(directory: Path):
    first = MarkKeys.create(directory)
    second = first.rotate(directory)
    assert second == MarkKeys.load(directory)
    assert second.keys[1:] == first.keys
    assert second.keys[0] != first.keys[0]


def test_each_purpose_has_its_own_keys(directory: Path):
    keys = MarkKeys.create(directory).rotate(directory)
    pictures, sounds = keys.derived("pictures"), keys.derived("sounds")
    assert len({*pictures, *sounds, *keys.keys}) == 6
    assert keys.derived("pictures") == pictures


def test_no_keys_are_explained(directory: Path):
    with pytest.raises(KeysMissing, match="vernissage keys init --if-missing"):
        MarkKeys.load(directory)


def test_keys_that_others_can_read_are_refused(directory: Path):
    MarkKeys.create(directory)
    (directory / FILE).chmod(0o640)
    with pytest.raises(KeysUnsafe, match="chmod 600"):
        MarkKeys.load(directory)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"keys": []}', '{"keys": ["c2hvcnQ"]}', '{"keys": [1]}', "[" * 9_000]
)
def test_a_damaged_file_is_explained(directory: Path, content: str):
    (directory / FILE).write_text(content)
    (directory / FILE).chmod(0o600)
    with pytest.raises(KeysDamaged, match="restore it from a copy"):
        MarkKeys.load(directory)


def test_keys_do_not_show_where_they_are_printed(directory: Path):
    assert str(MarkKeys.create(directory).keys[0]) not in repr(MarkKeys.load(directory))
