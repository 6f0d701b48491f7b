"""Signed notes (C2SP signed-note): a text, a blank line, and a line for each signature under it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Self

from governance.errors import CheckpointInvalid, KeysDamaged, SignatureInvalid
from governance.keys import SigningKey, VerifyKey

ED25519 = 1
"""A signature over the note's text."""
COSIGNATURE = 4
"""A witness's timestamped signature (C2SP tlog-cosignature)."""
KEYHASH_BYTES = 4
MAX_BYTES = 64 * 1024
MAX_SIGNATURES = 64

_NAME = re.compile(r"[^\s+]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True)
class Verifier:
    """A public key under the ``name`` by which it signs notes, for one ``kind`` of signature."""

    name: str
    key: VerifyKey
    kind: int = ED25519

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or _CONTROL.search(self.name):
            raise KeysDamaged(f"A key that signs notes needs a name without spaces or +, not {self.name!r}.")

    @classmethod
    def read(cls, text: str) -> Self:
        """From a verifier key, ``name+hash+key``. Raises ``KeysDamaged`` if it is none, or mistyped."""
        name, _, rest = text.strip().partition("+")
        keyhash, _, encoded = rest.partition("+")
        try:
            material = from_base64(encoded)
            verifier = cls(name, VerifyKey(material[1:]), material[0])
        except (ValueError, IndexError) as error:
            raise KeysDamaged("A verifier key is written as NAME+HASH+KEY: copy it whole.") from error
        if verifier.kind not in (ED25519, COSIGNATURE) or verifier.keyhash.hex() != keyhash:
            raise KeysDamaged("The verifier key is mistyped or of a kind unknown here: copy it again.")
        return verifier

    @property
    def text(self) -> str:
        """As a verifier key, ``name+hash+key``."""
        return f"{self.name}+{self.keyhash.hex()}+{to_base64(bytes([self.kind]) + self.key.raw)}"

    @property
    def keyhash(self) -> bytes:
        """Four bytes by which its signatures are found; they prove nothing."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.key.raw).digest()[
            :KEYHASH_BYTES
        ]


@dataclass(frozen=True)
class Signature:
    """One line under a note: ``blob`` is what follows the key hash."""

    name: str
    keyhash: bytes
    blob: bytes

    @classmethod
    def read(cls, line: str) -> Self:
        """From a line without its newline. Raises ``CheckpointInvalid``."""
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "\u2014" or not _NAME.fullmatch(parts[1]):
            raise CheckpointInvalid("A line under the signed note is not a signature.")
        try:
            data = from_base64(parts[2])
        except ValueError as error:
            raise CheckpointInvalid("A signature under the note is not base64.") from error
        if len(data) <= KEYHASH_BYTES:
            raise CheckpointInvalid("A signature under the note is too short.")
        return cls(parts[1], data[:KEYHASH_BYTES], data[KEYHASH_BYTES:])

    @property
    def line(self) -> str:
        """As it stands under the note, without a newline."""
        return f"\u2014 {self.name} {to_base64(self.keyhash + self.blob)}"


@dataclass(frozen=True)
class Note:
    """A ``text`` that ends in a newline, and its signatures."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Take a note apart; nothing is verified. Raises ``CheckpointInvalid`` if it is none."""
        if len(data) > MAX_BYTES:
            raise CheckpointInvalid("The signed note is too long.")
        try:
            whole = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise CheckpointInvalid("The signed note is not text.") from error
        text, blank, lines = whole.rpartition("\n\n")
        if not blank or not lines.endswith("\n") or _CONTROL.search(whole):
            raise CheckpointInvalid("A signed note ends in a blank line and signatures: this one does not.")
        signatures = tuple(Signature.read(line) for line in lines[:-1].split("\n"))
        if len(signatures) > MAX_SIGNATURES:
            raise CheckpointInvalid("The signed note has too many signatures.")
        return cls(text + "\n", signatures)

    def encode(self) -> bytes:
        """The bytes that ``read`` takes apart."""
        return (self.text + "\n" + "".join(f"{signature.line}\n" for signature in self.signatures)).encode()

    def by(self, verifier: Verifier) -> tuple[Signature, ...]:
        """The signatures that claim to be of ``verifier``."""
        wanted = verifier.name, verifier.keyhash
        return tuple(found for found in self.signatures if (found.name, found.keyhash) == wanted)

    def verify(self, verifier: Verifier) -> None:
        """Raises ``CheckpointInvalid`` unless the key of ``verifier`` signed the text."""
        found = self.by(verifier)
        if not found:
            raise CheckpointInvalid(f"The note bears no signature of {verifier.text}.")
        for signature in found:
            try:
                verifier.key.verify(signature.blob, self.text.encode())
            except SignatureInvalid as error:
                raise CheckpointInvalid(f"The signature of {verifier.name} is not over this note.") from error


def sign(text: str, name: str, key: SigningKey) -> Signature:
    """The signature of ``key`` over ``text``, which ends in a newline."""
    return Signature(name, Verifier(name, key.public).keyhash, key.sign(text.encode()))


def to_base64(data: bytes) -> str:
    """RFC 4648 section 4."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """The one byte string that ``to_base64`` spells so. Raises ``ValueError`` for any other spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if to_base64(data) != text:
        raise ValueError("not canonical base64")
    return data
