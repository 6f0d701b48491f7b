"""Where a face stands: who refused, which pictures are of one person, and which rights must yield to that.

Whoever registers a grant, an attestation or a refusal holds ``alone``, so that no two of them overlook each
other. Whoever makes use of a right holds the lock of its row, and so does whoever ends it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, delete, or_, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from governance.consent.checks import Gallery
from governance.consent.tables import (
    Likeness,
    StoredAttestation,
    StoredGrant,
    StoredRefusal,
    StoredUse,
)
from governance.errors import ConsentRefused
from governance.events import Event
from governance.storage import record

Template = TypeVar("Template")

RESERVED, DELIVERED, RELEASED, VOID = "reserved", "delivered", "released", "void"
PENDING, APPROVED, DECLINED, CONTESTED = "pending", "approved", "declined", "contested"


def alone(session: Session) -> None:
    """Until the end of the transaction nobody else registers anything (on SQLite nobody writes at all)."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"LOCK TABLE {StoredRefusal.__tablename__} IN SHARE ROW EXCLUSIVE MODE"))


def remember(session: Session, faces: Gallery[Template], template: Template, now: datetime) -> str:
    """Keep a face, and whom it is like; its commitment. Needs ``alone``."""
    others = faces.like(session, template)
    face = faces.keep(session, template, now)
    session.add_all(Likeness(face=face, other=other) for other in set(others) - {face})
    session.flush()
    return face


def forget(session: Session, faces: Gallery[Template], face: str) -> None:
    """Delete a face and whom it is like."""
    faces.forget(session, face)
    session.execute(delete(Likeness).where(or_(Likeness.face == face, Likeness.other == face)))


def check_refusals(session: Session, portrait_sha256: str, face: str | None, subject: str | None) -> None:
    """Raises ``ConsentRefused`` if a standing refusal concerns this picture, face or key."""
    concerned = StoredRefusal.portrait_sha256 == portrait_sha256
    if subject is not None:
        concerned |= StoredRefusal.subject == subject
    if face is not None:
        concerned |= like(StoredRefusal.face, face)
    refusal = select(StoredRefusal.id).where(StoredRefusal.withdrawn_at.is_(None), concerned).limit(1)
    if session.scalar(refusal) is not None:
        raise ConsentRefused(
            "refused_by_subject", "The person in this picture has said that they do not want to be animated."
        )


def check_living(session: Session, portrait_sha256: str, face: str) -> None:
    """Raises ``ConsentRefused`` if somebody alive signed a grant for this picture or this face."""
    grant = select(StoredGrant.id).where(
        or_(StoredGrant.portrait_sha256 == portrait_sha256, like(StoredGrant.face, face))
    )
    if session.scalar(grant.limit(1)) is not None:
        raise ConsentRefused(
            "face_known", "This face is that of a living person: only their own grant can allow this."
        )


def yield_to_refusal(
    session: Session, portrait_sha256: str, face: str | None, subject: str, now: datetime
) -> None:
    """Void what is in the making by rights that a new refusal concerns. Needs ``alone``."""
    grants = (StoredGrant.portrait_sha256 == portrait_sha256) | (StoredGrant.subject == subject)
    if face is not None:
        grants |= like(StoredGrant.face, face)
    rights = select(StoredGrant).where(grants).order_by(StoredGrant.id).with_for_update()
    for grant in session.scalars(rights):
        void_uses(session, grant.id, "refused_by_subject", now)
    for attestation in _attestations(session, portrait_sha256, face):
        void_uses(session, attestation.id, "refused_by_subject", now)


def yield_to_grant(session: Session, portrait_sha256: str, face: str, now: datetime) -> None:
    """Contest attestations about a face for which a living person now signed. Needs ``alone``."""
    for attestation in _attestations(session, portrait_sha256, face):
        if attestation.state in (PENDING, APPROVED):
            attestation.state = CONTESTED
            record(session, Event("attestation.contested", {"attestation": attestation.sha256}, now))
        void_uses(session, attestation.id, "face_known", now)


def void_uses(session: Session, right: str, reason: str, now: datetime) -> None:
    """Nothing that is in the making by ``right`` will be delivered. Needs the lock of its row."""
    reserved = select(StoredUse).where(StoredUse.right == right, StoredUse.state == RESERVED)
    for use in session.scalars(reserved):
        void(session, use, reason, now)


def void(session: Session, use: StoredUse, reason: str, now: datetime) -> None:
    """This use does not count, and nothing will come of it."""
    use.state = VOID
    record(session, Event("use.voided", {"use": use.id, "reason": reason}, now))


def like(
    column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None], face: str
) -> ColumnElement[bool]:
    """Whether the face in ``column`` is ``face`` or was found to be the same person's."""
    return or_(
        column == face,
        column.in_(select(Likeness.other).where(Likeness.face == face)),
        column.in_(select(Likeness.face).where(Likeness.other == face)),
    )


def _attestations(session: Session, portrait_sha256: str, face: str | None) -> list[StoredAttestation]:
    concerned = StoredAttestation.portrait_sha256 == portrait_sha256
    if face is not None:
        concerned |= like(StoredAttestation.face, face)
    found = select(StoredAttestation).where(concerned).order_by(StoredAttestation.id).with_for_update()
    return list(session.scalars(found))
