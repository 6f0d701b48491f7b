"""Files that strangers bring: read no further than they may be long, kept where only the hub can read."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from governance import keyfiles
from governance.errors import ConsentRefused

MAX_PICTURE_BYTES = 32 * 1024 * 1024
MAX_FILM_BYTES = 200 * 1024 * 1024
MAX_SOUND_BYTES = 50 * 1024 * 1024


def read_bounded(path: Path, most: int) -> bytes:
    """A plain file of at most ``most`` bytes. Raises ``ConsentRefused``."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ConsentRefused("file_unreadable", f"{path.name} is not a plain file.")
            data = file.read(most + 1)
    except OSError as error:
        raise ConsentRefused("file_unreadable", f"{path} cannot be read ({error.strerror}).") from error
    if not data:
        raise ConsentRefused("file_empty", f"{path.name} is empty.")
    if len(data) > most:
        raise ConsentRefused("file_too_large", f"{path.name} is larger than {most // 1024:,} KiB.")
    return data


@contextmanager
def copied(path: Path, most: int) -> Iterator[tuple[Path, str]]:
    """A copy that nobody else can change while it is looked at, and its SHA-256. Raises as above."""
    data = read_bounded(path, most)
    with tempfile.TemporaryDirectory(prefix="vernissage-") as folder:
        copy = Path(folder) / f"copy{_suffix(path)}"
        copy.write_bytes(data)
        yield copy, hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class Evidence:
    """A folder of what ceremonies look at; each file lies under its own hash, and goes when it was judged."""

    folder: Path

    def keep(self, ceremony: str, name: str, path: Path, most: int) -> str:
        """Keep a copy of ``path`` as one of the ceremony's ``name`` files; its SHA-256.

        Raises:
            ConsentRefused: it cannot be read, is empty or too large.
            KeysError: the folder cannot be made.
        """
        data = read_bounded(path, most)
        sha256 = hashlib.sha256(data).hexdigest()
        keyfiles.make_directory(self.folder)
        keyfiles.make_directory(self.folder / ceremony)
        keyfiles.replace(self.folder / ceremony / f"{name}-{sha256}{_suffix(path)}", data)
        return sha256

    def find(self, ceremony: str, name: str, sha256: str) -> Path:
        """Where it is, if it is still what it was. Raises ``ConsentRefused``."""
        for path in (self.folder / ceremony).glob(f"{name}-{sha256}.*"):
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() == sha256:
                    return path
        raise ConsentRefused("evidence_missing", f"The {name} is gone or was changed: begin again.")

    def drop(self, ceremony: str, name: str) -> None:
        """Delete all of its ``name`` files; what is not there is no error."""
        for path in (self.folder / ceremony).glob(f"{name}-*"):
            path.unlink(missing_ok=True)

    def delete(self, ceremony: str) -> None:
        """Delete all of a ceremony."""
        shutil.rmtree(self.folder / ceremony, ignore_errors=True)

    def ceremonies(self) -> list[str]:
        """Of which there is anything."""
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.is_dir() else []


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    return suffix if suffix[1:].isalnum() and suffix.isascii() and len(suffix) <= 6 else ".bin"
