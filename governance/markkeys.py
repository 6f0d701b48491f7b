"""The keys that films are marked with: one file, mode 0600, beside the keys that seal them.

Whoever holds one can mark a film as ours, or erase a mark. New films bear the newest; the marks of all are
looked for, since films last.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from governance import keyfiles
from governance.errors import KeysDamaged
from governance.keys import from_base64url, to_base64url

FILE = "mark-keys.json"
KEY_BYTES = 32


@dataclass(frozen=True)
class MarkKeys:
    """Keys of ``KEY_BYTES`` bytes, the newest first."""

    keys: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def create(cls, directory: Path) -> Self:
        """Write a new file with one key. Raises ``KeysExist`` if there is a file."""
        made = cls((secrets.token_bytes(KEY_BYTES),))
        keyfiles.create(directory / FILE, made._data(), keyfiles.PRIVATE)
        return made

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read the file.

        Raises:
            KeysMissing: there is none.
            KeysUnsafe: others may read it.
            KeysDamaged: it holds no keys.
        """
        path = directory / FILE
        try:
            found = json.loads(keyfiles.read(path, private=True))
            read = tuple(from_base64url(key) for key in found["keys"])
            if not read or any(len(key) != KEY_BYTES for key in read):
                raise ValueError(len(read))
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise KeysDamaged(f"{path} does not hold the keys of marks: restore it from a copy.") from error
        return cls(read)

    def rotate(self, directory: Path) -> Self:
        """Mark with a new key from now on; what bears a former one is still known."""
        rotated = type(self)((secrets.token_bytes(KEY_BYTES), *self.keys))
        keyfiles.replace(directory / FILE, rotated._data())
        return rotated

    def derived(self, purpose: str) -> tuple[bytes, ...]:
        """A key for one ``purpose`` from each (HKDF, RFC 5869), the newest first."""
        return tuple(
            HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(key) for key in self.keys
        )

    def _data(self) -> bytes:
        listed = [to_base64url(key) for key in self.keys]
        return json.dumps({"keys": listed}, indent=2).encode("ascii") + b"\n"


def exists(directory: Path) -> bool:
    """Whether ``directory`` holds the file (not whether it is safe)."""
    return (directory / FILE).exists()
