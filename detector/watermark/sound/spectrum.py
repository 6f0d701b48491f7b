"""What the reader looks at: how each band's level changes across a tile, with the voice taken out."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from detector.watermark.sound.layout import BAND_HZ, BANDS, HALF_FRAMES, HOP_SECONDS, LOW_HZ

STEP_SECONDS = HOP_SECONDS / 2
"""Between the reader's frames."""
HALF_STEPS = 2 * HALF_FRAMES
TILE_STEPS = 2 * HALF_STEPS
MAX_SPEED = 0.025

_TOP_HZ = (LOW_HZ + BANDS * BAND_HZ) * (1 + MAX_SPEED) + 400.0
_SMOOTH_HZ = 656.0
_SPAN = 2 * (HALF_FRAMES - 1) + 1
_FLOOR_POWER = 1e-10
"""Power per bin, relative to a full-scale sine, of the noise that keeps digital silence finite."""
_QUIET_PERCENTILE, _LOUD_PERCENTILE = 10.0, 95.0
_NOISY_DB, _CLEAN_DB = 30.0, 40.0
"""Range of a band's levels: below the first, its quiet is added noise; above the second, silence."""
_NOISE_FACTOR = 3.0
_LEAST_WEIGHT = 0.1


class Analyser:
    """Log power of the short-time spectrum, up to a little above the band that is marked."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._half = round(HOP_SECONDS * rate)
        size = 2 * self._half
        self._window = np.sin(np.pi * (np.arange(size) + 0.5) / size).astype(np.float32)
        self._scale = 2.0 / size
        self.bin_hz = rate / size
        self.bins = min(int(_TOP_HZ / self.bin_hz) + 1, size // 2 + 1)

    def begin(self, frame: int) -> int:
        """First sample of a frame."""
        return round(frame * STEP_SECONDS * self._rate)

    def end(self, frame: int) -> int:
        """One past its last sample."""
        return self.begin(frame) + 2 * self._half

    def frames(self, samples: NDArray[np.float32], first: int, count: int) -> NDArray[np.float32]:
        """Log power (count, bins) of frames from ``first``, where ``samples`` begin."""
        starts = np.array([self.begin(first + k) for k in range(count)]) - self.begin(first)
        cut = samples[starts[:, None] + np.arange(2 * self._half)]
        spectrum = np.fft.rfft(cut * self._window, axis=1)[:, : self.bins] * self._scale
        return np.log(spectrum.real**2 + spectrum.imag**2 + _FLOOR_POWER).astype(np.float32)


class Changes:
    """Of a stretch of sound: what each tile would say if it began at a given frame.

    ``log_power`` (frames, bins) from the analyser.
    """

    def __init__(self, log_power: NDArray[np.float32], bin_hz: float) -> None:
        self._bin_hz = bin_hz
        width = int(_SMOOTH_HZ / bin_hz) | 1
        white = log_power - uniform_filter1d(log_power, width, axis=1)
        sums = np.concatenate([np.zeros((1, white.shape[1])), np.cumsum(white, axis=0, dtype=np.float64)])
        half = (sums[_SPAN:] - sums[:-_SPAN]) / _SPAN
        self._length = max(len(half) - HALF_STEPS, 0)
        self._change = (half[: self._length] - half[HALF_STEPS:][: self._length]).astype(np.float32)
        self._soft: dict[float, NDArray[np.float32]] = {}
        bands = _bands(log_power.shape[1], bin_hz, 0.0)
        self._weight = self._weights(np.exp(log_power) @ bands + _FLOOR_POWER)

    def __len__(self) -> int:
        return self._length

    def at(self, pitch: float) -> NDArray[np.float32]:
        """Soft signs (frames, BANDS) in -1..1, for a sound whose pitch rose by ``pitch`` (0.01 = 1 %)."""
        if pitch not in self._soft:
            change = self._change @ _bands(self._change.shape[1], self._bin_hz, pitch)
            spread = float(change.std()) + 1e-9 if change.size else 1.0
            self._soft[pitch] = (np.tanh(change / spread) * self._weight).astype(np.float32)
        return self._soft[pitch]

    def _weights(self, level: NDArray[np.float32]) -> NDArray[np.float32]:
        """What each tile counts (frames, BANDS): less where noise was added and little exceeds it."""
        smooth = uniform_filter1d(level, TILE_STEPS, axis=0, origin=-(TILE_STEPS // 2))
        loudness = smooth[: self._length]
        if not len(loudness):
            return np.empty((0, BANDS), np.float32)
        quiet, loud = np.percentile(loudness, [_QUIET_PERCENTILE, _LOUD_PERCENTILE], axis=0)
        range_db = 10.0 * np.log10(loud / quiet)
        noisy = np.clip((_CLEAN_DB - range_db) / (_CLEAN_DB - _NOISY_DB), 0.0, 1.0)
        weight = np.maximum(1.0 - _NOISE_FACTOR * noisy * quiet / loudness, _LEAST_WEIGHT)
        return np.asarray(weight, np.float32)


@lru_cache(maxsize=64)
def _bands(bins: int, bin_hz: float, speed: float) -> NDArray[np.float32]:
    """Weights (bins, BANDS) with which bins are averaged into bands; zero for a band above the spectrum."""
    low = (LOW_HZ + BAND_HZ * np.arange(BANDS)) * (1 + speed)
    edge = (np.arange(bins)[:, None] - 0.5) * bin_hz
    high = low + BAND_HZ * (1 + speed)
    overlap = np.clip(np.minimum(edge + bin_hz, high) - np.maximum(edge, low), 0, None) / (high - low)
    overlap[:, overlap.sum(axis=0) < 0.99] = 0.0
    return np.asarray(overlap, np.float32)
