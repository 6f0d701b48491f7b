"""The one soft step that shapes and fades are made with."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def smoothstep(low: float, high: float, x: ArrayLike) -> NDArray[np.float64]:
    """0 below ``low``, 1 above ``high``, and a cubic with level ends between."""
    t = np.clip((np.asarray(x) - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
