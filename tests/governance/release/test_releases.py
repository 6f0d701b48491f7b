"""A version climbs by evidence and two stewards, one rung at a time; it comes down at once, or by itself."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from governance.errors import EvidenceRefused, NotApproved, ReleaseError
from governance.identity import Act, Approval, Roster, Terms, Tier, issue, revoke
from governance.keys import SigningKey
from governance.release import Ladder, Releases, Signed
from governance.release.releases import CLIMB, ROLLBACK
from governance.release.tables import FiledEvidence
from governance.storage import Database
from governance.storage.outbox import Recorded

Make = Any
Climb = Callable[[str, datetime], None]
DAY = timedelta(days=1)
ROLLED_BACK = "release.rolled_back"
KINDS = ("model_card", "detector_rate", "watermark_survival", "consent_report", "red_team_report")


def events(database: Database, kind: str) -> list[dict[str, Any]]:
    with database.transaction() as session:
        return [row.facts for row in session.scalars(select(Recorded).filter_by(kind=kind))]


def test_a_new_version_serves_nobody(releases: Releases, version: str, now: datetime):
    assert releases.standing(version, now).served == "internal"
    for tier in ("", "detect", "generate", "research", "steward"):
        assert not releases.serving(version, tier, now).allowed


def test_a_version_nobody_entered_serves_nobody(releases: Releases, now: datetime):
    serving = releases.serving("ab" * 32, "research", now)
    assert (serving.allowed, serving.rung) == (False, "")
    assert serving.sentence == "This model version is not on the release ladder, so it serves nobody."


def test_with_all_evidence_and_two_stewards_it_climbs_to_the_top(
    releases: Releases, database: Database, version: str, climb: Climb, now: datetime
):
    climb("public", now)
    assert releases.serving(version, "", now).allowed
    assert [facts["to"] for facts in events(database, "release.climbed")] == [
        "red_team", "research", "credentialed", "public",
    ]  # fmt: skip
    assert len(events(database, "release.evidence_filed")) == 5


def test_each_rung_serves_those_it_says(
    releases: Releases, version: str, climb: Climb, ada: SigningKey, now: datetime
):
    climb("credentialed", now)
    assert releases.serving(version, "generate", now).allowed
    assert not releases.serving(version, "detect", now).allowed
    releases.rollback(version, "research", "test", ada, now)
    assert not releases.serving(version, "generate", now).allowed
    assert releases.serving(version, "research", now).allowed
    releases.rollback(version, "red_team", "test", ada, now)
    assert not releases.serving(version, "research", now).allowed
    assert releases.serving(version, "research", now, scopes={"red_team"}).allowed


def test_without_its_evidence_no_rung_is_reached(
    releases: Releases, evidence: Make, version: str, ada: SigningKey, now: datetime
):
    with pytest.raises(ReleaseError, match="model_card is not on file"):
        releases.propose(version, "red_team", ada, now)
    releases.file(evidence(version, "model_card", now - 400 * DAY), now)
    with pytest.raises(ReleaseError, match="model_card expired on"):
        releases.propose(version, "red_team", ada, now)
    releases.file(evidence(version, "model_card", now - 2 * DAY, days=1), now)
    with pytest.raises(ReleaseError, match="model_card expired on"):
        releases.propose(version, "red_team", ada, now)
    releases.file(evidence(version, "model_card", now), now)
    assert releases.propose(version, "red_team", ada, now).action == CLIMB


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        ({"detection_rate": 0.94}, "detection_rate is 0.94, at least 0.95 is demanded"),
        ({"false_positive_rate": 0.02}, "false_positive_rate is 0.02, at most 0.01 is demanded"),
        ({"films": 10}, "films is 10, at least 300"),
    ],
)
def test_a_figure_that_misses_its_bound_keeps_a_version_down(
    releases: Releases,
    evidence: Make,
    version: str,
    climb: Climb,
    ada: SigningKey,
    now: datetime,
    metrics: dict[str, float],
    reason: str,
):
    climb("red_team", now)
    releases.file(evidence(version, "detector_rate", now + DAY / 2, **metrics), now + DAY)
    with pytest.raises(ReleaseError, match=reason):
        releases.propose(version, "research", ada, now + DAY)


def test_evidence_about_another_version_does_not_help(
    releases: Releases, evidence: Make, version: str, ada: SigningKey, now: datetime
):
    other = releases.enter("Generator 3", {"flow.safetensors": "ef" * 32}, now)
    releases.file(evidence(other, "model_card", now), now)
    with pytest.raises(ReleaseError, match="not on file"):
        releases.propose(version, "red_team", ada, now)
    with pytest.raises(ReleaseError, match="There is no version"):
        releases.file(evidence("12" * 32, "model_card", now), now)


def test_it_climbs_one_rung_at_a_time(
    releases: Releases, version: str, climb: Climb, ada: SigningKey, now: datetime
):
    climb("red_team", now)
    for rung in ("internal", "credentialed", "public"):
        with pytest.raises(ReleaseError, match="one at a time"):
            releases.propose(version, rung, ada, now)
    with pytest.raises(ReleaseError, match="There is no rung"):
        releases.propose(version, "heaven", ada, now)


def test_one_steward_is_not_enough_not_even_twice(
    releases: Releases, evidence: Make, version: str, ada: SigningKey, grace: SigningKey, now: datetime
):
    releases.file(evidence(version, "model_card", now), now)
    act = releases.propose(version, "red_team", ada, now)
    assert releases.approve(act.sha256, ada, now) is None
    assert releases.submit(act, [Approval.by(ada, act)] * 2, now) is None
    assert releases.standing(version, now).approved == "internal"
    assert [one.act for one in releases.pending(now)] == [act]
    standing = releases.approve(act.sha256[:8], grace, now)
    assert standing is not None
    assert (standing.approved, standing.served) == ("red_team", "red_team")
    assert releases.pending(now) == []
    with pytest.raises(ReleaseError, match="No proposal"):
        releases.approve(act.sha256, grace, now)
    with pytest.raises(ReleaseError):
        releases.submit(act, [Approval.by(ada, act), Approval.by(grace, act)], now)


def test_who_is_no_steward_decides_nothing(
    releases: Releases, evidence: Make, version: str, climb: Climb, ada: SigningKey, now: datetime
):
    climb("red_team", now)
    stranger = SigningKey.generate()
    (item, *_) = releases.evidence(version)
    for attempt in (
        lambda: releases.propose(version, "research", stranger, now),
        lambda: releases.rollback(version, "internal", "spite", stranger, now),
        lambda: releases.withdraw(item.id, "spite", stranger, now),
    ):
        with pytest.raises(NotApproved):
            attempt()
    assert releases.standing(version, now).served == "red_team"


def test_a_steward_revoked_meanwhile_does_not_count(
    database: Database, evidence: Make, ada: SigningKey, grace: SigningKey, now: datetime
):
    roster = Roster(database, SigningKey.generate())
    house, _ = roster.bootstrap("House", [("Ada", ada.public), ("Grace", grace.public)], now)
    joan = SigningKey.generate()
    terms = Terms(Tier.STEWARD, now, now + 90 * DAY)
    person = roster.person(house.organisation, "Joan")
    third = issue(house.organisation, person, joan.public, terms, now)
    roster.submit(third, [Approval.by(ada, third), Approval.by(grace, third)], now)
    releases = Releases(database)
    version = releases.enter("Generator 2", {"flow.safetensors": "ab" * 32}, now)
    releases.file(evidence(version, "model_card", now), now)
    act = releases.propose(version, "red_team", joan, now)
    end = revoke(third.subject, "left", now)
    roster.submit(end, [Approval.by(ada, end)], now)
    assert releases.approve(act.sha256, grace, now) is None
    assert releases.standing(version, now).served == "internal"
    assert releases.approve(act.sha256, ada, now) is not None
    assert releases.standing(version, now).served == "red_team"


def test_what_was_proposed_before_something_changed_cannot_be_approved(
    releases: Releases,
    evidence: Make,
    version: str,
    climb: Climb,
    ada: SigningKey,
    grace: SigningKey,
    now: datetime,
):
    climb("research", now)
    stale = releases.propose(version, "credentialed", ada, now)
    old = evidence(version, "consent_report", now - DAY, good=False)
    releases.file(old, now)
    with pytest.raises(ReleaseError, match="changed since this was proposed"):
        releases.approve(stale.sha256, grace, now)
    stale = releases.propose(version, "credentialed", ada, now)
    releases.rollback(version, "red_team", "doubt", ada, now)
    with pytest.raises(ReleaseError, match="one at a time"):
        releases.approve(stale.sha256, grace, now)
    again = releases.propose(version, "research", ada, now)
    releases.approve(again.sha256, grace, now)
    with pytest.raises(ReleaseError, match="changed since this was proposed"):
        releases.approve(stale.sha256, grace, now)
    stale = releases.propose(version, "credentialed", ada, now)
    stricter = replace(releases, ladder=replace(releases.ladder, sha256="00" * 32))
    with pytest.raises(ReleaseError, match="ladder has changed"):
        stricter.approve(stale.sha256, grace, now)


def test_evidence_is_looked_at_again_when_the_second_steward_signs(
    releases: Releases, evidence: Make, version: str, ada: SigningKey, grace: SigningKey, now: datetime
):
    releases.file(evidence(version, "model_card", now, days=2), now)
    act = releases.propose(version, "red_team", ada, now)
    with pytest.raises(ReleaseError, match="expired"):
        releases.approve(act.sha256, grace, now + 3 * DAY)


def test_coming_down_takes_one_steward_and_no_time(
    releases: Releases, database: Database, version: str, climb: Climb, ada: SigningKey, now: datetime
):
    climb("public", now)
    assert releases.rollback(version, None, "incident", ada, now).served == "credentialed"
    assert releases.rollback(version, "internal", "incident", ada, now).served == "internal"
    assert not releases.serving(version, "research", now).allowed
    steps = [(facts["from"], facts["to"], facts["reason"]) for facts in events(database, ROLLED_BACK)]
    assert steps == [("public", "credentialed", "incident"), ("credentialed", "internal", "incident")]
    for rung in ("internal", "public"):
        with pytest.raises(ReleaseError, match="not below"):
            releases.rollback(version, rung, "again", ada, now)


def test_expiry_lowers_what_is_served_without_anybody_doing_anything(
    releases: Releases, version: str, climb: Climb, now: datetime
):
    climb("public", now)
    for day, rung, reason in (
        (89, "public", ""),
        (90, "credentialed", "detector_rate expired on 2027-02-20"),
        (179, "credentialed", "detector_rate"),
        (180, "research", "detector_rate expired"),
        (365, "internal", "model_card expired"),
    ):
        standing = releases.standing(version, now + day * DAY)
        assert (standing.approved, standing.served) == ("public", rung)
        assert standing.shortfalls[:1] == () if not reason else reason in standing.shortfalls[0].reason
    serving = releases.serving(version, "", now + 100 * DAY)
    assert not serving.allowed
    assert "on the rung credentialed and not on public, because detector_rate expired" in serving.sentence


def test_new_evidence_for_what_expired_counts_once_two_stewards_rest_on_it(
    releases: Releases,
    evidence: Make,
    version: str,
    climb: Climb,
    ada: SigningKey,
    grace: SigningKey,
    now: datetime,
):
    climb("public", now)
    later = now + 91 * DAY
    for kind in ("detector_rate", "watermark_survival"):
        releases.file(evidence(version, kind, later), later)
    assert releases.standing(version, later).served == "credentialed"
    act = releases.propose(version, "public", ada, later)
    assert releases.standing(version, later).served == "credentialed"
    standing = releases.approve(act.sha256, grace, later)
    assert standing is not None
    assert standing.served == "public"


@pytest.mark.parametrize(
    ("kind", "rung"),
    [
        ("detector_rate", "red_team"),
        ("red_team_report", "red_team"),
        ("consent_report", "research"),
        ("watermark_survival", "research"),
    ],
)
def test_evidence_that_fails_lowers_at_once_even_if_it_is_older(
    releases: Releases, evidence: Make, version: str, climb: Climb, now: datetime, kind: str, rung: str
):
    climb("public", now)
    releases.file(evidence(version, kind, now - DAY, good=False), now)
    assert releases.standing(version, now).served == rung


def test_withdrawing_what_fails_does_not_lift_again_but_a_new_approval_does(
    releases: Releases,
    evidence: Make,
    version: str,
    climb: Climb,
    ada: SigningKey,
    grace: SigningKey,
    now: datetime,
):
    climb("public", now)
    id = releases.file(evidence(version, "red_team_report", now, good=False), now)
    assert releases.withdraw(id, "retracted", ada, now).served == "red_team"
    act = releases.propose(version, "public", ada, now)
    standing = releases.approve(act.sha256, grace, now)
    assert standing is not None
    assert standing.served == "public"


def test_withdrawing_what_passes_lowers_at_once(
    releases: Releases, database: Database, version: str, climb: Climb, ada: SigningKey, now: datetime
):
    climb("public", now)
    (id,) = (item.id for item in releases.evidence(version) if item.evidence.kind == "consent_report")
    standing = releases.withdraw(id, "flawed", ada, now)
    assert standing.served == "research"
    assert "consent_report was withdrawn" in standing.shortfalls[0].reason
    assert [facts["evidence"] for facts in events(database, "release.evidence_withdrawn")] == [id]
    with pytest.raises(ReleaseError, match="no evidence"):
        releases.withdraw("00" * 32, "flawed", ada, now)


def test_evidence_from_the_future_or_of_no_known_kind_is_not_filed(
    releases: Releases, evidence: Make, version: str, now: datetime
):
    with pytest.raises(EvidenceRefused, match="future"):
        releases.file(evidence(version, "model_card", now + DAY), now)
    odd = replace(evidence(version, "model_card", now).evidence, kind="horoscope")
    with pytest.raises(EvidenceRefused, match="horoscope"):
        releases.file(Signed.by(SigningKey.generate(), odd), now)


def test_evidence_changed_in_the_database_carries_nothing(
    releases: Releases, database: Database, version: str, climb: Climb, now: datetime
):
    climb("public", now)
    with database.transaction() as session:
        for row in session.scalars(select(FiledEvidence)):
            row.document = row.document.replace('"expires":"20', '"expires":"21')
    assert not releases.serving(version, "research", now).allowed


def test_entering_or_filing_twice_changes_nothing(
    releases: Releases, database: Database, evidence: Make, version: str, climb: Climb, now: datetime
):
    climb("research", now)
    assert releases.enter("Another name", {"flow.safetensors": "ab" * 32}, now) == version
    assert releases.standing(version, now).served == "research"
    item = evidence(version, "model_card", now)
    assert releases.file(item, now) == releases.file(item, now + DAY)
    assert len(releases.evidence(version)) == 6
    for name in ("", "two\nlines", "x" * 201):
        with pytest.raises(ReleaseError):
            releases.enter(name, {"flow.safetensors": "12" * 32}, now)


def test_an_act_of_another_kind_is_not_carried_out(
    releases: Releases, version: str, ada: SigningKey, now: datetime
):
    act = Act("release.explode", version, {}, now)
    with pytest.raises(ReleaseError, match="nothing that is done"):
        releases.submit(act, [Approval.by(ada, act)], now)
    act = Act(ROLLBACK, "12" * 32, {"reason": "x", "to": "internal"}, now)
    with pytest.raises(ReleaseError, match="no version"):
        releases.submit(act, [Approval.by(ada, act)], now)


def test_a_ladder_whose_rungs_were_renamed_serves_nobody(
    releases: Releases, version: str, climb: Climb, now: datetime
):
    climb("public", now)
    rungs = tuple(replace(rung, name=f"new_{rung.name}") for rung in releases.ladder.rungs)
    renamed = replace(releases, ladder=Ladder(rungs, {}, "00" * 32))
    assert not renamed.serving(version, "research", now).allowed


actions = st.lists(
    st.one_of(
        st.tuples(st.just("file"), st.sampled_from(KINDS), st.booleans(), st.integers(1, 400)),
        st.tuples(st.just("propose"), st.integers(0, 4), st.integers(0, 1)),
        st.tuples(st.just("approve"), st.integers(0, 5), st.integers(0, 1)),
        st.tuples(st.just("climb"), st.booleans()),
        st.tuples(st.just("rollback"), st.integers(0, 4), st.integers(0, 1)),
        st.tuples(st.just("withdraw"), st.integers(0, 9), st.integers(0, 1)),
        st.tuples(st.just("wait"), st.integers(0, 120)),
    ),
    min_size=4,
    max_size=24,
)
serial = count(1)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(actions=actions)
def test_no_order_of_acts_reaches_a_rung_without_its_evidence_and_two_stewards(
    releases: Releases,
    evidence: Make,
    ada: SigningKey,
    grace: SigningKey,
    now: datetime,
    actions: list[tuple[Any, ...]],
):
    version = releases.enter("Generated", {"flow.safetensors": f"{next(serial):064x}"}, now)
    stewards = (ada, grace)
    filed: dict[str, Signed] = {}
    withdrawn: set[str] = set()
    proposals: list[Act] = []
    signed: dict[str, set[int]] = {}
    rung = 0
    names = [one.name for one in releases.ladder.rungs]
    for action in (("climb", True), *actions):
        try:
            match action:
                case ("file", kind, good, days):
                    item = evidence(version, kind, now, good=good or kind == "model_card", days=days)
                    filed[releases.file(item, now)] = item
                case ("propose", height, who):
                    act = releases.propose(version, names[height], stewards[who], now)
                    proposals.append(act)
                    signed.setdefault(act.sha256, set()).add(who)
                    if signed[act.sha256] == {0, 1}:
                        assert height <= rung + 1
                        rung = height
                case ("approve", which, who) if proposals:
                    act = proposals[which % len(proposals)]
                    standing = releases.approve(act.sha256, stewards[who], now)
                    signed[act.sha256].add(who)
                    if standing is not None:
                        assert signed[act.sha256] == {0, 1}
                        assert names.index(standing.approved) <= rung + 1
                        rung = names.index(standing.approved)
                case ("climb", all_kinds):
                    for kind in KINDS if all_kinds else KINDS[:2]:
                        item = evidence(version, kind, now)
                        filed[releases.file(item, now)] = item
                    act = releases.propose(version, names[min(rung + 1, 4)], ada, now)
                    standing = releases.approve(act.sha256, grace, now)
                    assert standing is not None
                    rung = names.index(standing.approved)
                case ("rollback", height, who):
                    releases.rollback(version, names[height], "test", stewards[who], now)
                    assert height < rung
                    rung = height
                case ("withdraw", which, who) if filed:
                    id = list(filed)[which % len(filed)]
                    releases.withdraw(id, "test", stewards[who], now)
                    withdrawn.add(id)
                case ("wait", days):
                    now += days * DAY
        except (ReleaseError, NotApproved):
            pass
        standing = releases.standing(version, now)
        assert names.index(standing.approved) == rung
        assert names.index(standing.served) <= rung
        for lower in releases.ladder.rungs[: names.index(standing.served) + 1]:
            for demand in lower.demands:
                assert any(
                    item.evidence.kind == demand.kind
                    and id not in withdrawn
                    and not demand.fault(item.evidence)
                    and not demand.stale(item.evidence, now)
                    for id, item in filed.items()
                ), (standing, demand.kind)


def test_two_stewards_at_once_climb_once(
    releases: Releases,
    database: Database,
    evidence: Make,
    version: str,
    ada: SigningKey,
    grace: SigningKey,
    now: datetime,
):
    releases.file(evidence(version, "model_card", now), now)
    act = releases.climb(version, "red_team", now)
    outcomes: list[object] = []

    def sign(key: SigningKey) -> None:
        try:
            outcomes.append(releases.submit(act, [Approval.by(key, act)], now))
        except (ReleaseError, NotApproved) as error:
            outcomes.append(error)

    threads = [threading.Thread(target=sign, args=(key,)) for key in (ada, grace, ada, grace)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 4
    assert releases.standing(version, now).approved == "red_team"
    assert len(events(database, "release.climbed")) == 1


def test_coming_down_beats_every_approval_at_the_same_time(
    releases: Releases, version: str, climb: Climb, ada: SigningKey, grace: SigningKey, now: datetime
):
    climb("research", now)
    act = releases.propose(version, "credentialed", ada, now)

    def approve() -> None:
        try:
            releases.approve(act.sha256, grace, now)
        except (ReleaseError, NotApproved):
            return

    threads = [
        threading.Thread(target=approve),
        threading.Thread(target=lambda: releases.rollback(version, "internal", "incident", ada, now)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert releases.standing(version, now).approved == "internal"
    approve()
    assert releases.standing(version, now).approved == "internal"


def test_the_shipped_version_is_rolled_back_once_by_many_at_once(
    releases: Releases, database: Database, ada: SigningKey, grace: SigningKey, now: datetime
):
    assert releases.shipped is not None
    version = releases.shipped.version
    refused: list[Exception] = []

    def down(key: SigningKey) -> None:
        try:
            releases.rollback(version, "internal", "incident", key, now)
        except (ReleaseError, NotApproved) as error:
            refused.append(error)

    threads = [threading.Thread(target=down, args=(key,)) for key in (ada, grace)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert releases.standing(version, now).approved == "internal"
    assert len(events(database, "release.entered")) == 1
    assert len(events(database, ROLLED_BACK)) == 1


ROLL_BACK = """
import sys, time
from datetime import datetime
from pathlib import Path
from governance.identity import trust
from governance.keys import SigningKey, VerifyKey
from governance.release import Releases
from governance.storage import Database
url, key, hub, version, now = sys.argv[1:]
database = Database.open(url)
trust(database, VerifyKey.from_text(hub))
releases, steward, now = Releases(database), SigningKey.load(Path(key)), datetime.fromisoformat(now)
print("ready", flush=True)
print(releases.rollback(version, None, "incident", steward, now).approved, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("after", ["acknowledged", "ready"])
def test_killed_while_coming_down_it_is_down_if_it_said_so_and_whole_if_not(
    database_url: str, tmp_path: Any, after: str, now: datetime
):
    ada, grace, hub = SigningKey.generate(), SigningKey.generate(), SigningKey.generate()
    ada.save(tmp_path / "ada.pem")
    database = Database.open(database_url)
    Roster(database, hub).bootstrap("House", [("Ada", ada.public), ("Grace", grace.public)], now)
    releases = Releases(database)
    assert releases.shipped is not None
    version = releases.shipped.version
    arguments = [database_url, str(tmp_path / "ada.pem"), hub.public.text, version, now.isoformat()]
    process = subprocess.Popen(
        [sys.executable, "-c", ROLL_BACK, *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    if after == "acknowledged":
        assert process.stdout.readline() == "credentialed\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    approved = releases.standing(version, now).approved
    assert approved == "credentialed" or after == "ready"
    assert len(events(database, ROLLED_BACK)) == (1 if approved == "credentialed" else 0)
    assert len(events(database, "act.approved")) == (1 if approved == "credentialed" else 0)
    database.close()
