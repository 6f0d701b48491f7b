"""Ed25519 keys (RFC 8032) by which people, organisations, the hub and its ledger sign.

A key is known by its ``keyid``, the JWK thumbprint (RFC 7638, RFC 8037) of its public half.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from governance import keyfiles
from governance.errors import KeysDamaged, SignatureInvalid

PUBLIC_BYTES = 32
SIGNATURE_BYTES = 64
_FIELD = 2**255 - 19
_EIGHTH = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER = {0, 1, _FIELD - 1, _FIELD, _FIELD + 1, _EIGHTH, _FIELD - _EIGHTH}
"""The y of points of order 1, 2, 4 and 8, however spelled: one signature fits many messages under them."""


def to_base64url(data: bytes) -> str:
    """RFC 4648 section 5, without padding."""
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def from_base64url(text: str) -> bytes:
    """The one byte string that ``to_base64url`` spells so. Raises ``ValueError`` for any other spelling."""
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if to_base64url(data) != text:
        raise ValueError("not canonical base64url")
    return data


@dataclass(frozen=True)
class VerifyKey:
    """The public half: 32 ``raw`` bytes."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != PUBLIC_BYTES:
            raise KeysDamaged(f"An Ed25519 public key has {PUBLIC_BYTES} bytes, not {len(self.raw)}.")
        if int.from_bytes(self.raw, "little") % 2**255 in _SMALL_ORDER:
            raise KeysDamaged("This public key belongs to nobody: anybody could sign for it.")

    @classmethod
    def from_text(cls, text: str) -> Self:
        """From ``text``. Raises ``KeysDamaged`` if it is not the base64url of 32 bytes."""
        try:
            return cls(from_base64url(text))
        except ValueError as error:
            raise KeysDamaged("A public key is written as 43 characters of base64url.") from error

    @property
    def text(self) -> str:
        """43 characters of base64url, the ``x`` of its JWK."""
        return to_base64url(self.raw)

    @property
    def jwk(self) -> dict[str, str]:
        """As a JSON Web Key (RFC 8037)."""
        return {"crv": "Ed25519", "kty": "OKP", "x": self.text}

    @cached_property
    def keyid(self) -> str:
        """Its RFC 7638 thumbprint: 43 characters of base64url."""
        canonical = json.dumps(self.jwk, separators=(",", ":"), sort_keys=True).encode("ascii")
        return to_base64url(hashlib.sha256(canonical).digest())

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raises ``SignatureInvalid`` unless this key signed ``message`` so."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature as error:
            raise SignatureInvalid(
                f"The signature is not one of key {self.keyid} over this message."
            ) from error

    @cached_property
    def _key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.raw)


@dataclass(frozen=True)
class SigningKey:
    """The private half; it is never printed."""

    _key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """A new key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a PKCS 8 PEM file.

        Raises:
            KeysMissing: there is none.
            KeysUnsafe: others may read it.
            KeysDamaged: it holds no Ed25519 key.
        """
        try:
            key = serialization.load_pem_private_key(keyfiles.read(path, private=True), password=None)
        except (ValueError, TypeError) as error:
            raise KeysDamaged(f"{path} does not hold a private key: restore it from a copy.") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise KeysDamaged(f"{path} does not hold an Ed25519 key: restore it from a copy.")
        return cls(key)

    def save(self, path: Path) -> None:
        """Write a new file with mode 0600. Raises ``KeysExist`` if there is one."""
        keyfiles.create(path, self.pem, keyfiles.PRIVATE)

    @property
    def pem(self) -> bytes:
        """The secret itself, unencrypted PKCS 8, for a file that nobody else can read."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @cached_property
    def public(self) -> VerifyKey:
        """The half to give away."""
        return VerifyKey(self._key.public_key().public_bytes_raw())

    @property
    def keyid(self) -> str:
        """Of the public half."""
        return self.public.keyid

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(message)
