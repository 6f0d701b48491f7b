"""One use of a right, inside a transaction: reserved, confirmed, released. The right's row stays locked until
the transaction ends."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from governance.consent.asking import Asking, Use
from governance.consent.attestation import Attestation
from governance.consent.grant import Grant
from governance.consent.kinds import ID, SHA256, Kind
from governance.consent.standing import (
    APPROVED,
    DELIVERED,
    PENDING,
    RELEASED,
    RESERVED,
    check_living,
    check_refusals,
    void,
    void_uses,
)
from governance.consent.tables import StoredAttestation, StoredGrant, StoredRevocation, StoredUse
from governance.errors import ConsentRefused
from governance.events import Event
from governance.storage import record

LAPSES_AFTER = timedelta(hours=6)
"""For so long a reservation waits for its film."""

EXPIRED, REVOKED, STRUCK = "expired", "revoked", "struck"


def admit(session: Session, right: str, asking: Asking, now: datetime) -> Use:
    """As ``Consents.admit``."""
    if not _is(SHA256, asking.request_sha256):
        raise ConsentRefused("request_unfit", "A request is known by its hash of 64 hexadecimal digits.")
    stored = _standing(session, right, now)
    most = None
    if isinstance(stored, StoredGrant):
        grant = Grant.read(stored.document)
        grant.allow(asking, now)
        most = grant.max_uses
    else:
        Attestation.read(stored.document).allow(asking)
    known = session.scalar(
        select(StoredUse).where(StoredUse.right == right, StoredUse.request_sha256 == asking.request_sha256)
    )
    lapse(session, right, now)
    if known is not None and known.state != RESERVED:
        raise ConsentRefused("request_spent", "This request was answered before: send a new one.")
    if known is None:
        if most is not None and _taken(session, right) >= most:
            raise ConsentRefused("uses_spent", f"All {most} films that this grant allows are made.")
        known = StoredUse(
            id=uuid.uuid4().hex,
            right=right,
            request_sha256=asking.request_sha256,
            state=RESERVED,
            lapses=now + LAPSES_AFTER,
        )
        session.add(known)
        record(
            session,
            Event(
                "use.admitted",
                {"use": known.id, "right": stored.sha256, "request": asking.request_sha256},
                now,
            ),
        )
    return Use(known.id, right, stored.sha256, asking.request_sha256)


def confirm(session: Session, use: Use, now: datetime) -> None:
    """As ``Consents.confirm``."""
    _standing(session, use.right, now)
    stored = _stored_use(session, use)
    if stored.state == RESERVED and stored.lapses <= now:
        raise ConsentRefused("use_lapsed", "This film took too long: its permission has lapsed.")
    if stored.state not in (RESERVED, DELIVERED):
        raise ConsentRefused("use_void", "The permission for this film was given back or has lapsed.")
    if stored.state == RESERVED:
        stored.state = DELIVERED
        record(session, Event("use.delivered", {"use": use.id, "right": use.right_sha256}, now))


def release(session: Session, use: Use, now: datetime) -> None:
    """As ``Consents.release``."""
    lock(session, use.right)
    stored = _stored_use(session, use)
    if stored.state == DELIVERED:
        raise ConsentRefused("use_delivered", "This film was delivered: its use cannot be given back.")
    if stored.state == RESERVED:
        stored.state = RELEASED
        record(session, Event("use.released", {"use": use.id}, now))


def _standing(session: Session, right: str, now: datetime) -> StoredGrant | StoredAttestation:
    """The right with its row locked, if it is in force at ``now`` whatever is asked of it."""
    stored = lock(session, right)
    if isinstance(stored, StoredGrant):
        grant = Grant.read(stored.document)
        if (grant.id, grant.sha256) != (stored.id, stored.sha256):
            raise ConsentRefused("grant_damaged", "What is kept of this grant is not what was signed.")
        end_if_over(session, stored, now)
        if stored.ended == REVOKED or is_revoked(session, grant):
            raise ConsentRefused("grant_revoked", "The person has ended this grant.")
        if stored.ended == STRUCK:
            raise ConsentRefused("grant_struck", "The stewards of this hub have ended this grant.")
        if stored.ended is not None or now >= grant.expires:
            raise ConsentRefused("grant_expired", f"This grant ended on {grant.expires:%Y-%m-%d %H:%M} UTC.")
        check_refusals(session, grant.portrait_sha256, grant.face, grant.subject.keyid)
        return stored
    attestation = Attestation.read(stored.document)
    if (attestation.id, attestation.sha256) != (stored.id, stored.sha256):
        raise ConsentRefused(
            "attestation_damaged", "What is kept of this attestation is not what was signed."
        )
    if stored.state == PENDING:
        raise ConsentRefused("attestation_pending", "A steward has not reviewed this attestation yet.")
    check_refusals(session, stored.portrait_sha256, stored.face, None)
    check_living(session, stored.portrait_sha256, stored.face)
    if stored.state != APPROVED:
        raise ConsentRefused(f"attestation_{stored.state}", "This attestation was declined or is contested.")
    return stored


def lock(session: Session, right: str) -> StoredGrant | StoredAttestation:
    """The right of this id; nobody else can use or end it before this transaction does. Raises
    ``ConsentRefused`` if there is none."""
    stored = session.get(StoredGrant, right, with_for_update=True) or session.get(
        StoredAttestation, right, with_for_update=True
    )
    if stored is None:
        raise unknown()
    return stored


def is_revoked(session: Session, grant: Grant) -> bool:
    """Whether the person's own word to end it is on file, whatever else is."""
    revocation = select(StoredRevocation.sha256).where(
        StoredRevocation.grant == grant.id, StoredRevocation.subject == grant.subject.keyid
    )
    return session.scalar(revocation.limit(1)) is not None


def end_if_over(session: Session, stored: StoredGrant, now: datetime) -> None:
    """Mark a grant whose time is over; from then on no clock that runs behind brings it back."""
    if stored.ended is None and stored.expires <= now:
        stored.ended = EXPIRED
        void_uses(session, stored.id, "grant_expired", now)
        record(session, Event("grant.expired", {"grant": stored.sha256}, now))


def lapse(session: Session, right: str, now: datetime) -> None:
    """Void the reservations that waited too long."""
    late = select(StoredUse).where(
        StoredUse.right == right, StoredUse.state == RESERVED, StoredUse.lapses <= now
    )
    for use in session.scalars(late):
        void(session, use, "use_lapsed", now)
    session.flush()


def _taken(session: Session, right: str) -> int:
    counting = select(func.count()).where(
        StoredUse.right == right, StoredUse.state.in_((RESERVED, DELIVERED))
    )
    return session.scalars(counting).one()


def _stored_use(session: Session, use: Use) -> StoredUse:
    stored = session.get(StoredUse, use.id, with_for_update=True)
    if stored is None or (stored.right, stored.request_sha256) != (use.right, use.request_sha256):
        raise ConsentRefused("use_unknown", "There is no permission for this film.")
    return stored


def void_reserved(session: Session, use: Use, reason: str, now: datetime) -> None:
    """Nothing more will come of a use that could not be confirmed."""
    stored = session.get(StoredUse, use.id)
    if stored is not None and stored.right == use.right and stored.state == RESERVED:
        void(session, stored, reason, now)


def record_refusal(
    session: Session, right: str, request_sha256: str, error: ConsentRefused, now: datetime
) -> None:
    """Put on record why a film is not made, or not handed over."""
    facts: dict[str, str | int] = {"reason": error.reason}
    if _is(ID, right):
        facts["right"] = right
    if _is(SHA256, request_sha256):
        facts["request"] = request_sha256
    record(session, Event("use.refused", facts, now))


def _is(kind: Kind[str], value: str) -> bool:
    try:
        kind.read(value)
    except ValueError:
        return False
    return True


def unknown() -> ConsentRefused:
    """What to raise about an id that nobody knows."""
    return ConsentRefused("right_unknown", "There is no grant or attestation of this id.")
