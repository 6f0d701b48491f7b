"""Putting the mark into sound, as it arrives."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detector.errors import WatermarkError
from detector.watermark.sound.layout import BAND_HZ, BANDS, HALF_FRAMES, HOP_SECONDS, LOW_HZ, PERIOD

MIN_RATE = 8000
MAX_RATE = 192_000
DEPTH_DB = 2.5
"""How much louder or softer half a tile is made, where the ear hears a voice's harmonics as one."""
RESOLVED_DEPTH_DB, RESOLVED_HZ, FUSED_HZ = 1.5, 1000.0, 2500.0
"""Less at the first of these frequencies, where it hears them singly; in between, in proportion."""

_FRAMES = 2 * HALF_FRAMES * PERIOD
_BLOCKS = 8
"""Parts of a hop, 2 ms each, in which the mark is held below its host."""
_HEADROOM = 1.2
"""How far the mark may exceed its usual share of the sound in one part."""
_TINY = 1e-12
_DECAY = 0.7
"""Of the sound's amplitude, what still masks one part later."""


class SoundEmbedder:
    """Marks one sound, block by block; what comes out is late by at most two hops (32 ms).

    Only the mark passes through the filter bank; it is added to the untouched samples. Where a frame would
    smear it ahead of a sudden sound, it is held back. The pattern starts with the first sample.
    """

    def __init__(self, rate: int, pattern: NDArray[np.float32], depth_db: float = DEPTH_DB) -> None:
        """``rate`` in Hz, 8,000 to 192,000; ``pattern`` (PERIOD, BANDS) from ``Layout.pattern``.

        ``depth_db`` replaces DEPTH_DB, and the lesser depth with it in proportion.
        Raises ``WatermarkError`` at any other rate.
        """
        check_rate(rate)
        self._rate = rate
        self._half = round(HOP_SECONDS * rate)
        self._window = np.sin(np.pi * (np.arange(2 * self._half) + 0.5) / (2 * self._half))
        self._gains, self._inside = _gains(rate, 2 * self._half, pattern, depth_db)
        self._most = _HEADROOM * (10.0 ** (depth_db / 20.0) - 1.0)
        self._frame = 0
        self._start = -self._half
        self._sound: NDArray[np.float64] | None = None
        self._mark: NDArray[np.float64] = np.empty((0, 0))
        self._host: NDArray[np.float64] = np.empty((0, 0))
        self._masking: NDArray[np.float64] = np.zeros(1)
        self._held: NDArray[np.float64] = np.ones(1)
        self._flat = True

    def push(self, samples: NDArray[np.floating]) -> NDArray[np.float32]:
        """Take the next samples, (N,) or (N, channels) in -1..1, and give back those that are marked by now.

        Raises ``WatermarkError`` if they are not finite floating-point numbers, or their channels change.
        """
        block = _block(samples)
        if self._sound is None:
            self._flat = samples.ndim == 1
            self._sound = np.zeros((self._half, block.shape[1]))
            self._extend(self._sound)
        elif block.shape[1] != self._sound.shape[1] or (samples.ndim == 1) != self._flat:
            raise WatermarkError("The number of channels changed; use one embedder for each sound.")
        self._sound = np.concatenate([self._sound, block])
        self._extend(block)
        return self._advance(self._sound)

    def finish(self) -> NDArray[np.float32]:
        """The samples still held back. Nothing may be pushed after."""
        if self._sound is None:
            return np.empty(0, np.float32)
        end = self._start + len(self._sound)
        blank = np.zeros((4 * self._half, self._sound.shape[1]))
        self._sound = np.concatenate([self._sound, blank])
        self._extend(blank)
        origin = max(self._start, 0)
        return self._advance(self._sound)[: end - origin]

    def _advance(self, sound: NDArray[np.float64]) -> NDArray[np.float32]:
        size, base = len(self._window), self._start
        while self._begin(self._frame) - base + size <= len(sound):
            at = self._begin(self._frame) - base
            window = self._window[:, None]
            spectrum = np.fft.rfft(sound[at : at + size] * window, axis=0) * self._inside
            gain = self._gains[self._frame % _FRAMES][:, None]
            self._mark[at : at + size] += np.fft.irfft(spectrum * gain, size, axis=0) * window
            self._host[at : at + size] += np.fft.irfft(spectrum, size, axis=0) * window
            self._frame += 1
            self._hold(at, self._begin(self._frame) - base)
        ready = self._begin(self._frame) - base
        out = np.asarray(sound[:ready] + self._mark[:ready], np.float32)[max(-base, 0) :]
        self._sound, self._start = sound[ready:], base + ready
        self._mark, self._host = self._mark[ready:], self._host[ready:]
        return out[:, 0] if self._flat else out

    def _hold(self, begin: int, end: int) -> None:
        """Keep the mark between ``begin`` and ``end`` in proportion to the sound there or just before."""
        edges = np.linspace(begin, end, _BLOCKS + 1).astype(int)
        for low, high in pairwise(edges):
            host = np.sqrt((self._host[low:high] ** 2).mean(axis=0))
            mark = np.sqrt((self._mark[low:high] ** 2).mean(axis=0)) + _TINY
            self._masking = np.maximum(host, _DECAY * self._masking)
            held = np.minimum(self._most * self._masking / mark, 1.0)
            ramp = np.linspace(0.0, 1.0, high - low)[:, None]
            self._mark[low:high] *= self._held + (held - self._held) * ramp
            self._held = held

    def _extend(self, block: NDArray[np.float64]) -> None:
        self._mark = np.concatenate([self._mark.reshape(-1, block.shape[1]), np.zeros_like(block)])
        self._host = np.concatenate([self._host.reshape(-1, block.shape[1]), np.zeros_like(block)])

    def _begin(self, frame: int) -> int:
        return round((frame - 1) * HOP_SECONDS * self._rate)


def check_rate(rate: int) -> None:
    """Raises ``WatermarkError`` unless ``rate`` (Hz) is one at which the mark is defined."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise WatermarkError(
            f"A sound at {rate} Hz carries no mark; resample it to {MIN_RATE} to {MAX_RATE} Hz."
        )


def _gains(
    rate: int, size: int, pattern: NDArray[np.float32], depth_db: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What each frame of a period adds to each bin, as a share (4 PERIOD, bins); 1 where it does, else 0."""
    band = np.floor((np.fft.rfftfreq(size, 1 / rate) - LOW_HZ) / BAND_HZ).astype(int)
    inside = (band >= 0) & (band < BANDS)
    decibels = np.zeros((PERIOD, len(band)))
    centre = LOW_HZ + BAND_HZ * (np.arange(BANDS) + 0.5)
    depth = np.interp(centre, [RESOLVED_HZ, FUSED_HZ], [RESOLVED_DEPTH_DB, DEPTH_DB]) * depth_db / DEPTH_DB
    decibels[:, inside] = (depth * pattern)[:, band[inside]]
    halves = np.stack([decibels] * HALF_FRAMES + [-decibels] * HALF_FRAMES, axis=1)
    return 10.0 ** (halves.reshape(_FRAMES, -1) / 20.0) - 1.0, inside[:, None].astype(np.float64)


def _block(samples: NDArray[np.floating]) -> NDArray[np.float64]:
    if samples.ndim not in (1, 2) or not np.issubdtype(samples.dtype, np.floating):
        raise WatermarkError("Sound must be floating-point numbers, (N,) or (N, channels), in -1..1.")
    block = samples.astype(np.float64)
    block = block[:, None] if block.ndim == 1 else block
    if not np.isfinite(block).all():
        raise WatermarkError("Sound must be finite numbers in -1..1; these samples are not.")
    return block
