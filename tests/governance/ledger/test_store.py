"""Where a log lies: whole files or none, forced to disk in the order that a power cut demands."""

import os
import stat
import uuid
from pathlib import Path

import pytest

from governance.ledger.store import Folder, Store, open_store


def name_of(descriptor: int) -> str:
    return str(Path(f"/proc/self/fd/{descriptor}").readlink())


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return open_store(
        str(tmp_path / "a" / "b") if request.param == "folder" else f"memory://{uuid.uuid4().hex}/b"
    )


def test_files_are_written_read_listed_and_deleted(store: Store) -> None:
    with store.exclusive():
        assert store.read("tile/0/000") is None
        assert store.files("tile") == []
        store.write({"tile/0/000": b"a", "tile/0/001.p/3": b"b", "tile/0/001.p/4": b"c", "checkpoint": b"d"})
        store.write({"checkpoint": b"e"})
        assert store.read("checkpoint") == b"e"
        assert store.files("tile") == ["tile/0/000", "tile/0/001.p/3", "tile/0/001.p/4"]
        store.delete("tile/0/001.p")
        store.delete("tile/0/001.p")
        store.delete("never")
        assert store.files("tile") == ["tile/0/000"]


def test_a_file_that_is_there_is_not_created_again(store: Store) -> None:
    assert store.create("journal/1", b"first")
    assert not store.create("journal/1", b"second")
    assert store.read("journal/1") == b"first"


def test_the_address_of_a_folder_may_be_a_url(tmp_path: Path) -> None:
    open_store(f"file://{tmp_path}").write({"a": b"b"})
    assert (tmp_path / "a").read_bytes() == b"b"


def test_everything_is_forced_to_disk_before_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, str]] = []
    sync, rename = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        done.append(("folder" if folder else "file", name_of(descriptor)))
        sync(descriptor)

    def replace(source: Path, target: Path) -> None:
        done.append(("renamed from", str(source)))
        done.append(("renamed to", str(target)))
        rename(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    store = Folder(tmp_path)
    for _ in range(2):
        done.clear()
        store.write({"tile/0/000": b"a", "tile/entries/000": b"b"})
        sources = [path for what, path in done if what == "renamed from"]
        targets = [path for what, path in done if what == "renamed to"]
        assert targets == [str(tmp_path / "tile/0/000"), str(tmp_path / "tile/entries/000")]
        for source, target in zip(sources, targets, strict=True):
            assert done.index(("file", source)) < done.index(("renamed from", source))
            folder = ("folder", str(Path(target).parent))
            assert done.index(("renamed to", target)) < done.index(folder)


def test_the_names_of_folders_are_forced_to_disk_too_whoever_made_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(name_of(descriptor))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    for _ in range(2):
        synced.clear()
        Folder(tmp_path / "new").write({"tile/0/000": b"a"})
        for folder in ("", "new", "new/tile", "new/tile/0"):
            assert str(tmp_path / folder) in synced
