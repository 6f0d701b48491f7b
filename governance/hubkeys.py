"""The keys by which a hub gives its word, kept beside those that seal its films (``governance.provenance``).

==================  ====  ====================================================================================
``hub-key.pem``     0600  signs credentials and responses; can be rotated
``hub-keys/``       0700  the public half of every hub key that is believed, by keyid; and of stolen ones
``ledger-key.pem``  0600  signs the ledger's checkpoints and nothing else; never rotated: a log is its key
``ledger-origin``   0644  the name of the log in its checkpoints (C2SP tlog-checkpoint)
==================  ====  ====================================================================================
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from governance import keyfiles
from governance.errors import KeysDamaged, KeysError, KeysExist
from governance.keys import SigningKey, VerifyKey

KEY = "hub-key.pem"
BELIEVED = "hub-keys"
STOLEN = ".stolen"
LEDGER_KEY = "ledger-key.pem"
ORIGIN = "ledger-origin"
TEMPLATES = "templates.json"
"""Encrypts what is remembered of faces and voices (``governance.biometrics``); kept in the same place."""

_ORIGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
"""A schema-less URL: neither a space nor a plus sign, which the names of signed notes cannot hold."""


@dataclass(frozen=True)
class HubKeys:
    """A hub's keys, open.

    Attributes:
        directory: where they are kept.
        key: signs for the hub now.
        believed: the public halves of all hub keys whose signatures hold, that of ``key`` first.
        disowned: those of stolen ones: they tell what the hub once signed from what it never did.
        ledger: signs checkpoints.
        origin: the name of the ledger.
    """

    directory: Path
    key: SigningKey = field(repr=False)
    believed: tuple[VerifyKey, ...]
    disowned: tuple[VerifyKey, ...]
    ledger: SigningKey = field(repr=False)
    origin: str

    @classmethod
    def init(cls, directory: Path, origin: str | None = None) -> Self:
        """Make the keys once; what an interrupted ``init`` has made already is kept.

        Args:
            directory: where the keys will live (0700).
            origin: the ledger's name, a URL without its scheme; by default one made from its key.

        Raises:
            KeysExist: there are keys already; they are left as they are.
            KeysUnsafe: the directory exists and others may enter it.
            KeysError: ``origin`` is no name for a log, or the files cannot be written.
        """
        if origin is not None and not _ORIGIN.fullmatch(origin):
            raise KeysError(
                f"{origin!r} cannot name a ledger: use an address of yours without its scheme, "
                "such as example.org/vernissage."
            )
        keyfiles.make_directory(directory)
        if exists(directory):
            raise KeysExist(f"{directory / KEY} exists and will not be overwritten: credentials rest on it.")
        if not (directory / LEDGER_KEY).exists():
            SigningKey.generate().save(directory / LEDGER_KEY)
        if not (directory / ORIGIN).exists():
            name = origin or f"vernissage.local/{SigningKey.load(directory / LEDGER_KEY).keyid[:16]}"
            keyfiles.create(directory / ORIGIN, name.encode("ascii"), keyfiles.PUBLIC)
        key = SigningKey.generate()
        _believe(directory, key.public)
        key.save(directory / KEY)
        return cls.open(directory)

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Read the keys and check that they are safe and fit together.

        Raises:
            KeysMissing: they were never made.
            KeysUnsafe: others can read or replace them.
            KeysDamaged: a file does not hold what it should.
        """
        keyfiles.check_directory(directory)
        key = SigningKey.load(directory / KEY)
        ledger = SigningKey.load(directory / LEDGER_KEY)
        origin = keyfiles.read(directory / ORIGIN, private=False).decode("ascii", "replace").strip()
        if not _ORIGIN.fullmatch(origin):
            raise KeysDamaged(f"{directory / ORIGIN} does not hold a ledger's name: restore it from a copy.")
        believed = _public_halves(directory / BELIEVED, ".pub")
        disowned = _public_halves(directory / BELIEVED, STOLEN)
        if key.public not in believed:
            raise KeysDamaged(
                f"{directory / BELIEVED} does not hold the public half of the hub's key: "
                "restore the keys from a copy."
            )
        others = tuple(other for other in believed if other != key.public)
        return cls(directory, key, (key.public, *others), disowned, ledger, origin)

    def rotate(self, *, stolen: bool = False) -> Self:
        """Sign with a new key from now on.

        What former keys signed still holds, unless the present one was ``stolen``: then nothing that any
        former key signed is believed any more, and credentials must be issued anew.
        """
        key = SigningKey.generate()
        _believe(self.directory, key.public)
        keyfiles.replace(self.directory / KEY, key.pem)
        if stolen:
            for former in self.believed:
                path = self.directory / BELIEVED / f"{former.keyid}.pub"
                with suppress(FileNotFoundError):
                    path.rename(path.with_suffix(STOLEN))
        return type(self).open(self.directory)


def exists(directory: Path) -> bool:
    """Whether ``directory`` holds a hub's key (not whether it is safe)."""
    return (directory / KEY).exists()


def _believe(directory: Path, key: VerifyKey) -> None:
    keyfiles.make_directory(directory / BELIEVED)
    path = directory / BELIEVED / f"{key.keyid}.pub"
    keyfiles.create(path, key.text.encode("ascii"), keyfiles.PUBLIC)


def _public_halves(directory: Path, suffix: str) -> tuple[VerifyKey, ...]:
    keyfiles.check_directory(directory)
    keys = []
    for path in sorted(directory.glob(f"*{suffix}")):
        text = keyfiles.read(path, private=False).decode("ascii", "replace").strip()
        try:
            key = VerifyKey.from_text(text)
        except KeysDamaged as error:
            raise KeysDamaged(f"{path} does not hold a public key: restore it from a copy.") from error
        if key.keyid != path.stem:
            raise KeysDamaged(f"{path} holds another key than its name says: restore it from a copy.")
        keys.append(key)
    return tuple(keys)
