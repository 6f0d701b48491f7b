"""The append-only log: what is acknowledged is durable, what is published is signed and can be proved.

An appended batch is first kept in the journal, in one file, in one step; that is when it is acknowledged.
From there it comes into tiles; when these are durable a checkpoint is signed, and only then is the journal
cleared. So a process that dies at any point leaves either nothing of a batch or all of it, and the next one
to open the log goes on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from governance.errors import EventConflict, LedgerDamaged, LedgerError, SplitView
from governance.events import Event
from governance.keys import SigningKey
from governance.ledger import journal, merkle, tiles
from governance.ledger.checkpoint import Checkpoint, check_cosignature
from governance.ledger.edge import Edge
from governance.ledger.known import Known, event_id
from governance.ledger.notes import Signature, Verifier
from governance.ledger.published import CHECKPOINT, Published
from governance.ledger.store import Store, open_store

PUBLISH_EVERY = 4096
"""Entries that may wait in the journal; a log that is opened reads them again."""

ATTEMPTS = 100
"""How often a writer lets others go first on a store without a lock."""


@dataclass(frozen=True)
class Entry:
    """Where an event is on the log, and the hash by which it stands there."""

    index: int
    leaf_hash: bytes


class Ledger(Published):
    """A log in a store, for appending and proving. Any number of threads and processes may append."""

    def __init__(self, store: Store, key: SigningKey, origin: str) -> None:
        super().__init__(store, Verifier(origin, key.public))
        self._key = key
        self._threads = threading.RLock()
        self._known = Known(store, self._published_entries)
        self._published = Checkpoint.sign(origin, 0, merkle.EMPTY_ROOT, key)
        self._edge = Edge()
        self._stale = True
        self._waiting: list[bytes] = []
        self._batches: list[int] = []
        self._bundle: list[bytes] = []
        self._full: dict[str, bytes] = {}
        self._partial: dict[str, bytes] = {}

    @classmethod
    def open(cls, url: str, key: SigningKey, *, origin: str) -> Ledger:
        """Open the log at ``url`` (a folder, or whatever fsspec opens), or make an empty one.

        ``origin`` is its name in every checkpoint, without spaces or plus signs.

        Raises:
            LedgerError: it cannot be opened, or is another's.
            LedgerDamaged: its files are not what it signed.
        """
        ledger = cls(open_store(url), key, origin)
        with ledger._alone():
            ledger._recover()
        return ledger

    def append(self, events: Sequence[Event]) -> list[Entry]:
        """Enter ``events``, all or none, and tell where each is. Durable on return.

        An event whose id is on the log already is not entered again; its place is told.

        Raises:
            EventConflict: another event has the id of one of these.
            LedgerError: an event is too long, or the log cannot be written.
            LedgerDamaged: the log's files are not what it signed.
        """
        leaves = [event.canonical() for event in events]
        for event, leaf in zip(events, leaves, strict=True):
            if len(leaf) > tiles.MAX_ENTRY_BYTES:
                raise LedgerError(f"The event {event.id} is too long for the log: give it fewer facts.")
        if not events:
            return []
        with self._alone():
            for _ in range(ATTEMPTS):
                self._refresh()
                entries = self._enter([event.id for event in events], leaves)
                if entries is not None:
                    return entries
        raise LedgerError(f"Others keep writing to {self.place}: try again.")

    def checkpoint(self) -> Checkpoint:
        """Publish what has been appended; the signed word on all of it. Raises ``LedgerError``."""
        with self._alone():
            self._refresh()
            if self._edge.size > self._published.size:
                self._publish()
            return self._published

    def find(self, name: str) -> Entry | None:
        """Where the event with the id ``name`` is, published or not."""
        with self._alone():
            self._refresh()
            self._learn()
            for index in self._known.candidates([name]).get(name, []):
                leaf = self._leaf(index)
                if event_id(leaf) == name:
                    return Entry(index, merkle.leaf_hash(leaf))
        return None

    def add_cosignature(self, signature: Signature, witness: Verifier) -> Checkpoint:
        """Publish a witness's ``signature`` under the checkpoint it is for. Raises ``CheckpointInvalid``."""
        with self._alone():
            self._refresh()
            cosigned = self._published.with_signature(signature)
            check_cosignature(cosigned, witness)
            self._store.write({CHECKPOINT: cosigned.note.encode()})
            self._published = cosigned
            return cosigned

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._threads:
            try:
                with self._store.exclusive():
                    yield
            except EventConflict:
                raise
            except OSError as error:
                self._stale = True
                reason = error.strerror or error
                raise LedgerError(f"The ledger {self.place} cannot be written ({reason}).") from error
            except BaseException:
                self._stale = True
                raise

    def _recover(self) -> None:
        """Make the log if it is new; look whether all is there; clear away what is no longer needed."""
        if self._store.read(CHECKPOINT) is None:
            if self._store.files("tile") or self._store.files(journal.FOLDER):
                raise LedgerDamaged(f"The checkpoint of {self.place} is missing: restore it from a copy.")
            self._store.create(CHECKPOINT, self._published.note.encode())
        self._refresh()
        if not self._store.locks:
            return
        for start in journal.starts(self._store):
            if start < self._published.size:
                self._store.delete(journal.path(start))
            elif start >= self._edge.size:
                raise LedgerDamaged(
                    f"Entry {self._edge.size} of {self.place} is missing: restore it from a copy."
                )

    def _refresh(self) -> None:
        """Learn of what other processes have appended and published."""
        checkpoint = super().checkpoint()
        if checkpoint.size < self._published.size:
            checkpoint = self._put_back(checkpoint)
        if self._stale or checkpoint != self._published:
            self._load(checkpoint)
        while (batch := journal.read(self._store, self._edge.size)) is not None:
            self._absorb(batch)

    def _put_back(self, older: Checkpoint) -> Checkpoint:
        """Without a lock a slow publisher may overwrite a newer checkpoint: publish that one again."""
        if self._store.locks:
            raise LedgerDamaged(f"{self.place} has fewer entries than it had: restore it from a copy.")
        self._compare(older, self._published)
        self._store.write({CHECKPOINT: self._published.note.encode()})
        return self._published

    def _compare(self, older: Checkpoint, newer: Checkpoint) -> None:
        if self._tiles.root(older.size, newer.size) != older.root:
            raise SplitView(f"{self.place} was replaced by another history: find out by whom.")

    def _load(self, checkpoint: Checkpoint) -> None:
        self._compare(self._published, checkpoint)
        edge = Edge.load(self._tiles, checkpoint.size)
        number, width = divmod(checkpoint.size, tiles.WIDTH)
        bundle = self._tiles.bundle(number, width) if width else []
        leaves = b"".join(map(merkle.leaf_hash, bundle))
        if edge.root() != checkpoint.root or leaves != edge.leaves:
            raise LedgerDamaged(f"The tiles of {self.place} are not what its checkpoint signs: restore them.")
        if self._stale or self._known.size > checkpoint.size:
            self._known = Known(self._store, self._published_entries)
        self._published, self._edge, self._bundle = checkpoint, edge, bundle
        self._waiting, self._batches, self._full = [], [], {}
        self._partial = self._partial_files()
        self._stale = False

    def _enter(self, names: Sequence[str], leaves: Sequence[bytes]) -> list[Entry] | None:
        """Enter what is not on the log; None if, on a store without a lock, another was faster."""
        self._learn()
        places = self._places(names, leaves)
        fresh: dict[str, bytes] = {}
        for name, leaf in zip(names, leaves, strict=True):
            if name not in places and fresh.setdefault(name, leaf) != leaf:
                raise EventConflict(f"Two different events have the id {name}: give each its own.")
        if fresh:
            start = self._edge.size
            batch = list(fresh.values())
            if not journal.write(self._store, start, batch):
                return None
            self._absorb(batch)
            self._known.add(fresh)
            places |= {name: start + offset for offset, name in enumerate(fresh)}
            if len(self._waiting) >= PUBLISH_EVERY:
                self._publish()
        return [Entry(places[name], merkle.leaf_hash(leaf)) for name, leaf in zip(names, leaves, strict=True)]

    def _learn(self) -> None:
        """Know the ids of all that is on the log."""
        published = self._published.size
        self._known.catch_up(published)
        self._known.add(map(event_id, self._waiting[self._known.size - published :]))
        self._known.settle(published)

    def _places(self, names: Sequence[str], leaves: Sequence[bytes]) -> dict[str, int]:
        """Where those of the events are that are on the log already."""
        wanted = dict(zip(names, leaves, strict=True))
        places = {}
        for name, indices in self._known.candidates(list(wanted)).items():
            for index in indices:
                found = self._leaf(index)
                if event_id(found) == name:
                    if found != wanted[name]:
                        raise EventConflict(f"Another event with the id {name} is entry {index} of the log.")
                    places[name] = index
        return places

    def _leaf(self, index: int) -> bytes:
        published = self._published.size
        if index >= published:
            return self._waiting[index - published]
        return next(self._published_entries(index, index + 1))

    def _published_entries(self, start: int, stop: int) -> Iterator[bytes]:
        return self._tiles.entries(start, stop, self._published.size)

    def _absorb(self, batch: Sequence[bytes]) -> None:
        """Take what is in the journal into the tree."""
        self._batches.append(self._edge.size)
        for leaf in batch:
            self._full |= self._edge.add(merkle.leaf_hash(leaf))
            self._bundle.append(leaf)
            if len(self._bundle) == tiles.WIDTH:
                number = self._edge.size // tiles.WIDTH - 1
                self._full[tiles.path(tiles.ENTRIES, number)] = tiles.encode_bundle(self._bundle)
                self._bundle = []
        self._waiting.extend(batch)

    def _partial_files(self) -> dict[str, bytes]:
        files = self._edge.partial()
        if self._bundle:
            number, width = divmod(self._edge.size, tiles.WIDTH)
            files[tiles.path(tiles.ENTRIES, number, width)] = tiles.encode_bundle(self._bundle)
        return files

    def _publish(self) -> None:
        """First the tiles, then the checkpoint, then clear away what these replace.

        Without a lock the journal is kept: its files, which can be made once only, make writers agree that do
        not know of each other, and mend a log whose checkpoint was overwritten by a slower one.
        """
        partial = self._partial_files()
        self._store.write(
            self._full | {path: partial[path] for path in partial.keys() - self._partial.keys()}
        )
        checkpoint = Checkpoint.sign(self.origin, self._edge.size, self._edge.root(), self._key)
        self._store.write({CHECKPOINT: checkpoint.note.encode()})
        if self._store.locks:
            for start in self._batches:
                self._store.delete(journal.path(start))
        for path in self._full:
            self._store.delete(f"{path}.p")
        self._published, self._partial = checkpoint, partial
        self._waiting, self._batches, self._full = [], [], {}

    def _size(self, wanted: int) -> int:
        if wanted > self._published.size:
            with self._alone():
                self._refresh()
        return self._published.size
