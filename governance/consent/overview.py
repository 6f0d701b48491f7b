"""What became of documents: one line each, for stewards and for whom they concern."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from governance.consent.attestation import Attestation
from governance.consent.ceremony import GRANTED
from governance.consent.documents import Document
from governance.consent.grant import Grant, Revocation
from governance.consent.refusal import Refusal, Withdrawal
from governance.consent.standing import DELIVERED, RESERVED, check_living, check_refusals
from governance.consent.tables import (
    StoredAttestation,
    StoredCeremony,
    StoredGrant,
    StoredRefusal,
    StoredRevocation,
    StoredUse,
)
from governance.errors import ConsentRefused
from governance.storage import Database

IN_FORCE, NOT_HERE = "in force", "not registered"


@dataclass(frozen=True)
class Line:
    """``kind`` is ceremony, grant, attestation or refusal; ``uses`` are delivered and reserved films."""

    kind: str
    id: str
    state: str
    since: datetime
    uses: tuple[int, int] | None = None
    max_uses: int | None = None

    def facts(self) -> dict[str, str | int | None]:
        """For programs."""
        delivered, reserved = self.uses or (None, None)
        return {
            "kind": self.kind,
            "id": self.id,
            "state": self.state,
            "since": f"{self.since:%Y-%m-%dT%H:%M:%SZ}",
            "delivered": delivered,
            "reserved": reserved,
            "max_uses": self.max_uses,
        }

    def sentence(self) -> str:
        """For people."""
        films = ""
        if self.uses:
            of = f" of {self.max_uses:,}" if self.max_uses else ""
            making = f", {self.uses[1]:,} in the making" if self.uses[1] else ""
            films = f"; films: {self.uses[0]:,}{of}{making}"
        return f"{self.since:%Y-%m-%d}  {self.kind:<11}  {self.id}  {self.state}{films}"


def overview(database: Database, now: datetime) -> list[Line]:
    """All there is, the latest first; a ceremony that led to a grant is listed as that."""
    with database.transaction() as session:
        ceremonies = session.scalars(select(StoredCeremony).where(StoredCeremony.state != GRANTED))
        lines = [Line("ceremony", one.id, one.state, one.opened_at) for one in ceremonies]
        lines += [_grant(session, one, now) for one in session.scalars(select(StoredGrant))]
        lines += [_attestation(session, one) for one in session.scalars(select(StoredAttestation))]
        lines += [
            Line("refusal", one.id, _refusal(one), one.registered_at)
            for one in session.scalars(select(StoredRefusal))
        ]
    return sorted(lines, key=lambda line: (line.since, line.id), reverse=True)


def state_of(database: Database, document: Document, now: datetime) -> str:
    """What became of ``document`` here, in a few words."""
    with database.transaction() as session:
        if isinstance(document, Grant):
            grant = session.get(StoredGrant, document.id)
            return (
                NOT_HERE if grant is None or grant.sha256 != document.sha256 else _line(session, grant, now)
            )
        if isinstance(document, Attestation):
            attestation = session.get(StoredAttestation, document.id)
            known = attestation is not None and attestation.sha256 == document.sha256
            return _attestation(session, attestation).state if attestation and known else NOT_HERE
        if isinstance(document, Revocation):
            return IN_FORCE if session.get(StoredRevocation, document.sha256) else NOT_HERE
        assert isinstance(document, Refusal | Withdrawal)
        id = document.id if isinstance(document, Refusal) else document.refusal
        refusal = session.get(StoredRefusal, id)
        if refusal is None:
            return NOT_HERE
        if isinstance(document, Refusal):
            return _refusal(refusal) if refusal.sha256 == document.sha256 else NOT_HERE
        return IN_FORCE if refusal.withdrawal == document.data else NOT_HERE


def _line(session: Session, stored: StoredGrant, now: datetime) -> str:
    line = _grant(session, stored, now)
    delivered, reserved = line.uses or (0, 0)
    return f"{line.state}; {delivered} of {line.max_uses} films delivered, {reserved} in the making"


def _grant(session: Session, stored: StoredGrant, now: datetime) -> Line:
    grant = Grant.read(stored.document)
    state = stored.ended or ("expired" if stored.expires <= now else IN_FORCE)
    if state == IN_FORCE:
        try:
            check_refusals(session, stored.portrait_sha256, stored.face, stored.subject)
        except ConsentRefused:
            state = "stopped by a refusal"
    return Line("grant", stored.id, state, stored.registered_at, _uses(session, stored.id), grant.max_uses)


def _attestation(session: Session, stored: StoredAttestation) -> Line:
    state = stored.state
    try:
        check_refusals(session, stored.portrait_sha256, stored.face, None)
        check_living(session, stored.portrait_sha256, stored.face)
    except ConsentRefused:
        state = "contested"
    return Line("attestation", stored.id, state, stored.submitted_at, _uses(session, stored.id))


def _refusal(stored: StoredRefusal) -> str:
    if stored.withdrawn_at is not None:
        return "withdrawn"
    return f"{IN_FORCE}, by {'face' if stored.face else 'picture and key'}"


def _uses(session: Session, right: str) -> tuple[int, int]:
    counted = select(StoredUse.state, func.count()).where(StoredUse.right == right).group_by(StoredUse.state)
    counts: dict[str, int] = dict(session.execute(counted).all())
    return counts.get(DELIVERED, 0), counts.get(RESERVED, 0)
