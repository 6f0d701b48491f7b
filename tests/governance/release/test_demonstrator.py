"""The version that comes with the source code: public by an exemption that says why, checked by hash."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from governance.errors import ReleaseError
from governance.keys import SigningKey
from governance.release import Releases, Signed, demonstrator
from governance.storage import Database

ROOT = Path(__file__).parents[3]
SHIPPED = demonstrator.read()
Make = Any
RENEW = "run: python -m governance.release.demonstrator, and look at the difference"


@pytest.fixture
def now() -> datetime:
    """Shortly after its evidence was made."""
    return max(item.made_at for item in SHIPPED.evidence) + timedelta(hours=1)


def test_its_evidence_is_about_the_files_that_lie_here():
    found = demonstrator.compose(ROOT, datetime.now(UTC), SHIPPED)
    assert found.weights == SHIPPED.weights, RENEW
    assert [(item.kind, item.report, item.metrics) for item in found.evidence] == [
        (item.kind, item.report, item.metrics) for item in SHIPPED.evidence
    ], RENEW


def test_it_claims_nothing_that_was_not_measured():
    kinds = {item.kind for item in SHIPPED.evidence}
    assert kinds == {"weights", "model_card", "render_benchmark", "motion_benchmark"}
    assert "detector_rate" not in SHIPPED.as_json()


def test_evidence_that_is_the_same_keeps_its_date():
    later = demonstrator.compose(ROOT, datetime.now(UTC) + timedelta(days=9), SHIPPED)
    dates = {(item.kind, item.report): item.made_at for item in SHIPPED.evidence}
    for item in later.evidence:
        assert item.made_at == dates.get((item.kind, item.report), item.made_at)


def test_what_is_written_is_what_is_read(tmp_path: Path):
    file = tmp_path / "demonstrator.json"
    file.write_text(SHIPPED.as_json())
    assert demonstrator.read(file) == SHIPPED
    file.write_text(SHIPPED.as_json().replace(SHIPPED.version[:8], "00000000"))
    with pytest.raises(ReleaseError, match="another version"):
        demonstrator.read(file)
    with pytest.raises(ReleaseError):
        demonstrator.read(tmp_path / "none.json")
    with pytest.raises(ReleaseError):
        demonstrator.compose(tmp_path, datetime.now(UTC))


def test_it_is_public_from_the_start_and_says_by_what(releases: Releases, now: datetime):
    (standing,) = releases.status(now)
    assert (standing.version, standing.served, standing.exemption) == (
        SHIPPED.version, "public", "demonstrator",
    )  # fmt: skip
    for tier in ("", "detect", "generate", "research"):
        assert releases.serving(SHIPPED.version, tier, now).allowed


def test_it_is_exempt_only_until_its_review(releases: Releases):
    review = releases.ladder.exemptions["demonstrator"].review_by
    before = max(item.made_at for item in SHIPPED.evidence)
    fresh = replace(
        releases,
        shipped=replace(
            SHIPPED,
            evidence=tuple(
                replace(item, made_at=review - timedelta(days=9), expires=review + timedelta(days=99))
                for item in SHIPPED.evidence
            ),
        ),
    )
    assert before < review
    assert fresh.standing(SHIPPED.version, review - timedelta(seconds=1)).served == "public"
    standing = fresh.standing(SHIPPED.version, review)
    assert standing.served == "red_team"
    assert "to be reviewed" in standing.shortfalls[0].reason


def test_the_exemption_is_that_of_no_other_weights(releases: Releases, now: datetime):
    other = releases.enter("Retrained", {**SHIPPED.weights, demonstrator.WEIGHTS[0]: "ab" * 32}, now)
    assert releases.standing(other, now).served == "internal"
    assert not releases.serving(other, "research", now).allowed


def test_lips_too_good_to_be_harmless_end_the_exemption(releases: Releases, now: datetime):
    items = tuple(
        replace(item, metrics={"lip_correlation": 0.95}) if item.kind == "motion_benchmark" else item
        for item in SHIPPED.evidence
    )
    better = replace(releases, shipped=replace(SHIPPED, evidence=items))
    standing = better.standing(SHIPPED.version, now)
    assert standing.served == "red_team"
    assert "lip_correlation is 0.95" in standing.shortfalls[0].reason


def test_a_failing_report_lowers_it_at_once_although_none_was_demanded(
    releases: Releases, evidence: Make, now: datetime
):
    releases.file(evidence(SHIPPED.version, "red_team_report", now, good=False), now)
    assert releases.standing(SHIPPED.version, now).served == "red_team"
    assert not releases.serving(SHIPPED.version, "generate", now).allowed


def test_one_steward_can_end_it_and_then_two_are_needed(
    releases: Releases, ada: SigningKey, grace: SigningKey, now: datetime
):
    assert releases.rollback(SHIPPED.version, "internal", "doubt", ada, now).served == "internal"
    act = releases.propose(SHIPPED.version, "red_team", ada, now)
    assert releases.standing(SHIPPED.version, now).served == "internal"
    assert releases.approve(act.sha256, grace, now).served == "red_team"


def test_an_older_house_does_not_exempt_what_is_no_longer_shipped(
    releases: Releases, ada: SigningKey, grace: SigningKey, now: datetime
):
    releases.rollback(SHIPPED.version, "credentialed", "doubt", ada, now)
    upgraded = replace(releases, shipped=replace(SHIPPED, weights={"new.safetensors": "ab" * 32}))
    assert upgraded.standing(SHIPPED.version, now).served == "internal"


def test_unsigned_evidence_cannot_be_filed(releases: Releases, database: Database, now: datetime):
    item = SHIPPED.evidence[0]
    with pytest.raises(ReleaseError):
        releases.file(Signed(item, SigningKey.generate().public, b"\0" * 64), now)
