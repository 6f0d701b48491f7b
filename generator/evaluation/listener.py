"""Expects, from sound alone, how far a mouth is open: the ear that judges whether lips fit a sound.

A linear regression from a coarse spectrum on the inner-lip opening of real speakers: too simple to be fooled,
and nothing of any driver is in it. ``python -m generator.evaluation.fit_listener`` makes it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generator.errors import ModelError
from generator.speech.audio import SAMPLE_RATE

Array = NDArray[np.float64]

FPS = 25.0
BANDS = 12
CONTEXT_FRAMES = 3
"""Frames heard before and after each frame judged."""
FILE = Path(__file__).with_name("listener.json")

_BAND_LIMITS_HZ = (80.0, 7000.0)
_HOP = 160
_WINDOW = 400
_FFT = 512
_PER_FRAME = round(SAMPLE_RATE / FPS) // _HOP


@dataclass(frozen=True, eq=False)
class Listener:
    """``weights`` ((2 * CONTEXT_FRAMES + 1) * BANDS,): opening, in standard deviations of a speaker's own,
    per unit of each log band energy about its mean over the clip."""

    weights: Array

    @classmethod
    def load(cls, path: Path = FILE) -> Listener:
        """Raises ``ModelError`` if the file is missing or not a listener."""
        try:
            weights = np.array(json.loads(path.read_text("utf-8"))["weights"], np.float64)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"The listener {path} cannot be read; reinstall this package.") from error
        if weights.shape != ((2 * CONTEXT_FRAMES + 1) * BANDS,):
            raise ModelError(f"The listener {path} has {weights.size} weights; reinstall this package.")
        return cls(weights)

    def __call__(self, samples: NDArray[np.float32], frames: int) -> Array:
        """(``frames``,) opening to expect at 25 fps of (N,) samples at 16 kHz; zero mean."""
        expected: Array = features(samples, frames) @ self.weights
        return np.asarray(expected - expected.mean())


def features(samples: NDArray[np.float32], frames: int) -> Array:
    """(``frames``, (2 * CONTEXT_FRAMES + 1) * BANDS): log band energies around each frame."""
    padded = np.pad(samples.astype(np.float64), _WINDOW // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    blocks = [windows[i : i + 4096] * np.hanning(_WINDOW) for i in range(0, len(windows), 4096)]
    spectra = [np.log(np.abs(np.fft.rfft(block, _FFT)) ** 2 @ _bands() + 1e-6) for block in blocks]
    energies = np.concatenate(spectra)[: frames * _PER_FRAME]
    energies = np.pad(energies, ((0, frames * _PER_FRAME - len(energies)), (0, 0)), mode="edge")
    energies = energies.reshape(frames, _PER_FRAME, BANDS).mean(1)
    around = np.pad(energies - energies.mean(0), ((CONTEXT_FRAMES, CONTEXT_FRAMES), (0, 0)), mode="edge")
    return np.concatenate([around[k : k + frames] for k in range(2 * CONTEXT_FRAMES + 1)], axis=1)


@cache
def _bands() -> Array:
    """(257, BANDS) triangles, equally spaced in mel (O'Shaughnessy 1987)."""
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in _BAND_LIMITS_HZ)
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles: Array = np.maximum(np.minimum(rising, falling), 0)
    return triangles
