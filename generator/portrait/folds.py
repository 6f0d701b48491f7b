"""How much of an expression a portrait's skin can take before it folds over itself in the picture.

In a three-quarter view the far mouth corner has few pixels and turns behind the cheek when the mouth widens.
There the expression is held back, smoothly, until no triangle turns over that would not in a front view.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generator.arkit import INDEX
from generator.face import topology
from generator.face.decoder import BoundFace
from generator.portrait.pose import Pose

Array = NDArray[np.float64]

PROBES: tuple[dict[str, float], ...] = (
    {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9},
    {"mouthStretchLeft": 0.8, "mouthStretchRight": 0.8},
    {"mouthDimpleLeft": 0.8, "mouthDimpleRight": 0.8},
    {"mouthFrownLeft": 0.8, "mouthFrownRight": 0.8},
    {"mouthPucker": 0.9},
    {"mouthFunnel": 0.8, "jawOpen": 0.2},
)
MIN_AREA_SHARE = 0.12
"""A triangle may shrink to this share of its area in the picture before its corners are held back."""
SEEN_FOLD_CM2 = 0.02
"""A fold of this area is held back in full; smaller ones are hardly seen, and hold back less and less."""
LEAST_GIVE = 0.4
REACH_CM = 0.8
"""How far around a fold the expression is held back."""
_ROUNDS = 5
_LARGEST_HOLD = 0.4

_HELD = np.array(
    [
        index
        for name, index in INDEX.items()
        if name.removesuffix("Left").removesuffix("Right")
        in {"mouth", "mouthSmile", "mouthStretch", "mouthDimple", "mouthFrown", "mouthPucker", "mouthFunnel"}
    ]
)
_OPENINGS = frozenset(
    topology.INNER_LIP_UPPER
    + topology.INNER_LIP_LOWER
    + topology.RIGHT_EYE_UPPER
    + topology.RIGHT_EYE_LOWER
    + topology.LEFT_EYE_UPPER
    + topology.LEFT_EYE_LOWER
)


def hold_back(
    face: BoundFace, give: NDArray[np.float32], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(468, 3) displacements (cm) for (51,) weights, the mouth's widening and rounding times ``give``."""
    full = face(weights)
    if not weights[_HELD].any():
        return full
    free = weights.copy()
    free[_HELD] = 0
    without = face(free)
    return np.asarray(without + give * (full - without))


def measure_give(face: BoundFace, pose: Pose, triangles: NDArray[np.int32]) -> NDArray[np.float32]:
    """(468, 1) the share, 0.4 to 1, of the mouth's widening and rounding that each vertex takes.

    Args:
        face: the decoder bound to the portrait.
        pose: head to view coordinates.
        triangles: (898, 3) of the canonical mesh.
    """
    mesh = np.array([not _OPENINGS.issuperset(t) for t in triangles.tolist()])
    mesh &= _areas(pose.to_view(face.neutral), triangles) > 0
    visible = triangles[mesh]
    least = MIN_AREA_SHARE * _areas(pose.to_view(face.neutral), visible)
    least_in_front = MIN_AREA_SHARE * np.abs(_areas(face.neutral, visible))
    probes = [_weights(probe) for probe in PROBES]
    between = np.linalg.norm(face.neutral[:, None] - face.neutral[None], axis=2)
    spread = np.exp(-((between / REACH_CM) ** 2))
    give = np.ones((len(face.neutral), 1), np.float32)
    sound = [_areas(face.neutral + face(probe), visible) > least_in_front for probe in probes]
    for _ in range(_ROUNDS):
        held = np.zeros(len(face.neutral))
        for probe, sound_in_front in zip(probes, sound, strict=True):
            area = _areas(pose.to_view(face.neutral + hold_back(face, give, probe)), visible)
            lost = (least - area) * sound_in_front
            hold = np.clip(lost / least * MIN_AREA_SHARE, 0, _LARGEST_HOLD)
            hold *= np.clip(lost / (2 * SEEN_FOLD_CM2 * pose.scale**2), 0, 1) ** 2
            np.maximum.at(held, visible.ravel(), np.repeat(hold, 3))
        if not held.any():
            break
        give *= 1 - (spread * held).max(1).astype(np.float32)[:, None]
        np.maximum(give, LEAST_GIVE, out=give)
    return give


def _weights(probe: dict[str, float]) -> NDArray[np.float32]:
    weights = np.zeros(len(INDEX), np.float32)
    for name, weight in probe.items():
        weights[INDEX[name]] = weight
    return weights


def _areas(view: Array, triangles: NDArray[np.int32]) -> Array:
    """Twice the signed area of each triangle in the picture, positive when it faces the camera."""
    a, b, c = (view[triangles[:, k], :2] for k in range(3))
    ab, ac = b - a, c - a
    return np.asarray(ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0])
