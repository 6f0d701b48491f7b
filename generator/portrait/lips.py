"""Where closed lips meet: on the dark line between them, not where the landmarks guess it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.face import topology

Array = NDArray[np.float64]

CLOSED_GAP_CM = 0.45
"""Lips less apart than this are taken as closed: landmarks of a closed mouth leave such a gap."""
_SEARCH_SHARE = 0.30
"""The dark line is sought this far up and down, as a share of each lip's thickness."""
_SEARCH_STEPS = 25


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
