"""From what the encoder hears at each moment to phones with a beginning and an end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from generator.speech.acoustics import PHONE_COLUMNS
from generator.speech.encoder import PHONES, RATE
from generator.speech.phones import Phone

SMOOTHING_FRAMES = 3


def segments(heard: NDArray[np.float32], seconds: float) -> tuple[Phone, ...]:
    """Phones of (T, CHANNELS) acoustic frames, in order and without gaps, from 0 to ``seconds``."""
    likely = uniform_filter1d(heard[:, PHONE_COLUMNS], SMOOTHING_FRAMES, axis=0)
    best = likely.argmax(1)
    starts = np.flatnonzero(np.diff(best, prepend=-1))
    edges = [*(float(start) / RATE for start in starts), max(seconds, float(starts[-1] + 1) / RATE)]
    return tuple(
        Phone(PHONES[best[first]], begin, end, float(likely[first:last, best[first]].mean()))
        for first, last, begin, end in zip(
            starts, [*starts[1:], len(best)], edges[:-1], edges[1:], strict=True
        )
    )
