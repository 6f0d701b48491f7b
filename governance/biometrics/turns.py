"""Which way a head turns over time, told by how the tip of the nose moves against the plane behind it.

Eyes and corners of the mouth lie nearly in a plane, the nose stands before it. Four points fix the homography
from one look to another; where it would put the nose of a *flat* face is known exactly, however a photograph
is turned, tilted, moved or enlarged. The distance from there to the nose that is seen, its parallax, is what
a turning head has and a turned photograph has not (planar parallax: Irani and Anandan, ECCV 1996).

What this cannot catch: a picture creased along the nose, a mask, and any film that was computed, including
those of our own generator: a rendered head turns as a head does. The check for synthetic media is for these.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from governance.biometrics.media import Look
from governance.consent.checks import Turn

LOOKS_PER_SECOND = 25.0
TURNED = 0.18
"""Parallax in eye distances from which a head is turned; 30 degrees give 0.2 to 0.4."""
CENTRED = 0.1
"""Parallax below which a head looks at the camera."""
RELIEF = 0.3
"""Least distance of the nose from the plane, in eye distances, that parallax and narrowing of the face must
speak for: a head has 0.3 to 0.6. A print turned far misleads the detector, but seldom so much."""
FRONTAL = 0.25
"""How far off the middle, in eye distances, the nose may be while the person looks into the camera."""
OPENING_SECONDS = 0.8
"""How long the person surely looks into the camera; the rest is measured against it."""
JUMP = 0.15
"""Parallax that no head gains in one look from the centre: in 40 ms, some 20 degrees."""
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


def relief(reference: Array, seen: Array) -> float:
    """How far the nose stands out, in eye distances, if ``seen`` is ``reference`` turned aside.

    That is the parallax over the tangent of the angle that makes the face so much narrower; infinite if it
    is no narrower.
    """
    narrower = min(1.0, _width(seen) / max(_width(reference), 1e-6))
    tangent = math.sqrt(1 / narrower**2 - 1) if narrower else math.inf
    return abs(parallax(reference, seen)) / tangent if tangent else math.inf


def _width(landmarks: Array) -> float:
    """Distance of the eyes over that from eyes to mouth; 0 where there is none."""
    eyes = float(np.hypot(*(landmarks[1] - landmarks[0])))
    mouth = float(np.hypot(*(landmarks[3:].mean(0) - landmarks[:2].mean(0))))
    return eyes / mouth if mouth else 0.0


def _aside(landmarks: Array) -> float:
    """How far the nose is off the middle between the eyes, in eye distances."""
    eyes = landmarks[1] - landmarks[0]
    length = float(eyes @ eyes)
    return abs(float((landmarks[_NOSE] - landmarks[:2].mean(0)) @ eyes)) / length if length else math.inf


def course(looks: Sequence[Look]) -> tuple[Array, Array]:
    """Parallax and relief, (T,) each, of every look with a face against the opening ones, smoothed.

    Both are empty if the opening does not show a face from the front.
    """
    seen = [look.landmarks for look in looks if look.landmarks is not None]
    until = looks[0].at + OPENING_SECONDS if looks else 0.0
    opening = [look.landmarks for look in looks if look.landmarks is not None and look.at <= until]
    if not opening or float(np.median([_aside(each) for each in opening])) > FRONTAL:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    measures = (parallax, relief)
    parallaxes, reliefs = (
        _smooth(np.median([[measure(first, each) for each in seen] for first in opening], axis=0))
        for measure in measures
    )
    return parallaxes, reliefs


def _smooth(values: NDArray[np.float64]) -> Array:
    padded = np.pad(values, _SMOOTHED_LOOKS // 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _SMOOTHED_LOOKS)
    smooth: Array = np.median(windows, axis=1).astype(np.float32)
    return smooth


def turns_in(parallaxes: Array, reliefs: Array) -> tuple[Turn, ...] | None:
    """The turns from the centre and back in a ``course``, in their order.

    ``None`` if the head jumps, as pictures shown one after the other do, or does not end at the centre.
    """
    turns: list[Turn] = []
    side = held = 0
    before = 0.0
    for value, stands in zip(parallaxes.tolist(), reliefs.tolist(), strict=True):
        jump = abs(value - before) >= JUMP and min(abs(before), abs(value)) < CENTRED
        if jump or not math.isfinite(value):
            return None
        if abs(value) >= TURNED:
            now = 1 if value > 0 else -1
            if side == -now:
                return None
            side = now
            held += stands >= RELIEF
        elif abs(value) < CENTRED:
            if held >= HELD_LOOKS:
                turns.append("left" if side > 0 else "right")
            side = held = 0
        before = value
    return None if side else tuple(turns)
