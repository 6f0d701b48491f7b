"""The same words in another mouth: what a longer or shorter vocal tract does to bands of sound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Single = NDArray[np.float32]


def warped(bands: Single, factors: NDArray[np.float64]) -> Single:
    """(B, T, K) bands with each clip's frequency axis compressed by its own of (B,) ``factors`` (above 1: a
    longer vocal tract, formants lower); vocal tract length perturbation, Jaitly and Hinton 2013."""
    last = bands.shape[2] - 1
    at = np.clip(np.arange(last + 1) * factors[:, None], 0, last)
    low = at.astype(int)[:, None]
    share = (at[:, None] - low).astype(np.float32)
    high = np.minimum(low + 1, last)
    moved: Single = (
        np.take_along_axis(bands, low, 2) * (1 - share) + np.take_along_axis(bands, high, 2) * share
    )
    return moved
