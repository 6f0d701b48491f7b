"""Whatever two writers do, and in whatever order, the log is what they were told, and continues itself."""

import json
import tempfile
import uuid
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from governance.errors import EventConflict
from governance.events import Event
from governance.keys import SigningKey
from governance.ledger import Checkpoint, Ledger, known, log, merkle, verify

KEY = SigningKey.generate()
MOMENT = datetime(2026, 1, 2, tzinfo=UTC)
WHICH = st.integers(0, 1)


class Writers(RuleBasedStateMachine):
    """Two ledgers on one store; the model is the list of numbers in the order of their places."""

    def __init__(self) -> None:
        super().__init__()
        self._kept = known.RUN, log.PUBLISH_EVERY
        known.RUN, log.PUBLISH_EVERY = 16, 60
        self.place = self.new_place()
        self.ledgers = [self.open(), self.open()]
        self.model: list[int] = []
        self.shown: list[Checkpoint] = []

    def new_place(self) -> str:
        return f"memory://{uuid.uuid4().hex}/ledger"

    def open(self) -> Ledger:
        return Ledger.open(self.place, KEY, origin="hub.example/ledger")

    @rule(which=WHICH, start=st.integers(0, 300), count=st.integers(0, 70))
    def append(self, which: int, start: int, count: int) -> None:
        numbers = range(start, start + count)
        entries = self.ledgers[which].append([event(number) for number in numbers])
        self.model += [number for number in numbers if number not in self.model]
        assert [entry.index for entry in entries] == [self.model.index(number) for number in numbers]

    @rule(which=WHICH)
    def checkpoint(self, which: int) -> None:
        self.shown.append(self.ledgers[which].checkpoint())
        assert self.shown[-1].size == len(self.model)

    @rule(which=WHICH)
    def reopen(self, which: int) -> None:
        self.ledgers[which] = self.open()

    @rule(which=WHICH, place=st.integers(0, 400))
    def conflict(self, which: int, place: int) -> None:
        if self.model:
            taken = event(self.model[place % len(self.model)])
            lie = Event("request.refused", taken.facts, taken.at, taken.id)
            try:
                self.ledgers[which].append([event(1000), lie])
            except EventConflict:
                return
            raise AssertionError("another event was accepted under a used id")

    @rule(which=WHICH, place=st.integers(0, 400))
    def prove(self, which: int, place: int) -> None:
        if self.shown and self.shown[-1].size:
            signed = self.shown[place % len(self.shown)]
            if signed.size:
                index = place % signed.size
                proof = self.ledgers[which].inclusion(index, signed.size)
                leaf = merkle.leaf_hash(event(self.model[index]).canonical())
                merkle.check_inclusion(leaf, index, signed.size, proof, signed.root)
            last = self.shown[-1]
            path = self.ledgers[which].consistency(signed.size, last.size)
            merkle.check_consistency(signed.size, last.size, signed.root, last.root, path)

    @invariant()
    def what_was_shown_is_continued(self) -> None:
        if self.shown:
            assert verify(self.place, self.ledgers[0].verifier, older=self.shown).checkpoint.size <= len(
                self.model
            )

    def teardown(self) -> None:
        ledger = self.open()
        size = ledger.checkpoint().size
        found = [json.loads(entry)["facts"]["number"] for entry in ledger.entries(0, size)]
        assert found == self.model
        known.RUN, log.PUBLISH_EVERY = self._kept


class FolderWriters(Writers):
    """The same on a folder, whose journal is cleared."""

    def new_place(self) -> str:
        self.folder = tempfile.TemporaryDirectory()
        return str(Path(self.folder.name) / "ledger")

    def teardown(self) -> None:
        super().teardown()
        assert verify(self.place, self.ledgers[0].verifier).unsigned == ()
        self.folder.cleanup()


def event(number: int) -> Event:
    return Event("request.admitted", {"number": number}, MOMENT, f"{number:032x}")


TestOnAStoreWithoutALock = Writers.TestCase
TestOnAStoreWithoutALock.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestOnAFolder = FolderWriters.TestCase
TestOnAFolder.settings = settings(max_examples=8, stateful_step_count=20, deadline=None)
