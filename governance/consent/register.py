"""Grants in force, and each use that is made of them.

use = consents.admit(grant.id, asking, now)    # reserved: it counts from here on
...                                            # the film is made
consents.confirm(use, now)                     # asks everything again; only then is the film handed over

Whatever happens in between (a revocation, a refusal, the grant's end, a crash), ``confirm`` decides, under
the same lock that ends a grant. A reservation that nobody confirms or releases lapses.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from governance.consent.asking import Asking, Use
from governance.consent.attestation import Attestation
from governance.consent.checks import Gallery
from governance.consent.grant import Grant, Revocation
from governance.consent.kinds import ID, SHA256, Kind
from governance.consent.standing import (
    APPROVED,
    DELIVERED,
    PENDING,
    RELEASED,
    RESERVED,
    alone,
    check_living,
    check_refusals,
    forget,
    void,
    void_uses,
    yield_to_grant,
)
from governance.consent.tables import (
    StoredAttestation,
    StoredCeremony,
    StoredGrant,
    StoredRevocation,
    StoredUse,
)
from governance.errors import ConsentRefused
from governance.events import Event
from governance.identity import Act, Approval, require
from governance.storage import Database, record

LAPSES_AFTER = timedelta(hours=6)
"""For so long a reservation waits for its film."""
SIGN_WITHIN = timedelta(days=7)
"""For so long a passed ceremony waits for the person's signature."""

EXPIRED, REVOKED, STRUCK = "expired", "revoked", "struck"
STRIKE = "grant.strike"
STEWARDS_TO_STRIKE = 1


@dataclass(frozen=True)
class Consents:
    """The register. ``faces`` and ``voices`` are where templates are deleted; without them that waits for the
    next ``expire`` of a register that has them."""

    database: Database
    faces: Gallery[Any] | None = None
    voices: Gallery[Any] | None = None

    def register(self, grant: Grant, now: datetime) -> None:
        """Put a signed grant in force. Doing it twice is no harm.

        Raises:
            ConsentRefused: no ceremony was passed for exactly these terms, or it is too late for them.
        """
        with self.database.transaction() as session:
            alone(session)
            known = session.get(StoredGrant, grant.id)
            if known is not None:
                if known.sha256 != grant.sha256:
                    raise ConsentRefused("grant_exists", "Another grant is registered under this id.")
                return
            ceremony = session.get(StoredCeremony, grant.id, with_for_update=True)
            _check_ceremony(ceremony, grant, now)
            _check_revocations(session, grant)
            subject = grant.subject.keyid
            check_refusals(session, grant.portrait_sha256, grant.face, subject)
            session.add(
                StoredGrant(
                    id=grant.id,
                    sha256=grant.sha256,
                    document=grant.data,
                    subject=subject,
                    portrait_sha256=grant.portrait_sha256,
                    face=grant.face,
                    expires=grant.expires,
                    registered_at=now,
                )
            )
            assert ceremony is not None
            ceremony.state = "granted"
            yield_to_grant(session, grant.portrait_sha256, grant.face, now)
            record(session, Event("grant.registered", {"grant": grant.sha256, "grantee": grant.grantee}, now))

    def admit(self, right: str, asking: Asking, now: datetime) -> Use:
        """Reserve one use of a grant, or of an approved attestation, by its id. The same request gets the
        same use again while it is reserved.

        Raises:
            ConsentRefused: with the reason, which is on record.
        """
        with self.database.transaction() as session:
            try:
                return _admit(session, right, asking, now)
            except ConsentRefused as error:
                refused = error
                _record_refusal(session, right, asking.request_sha256, error, now)
        raise refused

    def confirm(self, use: Use, now: datetime) -> None:
        """Ask again, immediately before the film is handed over, each time that it is.

        Raises:
            ConsentRefused: the film must not be handed over.
        """
        with self.database.transaction() as session:
            try:
                return _confirm(session, use, now)
            except ConsentRefused as error:
                refused = error
                if error.reason != "use_unknown":
                    _void_reserved(session, use, error.reason, now)
                _record_refusal(session, use.right, use.request_sha256, error, now)
        raise refused

    def release(self, use: Use, now: datetime) -> None:
        """Give a use back: its film will not be made. Doing it twice is no harm.

        Raises:
            ConsentRefused: the film was delivered.
        """
        with self.database.transaction() as session:
            _lock(session, use.right)
            stored = _stored_use(session, use)
            if stored.state == DELIVERED:
                raise ConsentRefused(
                    "use_delivered", "This film was delivered: its use cannot be given back."
                )
            if stored.state == RESERVED:
                stored.state = RELEASED
                record(session, Event("use.released", {"use": use.id}, now))

    def revoke(self, revocation: Revocation, now: datetime) -> None:
        """End a grant at once, also one that is not registered yet. Doing it twice is no harm.

        Raises:
            ConsentRefused: it is signed by another key than the grant.
        """
        with self.database.transaction() as session:
            stored = session.get(StoredGrant, revocation.grant, with_for_update=True)
            if stored is None:
                alone(session)
                stored = session.get(StoredGrant, revocation.grant, with_for_update=True)
            if stored is not None and Grant.read(stored.document).subject != revocation.subject:
                raise ConsentRefused("subject_differs", "Only the person who signed a grant can end it.")
            if session.get(StoredRevocation, revocation.sha256) is not None:
                return
            session.add(
                StoredRevocation(
                    sha256=revocation.sha256,
                    grant=revocation.grant,
                    subject=revocation.subject.keyid,
                    document=revocation.data,
                    received_at=now,
                )
            )
            facts: dict[str, str | int] = {"revocation": revocation.sha256}
            if stored is not None:
                facts["grant"] = stored.sha256
                stored.ended = REVOKED
                stored.forget = stored.forget or revocation.forget
                void_uses(session, stored.id, "grant_revoked", now)
                self._forget(session, stored, now)
            record(session, Event("grant.revoked", facts, now))

    def strike(self, act: Act, approvals: Sequence[Approval], now: datetime) -> None:
        """End a grant at once by a steward's word: it was forged, or the person has lost their key.

        Raises:
            ConsentRefused: there is no such grant, or the steward signed something else.
            NotApproved: no steward signed exactly this.
        """
        with self.database.transaction() as session:
            stored = session.get(StoredGrant, act.subject, with_for_update=True)
            if stored is None:
                raise _unknown()
            if act != strike(Grant.read(stored.document), act.at):
                raise ConsentRefused("act_unfit", "The steward signed something else than this.")
            require(session, act, approvals, needed=STEWARDS_TO_STRIKE, now=now)
            if stored.ended != REVOKED:
                stored.ended = STRUCK
            void_uses(session, stored.id, "grant_struck", now)
            record(session, Event("grant.struck", {"grant": stored.sha256}, now))

    def expire(self, now: datetime) -> int:
        """End what is over: grants past their end, reservations past their time, templates to be deleted. How
        many there were; to be called now and then."""
        over = StoredGrant.ended.is_(None) & (StoredGrant.expires <= now)
        if self.faces is not None:
            over |= StoredGrant.forget
        grants = select(StoredGrant.id).where(over)
        uses = select(StoredUse.right).where(StoredUse.state == RESERVED, StoredUse.lapses <= now)
        with self.database.transaction() as session:
            due = sorted({*session.scalars(grants), *session.scalars(uses)})
        for right in due:
            with self.database.transaction() as session:
                stored = _lock(session, right)
                _lapse(session, right, now)
                if isinstance(stored, StoredGrant):
                    _end_if_over(session, stored, now)
                    self._forget(session, stored, now)
        return len(due)

    def grant(self, id: str) -> Grant:
        """A registered grant. Raises ``ConsentRefused`` if there is none."""
        with self.database.transaction() as session:
            stored = session.get(StoredGrant, id)
            if stored is None:
                raise _unknown()
            return Grant.read(stored.document)

    def _forget(self, session: Session, stored: StoredGrant, now: datetime) -> None:
        grant = Grant.read(stored.document)
        if not stored.forget or self.faces is None or (grant.voice is not None and self.voices is None):
            return
        forget(session, self.faces, grant.face)
        if grant.voice is not None and self.voices is not None:
            self.voices.forget(session, grant.voice)
        stored.forget = False
        record(session, Event("templates.deleted", {"grant": stored.sha256}, now))


def strike(grant: Grant, now: datetime) -> Act:
    """What a steward signs to end ``grant``."""
    return Act(STRIKE, grant.id, {"grant": grant.sha256}, now)


def _check_ceremony(ceremony: StoredCeremony | None, grant: Grant, now: datetime) -> None:
    if ceremony is None or ceremony.state != "passed" or ceremony.decided_at is None:
        raise ConsentRefused("ceremony_missing", "No consent ceremony was passed for this grant.")
    if ceremony.terms != grant.body:
        raise ConsentRefused("terms_differ", "These are not the terms of the ceremony.")
    if now >= ceremony.decided_at + SIGN_WITHIN:
        raise ConsentRefused(
            "ceremony_lapsed", "This grant was not sent within a week of the ceremony: begin a new one."
        )
    if now >= grant.expires:
        raise ConsentRefused("grant_expired", "This grant is over already.")


def _check_revocations(session: Session, grant: Grant) -> None:
    revocation = select(StoredRevocation.sha256).where(
        StoredRevocation.grant == grant.id, StoredRevocation.subject == grant.subject.keyid
    )
    if session.scalar(revocation.limit(1)) is not None:
        raise ConsentRefused("grant_revoked", "The person has ended this grant.")


def _admit(session: Session, right: str, asking: Asking, now: datetime) -> Use:
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
    _lapse(session, right, now)
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


def _confirm(session: Session, use: Use, now: datetime) -> None:
    _standing(session, use.right, now)
    stored = _stored_use(session, use)
    if stored.state == RESERVED and stored.lapses <= now:
        raise ConsentRefused("use_lapsed", "This film took too long: its permission has lapsed.")
    if stored.state not in (RESERVED, DELIVERED):
        raise ConsentRefused("use_void", "The permission for this film was given back or has lapsed.")
    if stored.state == RESERVED:
        stored.state = DELIVERED
        record(session, Event("use.delivered", {"use": use.id, "right": use.right_sha256}, now))


def _standing(session: Session, right: str, now: datetime) -> StoredGrant | StoredAttestation:
    """The right with its row locked, if it is in force at ``now`` whatever is asked of it."""
    stored = _lock(session, right)
    if isinstance(stored, StoredGrant):
        grant = Grant.read(stored.document)
        if (grant.id, grant.sha256) != (stored.id, stored.sha256):
            raise ConsentRefused("grant_damaged", "What is kept of this grant is not what was signed.")
        _end_if_over(session, stored, now)
        if stored.ended == REVOKED:
            raise ConsentRefused("grant_revoked", "The person has ended this grant.")
        if stored.ended == STRUCK:
            raise ConsentRefused("grant_struck", "The stewards of this hub have ended this grant.")
        if stored.ended is not None:
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


def _lock(session: Session, right: str) -> StoredGrant | StoredAttestation:
    stored = session.get(StoredGrant, right, with_for_update=True) or session.get(
        StoredAttestation, right, with_for_update=True
    )
    if stored is None:
        raise _unknown()
    return stored


def _end_if_over(session: Session, stored: StoredGrant, now: datetime) -> None:
    if stored.ended is None and stored.expires <= now:
        stored.ended = EXPIRED
        void_uses(session, stored.id, "grant_expired", now)
        record(session, Event("grant.expired", {"grant": stored.sha256}, now))


def _lapse(session: Session, right: str, now: datetime) -> None:
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


def _void_reserved(session: Session, use: Use, reason: str, now: datetime) -> None:
    stored = session.get(StoredUse, use.id)
    if stored is not None and stored.right == use.right and stored.state == RESERVED:
        void(session, stored, reason, now)


def _record_refusal(
    session: Session, right: str, request_sha256: str, error: ConsentRefused, now: datetime
) -> None:
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


def _unknown() -> ConsentRefused:
    return ConsentRefused("right_unknown", "There is no grant or attestation of this id.")
