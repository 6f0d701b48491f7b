"""Log-mel frames: what the speech encoder hears. 80 bins, 100 frames a second, 16 kHz."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generator.speech.audio import SAMPLE_RATE

MEL_BINS = 80
MEL_RATE = 100
HOP = SAMPLE_RATE // MEL_RATE
WINDOW = 400
"""Samples, 25 ms: half of it is looked ahead."""
ENERGY_RANGE_DB = 60.0

_FFT = 512
_LOW_HZ, _HIGH_HZ = 40.0, 7600.0
_FLOOR = 1e-7

Array = NDArray[np.float32]


def _filters() -> Array:
    """(257, 80) triangles, equally spaced in mel (2595 log10(1 + f / 700))."""

    def mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
        return np.asarray(2595 * np.log10(1 + np.asarray(hertz) / 700))

    edges = np.linspace(mel(_LOW_HZ), mel(_HIGH_HZ), MEL_BINS + 2)
    at = mel(np.arange(_FFT // 2 + 1) * SAMPLE_RATE / _FFT)[:, None]
    rising = (at - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - at) / (edges[2:] - edges[1:-1])
    triangles: Array = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    return triangles


_FILTERS = _filters()
_HANN = np.hanning(WINDOW + 1)[:-1].astype(np.float32)


def log_mel(samples: Array) -> tuple[Array, Array]:
    """Log-mel (T, 80) and energy (T,) of every whole window in ``samples`` (N,), one each ``HOP``.

    T = (N - WINDOW) // HOP + 1. Energy is 1 at full scale and 0 at -60 dB and below.
    """
    if len(samples) < WINDOW:
        return np.zeros((0, MEL_BINS), np.float32), np.zeros(0, np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP] * _HANN
    spectrum = np.fft.rfft(windows, _FFT)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) / np.float32(WINDOW)
    mel: Array = np.log(power @ _FILTERS + np.float32(_FLOOR)).astype(np.float32)
    loudness = np.square(windows, dtype=np.float32).sum(1) / np.square(_HANN).sum()
    decibels = 10 * np.log10(loudness + 1e-9)
    return mel, np.clip(1 + decibels / ENERGY_RANGE_DB, 0, 1).astype(np.float32)
