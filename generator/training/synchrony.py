"""Whether the picture of a recording fits its sound.

Cameras drop frames. The judge is no model that is trained or measured with the recording: the mouth that
rules would make of its known phones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from generator.arkit import INDEX
from generator.motion.motion import FPS, Motion
from generator.speech import prosody
from generator.speech.articulation import articulate
from generator.speech.phones import Phone

Array = NDArray[np.float64]

LAG_LIMIT_FRAMES = 3
"""A picture more frames away from its sound than this is out of sync,"""
CONVINCING = 0.1
"""if the mouth fits there by this much more correlation than where it is."""
SEARCH_FRAMES = 14


def in_sync(samples: NDArray[np.float32], phones: Sequence[Phone] | None, motion: Motion) -> bool:
    """Whether ``motion``, seen while ``samples`` (N,) at 16 kHz were said, fits them; true, too, where the
    phones are not known."""
    if phones is None:
        return True
    expected = articulate(phones, prosody.analyse(samples), len(motion), FPS)
    lag, better = best_lag(_opening(expected), _opening(motion.expressions))
    return abs(lag) <= LAG_LIMIT_FRAMES or better <= CONVINCING


def best_lag(expected: Array, seen: Array) -> tuple[int, float]:
    """By how many frames ``seen`` (T,) follows ``expected`` (T,), and how much better they correlate then."""
    lags = range(-SEARCH_FRAMES, SEARCH_FRAMES + 1)
    fits = {lag: _correlation(expected, seen, lag) for lag in lags}
    lag = max(lags, key=fits.__getitem__)
    return lag, fits[lag] - fits[0]


def _correlation(expected: Array, seen: Array, lag: int) -> float:
    count = len(seen) - abs(lag)
    first, second = max(-lag, 0), max(lag, 0)
    pair = expected[first : first + count], seen[second : second + count]
    return float(np.corrcoef(*pair)[0, 1]) if min(part.std() for part in pair) > 0 else 0.0


def _opening(weights: NDArray[np.float32]) -> Array:
    """(T,) roughly how far the inner lips are apart."""
    jaw = weights[:, INDEX["jawOpen"]] - weights[:, INDEX["mouthClose"]]
    lower = weights[:, [INDEX["mouthLowerDownLeft"], INDEX["mouthLowerDownRight"]]].mean(1)
    upper = weights[:, [INDEX["mouthUpperUpLeft"], INDEX["mouthUpperUpRight"]]].mean(1)
    opening: Array = (jaw + 0.3 * lower + 0.2 * upper).astype(np.float64)
    return opening
