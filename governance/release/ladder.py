"""The ladder as it is written in ``ladder.toml``: rungs, what each demands, and who is exempt from what."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from governance.errors import ReleaseError
from governance.release.evidence import Evidence

FILE = Path(__file__).parent / "ladder.toml"


@dataclass(frozen=True)
class Demand:
    """One item of evidence of a ``kind``, made within ``max_age``, whose metrics keep within bounds."""

    kind: str
    max_age: timedelta
    at_least: Mapping[str, float]
    at_most: Mapping[str, float]

    def fault(self, evidence: Evidence) -> str | None:
        """What keeps ``evidence`` from passing, at whatever time; None if nothing does."""
        for name, bound in self.at_least.items():
            if name not in evidence.metrics:
                return f"{self.kind} does not state {name}"
            if not evidence.metrics[name] >= bound:
                return f"{self.kind}: {name} is {evidence.metrics[name]:g}, at least {bound:g} is demanded"
        for name, bound in self.at_most.items():
            if name not in evidence.metrics:
                return f"{self.kind} does not state {name}"
            if not evidence.metrics[name] <= bound:
                return f"{self.kind}: {name} is {evidence.metrics[name]:g}, at most {bound:g} is demanded"
        return None

    def stale(self, evidence: Evidence, now: datetime) -> str | None:
        """Why ``evidence`` does not hold any longer, or does not yet; None if it does."""
        end = min(evidence.expires, evidence.made_at + self.max_age)
        if now >= end:
            return f"{self.kind} expired on {end:%Y-%m-%d}"
        if now < evidence.made_at:
            return f"{self.kind} is dated {evidence.made_at:%Y-%m-%d}, which is yet to come"
        return None


@dataclass(frozen=True)
class Rung:
    """How far a version is released: ``tiers`` it serves, and the ``scope`` it asks of them besides."""

    name: str
    says: str
    tiers: frozenset[str]
    scope: str | None
    demands: tuple[Demand, ...]


@dataclass(frozen=True)
class Exemption:
    """A class of versions that stand on ``rung`` without the kinds of evidence it ``waives`` (with why each
    is absent), for ``reasons``, while ``demands`` are met, until just before ``review_by``."""

    name: str
    rung: str
    reasons: tuple[str, ...]
    waives: Mapping[str, str]
    demands: tuple[Demand, ...]
    review_by: datetime

    @property
    def kinds(self) -> frozenset[str]:
        """Of evidence that rungs do not demand of its versions, because it demands or waives it itself."""
        return frozenset(self.waives) | {demand.kind for demand in self.demands}


@dataclass(frozen=True)
class Ladder:
    """``rungs``, the lowest first, and exemptions by name; ``sha256`` of the file they were read from."""

    rungs: tuple[Rung, ...]
    exemptions: Mapping[str, Exemption]
    sha256: str

    @classmethod
    def load(cls, path: Path = FILE) -> Ladder:
        """Read ``path``. Raises ``ReleaseError`` if it is damaged or contradicts itself."""
        try:
            data = path.read_bytes()
            table = tomllib.loads(data.decode("utf-8"))
            rungs = tuple(_rung(rung) for rung in table["rung"])
            exemptions = {one["name"]: _exemption(one) for one in table.get("exemption", ())}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ReleaseError(f"The release ladder {path} cannot be read ({error}): restore it.") from error
        ladder = cls(rungs, exemptions, hashlib.sha256(data).hexdigest())
        names = [rung.name for rung in rungs]
        if len(set(names)) < len(names) or not names:
            raise ReleaseError(f"The rungs in {path} need names of their own.")
        if rungs[0].demands or rungs[0].tiers:
            raise ReleaseError(f"The lowest rung in {path} must demand nothing and serve nobody.")
        for one in exemptions.values():
            ladder.height(one.rung)
        return ladder

    def height(self, name: str) -> int:
        """0 for the lowest rung. Raises ``ReleaseError`` if there is none of that ``name``."""
        for height, rung in enumerate(self.rungs):
            if rung.name == name:
                return height
        raise ReleaseError(
            f"There is no rung {name!r}: use one of {', '.join(rung.name for rung in self.rungs)}."
        )

    @property
    def kinds(self) -> frozenset[str]:
        """Of all evidence that is demanded anywhere."""
        groups = (*(rung.demands for rung in self.rungs), *(one.demands for one in self.exemptions.values()))
        return frozenset(demand.kind for demands in groups for demand in demands)


def _rung(table: dict[str, Any]) -> Rung:
    return Rung(
        table["name"],
        table["says"],
        frozenset(table["tiers"]),
        table.get("scope"),
        tuple(_demand(demand) for demand in table.get("demand", ())),
    )


def _exemption(table: dict[str, Any]) -> Exemption:
    review_by: datetime = table["review_by"]
    if review_by.tzinfo is None:
        raise ValueError("review_by needs a time zone")
    return Exemption(
        table["name"],
        table["rung"],
        tuple(table["reasons"]),
        dict(table["waives"]),
        tuple(_demand(demand) for demand in table["demand"]),
        review_by,
    )


def _demand(table: dict[str, Any]) -> Demand:
    known = {"kind", "max_age_days", "at_least", "at_most"}
    if set(table) - known:
        raise ValueError(f"a demand has no {', '.join(sorted(set(table) - known))}")
    bounds = [
        {name: float(bound) for name, bound in table.get(which, {}).items()}
        for which in ("at_least", "at_most")
    ]
    return Demand(table["kind"], timedelta(days=table["max_age_days"]), *bounds)
