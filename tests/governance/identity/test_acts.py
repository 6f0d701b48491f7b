"""Stewards decide together, each signs exactly what is done, and nothing is done twice."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from governance.errors import IdentityError, MoreNeeded, NotApproved, SignatureInvalid
from governance.identity import Act, Approval, Roster, Terms, Tier, issue, require, suspend
from governance.keys import SigningKey
from governance.storage import Database
from governance.storage.outbox import Recorded


@pytest.fixture
def act(now: datetime) -> Act:
    return Act("release.promote", "model:1.2", {"rung": "research", "evidence": 3}, now)


def decide(
    database: Database,
    act: Act,
    approvals: Sequence[Approval],
    now: datetime,
    needed: int = 2,
    besides: Sequence[str] = (),
) -> None:
    with database.transaction() as session:
        require(session, act, approvals, needed=needed, now=now, besides=besides)


def test_two_stewards_together_may_and_it_is_on_record(
    roster: Roster, database: Database, act: Act, ada: SigningKey, grace: SigningKey, now: datetime
) -> None:
    decide(database, act, [Approval.by(ada, act), Approval.by(grace, act)], now)
    with database.transaction() as session:
        event = session.scalars(select(Recorded).filter_by(kind="act.approved")).one().event()
    stewards = sorted(listed.credential.id for listed in roster.all())
    assert event.facts == {
        "act": act.sha256,
        "action": "release.promote",
        "by": "+".join(stewards),
        "subject": "model:1.2",
    }


def test_one_steward_is_not_two(
    roster: Roster, database: Database, act: Act, ada: SigningKey, now: datetime
) -> None:
    with pytest.raises(MoreNeeded, match="needs 2 different stewards, and only 1 signed"):
        decide(database, act, [Approval.by(ada, act)], now)
    with pytest.raises(MoreNeeded, match="only 1 signed"):
        decide(database, act, [Approval.by(ada, act), Approval.by(ada, act)], now)
    decide(database, act, [Approval.by(ada, act)], now, needed=1)


def test_nobody_is_not_one(roster: Roster, database: Database, act: Act, now: datetime) -> None:
    with pytest.raises(MoreNeeded, match="needs a steward, and nobody signed"):
        decide(database, act, [], now, needed=1)


def test_one_person_with_two_keys_is_one_steward(
    roster: Roster, database: Database, ada: SigningKey, grace: SigningKey, act: Act, now: datetime
) -> None:
    person = next(one.credential for one in roster.all() if one.credential.keyid == ada.keyid)
    second = SigningKey.generate()
    again = issue(
        person.organisation,
        person.person,
        second.public,
        Terms(Tier.STEWARD, now, now + timedelta(days=9)),
        now,
    )
    third = SigningKey.generate()
    third_person = roster.person(person.organisation, "Emmy")
    widen = issue(
        person.organisation,
        third_person,
        third.public,
        Terms(Tier.STEWARD, now, now + timedelta(days=9)),
        now,
    )
    assert roster.submit(widen, [Approval.by(ada, widen), Approval.by(grace, widen)], now)
    assert roster.submit(again, [Approval.by(third, again), Approval.by(grace, again)], now)
    with pytest.raises(MoreNeeded):
        decide(database, act, [Approval.by(ada, act), Approval.by(second, act)], now)


def test_nobody_decides_about_themselves(
    roster: Roster, database: Database, act: Act, ada: SigningKey, grace: SigningKey, now: datetime
) -> None:
    herself = next(one.credential.person for one in roster.all() if one.credential.keyid == ada.keyid)
    both = [Approval.by(ada, act), Approval.by(grace, act)]
    with pytest.raises(MoreNeeded, match="nobody decides about themselves"):
        decide(database, act, both, now, besides=[herself])


def test_a_strangers_signature_does_not_count(
    roster: Roster, database: Database, act: Act, ada: SigningKey, now: datetime
) -> None:
    with pytest.raises(NotApproved, match="No credential here belongs to key"):
        decide(database, act, [Approval.by(ada, act), Approval.by(SigningKey.generate(), act)], now)


def test_only_stewards_decide(
    roster: Roster, database: Database, act: Act, ada: SigningKey, grace: SigningKey, now: datetime
) -> None:
    key = SigningKey.generate()
    house = roster.organisation("Partner")
    made = issue(
        house,
        roster.person(house, "Rosalind"),
        key.public,
        Terms(Tier.RESEARCH, now, now + timedelta(days=9)),
        now,
    )
    assert roster.submit(made, [Approval.by(ada, made), Approval.by(grace, made)], now)
    with pytest.raises(NotApproved, match="is not a steward's"):
        decide(database, act, [Approval.by(ada, act), Approval.by(key, act)], now)


def test_a_signature_under_another_act_does_not_count(
    roster: Roster, database: Database, act: Act, ada: SigningKey, grace: SigningKey, now: datetime
) -> None:
    other = Act(act.action, act.subject, {**act.facts, "rung": "public"}, act.at)
    with pytest.raises(NotApproved, match="not under this act"):
        decide(database, other, [Approval.by(ada, act), Approval.by(grace, other)], now)


def test_a_suspended_steward_does_not_count(
    roster: Roster, database: Database, act: Act, ada: SigningKey, grace: SigningKey, now: datetime
) -> None:
    both = [Approval.by(ada, act), Approval.by(grace, act)]
    suspected = next(one.credential for one in roster.all() if one.credential.keyid == grace.keyid)
    stop = suspend(suspected.id, "stolen", now)
    assert roster.submit(stop, [Approval.by(ada, stop)], now)
    with pytest.raises(NotApproved, match="suspended"):
        decide(database, act, both, now)


def test_an_act_is_carried_out_once(
    roster: Roster, database: Database, act: Act, ada: SigningKey, grace: SigningKey, now: datetime
) -> None:
    both = [Approval.by(ada, act), Approval.by(grace, act)]
    decide(database, act, both, now)
    with pytest.raises(NotApproved, match="was carried out before"):
        decide(database, act, both, now)


def test_old_and_future_acts_do_not_count(
    roster: Roster, database: Database, act: Act, ada: SigningKey, grace: SigningKey, now: datetime
) -> None:
    both = [Approval.by(ada, act), Approval.by(grace, act)]
    for moment in (now + timedelta(days=8), now - timedelta(minutes=6)):
        with pytest.raises(NotApproved, match="propose it anew"):
            decide(database, act, both, moment)


FACTS = st.dictionaries(st.text(max_size=8), st.text(max_size=8) | st.integers(-(2**53) + 1, 2**53 - 1))


@given(facts=FACTS, at=st.datetimes(timezones=st.timezones(), min_value=datetime(1970, 1, 2)))
def test_an_act_is_read_back_as_it_was_written(facts: dict[str, str | int], at: datetime) -> None:
    act = Act("grant.review", "g1", facts, at)
    assert Act.read(act.canonical()) == act


def test_every_flipped_bit_in_an_act_is_caught(now: datetime) -> None:
    key = SigningKey.generate()
    act = Act("grant.review", "g1", {"verdict": "public domain", "page": 3}, now)
    approval = Approval.by(key, act)
    readable = 0
    for place in range(len(act.canonical()) * 8):
        flipped = bytearray(act.canonical())
        flipped[place // 8] ^= 1 << place % 8
        try:
            changed = Act.read(bytes(flipped))
        except IdentityError:
            continue
        readable += 1
        with pytest.raises(SignatureInvalid):
            key.public.verify(approval.signature, changed.canonical())
    assert readable > 50


@pytest.mark.parametrize("facts", [{"a": 1.5}, {"a": None}, {"a": [1]}, {"a": True}])
def test_an_act_states_texts_and_whole_numbers(facts: dict[str, str | int], now: datetime) -> None:
    with pytest.raises(IdentityError, match="texts and whole numbers"):
        Act("grant.review", "g1", facts, now)
