"""The index of ids that are on the log: quick to open, and of no worth that could not be regained."""

import hashlib
import uuid
from collections.abc import Iterator

import pytest

from governance.ledger import known
from governance.ledger.known import RUN, Known
from governance.ledger.store import Store, open_store


class Log:
    """Entries by number, and how many were read."""

    def __init__(self) -> None:
        self.read = 0

    def __call__(self, start: int, stop: int) -> Iterator[bytes]:
        for number in range(start, stop):
            self.read += 1
            yield b'{"id":"event-%d"}' % number


@pytest.fixture(autouse=True)
def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "RUN", 16)


@pytest.fixture
def store() -> Store:
    return open_store(f"memory://{uuid.uuid4().hex}")


def grow(store: Store, log: Log, size: int, step: int) -> Known:
    index = Known(store, log)
    for start in range(0, size, step):
        index.add(f"event-{number}" for number in range(start, min(start + step, size)))
        index.settle(index.size)
    return index


def check(index: Known, size: int) -> None:
    names = [f"event-{number}" for number in range(size)]
    assert index.candidates(names) == {name: [number] for number, name in enumerate(names)}
    assert index.candidates(["event--1", f"event-{size}"]) == {}


@pytest.mark.parametrize("step", [1, 16, 50, 5000])
def test_every_id_is_found_where_it_is(store: Store, step: int) -> None:
    check(grow(store, Log(), 4500, step), 4500)


def test_an_index_that_is_opened_again_reads_no_more_than_its_youngest_entries(store: Store) -> None:
    grow(store, Log(), 4500, 100)
    log = Log()
    index = Known(store, log)
    index.catch_up(4500)
    assert log.read < 16
    check(index, 4500)


def test_runs_are_merged_sixteen_at_a_time(store: Store) -> None:
    grow(store, Log(), 16 * (256 + 2 * 16 + 3) + 5, 64)
    assert store.files("known") == [
        "known/0/288",
        "known/0/289",
        "known/0/290",
        "known/1/16",
        "known/1/17",
        "known/2/0",
    ]


@pytest.mark.parametrize("harm", ["delete", "flip", "truncate"])
def test_a_run_that_is_lost_or_damaged_is_made_again(store: Store, harm: str) -> None:
    grow(store, Log(), 4200, 100)
    for name in store.files("known"):
        data = bytearray(store.read(name) or b"")
        data[-1] ^= 1
        store.delete(name)
        if harm != "delete":
            store.write({name: bytes(data) if harm == "flip" else bytes(data[:50])})
    index = Known(store, Log())
    index.catch_up(4200)
    check(index, 4200)
    log = Log()
    again = Known(store, log)
    again.catch_up(4200)
    assert log.read < 16


def test_ids_with_the_same_short_key_are_told_apart_by_the_caller(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "_key", lambda name: hashlib.sha256(name.encode()).digest()[0] % 4)
    index = grow(store, Log(), 64, 16)
    for number in range(64):
        assert number in index.candidates([f"event-{number}"])[f"event-{number}"]


def test_the_real_run_is_sixteen_bundles() -> None:
    assert RUN == 16 * 256
