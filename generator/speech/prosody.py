"""How loudly and how high somebody speaks: energy and fundamental frequency every 10 ms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.speech.audio import SAMPLE_RATE

RATE = 100
"""Prosodic frames a second."""
HOP = SAMPLE_RATE // RATE
WINDOW_SECONDS = 0.04
F0_MIN_HZ = 60.0
F0_MAX_HZ = 420.0
VOICED_CORRELATION = 0.55
"""Normalised autocorrelation above which a frame counts as voiced."""
FLOOR_DB = -90.0
SPEECH_RANGE_DB = 30.0
"""From the loud parts of speech down to where nothing is heard as speech any more."""
BLOCK_FRAMES = 2000

Signal = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Prosody:
    """Features at ``RATE`` (100 Hz), frame i centred on i / 100 s.

    ``energy_db``: (N,) RMS in dB of full scale. ``loudness``: (N,) 0..1, 1 at the clip's own loud
    syllables. ``f0_hz``: (N,) fundamental frequency, 0 where unvoiced.
    """

    energy_db: Signal
    loudness: Signal
    f0_hz: Signal

    @property
    def voiced(self) -> NDArray[np.bool_]:
        return self.f0_hz > 0

    @property
    def pitch(self) -> Signal:
        """(N,) semitones above the clip's median f0, interpolated where unvoiced; 0 if no frame is voiced."""
        voiced = np.flatnonzero(self.voiced)
        if not len(voiced):
            return np.zeros_like(self.f0_hz)
        semitones = 12 * np.log2(self.f0_hz[voiced])
        pitch: Signal = np.interp(np.arange(len(self.f0_hz)), voiced, semitones - np.median(semitones))
        return pitch


def analyse(samples: NDArray[np.float32]) -> Prosody:
    """Prosody of (N,) samples at 16 kHz, in blocks, so that memory does not grow with their length."""
    frames = len(samples) // HOP + 1
    energy, f0 = np.empty(frames), np.empty(frames)
    for start in range(0, frames, BLOCK_FRAMES):
        end = min(start + BLOCK_FRAMES, frames)
        windows = _windows(samples, start, end)
        energy[start:end] = 10 * np.log10(np.square(windows).mean(1) + 10 ** (FLOOR_DB / 10))
        f0[start:end] = _f0(windows)
    loud = float(np.percentile(energy, 95))
    loudness = np.clip(1 + (energy - loud) / SPEECH_RANGE_DB, 0.0, 1.0)
    f0[loudness < 0.2] = 0.0
    return Prosody(energy, loudness, _without_lone_frames(f0))


def _windows(samples: NDArray[np.float32], start: int, end: int) -> Signal:
    """(end - start, W) samples around each frame centre, zero beyond the clip's ends."""
    width = round(WINDOW_SECONDS * SAMPLE_RATE)
    first = start * HOP - width // 2
    last = (end - 1) * HOP + width // 2
    block = np.zeros(last - first)
    inside = samples[max(first, 0) : min(last, len(samples))]
    offset = max(-first, 0)
    block[offset : offset + len(inside)] = inside
    view: Signal = np.lib.stride_tricks.sliding_window_view(block, width)[::HOP]
    return view


def _f0(windows: Signal) -> Signal:
    """Peak of the normalised autocorrelation (Boersma 1993: divided by that of the window), 0 if unvoiced."""
    decimation = 2
    rate = SAMPLE_RATE // decimation
    low = windows[:, : windows.shape[1] // decimation * decimation]
    low = low.reshape(len(windows), -1, decimation).mean(2)
    taper = np.hanning(low.shape[1])
    size = 1 << int(np.ceil(np.log2(2 * low.shape[1])))
    lags = np.arange(int(rate / F0_MAX_HZ), int(rate / F0_MIN_HZ) + 1)

    def autocorrelation(signal: Signal) -> Signal:
        power = np.abs(np.fft.rfft(signal, size)) ** 2
        result: Signal = np.fft.irfft(power, size)[..., : lags[-1] + 2]
        return result

    found = autocorrelation((low - low.mean(1, keepdims=True)) * taper)
    expected = autocorrelation(taper)
    strength = found / (found[:, :1] + 1e-12) / (expected / expected[0])
    octave_cost = 0.02 * np.log2(lags / lags[0])
    best = np.argmax(strength[:, lags] - octave_cost, axis=1)
    lag = lags[best]
    row = np.arange(len(lag))
    before, peak, after = strength[row, lag - 1], strength[row, lag], strength[row, lag + 1]
    bend = before - 2 * peak + after
    shift = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, 1.0), 0.0)
    f0 = rate / (lag + np.clip(shift, -0.5, 0.5))
    inner = (before <= peak) & (after <= peak)
    result: Signal = np.where((peak > VOICED_CORRELATION) & inner, f0, 0.0)
    return result


def _without_lone_frames(f0: Signal) -> Signal:
    """Unvoice frames whose neighbours on both sides are unvoiced or a third away in frequency."""
    padded = np.pad(f0, 1)
    near_before = np.abs(padded[:-2] - f0) < f0 / 4
    near_after = np.abs(padded[2:] - f0) < f0 / 4
    result: Signal = np.where(near_before | near_after, f0, 0.0)
    return result
