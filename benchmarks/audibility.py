"""How far a change to a sound lies below what the sound itself masks.

Noise-to-mask ratio with the FFT ear model of ITU-R BS.1387-1 (basic version, 2.1.4-2.1.9): frames of 2048
samples at 48 kHz, outer and middle ear, 109 bands of a quarter Bark, internal noise, level-dependent
spreading, forward masking, mask 3 dB below the excitation up to 12 Bark and 0.25 dB more each Bark above.
Full scale plays at 92 dB SPL. Stricter than the recommendation in one point: the noise is the difference of
the waveforms, not of the magnitudes. Below 0 dB a band is taken to be masked.
A model of ears, no listening test.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATE = 48000
FRAME = 2048
HOP = FRAME // 2
PLAYBACK_DB = 92.0
DISTURBED_DB = 1.5
"""A frame with a band above this counts as disturbed (BS.1387 4.5)."""

_BANDS = 109
_LOW_BARK, _BARK = 7.0 * np.arcsinh(80.0 / 650.0), 0.25
_EDGES_BARK = _LOW_BARK + _BARK * np.arange(_BANDS + 1)
_EDGES = 650.0 * np.sinh(_EDGES_BARK / 7.0)
_CENTRES = 650.0 * np.sinh((_EDGES_BARK[:-1] + _BARK / 2) / 7.0)


@dataclass(frozen=True)
class Masking:
    """Noise-to-mask ratio in dB: over all frames, 95th percentile and maximum of frames, maximum of bands.

    ``disturbed``: share of frames with a band above 1.5 dB.
    """

    mean_db: float
    p95_db: float
    max_db: float
    max_band_db: float
    disturbed: float


def noise_to_mask(reference: NDArray[np.float32], changed: NDArray[np.float32]) -> Masking:
    """Of two sounds (N,) at 48 kHz, N >= 2048, aligned to the sample."""
    mask = _mask(_bands(reference))
    noise = _bands(changed.astype(np.float64) - reference)
    ratio = noise / mask
    frames = 10.0 * np.log10(ratio.mean(axis=1) + 1e-12)
    peaks = 10.0 * np.log10(ratio.max(axis=1) + 1e-12)
    return Masking(
        float(10.0 * np.log10(ratio.mean() + 1e-12)),
        float(np.percentile(frames, 95)),
        float(frames.max()),
        float(peaks.max()),
        float((peaks > DISTURBED_DB).mean()),
    )


def _bands(samples: NDArray[np.floating]) -> NDArray[np.float64]:
    """Energy (frames, bands) at the inner ear; 1 is 0 dB SPL."""
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), FRAME)[::HOP]
    window = np.hanning(FRAME)
    amplitude = np.abs(np.fft.rfft(frames * window, axis=1)) * 2.0 / window.sum()
    power = amplitude**2 * 10.0 ** (PLAYBACK_DB / 10.0)
    khz = np.maximum(np.fft.rfftfreq(FRAME, 1.0 / RATE), 1.0) / 1000.0
    ear = -2.184 * khz**-0.8 + 6.5 * np.exp(-0.6 * (khz - 3.3) ** 2) - 0.001 * khz**3.6
    weighted: NDArray[np.float64] = (power * 10.0 ** (ear / 10.0)) @ _GROUPING
    return np.maximum(weighted, 1e-12)


def _mask(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    internal = 10.0 ** (0.4 * 0.364 * (_CENTRES / 1000.0) ** -0.8)
    excitation = _spread(energy + internal)
    decay = np.exp(-HOP / RATE / (0.008 + 100.0 / _CENTRES * 0.022))
    smeared, held = np.empty_like(excitation), np.zeros(_BANDS)
    for index, frame in enumerate(excitation):
        held = decay * held + (1.0 - decay) * frame
        smeared[index] = np.maximum(held, frame)
    bark = _BARK * np.arange(_BANDS)
    offset_db = np.where(bark <= 12.0, 3.0, 0.25 * bark)
    masked: NDArray[np.float64] = smeared / 10.0 ** (offset_db / 10.0)
    return masked


def _spread(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each band's energy spread over its neighbours, summed with the exponent 0.4 (BS.1387 2.1.7)."""
    total = np.empty_like(energy)
    reach = (np.arange(_BANDS)[None, :] - np.arange(_BANDS)[:, None]) * _BARK
    norm = _spread_frame(np.ones(_BANDS), reach)
    for index, frame in enumerate(energy):
        total[index] = _spread_frame(frame, reach) / norm
    return total


def _spread_frame(frame: NDArray[np.float64], reach: NDArray[np.float64]) -> NDArray[np.float64]:
    upper = np.minimum(-24.0 - 230.0 / _CENTRES + 2.0 * np.log10(frame), -4.0)
    shape = 10.0 ** (np.where(reach < 0, 27.0 * reach, upper[:, None] * reach) / 10.0)
    shares = frame[:, None] * shape / shape.sum(axis=1, keepdims=True)
    summed: NDArray[np.float64] = (shares**0.4).sum(axis=0) ** 2.5
    return summed


def _grouping() -> NDArray[np.float64]:
    """How much of each bin falls into each band: (bins, bands)."""
    width = RATE / FRAME
    low = (np.arange(FRAME // 2 + 1) - 0.5) * width
    overlap = np.minimum(low[:, None] + width, _EDGES[None, 1:]) - np.maximum(low[:, None], _EDGES[None, :-1])
    shares: NDArray[np.float64] = np.clip(overlap, 0.0, None) / width
    return shares


_GROUPING = _grouping()
