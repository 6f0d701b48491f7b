"""Log-mel spectra, the same (to rounding) whether the sound comes in one piece or in many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generator.speech.audio import SAMPLE_RATE

RATE = 100
"""Spectra a second; number i is centred on i / 100 s."""
BANDS = 80
HOP = SAMPLE_RATE // RATE
WINDOW = 400
FFT = 512
BAND_LIMITS_HZ = (50.0, 7600.0)
FLOOR = 1e-6
"""Added to the power in a band before its natural logarithm is taken."""
LOOK_AHEAD_SAMPLES = WINDOW // 2
BLOCK = 1024
"""Spectra computed at once, to bound memory."""

Single = NDArray[np.float32]


class MelStream:
    """``push`` sound in pieces of any size; get each spectrum as soon as its window is complete."""

    def __init__(self) -> None:
        self._sound = np.zeros(LOOK_AHEAD_SAMPLES, np.float32)

    def push(self, samples: Single) -> Single:
        """(N,) samples at 16 kHz in, (n, 80) float32 new spectra out."""
        sound = np.concatenate([self._sound, samples.astype(np.float32, copy=False)])
        count = max((len(sound) - WINDOW) // HOP + 1, 0)
        self._sound = sound[count * HOP :].copy()
        if not count:
            return np.zeros((0, BANDS), np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP][:count]
        return np.concatenate([_spectra(windows[i : i + BLOCK]) for i in range(0, count, BLOCK)])

    def finish(self) -> Single:
        """The last spectra, up to the end of the sound."""
        return self.push(np.zeros(LOOK_AHEAD_SAMPLES, np.float32))


def log_mel(samples: Single) -> Single:
    """(N,) samples at 16 kHz to (N // 160 + 1, 80) log power in mel bands."""
    stream = MelStream()
    return np.concatenate([stream.push(samples), stream.finish()])


def _spectra(windows: Single) -> Single:
    spectrum = np.fft.rfft(windows * _TAPER, FFT)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    logarithm: Single = np.log(power @ _FILTERS + np.float32(FLOOR))
    return logarithm


def _filters() -> Single:
    """(257, 80) triangles as wide as each other on the mel scale (O'Shaughnessy 1987), at least one bin."""
    low_mel, high_mel = (2595 * np.log10(1 + hertz / 700) for hertz in BAND_LIMITS_HZ)
    edges = 700 * (10 ** (np.linspace(low_mel, high_mel, BANDS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(FFT, 1 / SAMPLE_RATE)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    weights = np.maximum(np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)), 0.0)
    nearest = np.abs(bins - middle).argmin(0)
    weights[nearest, np.arange(BANDS)] += weights.sum(0) == 0
    single: Single = weights.astype(np.float32)
    return single


_TAPER = np.hanning(WINDOW).astype(np.float32)
_FILTERS = _filters()
