"""The log as static files (C2SP tlog-tiles): where they lie, what is in them, and proofs made from them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache

from governance.errors import LedgerDamaged, LedgerError
from governance.ledger import merkle
from governance.ledger.merkle import HASH_BYTES
from governance.ledger.store import Store

WIDTH = 256
"""Hashes in a full tile, entries in a full bundle."""
HEIGHT = 8
"""Levels of the tree that one tile spans."""
ENTRIES = "entries"
"""What stands for the level in the path of an entry bundle."""
MAX_ENTRY_BYTES = 0xFFFF

_CACHED_TILES = 1024
"""16 KiB each."""


def path(level: int | str, number: int, width: int = WIDTH) -> str:
    """Where tile ``number`` of a ``level`` (or of the ``ENTRIES``) lies: ``tile/0/x001/x234/067.p/5``."""
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    place = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return part(f"tile/{level}/{place}", width)


def part(whole: str, width: int) -> str:
    """Where the first ``width`` hashes or entries of the file ``whole`` lie."""
    return whole if width == WIDTH else f"{whole}.p/{width}"


def width_at(size: int, level: int, number: int) -> int:
    """How many hashes of tile ``number`` a log of ``size`` entries has (0 to 256)."""
    return max(0, min(WIDTH, (size >> HEIGHT * level) - WIDTH * number))


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Entries, each after its length as a big-endian uint16."""
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def decode_bundle(data: bytes, name: str) -> list[bytes]:
    """The entries of a bundle. Raises ``LedgerDamaged`` (about the file ``name``) if it is cut off."""
    entries = []
    at = 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data):
            raise LedgerDamaged(f"{name} ends in the middle of an entry: restore it from a copy.")
        entries.append(data[at + 2 : end])
        at = end
    return entries


class Tiles:
    """Reads a published log of a store, and keeps hashes at hand; threads may share it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pyramid = lru_cache(_CACHED_TILES)(self._load_pyramid)

    def hashes(self, level: int, number: int, width: int) -> bytes:
        """The first ``width`` hashes of a tile, end to end. Raises ``LedgerDamaged`` without them."""
        data = self._read(level, number, width)
        if len(data) != width * HASH_BYTES:
            raise LedgerDamaged(
                f"{path(level, number, width)} does not hold {width} hashes: restore it from a copy."
            )
        return data

    def bundle(self, number: int, width: int) -> list[bytes]:
        """The first ``width`` entries of a bundle. Raises ``LedgerDamaged`` if they are not there."""
        name = path(ENTRIES, number, width)
        found = self._store.read(name)
        if found is None and width < WIDTH:
            name = path(ENTRIES, number)
            found = self._store.read(name)
        if found is None:
            raise LedgerDamaged(f"{path(ENTRIES, number, width)} is missing: restore it from a copy.")
        entries = decode_bundle(found, name)
        if len(entries) != (width if name.endswith(f".p/{width}") else WIDTH):
            raise LedgerDamaged(f"{name} does not hold as many entries as it should: restore it from a copy.")
        return entries[:width]

    def entries(self, start: int, stop: int, size: int) -> Iterator[bytes]:
        """Entries ``start`` to ``stop`` (exclusive) of a log that published ``size`` of them.

        Raises:
            LedgerError: it has not published them.
            LedgerDamaged: they are not there.
        """
        if not 0 <= start <= stop <= size:
            raise LedgerError(f"The log has published {size} entries: there are none from {start} on.")
        return self._entries(start, stop, size)

    def _entries(self, start: int, stop: int, size: int) -> Iterator[bytes]:
        for number in range(start // WIDTH, -(-stop // WIDTH)):
            first = number * WIDTH
            bundle = self.bundle(number, width_at(size, 0, number))
            yield from bundle[max(0, start - first) : stop - first]

    def root(self, part: int, size: int) -> bytes:
        """The root over the first ``part`` entries of a log that published ``size``."""
        return merkle.range_root(0, part, self._nodes(part, size))

    def inclusion(self, index: int, part: int, size: int) -> tuple[bytes, ...]:
        """Proof that entry ``index`` is among the first ``part`` of a log that published ``size``."""
        return merkle.inclusion_proof(index, part, self._nodes(part, size))

    def consistency(self, old: int, new: int, size: int) -> tuple[bytes, ...]:
        """Proof that the first ``new`` entries continue the first ``old``, if ``size`` are published."""
        return merkle.consistency_proof(old, new, self._nodes(new, size))

    def _nodes(self, part: int, size: int) -> merkle.NodeHash:
        if part > size:
            raise LedgerError(
                f"The log has published {size} entries, not {part}: wait for its next checkpoint."
            )

        def node(height: int, index: int) -> bytes:
            level, row = divmod(height, HEIGHT)
            number, offset = divmod(index << row, WIDTH)
            rows = self._pyramid(level, number, width_at(size, level, number))
            at = (offset >> row) * HASH_BYTES
            return rows[row][at : at + HASH_BYTES]

        return node

    def _load_pyramid(self, level: int, number: int, width: int) -> tuple[bytes, ...]:
        rows = [self.hashes(level, number, width)]
        while len(rows) < HEIGHT:
            rows.append(merkle.parents(rows[-1]))
        return tuple(rows)

    def _read(self, level: int, number: int, width: int) -> bytes:
        found = self._store.read(path(level, number, width))
        if found is None and width < WIDTH:
            whole = self._store.read(path(level, number))
            found = whole and whole[: width * HASH_BYTES]
        if found is None:
            raise LedgerDamaged(f"{path(level, number, width)} is missing: restore it from a copy.")
        return found
