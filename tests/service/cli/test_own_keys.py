"""Keys as people name them on the command line; whoever names none is told what to do."""

from pathlib import Path

import pytest

from governance.errors import KeysDamaged, KeysMissing
from governance.keys import SigningKey
from service.cli.own_keys import made_or_found, public_key, signing_key


def test_a_key_is_made_once(tmp_path: Path):
    made = made_or_found(tmp_path / "ada.pem")
    assert (
        made_or_found(tmp_path / "ada.pem").public == signing_key(tmp_path / "ada.pem").public == made.public
    )


def test_whoever_has_no_key_is_told_how_to_make_one(tmp_path: Path):
    with pytest.raises(KeysMissing, match=r"vernissage credential key .*ada\.pem"):
        signing_key(tmp_path / "ada.pem")
    assert not (tmp_path / "ada.pem").exists()


def test_a_public_key_is_named_by_its_text_or_by_a_file(tmp_path: Path):
    key = SigningKey.generate()
    key.save(tmp_path / "ada.pem")
    assert public_key(str(tmp_path / "ada.pem")) == public_key(key.public.text) == key.public


@pytest.mark.parametrize("text", ["ada.pem", "A" * 42, "ä" * 43])
def test_anything_else_is_no_public_key(text: str):
    with pytest.raises(KeysDamaged, match="43 characters that `vernissage credential key FILE` prints"):
        public_key(text)
