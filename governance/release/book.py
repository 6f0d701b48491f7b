"""Reading the ladder's tables, and what they hold about a version at a moment. Nothing is decided here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import rfc8785
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from governance.errors import ReleaseError
from governance.events import Event
from governance.release.demonstrator import EXEMPTION, Demonstrator
from governance.release.evidence import Signed
from governance.release.judging import Dossier, Filed, Judgement, judge, newest
from governance.release.ladder import Exemption, Ladder
from governance.release.tables import FiledEvidence, ModelVersion
from governance.storage import record


def digest(state: Mapping[str, bool]) -> str:
    """A hash over evidence on file: whoever signs it has seen no less."""
    return hashlib.sha256(rfc8785.dumps({**state})).hexdigest()


@dataclass(frozen=True)
class Book:
    """The versions in the database and the one that came with the source code, ``shipped``."""

    ladder: Ladder
    shipped: Demonstrator | None

    def all(self, session: Session) -> list[ModelVersion]:
        """Every version by name, an untouched shipped one first."""
        rows = list(session.scalars(select(ModelVersion).order_by(ModelVersion.name, ModelVersion.id)))
        if self.shipped and all(row.id != self.shipped.version for row in rows):
            rows.insert(0, self._untouched(self.shipped))
        return rows

    def find(self, session: Session, version: str) -> ModelVersion:
        """To be looked at only. Raises ``ReleaseError`` if it is unknown."""
        found = session.get(ModelVersion, version)
        if found is None and self.shipped and self.is_shipped(version):
            return self._untouched(self.shipped)
        if found is None:
            raise ReleaseError(f"There is no version {version}: see `vernissage release status`.")
        return found

    def lock(self, session: Session, version: str, now: datetime) -> ModelVersion:
        """The row of ``version``, ours until the transaction ends; made if it came with the source code.
        Raises ``ReleaseError`` if it is unknown."""
        if session.get(ModelVersion, version) is None and self.shipped and self.is_shipped(version):
            self.add(session, self._untouched(self.shipped), now)
        found = session.get(ModelVersion, version, with_for_update=True, populate_existing=True)
        if found is None:
            raise ReleaseError(f"There is no version {version}: see `vernissage release status`.")
        return found

    def add(self, session: Session, row: ModelVersion, now: datetime) -> None:
        """Add ``row``, unless somebody else does at this moment."""
        facts: dict[str, str | int] = {"rung": row.rung, "version": row.id}
        if row.exemption:
            facts["exemption"] = row.exemption
        try:
            with session.begin_nested():
                session.add(row)
                record(session, Event("release.entered", facts, now))
        except IntegrityError:
            return

    def new(self, version: str, name: str, weights: Mapping[str, str], now: datetime) -> ModelVersion:
        """A version at the bottom of the ladder."""
        return ModelVersion(
            id=version,
            name=name,
            weights=dict(weights),
            rung=self.ladder.rungs[0].name,
            exemption=None,
            known={},
            since=now,
            steps=0,
        )

    def is_shipped(self, version: str) -> bool:
        """Whether it came with the source code."""
        return self.shipped is not None and self.shipped.version == version

    def exemption(self, row: ModelVersion) -> Exemption | None:
        """The class it belongs to, if any."""
        return self.ladder.exemptions.get(row.exemption or "")

    def documents(self, session: Session, version: str) -> Sequence[FiledEvidence]:
        """The signed evidence on file about ``version``."""
        return session.scalars(
            select(FiledEvidence).filter_by(version=version).order_by(FiledEvidence.id)
        ).all()

    def chosen(self, session: Session, row: ModelVersion) -> dict[str, Filed]:
        """By kind, the evidence an approval would rest on today."""
        return newest([*self.base(row).values(), *self._filed(session, row.id)])

    def state(self, session: Session, version: str) -> dict[str, bool]:
        """All evidence on file about ``version``, and whether it is withdrawn."""
        return {one.id: one.withdrawn_at is not None for one in self.documents(session, version)}

    def base(self, row: ModelVersion) -> dict[str, Filed]:
        """The evidence that came with the source code, for the one version it is about."""
        return self.shipped.filed() if self.shipped and row.exemption and self.is_shipped(row.id) else {}

    def judge(self, session: Session, row: ModelVersion, now: datetime) -> Judgement:
        """How far the evidence carries it at ``now``."""
        filed = {item.id: item for item in self._filed(session, row.id)}
        then = [replace(filed[id], withdrawn=was) for id, was in row.known.items() if id in filed]
        chosen = newest([*self.base(row).values(), *then])
        accepted = {kind: filed.get(item.id, item) for kind, item in chosen.items()}
        dossier = Dossier(
            approved=row.rung,
            accepted=accepted,
            later=[item for item in filed.values() if item.id not in row.known],
            exemption=self.exemption(row),
        )
        return judge(self.ladder, dossier, now)

    def _filed(self, session: Session, version: str) -> list[Filed]:
        return [
            Filed(
                one.id,
                Signed.read(one.document.encode()).evidence,
                one.filed_at,
                one.withdrawn_at is not None,
            )
            for one in self.documents(session, version)
        ]

    def _untouched(self, shipped: Demonstrator) -> ModelVersion:
        """The version that came with the source code, as it stands before any steward's act."""
        made_at = max(item.made_at for item in shipped.evidence)
        row = self.new(shipped.version, shipped.name, shipped.weights, made_at)
        exemption = self.ladder.exemptions.get(EXEMPTION)
        if exemption:
            row.rung, row.exemption = exemption.rung, exemption.name
        return row
