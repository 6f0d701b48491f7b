"""How a film moves: mean luminance of a coarse grid over time, compared by correlation.

All films of one portrait look alike to a picture hash; what tells them apart, and aligns them in time, is how
the luminance of blocks changes (after Oostveen, Kalker and Haitsma, "Feature extraction and a database
strategy for video fingerprinting", VISUAL 2002, who keep only its sign; the size is kept here, for most of a
talking portrait stands still and its signs would be noise).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.errors import FingerprintError

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]

GRID = 12
RATE = 10.0
"""Rows a second."""

MIN_SECONDS = 1.5
_STEPS_PER_LEVEL = 2
_DIFFERENCE_ROWS = 2
_PHASES = 3
_FULL_OVERLAP = 0.6
_MAX_ROWS = round(RATE * 6 * 3600)
_FLOOR = 0.05
"""Root mean square change (grey levels) below which nothing moves enough to be told from coding noise."""
_SMOOTH = np.asarray(0.5 * np.eye(GRID) + 0.25 * (np.eye(GRID, k=1) + np.eye(GRID, k=-1)), np.float32)
"""Binomial: what is left of a crop's grid between the known grid's lines differs less."""


@dataclass(frozen=True)
class Alignment:
    """``score``: correlation (-1..1) at the best offset, less where little overlaps; ``offset``: registered
    time less the query's (s)."""

    score: float
    offset: float


def blocks(picture: UInt8) -> Float32:
    """(12, 12) mean luminance (grey levels) of a picture, (height, width, 3) RGB."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (GRID, GRID), interpolation=cv2.INTER_AREA), np.float32)


class Rows:
    """Gathers what is seen into one row (12, 12) for each interval of 1 / ``RATE``: the mean of its pictures,
    or what was seen last."""

    def __init__(self) -> None:
        self._rows: list[Float32] = []
        self._sum = np.zeros((GRID, GRID), np.float32)
        self._count = 0

    def add(self, at: float, row: Float32) -> None:
        """``row`` (12, 12), seen ``at`` (s); times ascend from 0."""
        slot = int(np.floor(at * RATE + 0.5))
        if self._count and slot > len(self._rows):
            self._rows += [self._sum / np.float32(self._count)] * (slot - len(self._rows))
            self._sum, self._count = np.zeros((GRID, GRID), np.float32), 0
        self._sum += row
        self._count += 1

    def all(self) -> Float32:
        """(T, 12, 12) rows at ``RATE``."""
        rows = [*self._rows, self._sum / np.float32(self._count)] if self._count else self._rows
        return np.asarray(rows, np.float32).reshape(-1, GRID, GRID)


def pack(rows: Float32) -> bytes:
    """Half grey levels around each block's mean in time, as compressed bytes."""
    around = rows - rows.mean(0, keepdims=True) if len(rows) else rows
    return zlib.compress(np.clip(np.rint(around * _STEPS_PER_LEVEL), -127, 127).astype(np.int8).tobytes())


def unpack(data: bytes) -> Float32:
    """The inverse, but for the means. Raises ``FingerprintError``."""
    try:
        body = zlib.decompressobj().decompress(data, _MAX_ROWS * GRID * GRID)
        values = np.frombuffer(body, np.int8).reshape(-1, GRID, GRID)
    except (ValueError, zlib.error) as error:
        raise FingerprintError("A stored fingerprint is damaged: restore the index from a copy.") from error
    return np.asarray(values / np.float32(_STEPS_PER_LEVEL), np.float32)


def slowed(rows: Float32, speed: float) -> Float32:
    """The rows (T, 12, 12) of a clip as they were before it was sped up, at the same rate."""
    if len(rows) < 2:
        return rows
    at = np.arange(int((len(rows) - 1) * speed) + 1) / speed
    low = np.minimum(at.astype(int), len(rows) - 2)
    part = (at - low).astype(np.float32)[:, None, None]
    return np.asarray((1 - part) * rows[low] + part * rows[low + 1], np.float32)


def align(query: Float32, known: Float32, share: float = 1.0, mirrored: bool = False) -> Alignment | None:
    """Where in the ``known`` rows the ``query`` lies, if it shows the centred ``share`` of its pictures.

    Both (T, 12, 12) at ``RATE``. ``None`` if either is too short or stands still.
    """
    crop = _crop(share)
    query = query[:, :, ::-1] if mirrored else query
    moved = _changes(query)
    least = round(MIN_SECONDS * RATE)
    best: list[tuple[float, float]] = []
    for phase in range(_PHASES):
        shift = phase / _PHASES
        between = (1 - shift) * known[:-1] + shift * known[1:]
        reference = _changes(np.asarray(crop @ between @ crop.T, np.float32))
        if min(len(moved), len(reference)) < least or min(_power(moved), _power(reference)) < _FLOOR**2:
            return None
        scores = _correlate(moved, reference, least)
        best += [(score, (lag + shift) / RATE) for lag, score in scores]
    score, offset = max(best)
    return Alignment(score, offset)


def _changes(rows: Float32) -> Float32:
    changes: Float32 = _SMOOTH @ (rows[_DIFFERENCE_ROWS:] - rows[:-_DIFFERENCE_ROWS]) @ _SMOOTH.T
    return changes.reshape(-1, GRID * GRID)


def _power(changes: Float32) -> float:
    return float((changes**2).mean())


def _correlate(query: Float32, reference: Float32, least: int) -> list[tuple[int, float]]:
    """For each lag with an overlap of ``least`` rows: sum of products over root of the powers' product.

    Chance agrees better over a few rows than over many, so a short overlap counts less.
    """
    size = 1 << (len(query) + len(reference)).bit_length()
    spectrum = np.conj(np.fft.rfft(query, size, axis=0)) * np.fft.rfft(reference, size, axis=0)
    products = np.fft.irfft(spectrum.sum(1), size)
    query_power = np.concatenate([[0.0], np.cumsum((query.astype(np.float64) ** 2).sum(1))])
    known_power = np.concatenate([[0.0], np.cumsum((reference.astype(np.float64) ** 2).sum(1))])
    lags = np.arange(least - len(query), len(reference) - least + 1)
    first, last = np.maximum(0, -lags), np.minimum(len(query), len(reference) - lags)
    floor = _FLOOR**2 * GRID * GRID * (last - first)
    one = np.maximum(query_power[last] - query_power[first], floor)
    other = np.maximum(known_power[last + lags] - known_power[first + lags], floor)
    scores = products[lags % size] / np.sqrt(one * other)
    scores *= np.sqrt(np.minimum(1.0, (last - first) / (_FULL_OVERLAP * min(len(query), len(reference)))))
    return list(zip(lags.tolist(), scores.tolist(), strict=True))


def _crop(share: float) -> Float32:
    """(12, 12) how much of each block of a whole picture lies in each block of its centred part."""
    edges = np.linspace((1 - share) / 2, (1 + share) / 2, GRID + 1) * GRID
    whole = np.arange(GRID)
    low = np.maximum(edges[:-1, None], whole)
    high = np.minimum(edges[1:, None], whole + 1)
    return np.asarray(np.maximum(0.0, high - low) / share, np.float32)
