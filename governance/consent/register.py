"""Grants in force, and each use that is made of them.

use = consents.admit(grant.id, asking, now)    # reserved: it counts from here on
...                                            # the film is made
consents.confirm(use, now)                     # asks everything again; only then is the film handed over

Whatever happens in between (a revocation, a refusal, the grant's end, a crash), ``confirm`` decides, under
the same lock that ends a grant. A reservation that nobody confirms or releases lapses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from governance.consent import uses
from governance.consent.asking import Asking, Use
from governance.consent.ceremony import GRANTED, PASSED
from governance.consent.checks import Gallery
from governance.consent.grant import Grant, Revocation
from governance.consent.standing import (
    RESERVED,
    alone,
    check_refusals,
    forget,
    void_uses,
    yield_to_grant,
)
from governance.consent.tables import StoredCeremony, StoredGrant, StoredRevocation, StoredUse
from governance.consent.uses import REVOKED, STRUCK
from governance.errors import ConsentRefused
from governance.events import Event
from governance.identity import Act, Approval, require
from governance.storage import Database, record

SIGN_WITHIN = timedelta(days=7)
"""For so long a passed ceremony waits for the person's signature."""

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
            if uses.is_revoked(session, grant):
                raise ConsentRefused("grant_revoked", "The person has ended this grant.")
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
            ceremony.state = GRANTED
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
                return uses.admit(session, right, asking, now)
            except ConsentRefused as error:
                refused = error
                uses.record_refusal(session, right, asking.request_sha256, error, now)
        raise refused

    def confirm(self, use: Use, now: datetime) -> None:
        """Ask again, immediately before the film is handed over, each time that it is.

        Raises:
            ConsentRefused: the film must not be handed over.
        """
        with self.database.transaction() as session:
            try:
                return uses.confirm(session, use, now)
            except ConsentRefused as error:
                refused = error
                if error.reason != "use_unknown":
                    uses.void_reserved(session, use, error.reason, now)
                uses.record_refusal(session, use.right, use.request_sha256, error, now)
        raise refused

    def release(self, use: Use, now: datetime) -> None:
        """Give a use back: its film will not be made. Doing it twice is no harm.

        Raises:
            ConsentRefused: the film was delivered.
        """
        with self.database.transaction() as session:
            uses.release(session, use, now)

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
                raise uses.unknown()
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
        late = select(StoredUse.right).where(StoredUse.state == RESERVED, StoredUse.lapses <= now)
        with self.database.transaction() as session:
            due = sorted({*session.scalars(grants), *session.scalars(late)})
        for right in due:
            with self.database.transaction() as session:
                stored = uses.lock(session, right)
                uses.lapse(session, right, now)
                if isinstance(stored, StoredGrant):
                    uses.end_if_over(session, stored, now)
                    self._forget(session, stored, now)
        return len(due)

    def grant(self, id: str) -> Grant:
        """A registered grant. Raises ``ConsentRefused`` if there is none."""
        with self.database.transaction() as session:
            stored = session.get(StoredGrant, id)
            if stored is None:
                raise uses.unknown()
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
    if ceremony is None or ceremony.state != PASSED or ceremony.decided_at is None:
        raise ConsentRefused("ceremony_missing", "No consent ceremony was passed for this grant.")
    if ceremony.terms != grant.body:
        raise ConsentRefused("terms_differ", "These are not the terms of the ceremony.")
    if now >= ceremony.decided_at + SIGN_WITHIN:
        raise ConsentRefused(
            "ceremony_lapsed", "This grant was not sent within a week of the ceremony: begin a new one."
        )
    if now >= grant.expires:
        raise ConsentRefused("grant_expired", "This grant is over already.")
