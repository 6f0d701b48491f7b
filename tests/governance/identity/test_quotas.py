"""No number of askers at once does more on a day than the credential may."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from governance.errors import QuotaExceeded
from governance.identity import Credential, Roster, Terms, Tier, changes, spend
from governance.identity.tables import StoredCredential
from governance.keys import SigningKey
from governance.storage import Database


def credential(roster: Roster, now: datetime, **quotas: int) -> Credential:
    """One whose quotas are ``quotas`` (it is not the hub's; counting does not ask)."""
    house = roster.organisation("Studio")
    person = roster.person(house, "Rosalind")
    terms = Terms(Tier.GENERATE, now, now + timedelta(days=9), (), quotas)
    made = changes.issued(changes.issue(house, person, SigningKey.generate().public, terms, now))
    with roster.database.transaction() as session:
        session.add(StoredCredential(id=made.id, person=person, document="", signature=b""))
    return made


def try_to_spend(database: Database, one: Credential, action: str, now: datetime, count: int = 1) -> bool:
    try:
        with database.transaction() as session:
            spend(session, one, action, now, count)
    except QuotaExceeded:
        return False
    return True


def test_it_says_what_is_left(roster: Roster, database: Database, now: datetime) -> None:
    one = credential(roster, now, generate=3)
    with database.transaction() as session:
        assert [spend(session, one, "generate", now) for _ in range(3)] == [2, 1, 0]
        with pytest.raises(QuotaExceeded, match="3 times a day: go on tomorrow"):
            spend(session, one, "generate", now)
        with pytest.raises(QuotaExceeded, match="may not do download"):
            spend(session, one, "download", now)


def test_many_at_once_get_no_more(roster: Roster, database: Database, now: datetime) -> None:
    one = credential(roster, now, generate=7)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: try_to_spend(database, one, "generate", now), range(24)))
    assert sum(found) == 7


def test_what_was_rolled_back_was_not_spent(roster: Roster, database: Database, now: datetime) -> None:
    one = credential(roster, now, generate=1)

    def fail(session: Session) -> None:
        spend(session, one, "generate", now)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        fail(session)
    assert try_to_spend(database, one, "generate", now)
    assert not try_to_spend(database, one, "generate", now)


def test_a_new_day_begins_at_midnight_utc(roster: Roster, database: Database, now: datetime) -> None:
    one = credential(roster, now, generate=1)
    late = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)
    assert try_to_spend(database, one, "generate", now)
    assert not try_to_spend(database, one, "generate", late)
    assert try_to_spend(database, one, "generate", late + timedelta(seconds=1))


def test_all_or_none(roster: Roster, database: Database, now: datetime) -> None:
    one = credential(roster, now, download=5)
    assert try_to_spend(database, one, "download", now, 3)
    assert not try_to_spend(database, one, "download", now, 3)
    assert try_to_spend(database, one, "download", now, 2)
    with database.transaction() as session, pytest.raises(ValueError, match="1 or more"):
        spend(session, one, "download", now, 0)


def test_no_sequence_spends_more_than_there_is(roster: Roster, database: Database, now: datetime) -> None:
    @settings(max_examples=10, deadline=None)
    @given(
        limit=st.integers(0, 6),
        steps=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 2)), max_size=8),
    )
    def check(limit: int, steps: list[tuple[int, int]]) -> None:
        one = credential(roster, now, generate=limit)
        spent = {0: 0, 1: 0, 2: 0}
        for count, day in steps:
            done = try_to_spend(database, one, "generate", now + timedelta(days=day), count)
            assert done == (spent[day] + count <= limit)
            spent[day] += count * done

    check()
