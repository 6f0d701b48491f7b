"""The ladder's data: what each rung demands can be read, and holds together."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from governance.errors import ReleaseError
from governance.policy import Policy
from governance.release import Ladder
from governance.release.demonstrator import EXEMPTION
from governance.release.ladder import FILE

LADDER = Ladder.load()


def test_the_rungs_are_those_of_the_charter():
    assert [rung.name for rung in LADDER.rungs] == [
        "internal",
        "red_team",
        "research",
        "credentialed",
        "public",
    ]


def test_each_rung_serves_more_and_demands_more_than_the_one_below():
    for lower, upper in zip(LADDER.rungs[1:], LADDER.rungs[2:], strict=False):
        assert lower.tiers <= upper.tiers
        assert upper.demands
    demanded = {demand.kind for rung in LADDER.rungs for demand in rung.demands}
    assert demanded == {
        "model_card", "detector_rate", "watermark_survival", "consent_report", "red_team_report",
    }  # fmt: skip


def test_a_kind_demanded_again_higher_up_is_demanded_more_strictly():
    seen = {}
    for rung in LADDER.rungs:
        for demand in rung.demands:
            if demand.kind in seen:
                before = seen[demand.kind]
                assert demand.max_age <= before.max_age
                assert all(demand.at_least[name] >= bound for name, bound in before.at_least.items())
                assert all(demand.at_most[name] <= bound for name, bound in before.at_most.items())
            seen[demand.kind] = demand


def test_policies_speak_of_the_same_rungs():
    texts = " ".join(rule.text for rule in Policy.load().rules.all)
    for rung in LADDER.rungs[1:]:
        assert f'"{rung.name}"' in texts


def test_the_demonstrators_exemption_gives_its_reasons_and_says_what_is_absent():
    exemption = LADDER.exemptions[EXEMPTION]
    assert exemption.rung == "public"
    assert len(exemption.reasons) >= 4
    assert set(exemption.waives) == {
        "detector_rate", "watermark_survival", "consent_report", "red_team_report",
    }  # fmt: skip
    assert all(why.endswith(".") for why in (*exemption.waives.values(), *exemption.reasons))
    assert exemption.review_by > datetime(2026, 11, 22, tzinfo=UTC)
    assert {demand.kind for demand in exemption.demands} >= {"model_card", "motion_benchmark"}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("[[rung]]", "[[rang]]"),
        lambda text: text.replace('name = "research"', 'name = "public"'),
        lambda text: text.replace("tiers = []", 'tiers = ["visitor"]'),
        lambda text: text.replace("max_age_days = 365", "max_age_years = 1"),
        lambda text: text.replace("at_least = { films = 300", "at_lest = { films = 300"),
        lambda text: text.replace('rung = "public"', 'rung = "heaven"'),
        lambda text: text.replace("review_by = 2027-11-22T00:00:00Z", "review_by = 2027-11-22T00:00:00"),
        lambda text: text + "[",
    ],
)
def test_a_ladder_that_contradicts_itself_is_refused(tmp_path: Path, change):
    file = tmp_path / "ladder.toml"
    before = FILE.read_text()
    file.write_text(change(before))
    assert file.read_text() != before
    with pytest.raises(ReleaseError):
        Ladder.load(file)


def test_there_is_no_ladder_without_a_file(tmp_path: Path):
    with pytest.raises(ReleaseError, match="cannot be read"):
        Ladder.load(tmp_path / "ladder.toml")
