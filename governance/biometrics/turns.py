"""Which way a head turns over time, told by how the tip of the nose moves against the plane behind it.

Eyes and corners of the mouth lie nearly in a plane, the nose stands before it. Four points fix the homography
from one look to another; where it would put the nose of a *flat* face is known exactly, however a photograph
is turned, tilted, moved or enlarged. The distance from there to the nose that is seen, its parallax, is what
a turning head has and a turned photograph has not (planar parallax: Irani and Anandan, ECCV 1996).

What this cannot catch: a picture creased along the nose, a mask, and any film that was computed, including
those of our own generator: a rendered head turns as a head does. The check for synthetic media is for these.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from governance.biometrics.media import Look
from governance.consent.checks import Turn

LOOKS_PER_SECOND = 25.0
TURNED = 0.18
"""Parallax in eye distances from which a head is turned: by 30 degrees, 0.2 to 0.4; a photograph stays below
0.1 (``python -m benchmarks.biometrics``)."""
CENTRED = 0.1
"""Parallax below which a head looks at the camera."""
OPENING_SECONDS = 0.8
"""How long the person surely looks into the camera; the rest is measured against it."""
HELD_LOOKS = 3
_SMOOTHED_LOOKS = 3

_PLANE = [0, 1, 3, 4]
_NOSE = 2

Array = NDArray[np.float32]


def parallax(reference: Array, seen: Array) -> float:
    """How far, in eye distances, the nose of ``seen`` is off where a flat face would have it.

    Both are (5, 2) landmarks. Positive to the image's right, which is the person's own left. Infinite where
    the four points do not span a plane.
    """
    try:
        plane = cv2.getPerspectiveTransform(reference[_PLANE], seen[_PLANE])
    except cv2.error:
        return float("inf")
    x, y, w = plane @ np.append(reference[_NOSE], 1.0)
    eyes = seen[1] - seen[0]
    length = float(np.hypot(*eyes))
    if not length or abs(w) < 1e-9:
        return float("inf")
    return float((seen[_NOSE] - np.array([x, y]) / w) @ eyes) / length**2


def parallaxes(looks: Sequence[Look]) -> Array:
    """(T,) parallax of every look with a face against the opening ones, smoothed."""
    seen = [look.landmarks for look in looks if look.landmarks is not None]
    opening = [
        look.landmarks
        for look in looks
        if look.landmarks is not None and look.at <= looks[0].at + OPENING_SECONDS
    ]
    if not opening:
        return np.zeros(0, np.float32)
    raw = np.median([[parallax(first, each) for each in seen] for first in opening], axis=0)
    reach = _SMOOTHED_LOOKS // 2
    padded = np.pad(raw, reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _SMOOTHED_LOOKS)
    smooth: Array = np.median(windows, axis=1).astype(np.float32)
    return smooth


def turns_in(values: Array) -> tuple[Turn, ...] | None:
    """The turns from the centre and back in a course of parallaxes, in their order.

    ``None`` if the head jumps between centre and side, as pictures shown one after the other do, or
    does not end at the centre.
    """
    turns: list[Turn] = []
    side = 0
    held = 0
    before = 0.0
    for value in values:
        jump = min(abs(before), abs(value)) < CENTRED and max(abs(before), abs(value)) >= TURNED
        if jump or not np.isfinite(value):
            return None
        if abs(value) >= TURNED:
            if side and np.sign(value) != side:
                return None
            side = int(np.sign(value))
            held += 1
        elif abs(value) < CENTRED:
            if held >= HELD_LOOKS:
                turns.append("left" if side > 0 else "right")
            side = held = 0
        before = float(value)
    return None if side else tuple(turns)
