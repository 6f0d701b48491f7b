"""A credential: what a person at an organisation may ask of this hub, by which keys, until when.

It is one canonical JSON document (RFC 8785) signed by the hub; every change is a new revision, signed again,
so that nobody who can merely write to the database can widen, lengthen or revive one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

import rfc8785

from governance.errors import CredentialRefused, IdentityError, KeysDamaged, SignatureInvalid
from governance.keys import SigningKey, VerifyKey

TYPE = "vernissage.credential"
VERSION = 1
MAX_SCOPES = 50
MAX_PER_DAY = 1_000_000_000
_WORD = re.compile(r"[a-z][a-z0-9_.:/-]{0,79}")


class Tier(StrEnum):
    """How far a credential reaches; each tier stands above the ones named before it."""

    DETECT = "detect"
    GENERATE = "generate"
    RESEARCH = "research"
    STEWARD = "steward"

    @property
    def rank(self) -> int:
        """0 for the lowest."""
        return list(Tier).index(self)


class State(StrEnum):
    """Whether a credential may be used; ``revoked`` is final."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


@dataclass(frozen=True)
class HeldKey:
    """A key of the credential's holder, good from ``not_before`` until just before ``expires``."""

    public: VerifyKey
    not_before: datetime
    expires: datetime


@dataclass(frozen=True)
class Credential:
    """Ids are pseudonymous. ``scopes`` are sorted words; ``quotas`` are counts a day (UTC) by action, and an
    action without one may not be done at all; the last of ``keys`` is the current one.

    Raises ``IdentityError`` if it makes no sense.
    """

    id: str
    organisation: str
    person: str
    tier: Tier
    scopes: tuple[str, ...]
    quotas: dict[str, int]
    keys: tuple[HeldKey, ...]
    not_before: datetime
    expires: datetime
    state: State = State.ACTIVE
    revision: int = 1

    def __post_init__(self) -> None:
        if not self.keys:
            raise IdentityError("A credential needs a key: name its holder's public key.")
        if self.not_before >= self.expires:
            raise IdentityError("A credential must begin before it ends: check its two dates.")
        if len(self.scopes) > MAX_SCOPES or list(self.scopes) != sorted(set(self.scopes)):
            raise IdentityError(f"Scopes are at most {MAX_SCOPES} different words, in order.")
        for word in (*self.scopes, *self.quotas):
            if not _WORD.fullmatch(word):
                raise IdentityError(f"{word!r} is no scope or action: write one lower-case word.")
        if any(not 0 <= count <= MAX_PER_DAY for count in self.quotas.values()):
            raise IdentityError(f"A quota is a number from 0 to {MAX_PER_DAY:,} a day.")

    @property
    def keyid(self) -> str:
        """Of the current key."""
        return self.keys[-1].public.keyid

    def canonical(self) -> bytes:
        """The document that the hub signs."""
        return rfc8785.dumps(
            {
                "expires": to_text(self.expires),
                "id": self.id,
                "keys": [
                    {
                        "expires": to_text(key.expires),
                        "key": key.public.text,
                        "not_before": to_text(key.not_before),
                    }
                    for key in self.keys
                ],
                "not_before": to_text(self.not_before),
                "organisation": self.organisation,
                "person": self.person,
                "quotas": {**self.quotas},
                "revision": self.revision,
                "scopes": list(self.scopes),
                "state": self.state.value,
                "tier": self.tier.value,
                "type": TYPE,
                "version": VERSION,
            }
        )

    @property
    def sha256(self) -> str:
        """Of the document, in hexadecimal: what the ledger remembers of it."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def sign(self, hub: SigningKey) -> bytes:
        """The hub's signature over the document."""
        return hub.sign(self.canonical())

    @classmethod
    def read(cls, document: bytes, signature: bytes, trusted: Iterable[VerifyKey]) -> Self:
        """The credential in ``document``, if one of the ``trusted`` hub keys signed exactly these bytes.

        Raises:
            CredentialRefused: ``forged``: none did, or it is not a credential in canonical form.
        """
        if not any(_signed(key, signature, document) for key in trusted):
            raise CredentialRefused(
                "forged",
                "This credential is not signed by the hub: let a steward run `vernissage credential audit`.",
            )
        try:
            credential = cls._parse(json.loads(document))
        except (ValueError, KeyError, TypeError, AttributeError, IdentityError, KeysDamaged) as error:
            raise CredentialRefused("forged", "This is no credential that the hub understands.") from error
        if credential.canonical() != document:
            raise CredentialRefused("forged", "This credential is not in canonical form.")
        return credential

    @classmethod
    def _parse(cls, found: dict[str, Any]) -> Self:
        return cls(
            id=found["id"],
            organisation=found["organisation"],
            person=found["person"],
            tier=Tier(found["tier"]),
            scopes=tuple(found["scopes"]),
            quotas=dict(found["quotas"]),
            keys=tuple(
                HeldKey(
                    VerifyKey.from_text(key["key"]), from_text(key["not_before"]), from_text(key["expires"])
                )
                for key in found["keys"]
            ),
            not_before=from_text(found["not_before"]),
            expires=from_text(found["expires"]),
            state=State(found["state"]),
            revision=found["revision"],
        )

    def check(self, now: datetime) -> None:
        """Raises ``CredentialRefused`` (``revoked``, ``suspended``, ``not_yet``, ``expired``) unless it may
        be used at ``now``."""
        if self.state is State.REVOKED:
            raise CredentialRefused("revoked", "This credential was revoked: it cannot be used again.")
        if self.state is State.SUSPENDED:
            raise CredentialRefused("suspended", "This credential is suspended: ask the stewards why.")
        if now < self.not_before:
            raise CredentialRefused(
                "not_yet", f"This credential begins on {self.not_before:%Y-%m-%d}: wait until then."
            )
        if now >= self.expires:
            raise CredentialRefused(
                "expired", f"This credential ended on {self.expires:%Y-%m-%d}: ask for a new one."
            )

    def key(self, keyid: str, now: datetime) -> VerifyKey:
        """Its key of that name. Raises ``CredentialRefused`` (``unknown``, ``key_expired``)."""
        for held in self.keys:
            if held.public.keyid == keyid:
                if not held.not_before <= now < held.expires:
                    raise CredentialRefused(
                        "key_expired", "This key was replaced by a newer one: sign with that."
                    )
                return held.public
        raise CredentialRefused("unknown", f"No credential here belongs to key {keyid}.")

    def widens(self, before: Credential) -> bool:
        """Whether it lets its holder do anything at any time that ``before`` did not. Stewards decide and do
        not make: to let one make films is to widen."""
        return (
            self.tier.rank > before.tier.rank
            or (before.tier is Tier.STEWARD and self.tier in (Tier.GENERATE, Tier.RESEARCH))
            or not set(self.scopes) <= set(before.scopes)
            or any(count > before.quotas.get(action, 0) for action, count in self.quotas.items())
            or self.not_before < before.not_before
            or self.expires > before.expires
            or (self.state is State.ACTIVE and before.state is not State.ACTIVE)
        )


def to_text(moment: datetime) -> str:
    """To the second, in UTC: ``2026-11-22T12:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_text(text: str) -> datetime:
    """The moment that ``to_text`` wrote. Raises ``ValueError`` for any other text."""
    moment = datetime.fromisoformat(text)
    if to_text(moment) != text:
        raise ValueError(f"{text!r} is no moment in the canonical form")
    return moment


def _signed(key: VerifyKey, signature: bytes, document: bytes) -> bool:
    try:
        key.verify(signature, document)
    except SignatureInvalid:
        return False
    return True
