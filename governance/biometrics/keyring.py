"""The keys that encrypt templates: one file, mode 0600, kept apart from the database and its backups.

``rotate`` in ``governance.biometrics.store`` replaces them; what an old key encrypted is gone with it.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from governance import keyfiles
from governance.errors import KeysDamaged, TemplateDamaged
from governance.keys import from_base64url, to_base64url

KEY_BITS = 256
NONCE_BYTES = 12


@dataclass(frozen=True)
class Keyring:
    """Keys by name; ``current`` names the one that encrypts."""

    current: str
    _keys: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def load(cls, path: Path) -> Keyring:
        """Read a key file.

        Raises:
            KeysMissing: there is none.
            KeysUnsafe: others may read it.
            KeysDamaged: it holds no keys.
        """
        try:
            found = json.loads(keyfiles.read(path, private=True))
            keys = {str(name): from_base64url(key) for name, key in found["keys"].items()}
            current = str(found["current"])
            if current not in keys or any(len(key) * 8 != KEY_BITS for key in keys.values()):
                raise ValueError(current)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise KeysDamaged(
                f"{path} does not hold the keys of templates: restore it from a copy."
            ) from error
        return cls(current, MappingProxyType(keys))

    @classmethod
    def create(cls, path: Path) -> Keyring:
        """Write a new file with one new key. Raises ``KeysExist`` if there is a file."""
        made = cls("", {}).with_new()
        keyfiles.create(path, made._data(), keyfiles.PRIVATE)
        return made

    def save(self, path: Path) -> None:
        """Put these keys in the place of those in the file at ``path``, in one step, durably."""
        keyfiles.replace(path, self._data())
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def with_new(self) -> Keyring:
        """The same and a new key, which is the current one."""
        name = secrets.token_hex(8)
        key = AESGCM.generate_key(KEY_BITS)
        return Keyring(name, MappingProxyType({**self._keys, name: key}))

    def only_current(self) -> Keyring:
        """Without all the others."""
        return Keyring(self.current, MappingProxyType({self.current: self._keys[self.current]}))

    def __contains__(self, name: str) -> bool:
        return name in self._keys

    def seal(self, plain: bytes, about: bytes) -> bytes:
        """``plain`` encrypted by the current key (AES-256-GCM); it opens together with ``about`` only."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self._keys[self.current]).encrypt(nonce, plain, about)

    def open(self, sealed: bytes, about: bytes, name: str) -> bytes:
        """What was sealed by the key ``name``. Raises ``TemplateDamaged`` if any bit of it was changed."""
        try:
            return AESGCM(self._keys[name]).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
        except (InvalidTag, KeyError, ValueError) as error:
            raise TemplateDamaged(
                "A stored template cannot be decrypted: restore the key file that belongs to this database."
            ) from error

    def _data(self) -> bytes:
        keys = {name: to_base64url(key) for name, key in self._keys.items()}
        return json.dumps({"current": self.current, "keys": keys}, indent=2).encode("ascii") + b"\n"


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """One at a time, among all processes, may change the key file at ``path``."""
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
