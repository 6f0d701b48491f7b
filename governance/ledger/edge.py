"""The right edge of a growing tree: at every level the hashes of the tile that is not full yet."""

from __future__ import annotations

from governance.ledger import merkle, tiles
from governance.ledger.merkle import HASH_BYTES
from governance.ledger.tiles import Tiles


class Edge:
    """Enough of a tree of ``size`` entries to add to it and to tell its root; at most 8 KiB a level."""

    def __init__(self) -> None:
        self.size = 0
        self._levels: list[bytearray] = []

    @classmethod
    def load(cls, published: Tiles, size: int) -> Edge:
        """From the tiles of a log of ``size`` entries. Raises ``LedgerDamaged`` if they are not there."""
        edge = cls()
        edge.size = size
        level = 0
        while size >> tiles.HEIGHT * level:
            number, width = divmod(size >> tiles.HEIGHT * level, tiles.WIDTH)
            edge._levels.append(bytearray(published.hashes(level, number, width) if width else b""))
            level += 1
        return edge

    def add(self, leaf: bytes) -> dict[str, bytes]:
        """Grow by one leaf hash; the tiles that this made full, by path."""
        full = {}
        self.size += 1
        for level in range(len(self._levels) + 1):
            if level == len(self._levels):
                self._levels.append(bytearray())
            hashes = self._levels[level]
            hashes += leaf
            if len(hashes) < tiles.WIDTH * HASH_BYTES:
                break
            tile = bytes(hashes)
            full[tiles.path(level, (self.size >> tiles.HEIGHT * (level + 1)) - 1)] = tile
            leaf = merkle.complete_root(tile)
            hashes.clear()
        return full

    def partial(self) -> dict[str, bytes]:
        """The tiles that are not full, by path."""
        found = {}
        for level, hashes in enumerate(self._levels):
            number, width = divmod(self.size >> tiles.HEIGHT * level, tiles.WIDTH)
            if width:
                found[tiles.path(level, number, width)] = bytes(hashes)
        return found

    @property
    def leaves(self) -> bytes:
        """The leaf hashes of the entries that do not fill a tile yet, end to end."""
        return bytes(self._levels[0]) if self._levels else b""

    def root(self) -> bytes:
        """Of the whole tree."""
        return merkle.range_root(0, self.size, self._node)

    def _node(self, height: int, index: int) -> bytes:
        level, row = divmod(height, tiles.HEIGHT)
        offset = (index << row) % tiles.WIDTH * HASH_BYTES
        return merkle.complete_root(bytes(self._levels[level][offset : offset + (HASH_BYTES << row)]))
