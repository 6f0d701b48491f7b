"""Speech made harder: pitched, noisy, whispered or sung, its timing known, so that a truth remains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter, resample_poly

from generator.evaluation.pieces import Piece, made_of
from generator.motion.motion import FPS, Motion
from generator.speech.audio import SAMPLE_RATE

Samples = NDArray[np.float32]
Array = NDArray[np.float64]

NOISE_DB = 10.0
"""Signal to noise ratio of noisy speech."""
_FRAME = 480
_HOP = 240
_ORDER = 18  # of linear prediction: two for each formant up to 8 kHz, two for the rest


def noisy(samples: Samples) -> Samples:
    """With pink noise, ``NOISE_DB`` below the speech."""
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(len(samples)))
    spectrum /= np.sqrt(np.arange(len(spectrum)) + 10.0)
    noise = np.fft.irfft(spectrum, len(samples))
    level = np.sqrt(np.mean(samples.astype(np.float64) ** 2)) * 10 ** (-NOISE_DB / 20)
    return _safe(samples + level * noise / noise.std())


def faster(samples: Samples, factor: float) -> Samples:
    """Played ``factor`` times as fast, pitch and formants with it; 1 / ``factor`` as long."""
    return _safe(resample_poly(samples.astype(np.float64), 100, round(100 * factor)))


def whispered(samples: Samples) -> Samples:
    """Vocal tract kept, voice replaced by noise: linear prediction (Makhoul 1975) excited by white noise."""
    noise = np.random.default_rng(0).standard_normal(len(samples) + _FRAME)
    return _resynthesised(samples, lambda start: noise[start : start + _FRAME])


def sung(samples: Samples, note_hz: float = 220.0) -> Samples:
    """Vocal tract kept, voice replaced by a held note with vibrato."""
    times = np.arange(len(samples) + _FRAME) / SAMPLE_RATE
    phase = note_hz * (times - 0.02 / (2 * np.pi * 5.5) * np.cos(2 * np.pi * 5.5 * times))
    pulses = np.diff(np.floor(phase), prepend=0.0) * np.sqrt(SAMPLE_RATE / note_hz)
    return _resynthesised(samples, lambda start: pulses[start : start + _FRAME])


DISTURBANCES: Mapping[str, tuple[Callable[[Samples], Samples], float]] = MappingProxyType(
    {
        "noisy": (noisy, 1.0),
        "whispered": (whispered, 1.0),
        "sung": (sung, 1.0),
        "deeper": (lambda samples: faster(samples, 0.85), 0.85),
        "higher": (lambda samples: faster(samples, 1.2), 1.2),
    }
)
"""What is done to the sound, and by what factor it is faster then."""


def disturbed(piece: Piece, disturbance: str) -> Piece:
    """``piece`` with its sound disturbed, its phones and truth as fast as that is then."""
    change, factor = DISTURBANCES[disturbance]
    phones = piece.phones and tuple(
        replace(phone, start=phone.start / factor, end=phone.end / factor) for phone in piece.phones
    )
    truth = piece.truth and Motion(piece.truth.resample(FPS / factor).values)
    return replace(piece, speech=made_of(change(piece.speech.samples)), phones=phones, truth=truth)


def _resynthesised(samples: Samples, excitation: Callable[[int], Array]) -> Samples:
    """Frame by frame, ``excitation`` through the all-pole filter of the speech, at the speech's loudness."""
    sound = np.pad(samples.astype(np.float64), (0, _FRAME))
    out = np.zeros(len(sound))
    window = np.hanning(_FRAME + 1)[:-1]
    for start in range(0, len(samples), _HOP):
        frame = sound[start : start + _FRAME] * window
        energy = float(np.sum(frame**2))
        voice = excitation(start) * window
        if energy > 1e-7 and voice.any():
            made = lfilter([1.0], _predictor(frame), voice) * window**0.5
            out[start : start + _FRAME] += made * np.sqrt(energy / max(float(np.sum(made**2)), 1e-12))
    return _safe(out[: len(samples)])


def _predictor(frame: Array) -> Array:
    """(_ORDER + 1,) all-pole coefficients by the autocorrelation method (Levinson and Durbin)."""
    lags = np.correlate(frame, frame, "full")[len(frame) - 1 : len(frame) + _ORDER]
    lags[0] *= 1.001
    coefficients, error = np.array([1.0]), float(lags[0])
    for order in range(1, _ORDER + 1):
        reflection = -float(coefficients @ lags[order:0:-1]) / error
        extended = np.append(coefficients, 0.0)
        coefficients = extended + reflection * extended[::-1]
        error *= 1 - reflection**2
    return coefficients


def _safe(samples: Array) -> Samples:
    return np.clip(samples, -1, 1).astype(np.float32)
