"""A hub with stewards, and evidence that passes, made by a laboratory."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from governance.identity import Roster
from governance.keys import SigningKey
from governance.release import Evidence, Releases, Signed

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GOOD: dict[str, dict[str, float]] = {
    "model_card": {},
    "detector_rate": {"films": 5000, "detection_rate": 0.999, "false_positive_rate": 0.0005},
    "watermark_survival": {"films": 2000, "survival_rate": 0.995, "false_match_rate": 1e-7},
    "consent_report": {"attempts": 80, "films_without_consent": 0},
    "red_team_report": {"attacks": 150, "open_critical": 0, "open_serious": 0},
}
BAD: dict[str, dict[str, float]] = {
    "detector_rate": {"films": 5000, "detection_rate": 0.4, "false_positive_rate": 0.0005},
    "watermark_survival": {"films": 2000, "survival_rate": 0.2, "false_match_rate": 1e-7},
    "consent_report": {"attempts": 80, "films_without_consent": 3},
    "red_team_report": {"attacks": 150, "open_critical": 2, "open_serious": 0},
}
LABORATORY = SigningKey.generate()
_reports = itertools.count(1)


def _evidence(
    version: str,
    kind: str,
    made_at: datetime = NOW,
    *,
    good: bool = True,
    days: int = 1000,
    key: SigningKey = LABORATORY,
    **metrics: float,
) -> Signed:
    """A signed item about ``version``, a new report each time."""
    figures = (GOOD if good else BAD)[kind] | metrics
    report = f"{next(_reports):064x}"
    item = Evidence(kind, version, report, figures, made_at, made_at + timedelta(days=days))
    return Signed.by(key, item)


class Make(Protocol):
    """``evidence(version, "detector_rate", made_at, good=False, days=30, films=7)``, signed."""

    def __call__(
        self,
        version: str,
        kind: str,
        made_at: datetime = NOW,
        *,
        good: bool = True,
        days: int = 1000,
        key: SigningKey = LABORATORY,
        **metrics: float,
    ) -> Signed: ...


@pytest.fixture
def evidence() -> Make:
    return _evidence


@pytest.fixture
def releases(roster: Roster) -> Releases:
    return Releases(roster.database)


@pytest.fixture
def version(releases: Releases, now: datetime) -> str:
    """A version that is not the one that comes with the source code."""
    return releases.enter("Generator 2", {"flow.safetensors": "ab" * 32}, now)


Climb = Callable[[str, datetime], None]


@pytest.fixture
def climb(releases: Releases, version: str, ada: SigningKey, grace: SigningKey) -> Climb:
    """``climb("research", now)``: from the bottom, with good evidence for everything and two stewards."""

    def up(rung: str, at: datetime) -> None:
        for kind in GOOD:
            releases.file(_evidence(version, kind, at), at)
        for step in releases.ladder.rungs[1 : releases.ladder.height(rung) + 1]:
            act = releases.propose(version, step.name, ada, at)
            standing = releases.approve(act.sha256, grace, at)
            assert standing is not None
            assert standing.served == step.name

    return up
