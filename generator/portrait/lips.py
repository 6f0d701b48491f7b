"""Where a portrait's lips meet, and how lips that were pictured parted come together in speech."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.arkit import INDEX
from generator.face import topology

Array = NDArray[np.float64]

CLOSED_GAP_CM = 0.45
"""Lips less apart than this are taken as closed: landmarks of a closed mouth leave such a gap."""
_SEARCH_SHARE = 0.30
"""The dark line is sought this far up and down, as a share of each lip's thickness."""
_SEARCH_STEPS = 25

OVERLAP_SHARE = 0.7
"""How much of an opening in speech is found in lips that were parted already, not added to it."""
SEALING_PRESS = 0.18
"""At this much mouthPress parted lips touch, as they must in /p/, /b/ and /m/."""
LOWER_SHARE = 0.65
"""The lower lip's share of the way; the jaw follows it."""
REACH_CM = 1.0
_PRESS = np.array([INDEX["mouthPressLeft"], INDEX["mouthPressRight"]])
_UPPER = np.array(topology.INNER_LIP_UPPER)
_LOWER = np.array(topology.INNER_LIP_LOWER)


def close_lips(grey: NDArray[np.uint8], face: Array, px_per_cm: float) -> tuple[Array, float]:
    """Close nearly closed lips on the dark line between them.

    Args:
        grey: (H, W) the portrait's brightness.
        face: (468, 3) landmarks in pixels.
        px_per_cm: scale of the head.

    Returns:
        The landmarks with both inner lip edges on that line, and 0; or, when the mouth is open, the
        landmarks as they were and the largest gap in pixels.
    """
    upper, lower = np.array(topology.INNER_LIP_UPPER), np.array(topology.INNER_LIP_LOWER)
    gap = np.linalg.norm(face[upper, :2] - face[lower, :2], axis=1).max()
    if gap >= CLOSED_GAP_CM * px_per_cm:
        return face, float(gap)
    middle = (face[upper] + face[lower]) / 2
    corner_line = middle[-1, :2] - middle[0, :2]
    down = np.array([-corner_line[1], corner_line[0]]) / np.linalg.norm(corner_line)
    outer_upper = face[list(topology.OUTER_LIP_UPPER), :2]
    outer_lower = face[list(topology.OUTER_LIP_LOWER), :2]
    reach = (
        np.stack([(outer_upper - middle[:, :2]) @ down, (outer_lower - middle[:, :2]) @ down], 1)
        * _SEARCH_SHARE
    )
    steps = reach[:, :1] + (reach[:, 1:] - reach[:, :1]) * np.linspace(0, 1, _SEARCH_STEPS)
    places = (middle[:, None, :2] + steps[..., None] * down).astype(np.float32)
    smooth = cv2.GaussianBlur(grey, (0, 0), max(0.02 * float(np.linalg.norm(corner_line)), 0.6))
    light = cv2.remap(smooth, places[..., 0], places[..., 1], cv2.INTER_LINEAR).astype(np.float64)
    darkness = light.max(1, keepdims=True) - light
    weight = (darkness / np.maximum(darkness.max(1, keepdims=True), 1.0)) ** 6
    weight *= np.exp(-((steps / np.maximum(np.abs(reach).max(1, keepdims=True), 1.0)) ** 2))
    shift = (weight * steps).sum(1) / np.maximum(weight.sum(1), 1e-6)
    shift[[0, -1]] = 0
    shift = np.convolve(np.pad(shift, 1, "edge"), [0.25, 0.5, 0.25], "valid")
    shift[[0, -1]] = 0
    middle[:, :2] += shift[:, None] * down
    closed = face.copy()
    closed[upper] = closed[lower] = middle
    return closed, 0.0


@dataclass(frozen=True)
class PartedLips:
    """Lips that were pictured parted. Motion is relative to the portrait, so without this they would never
    close, and every opening would come on top of the one they have.

    Attributes:
        gap: (11,) cm between the inner lips at rest.
        lift: (468, 11) how far each vertex rises when a point of the opening closes by one.
    """

    gap: Array
    lift: Array

    @classmethod
    def of(cls, neutral: Array) -> PartedLips:
        """For a face at rest (468, 3), head coordinates, cm."""
        distance = np.linalg.norm(
            neutral[:, None, :2] - (neutral[_UPPER] + neutral[_LOWER])[None, :, :2] / 2, axis=2
        )
        above = (neutral[:, 1] > neutral[[*_UPPER, *_LOWER], 1].mean())[:, None]
        own = np.where(above, _to_ring(neutral, _UPPER), _to_ring(neutral, _LOWER))
        weight = np.exp(-((own / REACH_CM) ** 2)) + 1e-9
        near = np.exp(-((distance.min(1) / (2 * REACH_CM)) ** 2))[:, None]
        share = np.where(above, LOWER_SHARE - 1, LOWER_SHARE)
        lift = share * weight.max(1, keepdims=True) * weight / weight.sum(1, keepdims=True) * near
        for ring, part in ((_UPPER, LOWER_SHARE - 1), (_LOWER, LOWER_SHARE)):
            lift[ring] = part * np.eye(len(ring))
        return cls(np.maximum(neutral[_UPPER, 1] - neutral[_LOWER, 1], 0), lift)

    def settle(self, displacement: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """``displacement`` (468, 3) with the lips brought together as (51,) ``weights`` ask."""
        opening = displacement[_UPPER, 1] - displacement[_LOWER, 1]
        seal = min(float(weights[_PRESS].mean()) / SEALING_PRESS, 1.0)
        closing = OVERLAP_SHARE * np.minimum(self.gap, np.maximum(opening, 0))
        closing += seal * np.maximum(self.gap + opening - closing, 0)
        settled = displacement.copy()
        settled[:, 1] += (self.lift @ closing).astype(np.float32)
        return settled


def _to_ring(neutral: Array, ring: NDArray[np.int64]) -> Array:
    """(468, 11) distances in the face plane, cm."""
    return np.asarray(np.linalg.norm(neutral[:, None, :2] - neutral[ring][None, :, :2], axis=2))
