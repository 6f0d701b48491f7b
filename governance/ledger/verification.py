"""Checking a log offline, from a copy of its files and its public key, without trusting who keeps it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from governance.errors import LedgerDamaged, SplitView
from governance.ledger import merkle, tiles
from governance.ledger.checkpoint import Checkpoint, check_cosignature
from governance.ledger.edge import Edge
from governance.ledger.merkle import HASH_BYTES
from governance.ledger.notes import Verifier
from governance.ledger.published import Published
from governance.ledger.store import Store, open_store


@dataclass(frozen=True)
class Verified:
    """A log that holds.

    Attributes:
        checkpoint: what it signs.
        files: how many of its files were checked.
        unsigned: files that the checkpoint does not speak of: they prove nothing.
        continues: the sizes of the older checkpoints that it continues.
        witnessed: when each witness cosigned the checkpoint, by the witness's name.
    """

    checkpoint: Checkpoint
    files: int
    unsigned: tuple[str, ...]
    continues: tuple[int, ...]
    witnessed: Mapping[str, datetime]


def verify(
    url: str, log: Verifier, *, older: Sequence[Checkpoint] = (), witnesses: Sequence[Verifier] = ()
) -> Verified:
    """Hash every entry again, and compare every tile and the checkpoint with the result.

    ``older`` are checkpoints that someone was shown before; the log must continue them. All ``witnesses``
    must have cosigned the latest checkpoint.

    Raises:
        CheckpointInvalid: a checkpoint is not one of ``log``, or a witness did not cosign.
        LedgerDamaged: a file is missing or was changed; or this copy is older than a checkpoint in ``older``.
        SplitView: the log signed histories that contradict each other.
    """
    store = open_store(url)
    checkpoint = Published(store, log).checkpoint()
    witnessed = {witness.name: check_cosignature(checkpoint, witness) for witness in witnesses}
    known = [Checkpoint.read(old.note.encode(), log) for old in older]
    _compare_directly(checkpoint, known)
    walk = _Walk(store, checkpoint.size)
    roots = walk.roots({old.size for old in known})
    if roots[checkpoint.size] != checkpoint.root:
        raise LedgerDamaged("The entries are not those that the checkpoint signs: the log was rewritten.")
    for old in known:
        if roots[old.size] != old.root:
            raise SplitView(
                f"Split view: {log.name} signed a history of {old.size} entries that its history of "
                f"{checkpoint.size} entries does not continue. Keep both checkpoints: they are the evidence."
            )
    return Verified(
        checkpoint, walk.checked, walk.left_over(), tuple(sorted(old.size for old in known)), witnessed
    )


def _compare_directly(checkpoint: Checkpoint, older: Sequence[Checkpoint]) -> None:
    by_size = {checkpoint.size: checkpoint}
    for old in older:
        other = by_size.setdefault(old.size, old)
        if other.root != old.root:
            raise SplitView(
                f"Split view: {old.origin} signed two different histories of {old.size} entries. "
                "Keep both checkpoints: they are the evidence."
            )
    newest = max(by_size)
    if newest > checkpoint.size:
        raise LedgerDamaged(
            f"This copy has {checkpoint.size} entries, but {checkpoint.origin} signed for {newest}: "
            "it is out of date, or entries were taken away."
        )


class _Walk:
    """Once through all entries, comparing every file that should follow from them."""

    def __init__(self, store: Store, size: int) -> None:
        self.checked = 1
        self._store = store
        self._size = size
        self._edge = Edge()
        self._unseen: dict[str, set[int]] = defaultdict(set)
        self._strange: list[str] = []
        for name in store.files("tile"):
            whole, _, width = name.partition(".p/")
            if not width:
                self._unseen[whole].add(tiles.WIDTH)
            elif width.isdecimal() and name == f"{whole}.p/{int(width)}" and 0 < int(width) < tiles.WIDTH:
                self._unseen[whole].add(int(width))
            else:
                self._strange.append(name)

    def roots(self, sizes: set[int]) -> dict[int, bytes]:
        """The roots at ``sizes`` and at the end."""
        found = {0: merkle.EMPTY_ROOT}
        for number in range(-(-self._size // tiles.WIDTH)):
            for leaf in self._leaves(number):
                for name, tile in self._edge.add(leaf).items():
                    self._compare(name, tile)
                if self._edge.size in sizes:
                    found[self._edge.size] = self._edge.root()
        for name, tile in self._edge.partial().items():
            self._compare(name.partition(".p/")[0], tile)
        found[self._size] = self._edge.root()
        return found

    def left_over(self) -> tuple[str, ...]:
        """The files that nobody asked for."""
        for whole, widths in self._unseen.items():
            self._strange += [tiles.part(whole, width) for width in widths]
        return tuple(sorted(self._strange))

    def _leaves(self, number: int) -> list[bytes]:
        width = tiles.width_at(self._size, 0, number)
        entries: list[bytes] = []
        for name, data, copied in self._copies(tiles.path(tiles.ENTRIES, number), width):
            found = tiles.decode_bundle(data, name)
            shared = min(copied, width)
            if len(found) != copied or (entries and found[:shared] != entries[:shared]):
                raise LedgerDamaged(f"{name} was changed: restore it from a copy.")
            entries = entries or found[:width]
        return [merkle.leaf_hash(entry) for entry in entries]

    def _compare(self, whole: str, tile: bytes) -> None:
        """Look whether what is stored of a tile is what should be."""
        for name, data, copied in self._copies(whole, len(tile) // HASH_BYTES):
            if len(data) != copied * HASH_BYTES or not data.startswith(tile[: len(data)]):
                raise LedgerDamaged(f"{name} does not follow from the entries: it was changed, or they were.")

    def _copies(self, whole: str, width: int) -> Iterator[tuple[str, bytes, int]]:
        """Each file that holds (a part of) what the log has of a tile or bundle, and its own width; first the
        one that must be there."""
        there = self._unseen.get(whole, set())
        needed = width if width in there else tiles.WIDTH
        for copied in sorted(there | {needed}, key=lambda found: found != needed):
            name = tiles.part(whole, copied)
            data = self._store.read(name)
            if data is None:
                raise LedgerDamaged(f"{tiles.part(whole, width)} is missing: restore it from a copy.")
            self.checked += 1
            if copied <= width:
                there.discard(copied)
            yield name, data, copied
