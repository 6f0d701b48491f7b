"""How far irises have moved between two pictures of a face, by matching the iris of one in the other.

Landmark models place an iris near where it usually is and so under-report how far an eye has turned; the
picture of an iris, correlated with a later picture of the same eye, does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.evaluation.track import IRIS_TRAVEL, RIGID
from generator.face import topology
from generator.face.alignment import align

Array = NDArray[np.float64]
Patch = NDArray[np.float32]

STILL = tuple(vertex for vertex in RIGID if vertex not in (33, 133, 362, 263))
"""Without the eye corners, which landmark models move with the lids."""

_EYE_PX = 96  # the eye is brought to this width
_IRIS_RADIUS = 0.29  # of the eye's width, rim included
_REACH = (0.30, 0.22)  # how far to look, in eye widths
_LID_MARGIN = 0.02


@dataclass(frozen=True, eq=False)
class _Eye:
    upper: Sequence[int]
    lower: Sequence[int]
    iris: int


_EYES = (
    _Eye(topology.RIGHT_EYE_UPPER, topology.RIGHT_EYE_LOWER, topology.RIGHT_IRIS[0]),
    _Eye(topology.LEFT_EYE_UPPER, topology.LEFT_EYE_LOWER, topology.LEFT_IRIS[0]),
)


class IrisMatcher:
    """Remembers the irises of a picture ``rgb`` (H, W, 3) with ``landmarks`` (478, 3), px."""

    def __init__(self, rgb: NDArray[np.uint8], landmarks: Array) -> None:
        self._landmarks = landmarks
        self._eyes = [_reference(rgb, landmarks, eye) for eye in _EYES]

    def turn(self, rgb: NDArray[np.uint8], landmarks: Array) -> Array:
        """(2,) yaw and pitch in degrees by which the eyes have turned in their sockets since the picture
        remembered, mean of both eyes, + to the image's right and up."""
        still = list(STILL)
        placed = align(self._landmarks[still], landmarks[still])(self._landmarks)
        shifts = []
        for eye, (template, mask, centre) in zip(_EYES, self._eyes, strict=True):
            patch = _straightened(rgb, placed, eye)
            reach = np.round(np.array(_REACH) * _EYE_PX).astype(int)
            half = np.array(template.shape[::-1]) // 2
            low, high = centre - half - reach, centre + half + reach + 1
            found = cv2.matchTemplate(
                patch[low[1] : high[1], low[0] : high[0]], template, cv2.TM_CCOEFF_NORMED, mask=mask
            )
            scores = np.where(np.isfinite(found), found, -1.0)
            shifts.append((_peak(scores) - reach) / _EYE_PX)
        sine = np.clip(np.mean(shifts, axis=0) / IRIS_TRAVEL, -0.95, 0.95) * (1, -1)
        return np.asarray(np.degrees(np.arcsin(sine)))


def _reference(rgb: NDArray[np.uint8], landmarks: Array, eye: _Eye) -> tuple[Patch, Patch, NDArray[np.int64]]:
    """The iris, what of it the lids leave visible, and its place in the straightened eye, px."""
    patch = _straightened(rgb, landmarks, eye)
    axes, middle = _frame(landmarks, eye)
    at = np.round((landmarks[eye.iris, :2] - middle) @ axes.T * _EYE_PX + len(patch) / 2).astype(int)
    half = round(_IRIS_RADIUS * _EYE_PX)
    template = patch[at[1] - half : at[1] + half + 1, at[0] - half : at[0] + half + 1]
    v, u = np.mgrid[-half : half + 1, -half : half + 1]
    lids = []
    for ring in (eye.upper, eye.lower):
        edge = (landmarks[list(ring), :2] - middle) @ axes.T
        edge = edge[np.argsort(edge[:, 0])]
        lids.append(np.interp((u + at[0] - len(patch) / 2) / _EYE_PX, edge[:, 0], edge[:, 1]))
    height = (v + at[1] - len(patch) / 2) / _EYE_PX
    open_there = (height > lids[0] + _LID_MARGIN) & (height < lids[1] - _LID_MARGIN)
    return template, (open_there & (np.hypot(u, v) <= half)).astype(np.float32), at


def _frame(landmarks: Array, eye: _Eye) -> tuple[Array, Array]:
    """Axes (2, 2) along and across the eye, per px of eye width, and the middle between its corners."""
    ends = landmarks[[eye.upper[0], eye.upper[-1]], :2]
    ends = ends[np.argsort(ends[:, 0])]
    across = ends[1] - ends[0]
    squared = float(across @ across)
    return np.array([across, (-across[1], across[0])]) / squared, ends.mean(0)


def _straightened(rgb: NDArray[np.uint8], landmarks: Array, eye: _Eye) -> Patch:
    """(2 _EYE_PX, 2 _EYE_PX) brightness about the eye, its corners level."""
    axes, middle = _frame(landmarks, eye)
    turn = axes * _EYE_PX
    side = 2 * _EYE_PX
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    to_patch = np.column_stack([turn, side / 2 - turn @ middle])
    patch = cv2.warpAffine(
        grey, to_patch, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cv2.GaussianBlur(patch.astype(np.float32), (0, 0), 1.5), np.float32)


def _peak(scores: NDArray[np.floating]) -> Array:
    """x, y of the highest score, between pixels where it has neighbours."""
    y, x = np.unravel_index(int(np.argmax(scores)), scores.shape)
    return np.array([x + _between(scores[y], int(x)), y + _between(scores[:, x], int(y))])


def _between(line: NDArray[np.floating], top: int) -> float:
    """Where the parabola through ``line`` at ``top`` and beside it peaks, from ``top``."""
    if not 0 < top < len(line) - 1:
        return 0.0
    before, here, after = (float(value) for value in line[top - 1 : top + 2])
    bend = before - 2 * here + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
