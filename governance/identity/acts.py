"""What stewards decide, and their signatures under it.

An act says in full what is to be done, so that whoever signs it knows, and nothing else can be done with the
signature. Widening access needs two stewards; narrowing it needs one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import rfc8785
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from governance.errors import CredentialRefused, IdentityError, MoreNeeded, NotApproved, SignatureInvalid
from governance.events import Event
from governance.identity.credential import Credential, Tier
from governance.identity.lookup import find_credential
from governance.identity.tables import CarriedOut
from governance.keys import SigningKey, to_base64url
from governance.storage import record

TYPE = "vernissage.act"
VALID = timedelta(days=7)
"""For so long an act may gather signatures and be carried out."""
MAX_SKEW = timedelta(minutes=5)
"""By so much the clock of the one who wrote an act may be ahead of ours."""
MAX_NAMED = 8
"""So many stewards fit into the event; all signatures are kept with the act."""
_ACTION = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")


@dataclass(frozen=True)
class Act:
    """``action`` (such as ``credential.issue``) on ``subject``, an id, with all ``facts`` that matter,
    written ``at`` a time (kept to the millisecond). Raises ``IdentityError`` if it cannot be written down."""

    action: str
    subject: str
    facts: dict[str, str | int]
    at: datetime

    def __post_init__(self) -> None:
        if not _ACTION.fullmatch(self.action):
            raise IdentityError(f"An action is two lower-case words joined by a dot, not {self.action!r}.")
        if self.at.tzinfo is None:
            raise IdentityError("The time of an act needs a time zone.")
        if any(type(fact) not in (str, int) for fact in self.facts.values()):
            raise IdentityError("The facts of an act are texts and whole numbers.")
        moment = self.at.astimezone(UTC)
        object.__setattr__(self, "at", moment.replace(microsecond=moment.microsecond // 1000 * 1000))

    def canonical(self) -> bytes:
        """What is signed: JSON in its canonical form (RFC 8785)."""
        return rfc8785.dumps(
            {
                "action": self.action,
                "at": self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "facts": {**self.facts},
                "subject": self.subject,
                "type": TYPE,
            }
        )

    @classmethod
    def read(cls, data: bytes) -> Self:
        """The act whose canonical form is ``data``. Raises ``IdentityError`` for anything else."""
        try:
            found: dict[str, Any] = json.loads(data)
            act = cls(found["action"], found["subject"], found["facts"], datetime.fromisoformat(found["at"]))
            canonical = act.canonical()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise IdentityError("This is no act of a steward.") from error
        if canonical != data:
            raise IdentityError("This act is not in canonical form.")
        return act

    @property
    def sha256(self) -> str:
        """Of the canonical form, in hexadecimal: its name in the ledger."""
        return hashlib.sha256(self.canonical()).hexdigest()


@dataclass(frozen=True)
class Approval:
    """A steward's signature under an act."""

    keyid: str
    signature: bytes

    @classmethod
    def by(cls, key: SigningKey, act: Act) -> Self:
        """Sign ``act`` with a steward's key."""
        return cls(key.keyid, key.sign(act.canonical()))


def require(
    session: Session,
    act: Act,
    approvals: Sequence[Approval],
    *,
    needed: int,
    now: datetime,
    besides: Collection[str] = (),
) -> None:
    """Go on only if ``needed`` different people, stewards now, signed exactly this ``act``, and nobody
    carried it out before. ``besides`` names people who may not decide here because it is about themselves.
    Puts ``act.approved`` on record; call it in the transaction that carries the act out.

    Raises:
        MoreNeeded: another steward has to sign.
        NotApproved: it is too old, was carried out, or a signature does not count.
    """
    if not now - VALID <= act.at <= now + MAX_SKEW:
        raise NotApproved(f"This act was written on {act.at:%Y-%m-%d %H:%M}: propose it anew.")
    stewards = {one.person: one for one in (steward(session, act, a, now) for a in approvals)}
    counted = {person: one.id for person, one in stewards.items() if person not in besides}
    if len(counted) < needed:
        reason = ", and nobody decides about themselves" if len(counted) < len(stewards) else ""
        raise MoreNeeded(
            f"{act.action} needs {_people(needed)}, and {_have(len(counted))} signed{reason}: "
            "let another steward approve it."
        )
    try:
        with session.begin_nested():
            session.add(
                CarriedOut(
                    sha256=act.sha256,
                    subject=act.subject,
                    act=act.canonical().decode(),
                    approvals={a.keyid: to_base64url(a.signature) for a in approvals},
                    at=now,
                )
            )
    except IntegrityError as error:
        raise NotApproved("This act was carried out before: propose it anew.") from error
    record(
        session,
        Event(
            "act.approved",
            {
                "act": act.sha256,
                "action": act.action,
                "by": "+".join(sorted(counted.values())[:MAX_NAMED]),
                "subject": act.subject,
            },
            now,
        ),
    )


def steward(session: Session, act: Act, approval: Approval, now: datetime) -> Credential:
    """The credential of the steward who gave ``approval``. Raises ``NotApproved`` if it does not count."""
    try:
        credential = find_credential(session, approval.keyid, now)
        credential.key(approval.keyid, now).verify(approval.signature, act.canonical())
    except CredentialRefused as error:
        raise NotApproved(f"A signature does not count. {error}") from error
    except SignatureInvalid as error:
        raise NotApproved("A signature is not under this act: sign exactly what is proposed.") from error
    if credential.tier is not Tier.STEWARD:
        raise NotApproved(f"Credential {credential.id} is not a steward's: only stewards decide.")
    return credential


def _people(count: int) -> str:
    return "a steward" if count == 1 else f"{count} different stewards"


def _have(count: int) -> str:
    return "nobody" if count == 0 else f"only {count}"
