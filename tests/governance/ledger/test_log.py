"""Appending to a log, opening it again, and proving what is in it."""

import json
import multiprocessing
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from governance.errors import EventConflict, LedgerDamaged, LedgerError, SplitView
from governance.events import Event
from governance.keys import SigningKey
from governance.ledger import Checkpoint, Ledger, journal, merkle, verify
from governance.ledger.log import PUBLISH_EVERY
from governance.ledger.store import open_store

Open = Callable[[Path | str], Ledger]
Happenings = Callable[[int, int], list[Event]]
ORIGIN = "hub.example/ledger"


class Bucket(MemoryFileSystem):
    """A store without a lock that decides in one step whether a file is there, as object stores do."""

    protocol = "bucket"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    _step = threading.Lock()

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **rest: Any) -> None:
        with self._step:
            super().pipe_file(path, value, mode, **rest)

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.removeprefix("bucket://").strip("/")


fsspec.register_implementation("bucket", Bucket, clobber=True)


@pytest.fixture(params=["folder", "memory"])
def place(request: pytest.FixtureRequest, folder: Path) -> str:
    """A folder of this machine, and a store elsewhere."""
    return str(folder) if request.param == "folder" else f"memory://{uuid.uuid4().hex}/ledger"


def test_a_new_log_is_empty_and_says_so(place: str, open_ledger: Open) -> None:
    ledger = open_ledger(place)
    checkpoint = ledger.checkpoint()
    assert (checkpoint.size, checkpoint.root) == (0, merkle.EMPTY_ROOT)
    assert ledger.append([]) == []
    verify(place, ledger.verifier)


def test_events_get_consecutive_places_and_their_leaf_hashes(
    place: str, open_ledger: Open, happenings: Happenings
) -> None:
    ledger = open_ledger(place)
    entries = ledger.append(happenings(0, 3)) + ledger.append(happenings(3, 5))
    assert [entry.index for entry in entries] == [0, 1, 2, 3, 4]
    assert [entry.leaf_hash for entry in entries] == [
        merkle.leaf_hash(event.canonical()) for event in happenings(0, 5)
    ]
    checkpoint = ledger.checkpoint()
    assert checkpoint.size == 5
    assert [*ledger.entries(0, 5)] == [event.canonical() for event in happenings(0, 5)]


@pytest.mark.parametrize("batch", [1, 100, 256, 700])
def test_the_root_does_not_depend_on_how_the_log_grew(
    place: str, open_ledger: Open, happenings: Happenings, batch: int
) -> None:
    ledger = open_ledger(place)
    total = 60 if batch == 1 else 1400
    for start in range(0, total, batch):
        ledger.append(happenings(start, min(start + batch, total)))
        if start % 3 == 0:
            ledger.checkpoint()
        if start % 5 == 0:
            ledger = open_ledger(place)
    leaves = [event.canonical() for event in happenings(0, total)]
    edge = merkle.range_root(0, total, lambda height, index: _root(leaves, height, index))
    assert ledger.checkpoint().root == edge
    assert verify(place, ledger.verifier).unsigned == ()


def _root(leaves: list[bytes], height: int, index: int) -> bytes:
    row = b"".join(merkle.leaf_hash(leaf) for leaf in leaves[index << height : (index + 1) << height])
    return merkle.complete_root(row)


def test_all_proofs_hold_against_every_older_checkpoint(ledger: Ledger, happenings: Happenings) -> None:
    checkpoints: list[Checkpoint] = []
    size = 0
    for batch in (1, 1, 5, 120, 129, 1, 300):
        ledger.append(happenings(size, size + batch))
        size += batch
        checkpoints.append(ledger.checkpoint())
    for new in checkpoints:
        for index in {0, new.size // 2, new.size - 1}:
            leaf = merkle.leaf_hash(ledger.entry(index))
            merkle.check_inclusion(leaf, index, new.size, ledger.inclusion(index, new.size), new.root)
        for old in checkpoints:
            if old.size <= new.size:
                proof = ledger.consistency(old.size, new.size)
                merkle.check_consistency(old.size, new.size, old.root, new.root, proof)


def test_a_retry_is_not_entered_twice_even_years_later(
    place: str, open_ledger: Open, happenings: Happenings
) -> None:
    ledger = open_ledger(place)
    first = ledger.append(happenings(0, 300))
    assert ledger.append(happenings(0, 300)) == first
    ledger.checkpoint()
    assert ledger.append(happenings(0, 300)) == first
    again = open_ledger(place)
    mixed = again.append([*happenings(298, 302), *happenings(301, 302)])
    assert [entry.index for entry in mixed] == [298, 299, 300, 301, 301]
    assert again.checkpoint().size == 302
    assert again.find(happenings(299, 300)[0].id) == first[299]
    assert again.find("never") is None


def test_another_event_under_a_used_id_is_refused_and_nothing_is_entered(
    ledger: Ledger, happenings: Happenings
) -> None:
    ledger.append(happenings(0, 2))
    lie = Event("request.refused", {"number": 1}, happenings(1, 2)[0].at, happenings(1, 2)[0].id)
    with pytest.raises(EventConflict, match="entry 1"):
        ledger.append([*happenings(2, 4), lie])
    with pytest.raises(EventConflict, match="Two different events"):
        ledger.append([Event("a.b", {"n": 1}, lie.at, "same"), Event("a.b", {"n": 2}, lie.at, "same")])
    assert ledger.checkpoint().size == 2


def test_an_event_too_long_for_the_log_is_refused(ledger: Ledger) -> None:
    facts: dict[str, str | int] = {f"fact{number}": "f" * 200 for number in range(400)}
    with pytest.raises(LedgerError, match="too long"):
        ledger.append([Event("grant.registered", facts)])


def test_a_long_journal_is_published_without_being_asked(
    folder: Path, ledger: Ledger, happenings: Happenings
) -> None:
    ledger.append(happenings(0, PUBLISH_EVERY - 1))
    assert "\n0\n" in (folder / "checkpoint").read_text()
    ledger.append(happenings(PUBLISH_EVERY - 1, PUBLISH_EVERY))
    assert f"\n{PUBLISH_EVERY}\n" in (folder / "checkpoint").read_text()
    assert not list((folder / "journal").iterdir())


def test_only_what_is_published_can_be_read_or_proved(ledger: Ledger, happenings: Happenings) -> None:
    ledger.append(happenings(0, 3))
    with pytest.raises(LedgerError, match="has published 0"):
        ledger.inclusion(0, 3)
    with pytest.raises(LedgerError, match="has published 0"):
        ledger.entry(0)
    ledger.checkpoint()
    with pytest.raises(LedgerError, match="no entry 3"):
        ledger.inclusion(3, 3)
    with pytest.raises(LedgerError, match="has published 3"):
        ledger.entry(3)
    with pytest.raises(LedgerError, match="has published 3"):
        ledger.entry(-1)


def test_the_log_of_another_key_or_name_is_not_opened(folder: Path, ledger: Ledger, key: SigningKey) -> None:
    ledger.checkpoint()
    with pytest.raises(LedgerError, match="no signature"):
        Ledger.open(str(folder), SigningKey.generate(), origin=ORIGIN)
    with pytest.raises(LedgerError, match="of the log"):
        Ledger.open(str(folder), key, origin="hub.example/other")


def test_an_address_that_nothing_can_open_is_refused_in_words(open_ledger: Open) -> None:
    with pytest.raises(LedgerError, match="check its address"):
        open_ledger("nosuch://place")


def test_a_log_whose_files_were_changed_is_not_continued(
    folder: Path, ledger: Ledger, open_ledger: Open, happenings: Happenings
) -> None:
    ledger.append(happenings(0, 300))
    ledger.checkpoint()
    for name in ("tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44"):
        file = folder / name
        whole = file.read_bytes()
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(LedgerDamaged, match="tiles"):
            open_ledger(folder)
        file.unlink()
        with pytest.raises(LedgerDamaged, match="missing"):
            open_ledger(folder)
        file.write_bytes(whole)
    assert open_ledger(folder).checkpoint().size == 300


def test_a_missing_checkpoint_or_journal_is_not_taken_for_a_new_log(
    folder: Path, ledger: Ledger, open_ledger: Open, happenings: Happenings
) -> None:
    for start in range(3):
        ledger.append(happenings(start, start + 1))
    journals = sorted((folder / "journal").iterdir())
    whole = journals[1].read_bytes()
    journals[1].unlink()
    with pytest.raises(LedgerDamaged, match=r"Entry 1 .* is missing"):
        open_ledger(folder)
    journals[1].write_bytes(whole[:-1] + b"?")
    with pytest.raises(LedgerDamaged, match="was changed"):
        open_ledger(folder)
    journals[1].write_bytes(whole)
    (folder / "checkpoint").unlink()
    with pytest.raises(LedgerDamaged, match="checkpoint"):
        open_ledger(folder)


def test_a_log_replaced_under_our_hands_is_noticed(
    folder: Path, tmp_path: Path, ledger: Ledger, open_ledger: Open, happenings: Happenings
) -> None:
    ledger.append(happenings(0, 3))
    ledger.checkpoint()
    other = open_ledger(tmp_path / "other")
    other.append(happenings(1, 6))
    other.checkpoint()
    folder.rename(tmp_path / "away")
    (tmp_path / "other").rename(folder)
    with pytest.raises(SplitView, match="another history"):
        ledger.append(happenings(3, 4))


def test_two_ledgers_on_one_folder_see_each_others_entries(
    folder: Path, open_ledger: Open, happenings: Happenings
) -> None:
    one, two = open_ledger(folder), open_ledger(folder)
    first = one.append(happenings(0, 2))
    assert two.append(happenings(0, 3))[:2] == first
    assert two.checkpoint().size == 3
    assert [entry.index for entry in one.append(happenings(1, 5))] == [1, 2, 3, 4]
    assert one.checkpoint() == two.checkpoint()
    assert two.entry(4) == happenings(4, 5)[0].canonical()


def test_of_two_writers_to_a_store_without_a_lock_the_slower_one_comes_second(
    open_ledger: Open, happenings: Happenings, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"memory://{uuid.uuid4().hex}/ledger"
    one, two = open_ledger(place), open_ledger(place)
    refresh = two._refresh

    def overtaken() -> None:
        refresh()
        one.append(happenings(0, 1))
        one.checkpoint()

    monkeypatch.setattr(two, "_refresh", overtaken)
    write = journal.write
    monkeypatch.setattr(journal, "write", lambda *batch: monkeypatch.undo() or write(*batch))
    assert [entry.index for entry in two.append(happenings(1, 2))] == [1]
    assert two.checkpoint().size == 2
    verify(place, one.verifier, older=[one.checkpoint()])


def test_a_checkpoint_overwritten_by_a_slower_writer_loses_nothing(
    open_ledger: Open, happenings: Happenings
) -> None:
    place = f"memory://{uuid.uuid4().hex}/ledger"
    ledger = open_ledger(place)
    ledger.append(happenings(0, 3))
    early = ledger.checkpoint()
    ledger.append(happenings(3, 300))
    late = ledger.checkpoint()
    open_store(place).write({"checkpoint": early.note.encode()})
    assert open_ledger(place).checkpoint() == late
    open_store(place).write({"checkpoint": early.note.encode()})
    assert ledger.append(happenings(299, 301))[1].index == 300
    assert verify(place, ledger.verifier, older=[early, late]).checkpoint.size == 300


def test_a_folder_that_went_back_is_damaged(
    folder: Path, ledger: Ledger, open_ledger: Open, happenings: Happenings
) -> None:
    ledger.append(happenings(0, 3))
    early = ledger.checkpoint()
    ledger.append(happenings(3, 5))
    ledger.checkpoint()
    (folder / "checkpoint").write_text(early.text)
    with pytest.raises(LedgerDamaged, match="fewer entries"):
        ledger.append(happenings(5, 6))


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_many_threads_append_without_losing_or_doubling_anything(
    kind: str, folder: Path, open_ledger: Open, happenings: Happenings
) -> None:
    place = str(folder) if kind == "folder" else f"bucket://{uuid.uuid4().hex}/ledger"
    ledger = open_ledger(place)
    places: dict[int, int] = {}

    def work(offset: int) -> None:
        mine = ledger if offset % 2 else open_ledger(place)
        for start in range(offset, 120, 6):
            for number, entry in enumerate(mine.append(happenings(start, min(start + 9, 120))), start):
                assert places.setdefault(number, entry.index) == entry.index
            if start % 4 == 0:
                mine.checkpoint()

    threads = [threading.Thread(target=work, args=(offset,)) for offset in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _check_all(place, ledger, places)


def test_many_processes_append_without_losing_or_doubling_anything(
    folder: Path, open_ledger: Open, tmp_path: Path, key: SigningKey
) -> None:
    key.save(tmp_path / "key.pem")
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        results = pool.starmap(_append_some, [(str(folder), str(tmp_path / "key.pem"), n) for n in range(4)])
    places: dict[int, int] = {}
    for result in results:
        for number, index in result.items():
            assert places.setdefault(number, index) == index
    _check_all(str(folder), open_ledger(folder), places)


def _append_some(folder: str, key: str, offset: int) -> dict[int, int]:
    ledger = Ledger.open(folder, SigningKey.load(Path(key)), origin=ORIGIN)
    places = {}
    for start in range(offset, 120, 4):
        numbers = range(start, min(start + 7, 120))
        events = [
            Event("request.admitted", {"number": number}, _at(), f"{number:032x}") for number in numbers
        ]
        for number, entry in zip(numbers, ledger.append(events), strict=True):
            places[number] = entry.index
        if start % 16 == offset:
            ledger.checkpoint()
    return places


def _at() -> datetime:
    return datetime(2026, 1, 2, tzinfo=UTC)


def _check_all(place: str, ledger: Ledger, places: dict[int, int]) -> None:
    size = ledger.checkpoint().size
    assert sorted(places.values()) == list(range(size)) == sorted(places)
    found = [json.loads(entry)["facts"]["number"] for entry in ledger.entries(0, size)]
    assert {number: index for index, number in enumerate(found)} == places
    assert verify(place, ledger.verifier).checkpoint == ledger.checkpoint()
