"""Where the pattern lies: the pilot's correlation over beginnings and speeds; then the soft chips there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from detector.watermark.code import CHIPS
from detector.watermark.sound.layout import PERIOD, Layout
from detector.watermark.sound.spectrum import MAX_SPEED, TILE_STEPS, Changes

SPEED_STEP = 0.0025
_SEPARATION = 4
"""Frames between two candidates of like speed."""


@dataclass(frozen=True)
class Alignment:
    """Frame at which a period begins, and by how much pitch and tempo are raised (0.01 = 1 %)."""

    offset: float
    pitch: float
    tempo: float

    def tiles(self, length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The frames below ``length`` at which tiles begin, and which of the PERIOD each is."""
        step = TILE_STEPS / (1 + self.tempo)
        index = np.arange(int(-self.offset / step) - 1, int((length - self.offset) / step) + 2)
        frames = np.rint(self.offset + index * step).astype(np.int64)
        inside = (frames >= 0) & (frames < length)
        return frames[inside], index[inside] % PERIOD

    def moved(self, frames: float) -> Alignment:
        """The same, counted from a beginning ``frames`` earlier."""
        return Alignment(self.offset + frames, self.pitch, self.tempo)


UNCHANGED = ((0.0, 0.0),)
_STEPS = [k * SPEED_STEP for k in range(-round(0.02 / SPEED_STEP), round(0.02 / SPEED_STEP) + 1) if k]
CHANGED = tuple((speed, speed) for speed in _STEPS) + tuple((0.0, speed) for speed in _STEPS)
"""Pitch and tempo raised together, as by resampling, and tempo alone, as by time stretching; within 2 %."""
assert max(_STEPS) <= MAX_SPEED


def candidates(
    changes: Changes, layout: Layout, speeds: tuple[tuple[float, float], ...], count: int
) -> list[tuple[float, Alignment]]:
    """The ``count`` likeliest alignments for (pitch, tempo) in ``speeds``, with pilot's score, best first.

    The score is in standard deviations of a sound without the mark, before the maximum is taken.
    """
    ranked: list[tuple[float, Alignment]] = []
    pitch_seen: float | None = None
    by_tile: NDArray[np.float32] = np.empty((0, PERIOD), np.float32)
    spread = 1.0
    for pitch, tempo in speeds:
        if pitch != pitch_seen:
            soft = changes.at(pitch)
            by_tile = soft @ layout.pilot.T
            spread = float(np.sqrt((by_tile**2).mean())) + 1e-12
            pitch_seen = pitch
        places, tiles = _places(tempo, len(changes))
        scores = np.append(by_tile, 0.0)[places].sum(axis=1) / (spread * np.sqrt(tiles))
        best = np.argsort(scores)[-2 * count :]
        ranked += [(float(scores[offset]), Alignment(float(offset), pitch, tempo)) for offset in best]
    ranked.sort(key=lambda each: -each[0])
    chosen: list[tuple[float, Alignment]] = []
    for score, alignment in ranked:
        if len(chosen) == count:
            break
        if not any(_alike(alignment, other) for _, other in chosen):
            chosen.append((score, alignment))
    return chosen


def soft_chips(soft: NDArray[np.float32], layout: Layout, alignment: Alignment) -> NDArray[np.float64]:
    """Sums (CHIPS,) over the tiles of ``soft`` (frames, BANDS) that carry each chip."""
    frames, tile = alignment.tiles(len(soft))
    chip = layout.chip[tile]
    carries = chip >= 0
    sums = np.bincount(chip[carries], (soft[frames] * layout.signs[tile])[carries], CHIPS)
    return sums.astype(np.float64)


def score(soft: NDArray[np.float32], pattern: NDArray[np.float32], alignment: Alignment) -> float:
    """Agreement of ``soft`` with a whole pattern (PERIOD, BANDS): standard normal for a sound without it."""
    frames, tile = alignment.tiles(len(soft))
    values = soft[frames]
    power = float((values**2).sum())
    return float((values * pattern[tile]).sum()) / power**0.5 if power > 0 else 0.0


def _alike(one: Alignment, other: Alignment) -> bool:
    near = abs(one.pitch - other.pitch) < 1.5 * SPEED_STEP and abs(one.tempo - other.tempo) < 1.5 * SPEED_STEP
    return near and abs(one.offset - other.offset) < _SEPARATION


@lru_cache(maxsize=128)
def _places(tempo: float, length: int) -> tuple[NDArray[np.int32], int]:
    """For each offset within a period, which entries of a flat (length, PERIOD) array its tiles add up."""
    step = TILE_STEPS / (1 + tempo)
    index = np.arange(-PERIOD, int(length / step) + 1)
    frames = np.rint(np.arange(round(PERIOD * step))[:, None] + index * step).astype(np.int64)
    inside = (frames >= 0) & (frames < length)
    places = np.where(inside, frames * PERIOD + index % PERIOD, length * PERIOD)
    return places.astype(np.int32), max(round(length / step), 1)
