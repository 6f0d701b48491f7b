"""What this machine's hub keeps of consent, for ``vernissage consent``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from governance.consent import Attestations, Ceremonies, Checks, Consents, Refusals
    from governance.consent.documents import Document
    from service.hub import Hub


@dataclass(frozen=True)
class House:
    """What this machine's hub keeps of consent."""

    ceremonies: Ceremonies
    consents: Consents
    refusals: Refusals
    attestations: Attestations

    def register(self, document: Document, picture: Path | None) -> str:
        """Put ``document`` in force; what to tell."""
        from governance.consent import Attestation, Grant, Refusal, Revocation, Withdrawal

        now = datetime.now(UTC).replace(microsecond=0)
        if isinstance(document, Grant):
            self.consents.register(document, now)
            return f"Grant {document.id} is in force."
        if isinstance(document, Revocation):
            self.consents.revoke(document, now)
            return f"Grant {document.grant} has ended. Films in the making are not handed over."
        if isinstance(document, Withdrawal):
            self.refusals.withdraw(document, now)
            return f"Refusal {document.refusal} is taken back."
        if isinstance(document, Refusal):
            if self.refusals.register(document, picture, now):
                return "The refusal is in force for every picture of this face."
            why = "the face could not be compared" if picture else "no --picture was given"
            return f"The refusal is in force for this one file and this key only: {why}."
        assert isinstance(document, Attestation)
        if picture is None:
            raise typer.BadParameter("Name the picture that is attested, with --picture")
        self.attestations.submit(document, picture, now)
        return f"Attestation {document.id} waits for a steward's review."


@contextmanager
def open_house() -> Iterator[House]:
    """This machine's hub; what was done or refused in the block is carried to its ledger at the end."""
    import governance.biometrics.tables  # noqa: F401, made when the hub opens
    from governance.consent import Attestations, Ceremonies, Consents, Evidence, Refusals
    from service.hub import Hub

    with Hub.open() as hub:
        checks = checks_of(hub)
        try:
            yield House(
                Ceremonies(hub.database, Evidence(hub.home / "evidence"), checks),
                Consents(hub.database, checks.faces, checks.voices),
                Refusals(hub.database, checks.faces),
                Attestations(hub.database, checks.faces),
            )
        finally:
            hub.deliver()


def checks_of(hub: Hub) -> Checks:
    """What this hub can tell of a film."""
    from governance.biometrics import all_checks
    from governance.consent.phrase import words
    from governance.hubkeys import TEMPLATES
    from service.detection import check_filmed

    return all_checks(hub.keys.directory / TEMPLATES, words(), check_filmed)
