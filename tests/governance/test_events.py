"""Nothing personal fits into an event, and every event has exactly one spelling."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import EventError
from governance.events import Event

NOON = datetime(2026, 11, 22, 12, 0, 0, 1000, tzinfo=UTC)


@pytest.mark.parametrize(
    "fact",
    [
        "Ada Lovelace",
        "ada@example.org",
        "",
        "line\nbreak",
        "<b>",
        "née",
        "a" * 201,
        " token",
        "+49 30 123456",
    ],
)
def test_neither_a_sentence_nor_an_address_is_a_fact(fact: str) -> None:
    with pytest.raises(EventError, match="a hash, an id or one plain word"):
        Event("grant.registered", {"grant": fact})


@pytest.mark.parametrize("fact", [1.5, None, True, 2**53, -(2**53), ["ab12"]])
def test_what_no_ledger_can_hold_is_refused_before_it_is_recorded(fact: object) -> None:
    """Once recorded it would stop everything behind it on its way to the ledger."""
    with pytest.raises(EventError, match="a word or a whole number"):
        Event("grant.registered", {"grant": fact})  # type: ignore[dict-item]


@pytest.mark.parametrize("name", ["", "Ada Lovelace", "ada@example.org", "a" * 41])
def test_nor_does_anything_personal_hide_in_the_name_of_a_fact(name: str) -> None:
    with pytest.raises(EventError, match="is no name for a fact"):
        Event("grant.registered", {name: 1})


@pytest.mark.parametrize(
    "kind", ["grant", "Grant.Registered", "grant registered", "grant.", ".registered", ""]
)
def test_a_kind_is_two_words(kind: str) -> None:
    with pytest.raises(EventError, match="two lower-case words"):
        Event(kind, {})


def test_a_time_without_a_zone_is_no_time() -> None:
    with pytest.raises(EventError, match="time zone"):
        Event("grant.registered", {}, datetime(2026, 11, 22))


def test_the_leaf_is_canonical_json() -> None:
    event = Event("grant.registered", {"grant": "ab12", "count": 3}, NOON, "7")
    assert event.canonical() == (
        b'{"at":"2026-11-22T12:00:00.001Z","facts":{"count":3,"grant":"ab12"},"id":"7",'
        b'"kind":"grant.registered"}'
    )


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.integers(0, 2**53 - 1) | st.uuids().map(str)
    )
)
def test_the_same_event_has_one_spelling_in_every_zone_and_order(facts: dict[str, str | int]) -> None:
    event = Event("grant.registered", facts, NOON, "7")
    east = NOON.astimezone(timezone(timedelta(hours=9)))
    turned = Event("grant.registered", dict(reversed(facts.items())), east, "7")
    assert turned.canonical() == event.canonical()
    assert json.loads(event.canonical())["facts"] == facts
