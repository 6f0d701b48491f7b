"""The register of sitters who never lived or are works in the public domain, as reviewed by stewards."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from governance.consent.attestation import Attestation
from governance.consent.checks import Gallery
from governance.consent.files import MAX_PICTURE_BYTES, copied
from governance.consent.standing import (
    APPROVED,
    DECLINED,
    PENDING,
    alone,
    check_living,
    check_refusals,
    forget,
    remember,
    void_uses,
)
from governance.consent.tables import StoredAttestation
from governance.errors import ConsentRefused, CredentialRefused, GovernanceError
from governance.events import Event
from governance.identity import Act, Approval, find_credential, require
from governance.storage import Database, record

APPROVE, DECLINE = "attestation.approve", "attestation.decline"
STEWARDS = 1
STEWARDS_FOR_A_STRANGER = 2
"""Nobody can tell whether a key that no credential holds is that of the steward who reviews."""


@dataclass(frozen=True)
class Attestations:
    """Without ``faces`` nothing can be attested: nobody could tell whether a living person is shown."""

    database: Database
    faces: Gallery[Any] | None

    def submit(self, attestation: Attestation, portrait: Path, now: datetime) -> None:
        """Put a signed attestation before the stewards. Doing it twice is no harm.

        Raises:
            ConsentRefused: the picture is another one, shows no face that can be compared, or shows somebody
                who signed a grant or a refusal.
        """
        with copied(portrait, MAX_PICTURE_BYTES) as (picture, sha256):
            if sha256 != attestation.portrait_sha256:
                raise ConsentRefused("portrait_differs", "This is not the picture that the document names.")
            if self.faces is None:
                raise ConsentRefused(
                    "faces_absent", "This hub cannot compare faces, so nothing can be attested."
                )
            try:
                template = self.faces.measure(picture)
            except GovernanceError as error:
                raise ConsentRefused(
                    "face_unreadable", f"The face in this picture cannot be compared with others: {error}"
                ) from error
        with self.database.transaction() as session:
            alone(session)
            known = session.get(StoredAttestation, attestation.id)
            if known is not None:
                if known.sha256 != attestation.sha256:
                    raise ConsentRefused("attestation_exists", "Another attestation has this id.")
                return
            face = remember(session, self.faces, template, now)
            check_refusals(session, attestation.portrait_sha256, face, None)
            check_living(session, attestation.portrait_sha256, face)
            session.add(
                StoredAttestation(
                    id=attestation.id,
                    sha256=attestation.sha256,
                    document=attestation.data,
                    portrait_sha256=attestation.portrait_sha256,
                    face=face,
                    state=PENDING,
                    submitted_at=now,
                )
            )
            record(session, Event("attestation.submitted", {"attestation": attestation.sha256}, now))

    def decide(self, act: Act, approvals: Sequence[Approval], now: datetime) -> None:
        """Do what a steward, other than the one who attests, signed; two of them to approve what was attested
        with a key that belongs to no credential. What was approved can be declined later, at once; not the
        other way round.

        Raises:
            ConsentRefused: it is decided already, or a grant or a refusal for this face has come in between.
            NotApproved: no steward signed exactly this.
        """
        with self.database.transaction() as session:
            alone(session)
            stored = session.get(StoredAttestation, act.subject, with_for_update=True)
            if stored is None:
                raise ConsentRefused("right_unknown", "There is no attestation of this id.")
            attestation = Attestation.read(stored.document)
            if act.action not in (APPROVE, DECLINE) or act != review(
                attestation, approve=act.action == APPROVE, now=act.at
            ):
                raise ConsentRefused("act_unfit", "The steward signed something else than this attestation.")
            attester = _attester(session, attestation, now)
            strange = act.action == APPROVE and not attester
            require(
                session,
                act,
                approvals,
                needed=STEWARDS_FOR_A_STRANGER if strange else STEWARDS,
                now=now,
                besides=attester,
            )
            if act.action == DECLINE:
                stored.state = DECLINED
                if self.faces is not None:
                    forget(session, self.faces, stored.face)
                void_uses(session, stored.id, "attestation_declined", now)
                record(session, Event("attestation.declined", {"attestation": stored.sha256}, now))
                return
            if stored.state != PENDING:
                raise ConsentRefused(f"attestation_{stored.state}", f"This attestation is {stored.state}.")
            check_refusals(session, stored.portrait_sha256, stored.face, None)
            check_living(session, stored.portrait_sha256, stored.face)
            stored.state = APPROVED
            record(session, Event("attestation.approved", {"attestation": stored.sha256}, now))

    def find(self, id: str) -> tuple[Attestation, str]:
        """An attestation and its state. Raises ``ConsentRefused`` if there is none."""
        with self.database.transaction() as session:
            stored = session.get(StoredAttestation, id)
            if stored is None:
                raise ConsentRefused("right_unknown", "There is no attestation of this id.")
            return Attestation.read(stored.document), stored.state

    def approved(self, portrait_sha256: str) -> str | None:
        """The id of an approved attestation for this picture, if there is one."""
        approved = select(StoredAttestation.id).where(
            StoredAttestation.portrait_sha256 == portrait_sha256, StoredAttestation.state == APPROVED
        )
        with self.database.transaction() as session:
            return session.scalar(approved.limit(1))


def review(attestation: Attestation, *, approve: bool, now: datetime) -> Act:
    """What a steward signs, after looking at the picture, to approve or to decline."""
    return Act(
        APPROVE if approve else DECLINE,
        attestation.id,
        {"attestation": attestation.sha256, "sitter": attestation.sitter},
        now,
    )


def _attester(session: Session, attestation: Attestation, now: datetime) -> tuple[str, ...]:
    with suppress(CredentialRefused):
        return (find_credential(session, attestation.attester.keyid, now).person,)
    return ()
