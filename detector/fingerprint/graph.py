"""A graph of words of 256 bits for finding the nearest: ``usearch``, HNSW (Malkov and Yashunin 2018)."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from usearch.compiled import MetricKind, ScalarKind
from usearch.index import Index

WORD_BITS = 256
NEAREST = 8
_BLANK = 1 << 63
"""Keys from here on stand for nothing."""


class Graph:
    """Nearest words under their keys (below 2^63), and up to which rows of the tables it has followed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.upto = 0
        self.forgotten = 0
        self._index = Index(
            ndim=WORD_BITS,
            metric=MetricKind.Hamming,
            dtype=ScalarKind.B1,
            connectivity=16,
            expansion_add=64,
            expansion_search=128,
        )

    def add(self, keys: NDArray[np.uint64], words: NDArray[np.uint8]) -> None:
        if len(keys):
            self._index.add(keys, words, threads=1)

    def forget(self, keys: NDArray[np.uint64]) -> None:
        """Take words out, and write others over them: ``usearch`` would keep them, in its files too."""
        present = np.unique(keys[np.atleast_1d(self._index.contains(keys))]) if len(keys) else keys
        if len(present):
            self._index.remove(present, threads=1)
            blanks = np.frombuffer(secrets.token_bytes(8 * len(present)), np.uint64) | np.uint64(_BLANK)
            noise = np.frombuffer(secrets.token_bytes(WORD_BITS // 8 * len(present)), np.uint8)
            self._index.add(blanks, noise.reshape(len(present), -1), threads=1)

    def near(self, words: NDArray[np.uint8], within: int) -> list[list[tuple[int, int]]]:
        """For each word, the keys of those ``within`` so many bits, with the bits."""
        if not len(words) or not len(self._index):
            return [[] for _ in words]
        found = self._index.search(words, NEAREST, threads=1)
        keys, bits = np.atleast_2d(found.keys), np.atleast_2d(found.distances)
        counts = np.atleast_1d(found.counts) if hasattr(found, "counts") else [keys.shape[1]] * len(words)
        return [
            [
                (int(key), int(off))
                for key, off in zip(row[:count], offs[:count], strict=True)
                if off <= within and key < _BLANK
            ]
            for row, offs, count in zip(keys, bits, counts, strict=True)
        ]

    def __len__(self) -> int:
        return len(self._index)

    @property
    def memory_bytes(self) -> int:
        """What the graph occupies."""
        return int(self._index.memory_usage)

    def save(self, path: Path) -> str:
        """Write a new file, through to the disk; returns its SHA-256."""
        self._index.save(str(path))
        with path.open("rb") as file:
            os.fsync(file.fileno())
        return _sha256(path)

    def load(self, path: Path, sha256: str, upto: int, forgotten: int) -> None:
        """Read a file that ``save`` wrote; if it is missing or damaged, the graph stays empty."""
        try:
            whole = _sha256(path) == sha256
        except OSError:
            whole = False
        if whole:
            self._index.load(str(path))
            self.upto, self.forgotten = upto, forgotten


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
