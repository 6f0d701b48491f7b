"""Putting the mark into sound, as it arrives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.errors import WatermarkError
from detector.watermark.sound.layout import BAND_HZ, BANDS, HALF_FRAMES, HOP_SECONDS, LOW_HZ, PERIOD

MIN_RATE = 8000
MAX_RATE = 192_000
DEPTH_DB = 2.0
"""How much louder or softer half a tile is made."""

_FRAMES = 2 * HALF_FRAMES * PERIOD


class SoundEmbedder:
    """Marks one sound, block by block; what comes out is late by at most two hops (32 ms).

    Only the mark passes through the filter bank; it is added to the untouched samples. The pattern starts
    with the first sample.
    """

    def __init__(self, rate: int, pattern: NDArray[np.float32], depth_db: float = DEPTH_DB) -> None:
        """``rate`` in Hz, 8,000 to 192,000; ``pattern`` (PERIOD, BANDS) from ``Layout.pattern``.

        Raises ``WatermarkError`` at any other rate.
        """
        check_rate(rate)
        self._rate = rate
        self._half = round(HOP_SECONDS * rate)
        self._window = np.sin(np.pi * (np.arange(2 * self._half) + 0.5) / (2 * self._half))
        self._gains = _gains(rate, 2 * self._half, pattern, depth_db)
        self._frame = 0
        self._start = -self._half
        self._sound: NDArray[np.float64] | None = None
        self._mark: NDArray[np.float64] = np.empty((0, 0))
        self._flat = True

    def push(self, samples: NDArray[np.floating]) -> NDArray[np.float32]:
        """Take the next samples, (N,) or (N, channels) in -1..1, and give back those that are marked by now.

        Raises ``WatermarkError`` if they are not finite floating-point numbers, or their channels change.
        """
        block = _block(samples)
        if self._sound is None:
            self._flat = samples.ndim == 1
            self._sound = np.zeros((self._half, block.shape[1]))
            self._mark = np.zeros_like(self._sound)
        elif block.shape[1] != self._sound.shape[1] or (samples.ndim == 1) != self._flat:
            raise WatermarkError("The number of channels changed; use one embedder for each sound.")
        self._sound = np.concatenate([self._sound, block])
        self._mark = np.concatenate([self._mark, np.zeros_like(block)])
        return self._advance(self._sound)

    def finish(self) -> NDArray[np.float32]:
        """The samples still held back. Nothing may be pushed after."""
        if self._sound is None:
            return np.empty(0, np.float32)
        end = self._start + len(self._sound)
        blank = np.zeros((4 * self._half, self._sound.shape[1]))
        self._sound = np.concatenate([self._sound, blank])
        self._mark = np.concatenate([self._mark, blank])
        origin = max(self._start, 0)
        return self._advance(self._sound)[: end - origin]

    def _advance(self, sound: NDArray[np.float64]) -> NDArray[np.float32]:
        size, base = len(self._window), self._start
        while self._begin(self._frame) - base + size <= len(sound):
            at = self._begin(self._frame) - base
            spectrum = np.fft.rfft(sound[at : at + size] * self._window[:, None], axis=0)
            change = np.fft.irfft(spectrum * self._gains[self._frame % _FRAMES][:, None], size, axis=0)
            self._mark[at : at + size] += change * self._window[:, None]
            self._frame += 1
        ready = self._begin(self._frame) - base
        out = (sound[:ready] + self._mark[:ready])[max(-base, 0) :].astype(np.float32)
        self._sound, self._mark, self._start = sound[ready:], self._mark[ready:], base + ready
        return out[:, 0] if self._flat else out

    def _begin(self, frame: int) -> int:
        return round((frame - 1) * HOP_SECONDS * self._rate)


def check_rate(rate: int) -> None:
    """Raises ``WatermarkError`` unless ``rate`` (Hz) is one at which the mark is defined."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise WatermarkError(
            f"A sound at {rate} Hz carries no mark; resample it to {MIN_RATE} to {MAX_RATE} Hz."
        )


def _gains(rate: int, size: int, pattern: NDArray[np.float32], depth_db: float) -> NDArray[np.float64]:
    """What each frame of a period adds to each bin, relative to what is there: (4 PERIOD, bins)."""
    band = np.floor((np.fft.rfftfreq(size, 1 / rate) - LOW_HZ) / BAND_HZ).astype(int)
    inside = (band >= 0) & (band < BANDS)
    decibels = np.zeros((PERIOD, len(band)))
    decibels[:, inside] = depth_db * pattern[:, band[inside]]
    halves = np.stack([decibels] * HALF_FRAMES + [-decibels] * HALF_FRAMES, axis=1)
    return 10.0 ** (halves.reshape(_FRAMES, -1) / 20.0) - 1.0


def _block(samples: NDArray[np.floating]) -> NDArray[np.float64]:
    if samples.ndim not in (1, 2) or not np.issubdtype(samples.dtype, np.floating):
        raise WatermarkError("Sound must be floating-point numbers, (N,) or (N, channels), in -1..1.")
    block = samples.astype(np.float64).reshape(
        len(samples), -1 if len(samples) else (samples.shape + (1,))[1]
    )
    if not np.isfinite(block).all():
        raise WatermarkError("Sound must be finite numbers in -1..1; these samples are not.")
    return block
