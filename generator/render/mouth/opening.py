"""The gap between the lips, which clips and lights everything behind it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

CLOSED_GAP_PX = 0.9
"""Lips nearer to each other than this are closed: nothing is drawn."""

_MARGIN_PX = 3
_SPLINE_STEPS = 4
_EDGE_SIGMA_PX = 0.7


@dataclass(frozen=True)
class Box:
    left: int
    top: int
    width: int
    height: int


def _spline_weights() -> NDArray[np.float64]:
    """(41, 11): Catmull-Rom through eleven points, open at both ends."""
    count = 11
    t = np.linspace(0, count - 1, (count - 1) * _SPLINE_STEPS + 1)
    weights = np.zeros((len(t), count))
    for row, at in enumerate(t):
        i = min(int(at), count - 2)
        f = at - i
        cubic = (
            -f / 2 + f * f - f**3 / 2,
            1 - 2.5 * f * f + 1.5 * f**3,
            f / 2 + 2 * f * f - 1.5 * f**3,
            (f**3 - f * f) / 2,
        )
        for k, value in zip(range(i - 1, i + 3), cubic, strict=True):
            weights[row, min(max(k, 0), count - 1)] += value
    return weights


_SPLINE = _spline_weights()


@dataclass(frozen=True)
class Opening:
    """The gap between the lips in frame pixels.

    Attributes:
        upper, lower: (41, 2) smooth lip edges from corner to corner, never crossing.
        gap_px: largest distance between them.
        box: the part of the frame they lie in, with a margin.
    """

    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    gap_px: float
    box: Box

    @classmethod
    def between(
        cls, upper_lip: NDArray[np.floating], lower_lip: NDArray[np.floating], height: int, width: int
    ) -> Opening | None:
        """The opening, or ``None`` if the lips are closed or out of the frame."""
        upper, lower = np.array(upper_lip, np.float64), np.array(lower_lip, np.float64)
        along = upper[-1] - upper[0]
        down = np.array([-along[1], along[0]]) / (np.hypot(*along) + 1e-6)
        gaps = (lower - upper) @ down
        gap = float(gaps.max())
        if gap < CLOSED_GAP_PX:
            return None
        crossed = gaps < 0
        upper[crossed] = lower[crossed] = (upper[crossed] + lower[crossed]) / 2
        upper, lower = _SPLINE @ upper, _SPLINE @ lower
        low = np.floor(np.minimum(upper.min(0), lower.min(0))).astype(int) - _MARGIN_PX
        high = np.ceil(np.maximum(upper.max(0), lower.max(0))).astype(int) + _MARGIN_PX
        left, top = max(int(low[0]), 0), max(int(low[1]), 0)
        box = Box(left, top, min(int(high[0]) + 1, width) - left, min(int(high[1]) + 1, height) - top)
        return cls(upper, lower, gap, box) if box.width > 1 and box.height > 1 else None

    def mask(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """(h, w) coverage 0..255 with a soft edge, and distance to the edge from inside, px."""
        ring = np.vstack([self.upper, self.lower[-2:0:-1]]) - (self.box.left, self.box.top)
        hard = np.zeros((self.box.height, self.box.width), np.uint8)
        cv2.fillPoly(hard, [np.round(ring * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        inset = cv2.distanceTransform(hard, cv2.DIST_L2, 3)
        soft = cv2.GaussianBlur(hard, (5, 5), _EDGE_SIGMA_PX)
        return soft.astype(np.uint8, copy=False), inset.astype(np.float32, copy=False)

    def edges(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(w,) rows of the upper and of the lower edge over the box's columns."""
        columns = np.arange(self.box.width, dtype=np.float64) + self.box.left
        rows = [
            np.interp(columns, np.maximum.accumulate(edge[:, 0]), edge[:, 1]) - self.box.top
            for edge in (self.upper, self.lower)
        ]
        return rows[0], rows[1]

    def area_px2(self) -> float:
        """Area of the opening in square pixels."""
        ring = np.vstack([self.upper, self.lower[-2:0:-1]])
        return float(cv2.contourArea(ring.astype(np.float32)))


@dataclass(frozen=True)
class View:
    """How the opening looks in mouth coordinates."""

    px_per_cm: float
    aperture_cm2: float
    upper_lip_cm: float

    @classmethod
    def of(cls, references: NDArray[np.float32], opening: Opening) -> View:
        """From the three projected reference points: origin, 1 cm along x, 1 cm along y."""
        origin = references[0, :2].astype(np.float64)
        axes = (references[1:, :2] - references[0, :2]).astype(np.float64)
        area_px2 = max(abs(float(axes[0, 0] * axes[1, 1] - axes[0, 1] * axes[1, 0])), 1e-3)
        middle = opening.upper[15:26].mean(0) - origin
        up = axes[1] / (float(axes[1] @ axes[1]) + 1e-6)
        return cls(
            px_per_cm=float(np.linalg.norm(axes[1])),
            aperture_cm2=opening.area_px2() / area_px2,
            upper_lip_cm=float(middle @ up),
        )
