"""A machine that keeps a hub: keys, a database, a steward's credential, a picture of Ada, and Ada herself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image
from sqlalchemy import select

from governance.consent import (
    PASSED,
    Ceremonies,
    Checks,
    Consents,
    Evidence,
    Finding,
    Grant,
    GrantRequest,
    Refusal,
    Refusals,
)
from governance.consent.tables import StoredUse
from governance.hubkeys import HubKeys
from governance.identity import Approval, Roster, suspend
from governance.keys import SigningKey
from governance.storage import Database
from governance.storage.outbox import Recorded
from service import gate
from service.gate import Occasion, Plan
from service.hub import Hub, open_database

PURPOSE = "dpv:PublicBenefit"


@dataclass
class Gallery:
    """Faces by the size of their pictures: who is as large is the same."""

    kept: dict[str, tuple[int, int]] = field(default_factory=dict)

    def measure(self, file: Path) -> tuple[int, int]:
        return Image.open(file).size

    def keep(self, session: object, template: tuple[int, int], now: datetime) -> str:
        commitment = f"{len(self.kept):064x}"
        self.kept[commitment] = template
        return commitment

    def like(self, session: object, template: tuple[int, int]) -> tuple[str, ...]:
        return tuple(face for face, size in self.kept.items() if size == template)

    def forget(self, session: object, commitment: str) -> None:
        self.kept.pop(commitment, None)


def passed(*about: object) -> Finding:
    """A check that nobody fails."""
    return PASSED


@dataclass
class Machine:
    """A machine with a hub, a steward's credential, a picture of Ada, and Ada herself."""

    home: Path
    database: Database
    gallery: Gallery
    holder: SigningKey
    other: SigningKey
    organisation: str
    picture: Path
    ada: SigningKey = field(default_factory=SigningKey.generate)

    @classmethod
    def make(cls, home: Path, picture: Path) -> Machine:
        """A hub at ``home``; it keeps its keys there."""
        keys = HubKeys.open(home / "keys")
        database = open_database(home)
        holder, other = SigningKey.generate(), SigningKey.generate()
        steward, _ = Roster(database, keys.key).bootstrap(
            "The Daily House",
            [("Holder", holder.public), ("Other", other.public)],
            datetime.now(UTC) - timedelta(hours=1),
        )
        return cls(home, database, Gallery(), holder, other, steward.organisation, picture)

    @property
    def key(self) -> Path:
        path = self.home / "holder.pem"
        if not path.exists():
            self.holder.save(path)
        return path

    def grant(self, **changes: Any) -> Path:
        """A file with a grant of Ada's that this hub has registered, after a ceremony anybody passes."""
        now = datetime.now(UTC).replace(microsecond=0)
        request = GrantRequest(
            **{
                "subject": self.ada.public,
                "grantee": f"organisation:{self.organisation}",
                "purposes": (PURPOSE,),
                "directions": ("happy", "neutral"),
                "locales": ("en",),
                "max_uses": 2,
                "not_before": now - timedelta(hours=1),
                "expires": now + timedelta(days=1),
            }
            | changes
        )
        checks = Checks(passed, passed, passed, passed, passed, faces=self.gallery)
        ceremonies = Ceremonies(self.database, Evidence(self.home / "evidence"), checks)
        id = ceremonies.open(request, self.picture, None, now)
        ceremonies.challenge(id, now)
        ceremonies.submit(id, self.picture, now)
        terms = ceremonies.examine(id, now).terms
        assert terms is not None
        grant = Grant.by(self.ada, terms)
        Consents(self.database, self.gallery).register(grant, now)
        path = self.home / f"{grant.id}.grant"
        path.write_bytes(grant.data)
        return path

    def plan(self, right: Any, **occasion: Any) -> Plan:
        """A film for a museum, in English, in somebody else's voice."""
        said = {"purposes": (PURPOSE,), "own_voice": False, "key": self.key} | occasion
        return Plan(self.picture, right, Occasion(**said), ("neutral",), {"speech": "5" * 64})

    def events(self) -> list[str]:
        with self.database.transaction() as session:
            return [each.kind for each in session.scalars(select(Recorded).order_by(Recorded.sequence))]

    def suspend_holder(self) -> None:
        """At once, by the other steward."""
        now = datetime.now(UTC)
        with Hub.open(self.home) as hub:
            roster = Roster(self.database, hub.key)
            act = suspend(roster.holder(self.holder.keyid, now).id, "theft", now)
            roster.submit(act, [Approval.by(self.other, act)], now)

    def uses(self) -> list[str]:
        with self.database.transaction() as session:
            return list(session.scalars(select(StoredUse.state)))

    def refuse(self, picture: Path, faces: Any = None) -> None:
        """Whoever is in ``picture`` says never; the hub keeps their face in ``faces``."""
        now = datetime.now(UTC)
        refusal = Refusal.by(SigningKey.generate(), "0" * 32, gate.sha256_of(picture), now)
        Refusals(self.database, faces or self.gallery).register(refusal, picture, now)
