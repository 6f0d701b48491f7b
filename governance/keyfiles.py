"""Files that hold keys: made with safe permissions from the first byte, refused when those have widened."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from governance.errors import KeysDamaged, KeysError, KeysExist, KeysMissing, KeysUnsafe

PRIVATE = 0o600
PUBLIC = 0o644
DIRECTORY = 0o700
MAX_BYTES = 64 * 1024


def make_directory(directory: Path) -> None:
    """Make ``directory`` readable by its owner alone, or check that it is.

    Raises:
        KeysUnsafe: it exists with wider permissions.
        KeysError: it cannot be made, or is no directory.
    """
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=DIRECTORY, exist_ok=True)
    except OSError as error:
        raise KeysError(
            f"The key directory {directory} cannot be made ({error.strerror}): name another one."
        ) from error
    check_directory(directory)


def check_directory(directory: Path) -> None:
    """Check that ``directory`` belongs to us alone.

    Raises:
        KeysMissing: there is nothing of that name.
        KeysDamaged: it is not a directory.
        KeysUnsafe: others may enter it.
    """
    try:
        found = directory.stat()
    except FileNotFoundError:
        raise KeysMissing(_missing(directory)) from None
    except OSError as error:
        raise KeysError(f"The key directory {directory} cannot be read ({error.strerror}).") from error
    if not stat.S_ISDIR(found.st_mode):
        raise KeysDamaged(f"{directory} is not a directory: name the directory that holds the keys.")
    _check_access(directory, found, forbidden=0o077, remedy=f"chmod 700 {directory}")


def create(path: Path, data: bytes, mode: int) -> None:
    """Write a new file with ``mode``, in one step: it never exists in part, with wider permissions, or in the
    place of another.

    Raises:
        KeysExist: there is already something at ``path``.
        KeysError: it cannot be written; nothing is left behind.
    """
    with _written_beside(path, data, mode) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise KeysExist(
                f"{path} exists and will not be overwritten: films are signed with it. "
                "To start afresh move the whole directory away first."
            ) from None
        except OSError as error:
            raise KeysError(f"{path} cannot be written ({error.strerror}).") from error


def replace(path: Path, data: bytes) -> None:
    """Put a new private file in the place of ``path`` in one step: a reader sees the old or the new."""
    with _written_beside(path, data, PRIVATE) as temporary:
        try:
            temporary.replace(path)
        except OSError as error:
            raise KeysError(f"{path} cannot be replaced ({error.strerror}).") from error


@contextmanager
def _written_beside(path: Path, data: bytes, mode: int) -> Iterator[Path]:
    """A durable file with ``data`` under a name of its own in the folder of ``path``, gone afterwards."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    except OSError as error:
        raise KeysError(f"{path} cannot be written ({error.strerror}).") from error
    try:
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
        except OSError as error:
            raise KeysError(f"{path} cannot be written ({error.strerror}): free some space.") from error
        yield temporary
        _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _flush(directory: Path) -> None:
    """Make a new name last through a power cut, where the file system knows how."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read(path: Path, *, private: bool, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a key file (``private``: nobody else may read it) or of a certificate (nor write it).

    Raises:
        KeysMissing: there is no such file.
        KeysUnsafe: it is a link, not a plain file, somebody else's, or has wider permissions.
        KeysDamaged: it is too large to be a key.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise KeysMissing(_missing(path)) from None
    except OSError as error:
        raise KeysUnsafe(f"{path} cannot be opened as a plain file ({error.strerror}).") from error
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise KeysUnsafe(f"{path} is not a plain file: restore the keys from a copy.")
        if private:
            _check_access(path, found, forbidden=0o077, remedy=f"chmod {PRIVATE:o} {path}")
        else:
            _check_access(path, found, forbidden=0o022, remedy=f"chmod {PUBLIC:o} {path}")
        if found.st_size > limit:
            raise KeysDamaged(f"{path} is too large to be a key: restore it from a copy.")
        return file.read(limit)


def _check_access(path: Path, found: os.stat_result, forbidden: int, remedy: str) -> None:
    if found.st_uid != os.geteuid():
        raise KeysUnsafe(f"{path} belongs to another user: keys must belong to the user who signs.")
    if found.st_mode & forbidden:
        raise KeysUnsafe(
            f"{path} is open to other users (mode {stat.S_IMODE(found.st_mode):04o}): "
            f"run `{remedy}`, and make new keys if anyone may have used it."
        )


def _missing(path: Path) -> str:
    return f"There is no {path}: run `vernissage keys init --if-missing`, or restore the keys from a copy."
