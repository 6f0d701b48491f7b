"""Where the log's files lie: a folder of this machine, or anything else that fsspec opens.

What is written is there whole or not at all, and on stable storage when the call returns.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol

import fsspec  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from governance.errors import LedgerError

_INCOMING = ".incoming"
_LOCK = ".lock"


class Store(Protocol):
    """Files by path, such as ``tile/0/000``; ``locks`` tells whether ``exclusive`` keeps others out."""

    place: str
    locks: bool

    def read(self, path: str) -> bytes | None:
        """The file's bytes, or None if there is none."""

    def write(self, files: Mapping[str, bytes]) -> None:
        """Make or replace ``files``, each in one step; all are durable on return."""

    def create(self, path: str, data: bytes) -> bool:
        """Make a new file, durable on return; False, and nothing done, if there is one."""

    def delete(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it; one that is not there is fine."""

    def files(self, folder: str) -> list[str]:
        """The paths of all files beneath ``folder``, sorted."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep out all other writers, where the store can."""


def open_store(url: str) -> Store:
    """The store at ``url``. Raises ``LedgerError`` if there is no way to open it."""
    try:
        system, root = fsspec.core.url_to_fs(url)
    except (ValueError, ImportError, OSError) as error:
        raise LedgerError(f"The ledger {url} cannot be opened ({error}): check its address.") from error
    if isinstance(system, LocalFileSystem):
        return Folder(Path(root))
    return Bucket(system, root)


class Folder:
    """A folder on this machine. Writers in any number of threads and processes take turns."""

    locks = True

    def __init__(self, root: Path) -> None:
        self.place = str(root)
        self._root = root
        self._anchored: set[Path] = set()

    def read(self, path: str) -> bytes | None:
        """See ``Store``."""
        try:
            return (self._root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, files: Mapping[str, bytes]) -> None:
        """See ``Store``."""
        self._anchor(self._root)
        incoming = self._root / _INCOMING
        incoming.mkdir(exist_ok=True)
        arrived = []
        for path, data in files.items():
            temporary = incoming / secrets.token_hex(8)
            _write_through(temporary, data)
            arrived.append((temporary, self._root / path))
        for temporary, target in arrived:
            self._anchor(target.parent)
            temporary.replace(target)
        for folder in {target.parent for _, target in arrived}:
            _sync_folder(folder)

    def create(self, path: str, data: bytes) -> bool:
        """See ``Store``; to be called by who holds the lock."""
        if (self._root / path).exists():
            return False
        self.write({path: data})
        return True

    def delete(self, path: str) -> None:
        """See ``Store``."""
        target = self._root / path
        if target.is_dir():
            self._anchored.discard(target)
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)

    def files(self, folder: str) -> list[str]:
        """See ``Store``."""
        found = (path for path in (self._root / folder).rglob("*") if path.is_file())
        return sorted(path.relative_to(self._root).as_posix() for path in found)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the folder's lock, which the kernel releases if this process dies, and clear away what a
        writer that died had begun."""
        self._anchor(self._root)
        descriptor = os.open(self._root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            for leftover in (self._root / _INCOMING).glob("*"):
                leftover.unlink()
            yield
        finally:
            os.close(descriptor)

    def _anchor(self, folder: Path) -> None:
        """Make ``folder`` and force its name to disk; another may have made it and died before doing so."""
        if folder in self._anchored:
            return
        if self._root in folder.parents or not folder.parent.exists():
            self._anchor(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)
        self._anchored.add(folder)


class Bucket:
    """Any other store that fsspec opens. It must show a file only when it is whole, and if several write,
    refuse in one step to create a file that is there (``mode="create"``, as S3 and its like do)."""

    locks = False

    def __init__(self, system: Any, root: str) -> None:
        self.place = (
            f"{system.protocol[0] if isinstance(system.protocol, tuple) else system.protocol}://{root}"
        )
        self._system = system
        self._root = root.rstrip("/")

    def read(self, path: str) -> bytes | None:
        """See ``Store``."""
        try:
            data: bytes = self._system.cat_file(self._at(path))
        except FileNotFoundError:
            return None
        return data

    def write(self, files: Mapping[str, bytes]) -> None:
        """See ``Store``."""
        for path, data in files.items():
            self._put(path, data, "overwrite")

    def create(self, path: str, data: bytes) -> bool:
        """See ``Store``."""
        try:
            self._put(path, data, "create")
        except FileExistsError:
            return False
        return True

    def delete(self, path: str) -> None:
        """See ``Store``."""
        if self._system.exists(self._at(path)):
            self._system.rm(self._at(path), recursive=True)

    def files(self, folder: str) -> list[str]:
        """See ``Store``."""
        self._system.invalidate_cache()
        top = len(self._system._strip_protocol(self._root).rstrip("/")) + 1
        return sorted(found[top:] for found in self._system.find(self._at(folder)))

    def exclusive(self) -> AbstractContextManager[None]:
        """Nothing to hold: ``create`` decides who comes first."""
        return nullcontext()

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _put(self, path: str, data: bytes, mode: str) -> None:
        try:
            self._system.pipe_file(self._at(path), data, mode=mode)
        except FileNotFoundError:
            self._system.makedirs(self._at(path).rpartition("/")[0], exist_ok=True)
            self._system.pipe_file(self._at(path), data, mode=mode)


def _write_through(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
