"""Comparing what the database remembers of consent with the ledger, which a writer to it cannot change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from governance.consent.attestation import Attestation
from governance.consent.documents import Document
from governance.consent.grant import Grant, Revocation
from governance.consent.refusal import Refusal
from governance.consent.standing import APPROVED, CONTESTED, DECLINED, DELIVERED, PENDING
from governance.consent.tables import (
    StoredAttestation,
    StoredGrant,
    StoredRefusal,
    StoredRevocation,
    StoredUse,
)
from governance.errors import ConsentRefused

Kind = TypeVar("Kind", bound=Document)

IN_FORCE, ENDED = "in force", "ended"

_ENDS = {"grant.revoked", "grant.struck", "grant.expired"}
_REVIEWED = {
    "attestation.submitted": PENDING,
    "attestation.approved": APPROVED,
    "attestation.declined": DECLINED,
    "attestation.contested": CONTESTED,
}


@dataclass
class Told:
    """What the entries of a ledger say: how each grant, refusal and attestation stands, by the SHA-256 of its
    document, which ``revocations`` came, and which uses were ``delivered``."""

    grants: dict[str, str] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    attestations: dict[str, str] = field(default_factory=dict)
    revocations: dict[str, str] = field(default_factory=dict)
    delivered: dict[str, str] = field(default_factory=dict)

    def everything(self) -> dict[str, str]:
        """How each stands, whatever it is."""
        return self.grants | self.refusals | self.attestations | self.revocations | self.delivered


def told(entries: Iterable[bytes]) -> Told:
    """Follow the ``entries`` of a ledger, the oldest first."""
    found = Told()
    for entry in entries:
        event = json.loads(entry)
        kind, facts = event["kind"], event["facts"]
        if kind == "grant.registered":
            found.grants[facts["grant"]] = IN_FORCE
        elif kind in _ENDS and "grant" in facts:
            found.grants[facts["grant"]] = ENDED
        elif kind == "refusal.registered":
            found.refusals[facts["refusal"]] = IN_FORCE
        elif kind == "refusal.withdrawn":
            found.refusals[facts["refusal"]] = ENDED
        elif kind in _REVIEWED:
            found.attestations[facts["attestation"]] = _REVIEWED[kind]
        elif kind == "use.delivered":
            found.delivered[facts["use"]] = DELIVERED
        if kind == "grant.revoked":
            found.revocations[facts["revocation"]] = IN_FORCE
    return found


def discrepancies(session: Session, told: Told) -> dict[str, str]:
    """What is wrong with which document (by its SHA-256) or use (by its id): ``unknown`` to the ledger,
    ``missing`` from the database, ``forged`` (not what its signer signed), or ``changed`` (a grant revived, a
    refusal ended, say) since it was told of."""
    stands = told.everything()
    wrong = dict.fromkeys(stands, "missing")
    for name, state in _kept(session):
        wrong.pop(name, None)
        if state is None:
            wrong[name] = "forged"
        elif stands.get(name) != state:
            wrong[name] = "changed" if name in stands else "unknown"
    return wrong


def _kept(session: Session) -> Iterator[tuple[str, str | None]]:
    """Every document and every use, and how it stands; None if the row does not say what was signed."""
    for grant in session.scalars(select(StoredGrant)):
        state = IN_FORCE if grant.ended is None else ENDED
        signed = _read(Grant, grant.document)
        fits = signed is not None and (grant.id, grant.subject, grant.portrait_sha256, grant.face) == (
            (signed.id, signed.subject.keyid, signed.portrait_sha256, signed.face)
        )
        yield _sha256(grant.document), state if fits else None
    for refusal in session.scalars(select(StoredRefusal)):
        state = IN_FORCE if refusal.withdrawn_at is None else ENDED
        refused = _read(Refusal, refusal.document)
        fits = refused is not None and (refusal.id, refusal.subject, refusal.portrait_sha256) == (
            (refused.id, refused.subject.keyid, refused.portrait_sha256)
        )
        yield _sha256(refusal.document), state if fits else None
    for attestation in session.scalars(select(StoredAttestation)):
        attested = _read(Attestation, attestation.document)
        fits = attested is not None and (attestation.id, attestation.portrait_sha256) == (
            (attested.id, attested.portrait_sha256)
        )
        yield _sha256(attestation.document), attestation.state if fits else None
    for revocation in session.scalars(select(StoredRevocation)):
        fits = _read(Revocation, revocation.document) is not None
        yield _sha256(revocation.document), IN_FORCE if fits else None
    for use in session.scalars(select(StoredUse.id).where(StoredUse.state == DELIVERED)):
        yield use, DELIVERED


def _read(kind: type[Kind], data: bytes) -> Kind | None:
    try:
        return kind.read(data)
    except ConsentRefused:
        return None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
