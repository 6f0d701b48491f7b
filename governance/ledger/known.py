"""Which event ids are on the log, so that a retry is not entered twice.

Sorted *runs* of 4096 entries are kept beside the log and merged sixteen at a time, as tiles are: run ``n`` of
level ``l`` covers the entries ``[n * 4096 * 16**l, (n + 1) * 4096 * 16**l)`` with the first eight bytes of
the SHA-256 of each event's id, and where it is (12 bytes an entry, in memory where one appends). The runs are
derived from the entries: one that is missing or damaged is made again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from governance.ledger.store import Store

RUN = 4096
FAN_BITS = 4
FAN = 1 << FAN_BITS
_DIGEST_BYTES = 32

Entries = Callable[[int, int], Iterator[bytes]]
"""Reads published entries from the first index up to the second (exclusive)."""


@dataclass(frozen=True)
class Run:
    """``keys`` (n,) uint64, ascending; ``places`` (n,) uint32, relative to the entry ``start``."""

    level: int
    number: int
    keys: NDArray[np.uint64]
    places: NDArray[np.uint32]

    @property
    def start(self) -> int:
        """The index of its first entry."""
        return _first(self.level, self.number)

    def encode(self) -> bytes:
        """With a digest, because a damaged run would let a retry through."""
        body = self.keys.astype("<u8").tobytes() + self.places.astype("<u4").tobytes()
        return sha256(body).digest() + body


class Known:
    """The ids of the first ``size`` entries."""

    def __init__(self, store: Store, entries: Entries) -> None:
        self.size = 0
        self._store = store
        self._entries = entries
        self._runs: list[Run] = []
        self._recent: dict[str, int] = {}

    def catch_up(self, published: int) -> None:
        """Learn of what others have appended and published."""
        if published - self.size > RUN:
            self._runs = list(self._load_runs(published // RUN))
            self.size = self._covered
            self._recent.clear()
        if published > self.size:
            self.add(event_id(entry) for entry in self._entries(self.size, published))

    def add(self, ids: Iterable[str]) -> None:
        """Learn of the next entries."""
        for name in ids:
            self._recent[name] = self.size
            self.size += 1

    def candidates(self, names: Sequence[str]) -> dict[str, list[int]]:
        """Where each of ``names`` may be; to be compared with the entry, because keys are short."""
        found = {name: [self._recent[name]] for name in names if name in self._recent}
        keys = np.array([_key(name) for name in names], dtype=np.uint64)
        for run in self._runs:
            first = np.searchsorted(run.keys, keys, side="left")
            last = np.searchsorted(run.keys, keys, side="right")
            for at in np.flatnonzero(last > first).tolist():
                places = run.places[first[at] : last[at]]
                found.setdefault(names[at], []).extend(run.start + int(place) for place in places)
        return found

    def settle(self, published: int) -> None:
        """Put what has been published into runs."""
        while self._covered + RUN <= min(published, self.size):
            start = self._covered
            settled = list(islice(self._recent, RUN))
            self._keep(_sorted_run(0, start // RUN, settled))
            for name in settled:
                del self._recent[name]
            while self._runs[-1].number % FAN == FAN - 1:
                children = self._runs[-FAN:]
                del self._runs[-FAN:]
                self._keep(_merged(children))
                for child in children:
                    self._store.delete(_path(child.level, child.number))

    @property
    def _covered(self) -> int:
        if not self._runs:
            return 0
        last = self._runs[-1]
        return _first(last.level, last.number + 1)

    def _keep(self, run: Run) -> None:
        self._store.write({_path(run.level, run.number): run.encode()})
        self._runs.append(run)

    def _load_runs(self, count: int) -> Iterator[Run]:
        level = 0
        while FAN ** (level + 1) <= count:
            level += 1
        done = 0
        for height in range(level, -1, -1):
            while done + FAN**height <= count:
                yield self._load_run(height, done // FAN**height)
                done += FAN**height

    def _load_run(self, level: int, number: int) -> Run:
        count = RUN * FAN**level
        data = self._store.read(_path(level, number)) or b""
        body = data[_DIGEST_BYTES:]
        if len(body) == count * 12 and sha256(body).digest() == data[:_DIGEST_BYTES]:
            keys = np.frombuffer(body, "<u8", count)
            return Run(level, number, keys, np.frombuffer(body, "<u4", count, offset=count * 8))
        if level:
            run = _merged([self._load_run(level - 1, number * FAN + child) for child in range(FAN)])
        else:
            start = number * RUN
            run = _sorted_run(0, number, [event_id(entry) for entry in self._entries(start, start + RUN)])
        self._store.write({_path(level, number): run.encode()})
        return run


def event_id(entry: bytes) -> str:
    """The id of the event whose leaf this is."""
    name: str = json.loads(entry)["id"]
    return name


def _first(level: int, number: int) -> int:
    """The index at which a run begins."""
    return number * RUN << FAN_BITS * level


def _path(level: int, number: int) -> str:
    return f"known/{level}/{number}"


def _key(name: str) -> int:
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big")


def _sorted_run(level: int, number: int, names: Sequence[str]) -> Run:
    keys = np.array([_key(name) for name in names], dtype=np.uint64)
    order = np.argsort(keys, kind="stable")
    return Run(level, number, keys[order], order.astype(np.uint32))


def _merged(children: Sequence[Run]) -> Run:
    first = children[0]
    keys = np.concatenate([child.keys for child in children])
    places = np.concatenate(
        [child.places + np.uint32(child.start - first.start) for child in children], dtype=np.uint32
    )
    order = np.argsort(keys, kind="stable")
    return Run(first.level + 1, first.number // FAN, keys[order], places[order])
