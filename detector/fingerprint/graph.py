"""A graph of words of 256 bits for finding the nearest: ``usearch``, HNSW (Malkov and Yashunin 2018)."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from usearch.compiled import MetricKind, ScalarKind
from usearch.index import Index

WORD_BITS = 256
NEAREST = 8


class Graph:
    """Nearest words under their keys, and up to which row of its table they are in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.upto = 0
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
                if off <= within
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

    def load(self, path: Path, sha256: str, upto: int) -> None:
        """Read a file that ``save`` wrote; if it is missing or damaged, the graph stays empty."""
        try:
            whole = _sha256(path) == sha256
        except OSError:
            whole = False
        if whole:
            self._index.load(str(path))
            self.upto = upto


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
