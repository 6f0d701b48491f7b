"""The film inside a picture: shown smaller on a plain ground, between bars, or filmed off a screen.

The ground is the median colour of the picture's rim. The film is the quadrilateral that sticks out from it:
each side is the straight line that most rows (or columns) agree on as to where the ground ends.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

_SIDE = 192
_RIM = 2
_GROUND_LEVELS = 14
"""Largest difference (in any channel) from the ground's colour that is still ground."""

_MIN_GROUND = 0.5
_MIN_FILLED = 0.3
"""Shares of the rim that must be ground, and of a row or column that must stick out to be of the film."""

_MIN_SIDE, _MAX_AREA = 0.3, 0.95
_STRAIGHT = 0.008
_MIN_AGREED = 0.55
_PAIRS = 80


def inner(picture: UInt8) -> Float32 | None:
    """The film's corners (4, 2) as shares of the width and height of a picture, (height, width, 3) RGB.

    From the upper left, clockwise. ``None`` if there is no plain ground around a quadrilateral.
    """
    small = cv2.blur(cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), (3, 3))
    rim = np.concatenate(
        [side.reshape(-1, 3) for side in (small[:_RIM], small[-_RIM:], small[:, :_RIM], small[:, -_RIM:])]
    )
    ground = np.median(rim, axis=0)
    if (np.abs(rim - ground).max(1) <= _GROUND_LEVELS).mean() < _MIN_GROUND:
        return None
    out = np.abs(small - ground).max(2) > _GROUND_LEVELS
    rows, columns = (np.flatnonzero(out.mean(axis) >= _MIN_FILLED) for axis in (1, 0))
    if min(len(rows), len(columns)) < _MIN_SIDE * _SIDE:
        return None
    (top, bottom), (left, right) = (rows[0], rows[-1]), (columns[0], columns[-1])
    film = out[top : bottom + 1, left : right + 1]
    lines = [_edge(turned) for turned in (film, film[:, ::-1], film.T, film.T[:, ::-1])]
    if any(line is None for line in lines):
        return None
    west, east, north, south = (line for line in lines if line is not None)
    height, width = film.shape
    sides = [
        (west[0], west[1] + left - west[0] * top),
        (-east[0], left + width - east[1] + east[0] * top),
        (north[0], north[1] + top - north[0] * left),
        (-south[0], top + height - south[1] + south[0] * left),
    ]
    corners = np.array([_cross(sides[x], sides[y]) for x, y in ((0, 2), (1, 2), (1, 3), (0, 3))])
    corners = np.clip(corners / _SIDE, 0.0, 1.0).astype(np.float32)
    area = float(cv2.contourArea(corners))
    return corners if _MIN_SIDE**2 <= area <= _MAX_AREA else None


def cut_out(picture: UInt8, corners: Float32, side: int) -> UInt8:
    """The film alone, (side, side, 3), of the picture that ``corners`` were found in."""
    height, width = picture.shape[:2]
    shrink = max(height, width) / side
    if shrink > 1.5:
        size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        height, width = picture.shape[:2]
    straight = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
    turn = cv2.getPerspectiveTransform(corners * np.array([width, height], np.float32), straight)
    return np.asarray(cv2.warpPerspective(picture, turn, (side, side)), np.uint8)


def _edge(out: NDArray[np.bool_]) -> tuple[float, float] | None:
    """Slope and start of the line where the ground on the left of a film ends, row by row."""
    rows = np.flatnonzero(out.any(1))
    rows = rows[(rows >= 0.06 * len(out)) & (rows <= 0.94 * len(out))]
    first = out[rows].argmax(1)
    rng = np.random.default_rng(0)
    pairs = rng.integers(0, len(rows), (_PAIRS, 2))
    pairs = pairs[np.abs(rows[pairs[:, 0]] - rows[pairs[:, 1]]) > 0.3 * len(rows)]
    if not len(pairs):
        return None
    one, other = pairs.T
    slopes = (first[one] - first[other]) / (rows[one] - rows[other])
    starts = first[one] - slopes * rows[one]
    off = np.abs(first - (slopes[:, None] * rows + starts[:, None])) <= max(1.0, _STRAIGHT * _SIDE)
    best = int(off.sum(1).argmax())
    if off[best].sum() < _MIN_AGREED * len(out):
        return None
    slope, start = np.polyfit(rows[off[best]], first[off[best]], 1)
    return float(slope), float(start)


def _cross(upright: tuple[float, float], level: tuple[float, float]) -> tuple[float, float]:
    """Where x = a y + b meets y = c x + d."""
    (a, b), (c, d) = upright, level
    x = (a * d + b) / (1 - a * c)
    return x, c * x + d
