"""A hub in which ceremonies really take place. Faces are stood in for: a file that begins with a name and a
stroke, such as ``ada|``, is a picture, a film or a sound of Ada."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from governance.consent import (
    PASSED,
    Asking,
    Attestations,
    Ceremonies,
    Checks,
    Consents,
    Evidence,
    Finding,
    Grant,
    GrantRequest,
    Refusals,
)
from governance.errors import GovernanceError
from governance.identity import Roster
from governance.keys import SigningKey
from governance.storage import Database
from governance.storage.outbox import Recorded

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class People:
    """A gallery that knows people by name."""

    kept: dict[str, str] = field(default_factory=dict)

    def measure(self, file: Path) -> str:
        name, stroke, _ = file.read_bytes().partition(b"|")
        if not stroke:
            raise GovernanceError("No face was found in this picture.")
        return name.decode()

    def keep(self, session: Session, template: str, now: datetime) -> str:
        commitment = secrets.token_hex(32)
        self.kept[commitment] = template
        return commitment

    def like(self, session: Session, template: str) -> tuple[str, ...]:
        return tuple(face for face, name in self.kept.items() if name == template)

    def forget(self, session: Session, commitment: str) -> None:
        self.kept.pop(commitment, None)


def same_person(one: Path, other: Path) -> Finding:
    """The face check and the voice check."""
    if one.read_bytes().partition(b"|")[0] == other.read_bytes().partition(b"|")[0]:
        return PASSED
    return Finding.failed("face_differs", "Another face is in the film than in the picture.")


def passed(*about: object) -> Finding:
    return PASSED


@dataclass
class House:
    """A hub with a picture of Ada, and everything that can happen in it."""

    database: Database
    folder: Path
    now: datetime = NOON
    people: People = field(default_factory=People)
    voices: People = field(default_factory=People)
    ada: SigningKey = field(default_factory=SigningKey.generate)

    def __post_init__(self) -> None:
        checks = Checks(
            same_person, passed, passed, same_person, passed, faces=self.people, voices=self.voices
        )
        self.evidence = Evidence(self.folder / "evidence")
        self.ceremonies = Ceremonies(self.database, self.evidence, checks)
        self.consents = Consents(self.database, self.people, self.voices)
        self.refusals = Refusals(self.database, self.people)
        self.attestations = Attestations(self.database, self.people)
        self.portrait = self.file("ada|a portrait.png")

    def file(self, content: str) -> Path:
        """A file that holds ``content`` and is named after it."""
        path = self.folder / content.replace("|", " ")
        path.write_bytes(content.encode())
        return path

    def request(self, **changes: Any) -> GrantRequest:
        """Three cheerful films for a museum within thirty days."""
        return GrantRequest(
            **{
                "subject": self.ada.public,
                "grantee": "organisation:museum",
                "purposes": ("dpv:PublicBenefit",),
                "directions": ("happy", "neutral"),
                "locales": ("en", "fr-CH"),
                "max_uses": 3,
                "not_before": self.now,
                "expires": self.now + timedelta(days=30),
            }
            | changes
        )

    def ceremony(self, *, portrait: Path | None = None, voice: Path | None = None, **changes: Any) -> str:
        """Open, and filmed as asked."""
        id = self.ceremonies.open(self.request(**changes), portrait or self.portrait, voice, self.now)
        self.ceremonies.challenge(id, self.now)
        self.ceremonies.submit(id, self.file("ada|a film.mp4"), self.now)
        return id

    def signed(self, **changes: Any) -> Grant:
        """A grant that nobody registered."""
        ceremony = self.ceremonies.examine(self.ceremony(**changes), self.now)
        assert ceremony.terms is not None, ceremony.findings
        return Grant.by(self.ada, ceremony.terms)

    def granted(self, **changes: Any) -> Grant:
        """A grant in force."""
        grant = self.signed(**changes)
        self.consents.register(grant, self.now)
        return grant

    def asking(self, grant: Grant, **changes: Any) -> Asking:
        """Something that ``grant`` allows."""
        return Asking(
            **{
                "request_sha256": secrets.token_hex(32),
                "grantees": ("credential:c1", "organisation:museum"),
                "portrait_sha256": grant.portrait_sha256,
                "purposes": ("dpv:PublicBenefit",),
                "directions": ("happy",),
                "locale": "en-GB",
            }
            | changes
        )

    def sha256(self, path: Path) -> str:
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def stewards(self) -> tuple[SigningKey, SigningKey]:
        """The keys of two stewards of this house."""
        mary, grace = SigningKey.generate(), SigningKey.generate()
        Roster(self.database, SigningKey.generate()).bootstrap(
            "House", [("Mary", mary.public), ("Grace", grace.public)], self.now
        )
        return mary, grace

    def events(self, *kinds: str) -> list[dict[str, str | int]]:
        """What is on record, with its kind."""
        with self.database.transaction() as session:
            return [
                {"kind": event.kind, **event.facts}
                for event in session.scalars(select(Recorded).order_by(Recorded.sequence))
                if not kinds or event.kind in kinds
            ]


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    return House(database, tmp_path)


@pytest.fixture
def refused() -> Callable[..., str]:
    """``refused(action, …)``: the reason why it was refused."""
    from governance.errors import ConsentRefused

    def run(action: Callable[..., object], *arguments: Any, **named: Any) -> str:
        with pytest.raises(ConsentRefused) as caught:
            action(*arguments, **named)
        assert str(caught.value).endswith((".", "?"))
        return caught.value.reason

    return run
