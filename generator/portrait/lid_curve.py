"""The edge of a lid as a curve through its landmarks, in an eye's own coordinates."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]

CURVE_SAMPLES = 65
"""A lid's edge is a table of v at this many even steps of u from corner to corner."""


def lid_curve(u: Array, v: Array) -> Float32:
    """The lid's edge through points (N,) as a table of ``CURVE_SAMPLES`` values of v."""
    table = np.empty(CURVE_SAMPLES, np.float32)
    order = np.argsort(u, kind="stable")
    _monotone_cubic(np.column_stack([u, v])[order].astype(np.float32), table)
    return table


@njit(cache=True, nogil=True)
def _slope(points: Float32, k: int) -> float:
    """Slope between points k and k + 1."""
    span = max(points[k + 1, 0] - points[k, 0], np.float32(1e-4))
    return float((points[k + 1, 1] - points[k, 1]) / span)


@njit(cache=True, nogil=True)
def _tangent(points: Float32, k: int) -> float:
    """Slope of the curve at point k, level at a crest (Fritsch and Butland 1984)."""
    if k == 0:
        return _slope(points, 0)
    if k == points.shape[0] - 1:
        return _slope(points, k - 1)
    before, after = _slope(points, k - 1), _slope(points, k)
    return 2 * before * after / (before + after) if before * after > 0 else 0.0


@njit(cache=True, nogil=True)
def _monotone_cubic(points: Float32, table: Float32) -> None:
    """Interpolate points of rising u without overshoot, level beyond the ends."""
    last = points.shape[0] - 1
    k = 0
    for sample in range(table.shape[0]):
        u = sample / (table.shape[0] - 1) - 0.5
        if u <= points[0, 0]:
            table[sample] = points[0, 1]
            continue
        if u >= points[last, 0]:
            table[sample] = points[last, 1]
            continue
        while k < last - 1 and points[k + 1, 0] < u:
            k += 1
        span = max(points[k + 1, 0] - points[k, 0], np.float32(1e-4))
        t = (u - points[k, 0]) / span
        t2, t3 = t * t, t * t * t
        table[sample] = (
            (2 * t3 - 3 * t2 + 1) * points[k, 1]
            + (t3 - 2 * t2 + t) * span * _tangent(points, k)
            + (3 * t2 - 2 * t3) * points[k + 1, 1]
            + (t3 - t2) * span * _tangent(points, k + 1)
        )
