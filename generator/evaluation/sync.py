"""Do lips and sound belong together, and are they in time?

Lips are compared with what a ``Listener`` expects from the sound, at every lag. As with SyncNet (Chung and
Zisserman 2016), the lag that fits best is the offset, and how far it stands out from the others the
confidence. Only what changes within a second counts: sentences rise and fall alike. Two controls say what the
confidence is worth: the same lips with somebody else's sound, and a face that does not move.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from generator.evaluation.lips import correlation

Array = NDArray[np.float64]

MAX_LAG = 15
"""Frames of 40 ms, both ways."""
LAGS = np.arange(-MAX_LAG, MAX_LAG + 1)

STILL_CM = 0.05
"""Movement of lips (standard deviation) that might as well be a tracker's noise: it counts for little."""

_TREND_FRAMES = 8.0  # standard deviation of the smoothing that is taken off


@dataclass(frozen=True, eq=False)
class Fit:
    """Mean correlation (len(LAGS),) at each lag, and what follows from it.

    ``offset_frames``: + = the lips are late. ``confidence``: 0..1, peak less median.
    """

    curve: Array

    @property
    def offset_frames(self) -> float:
        peak = int(self.curve.argmax())
        if not 0 < peak < len(self.curve) - 1:
            return float(LAGS[peak])
        before, top, after = (float(value) for value in self.curve[peak - 1 : peak + 2])
        bend = before - 2 * top + after
        return float(LAGS[peak] + (0.5 * (before - after) / bend if bend < 0 else 0.0))

    @property
    def confidence(self) -> float:
        return float(self.curve.max() - np.median(self.curve))


@dataclass(frozen=True, eq=False)
class Sync:
    """``spoken``: lips with their own sound; ``shuffled``: with another's; ``frozen``: no lips at all."""

    spoken: Fit
    shuffled: Fit
    frozen: Fit


def lagged(lips: Array, reference: Array) -> Array:
    """(len(LAGS),) correlation of ``lips`` (T,), cm, with ``reference`` (T,) heard ``LAGS`` frames earlier.

    It is lowered as if noise of ``STILL_CM`` were on the lips: a still face cannot fit by chance. Lags that
    leave less than half of the clip to compare count 0.
    """
    count = min(len(lips), len(reference))
    lips, reference = _syllables(lips[:count]), _syllables(reference[:count])
    curve = np.zeros(len(LAGS))
    for i, lag in enumerate(range(-MAX_LAG, MAX_LAG + 1)):
        late, early = lips[max(lag, 0) : count + min(lag, 0)], reference[max(-lag, 0) : count - max(lag, 0)]
        if 2 * len(late) >= count and len(late) > 1:
            curve[i] = correlation(late, early)
    spread = float(lips.std())
    return curve * spread / float(np.hypot(spread, STILL_CM))


def compare(lips: Sequence[Array], heard: Sequence[Array]) -> Fit:
    """Mean over clips, each weighted by its length, of their lips against what is to be heard."""
    weights = [len(curve) for curve in lips]
    curves = [lagged(a, b) for a, b in zip(lips, heard, strict=True)]
    return Fit(np.average(curves, axis=0, weights=weights))


def measure(lips: Sequence[Array], heard: Sequence[Array]) -> Sync:
    """Lips (T,) and expectations (T,) of clips at 25 fps, with both controls.

    A single clip is shuffled with itself, turned round by half its length.
    """
    if len(lips) > 1:
        others = [*heard[1:], heard[0]]
        others = [np.resize(other, len(curve)) for other, curve in zip(others, lips, strict=True)]
    else:
        others = [np.roll(heard[0], len(heard[0]) // 2)]
    still = [np.full(len(curve), curve.mean()) for curve in lips]
    return Sync(compare(lips, heard), compare(lips, others), compare(still, heard))


def _syllables(curve: Array) -> Array:
    quick: Array = curve - gaussian_filter1d(curve, _TREND_FRAMES, mode="nearest")
    return quick
