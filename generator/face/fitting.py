"""Expression weights that explain how a tracked face moved: the decoder run backwards.

Tracked blendshape scores are not geometric (a lip gap of 1 cm can score ``jawOpen`` 0.12); weights fitted to
the landmarks are. Lids are solved from their gap, everything else by box-constrained ridge regression on what
each expression does to the bound face by itself, corrected a few times for what they do to each other.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from generator.arkit import EXPRESSIONS, INDEX
from generator.errors import MotionError
from generator.face import topology
from generator.face.decoder import BoundFace

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Indices = NDArray[np.int64]

_RIDGE = 2e-4  # cm^2 per unit weight, against the mean squared error of a landmark
# What landmarks see poorly would otherwise explain their noise.
_RELUCTANCE = {
    "jawForward": 4e-3, "mouthFrown": 4e-3, "cheekPuff": 4e-3, "noseSneer": 4e-3,
    "mouthPress": 2e-3, "eyeWide": 1e-3,
}  # fmt: skip
_UNSEEN = ("eyeLook", "eyeBlink")  # gaze is measured on the iris, blinks on the lids
_CHIN = (152, 148, 377, 176, 400, 149, 378, 175, 199, 200, 171, 396)
_CHIN_IMPORTANCE = 2.5
_DEPTH_IMPORTANCE = 0.3  # landmark depth is a guess
_CORRECTIONS = 3
_SWEEPS = 40


def fit(face: BoundFace, moved: NDArray[np.floating], vertices: Indices) -> Single:
    """Weights (T, 51), in 0..1, for displacements ``moved`` (T, K, 3), cm, of K of the 468 ``vertices`` (K,).

    Displacements are from the bound neutral in head coordinates. ``eyeLook*`` stay zero; blinks need the
    middle lid vertices (159, 145, 386, 374) among ``vertices``, otherwise they stay zero too. Raises
    ``MotionError`` if the shapes disagree.
    """
    target = np.asarray(moved, np.float64)
    if target.ndim != 3 or target.shape[1:] != (len(vertices), 3):
        raise MotionError("Displacements must be (frames, landmarks, 3), one landmark for each vertex.")
    importance = np.where(np.isin(vertices, _CHIN), _CHIN_IMPORTANCE, 1.0)[:, None] * (
        1.0,
        1.0,
        _DEPTH_IMPORTANCE,
    )
    importance = (importance / importance.sum()).ravel()
    response = effects(face)[:, vertices].reshape(len(EXPRESSIONS), -1)
    free = np.array([not name.startswith(_UNSEEN) for name in EXPRESSIONS])
    response[~free] = 0.0
    ridge = [_RELUCTANCE.get(_unsided(name), _RIDGE) for name in EXPRESSIONS]
    normal = (response * importance) @ response.T + np.diag(ridge)

    weights = np.zeros((len(target), len(EXPRESSIONS)))
    bend = np.zeros((len(target), response.shape[1]))
    for _ in range(_CORRECTIONS):
        projected = ((target.reshape(len(target), -1) - bend) * importance) @ response.T
        _solve_boxed(normal, projected, weights, free, _SWEEPS)
        weights[:, INDEX["mouthClose"]] = np.minimum(
            weights[:, INDEX["mouthClose"]], weights[:, INDEX["jawOpen"]]
        )
        _close_lids(face, target, vertices, weights)
        decoded = np.stack([face(w)[vertices].ravel() for w in weights])
        bend = decoded - weights @ response
    return weights.astype(np.float32)


def _unsided(name: str) -> str:
    return name.removesuffix("Left").removesuffix("Right")


def effects(face: BoundFace) -> Array:
    """What each expression does by itself (51, 468, 3), cm per unit weight, half-way up."""
    alone = np.eye(len(EXPRESSIONS)) / 2
    alone[INDEX["mouthClose"], INDEX["jawOpen"]] = 0.5  # closes the lips of an open jaw
    response = np.stack([face(w) for w in alone]).astype(np.float64)
    response[INDEX["mouthClose"]] -= response[INDEX["jawOpen"]]
    doubled: Array = 2 * response
    return doubled


def _close_lids(face: BoundFace, target: Array, vertices: Indices, weights: Array) -> None:
    """Set the blinks so that the middle lids are as far apart as tracked."""
    place = {int(vertex): i for i, vertex in enumerate(vertices)}
    for blink, upper, lower in (
        ("eyeBlinkRight", topology.RIGHT_EYE_UPPER[4], topology.RIGHT_EYE_LOWER[4]),
        ("eyeBlinkLeft", topology.LEFT_EYE_UPPER[4], topology.LEFT_EYE_LOWER[4]),
    ):
        if upper not in place or lower not in place:
            continue
        rest = face.neutral[upper, 1] - face.neutral[lower, 1]
        tracked = rest + target[:, place[upper], 1] - target[:, place[lower], 1]
        for row, gap in zip(weights, tracked, strict=True):
            row[INDEX[blink]] = 0.0
            opened = face(row)
            row[INDEX[blink]] = 1.0
            closed = face(row)
            open_gap = rest + opened[upper, 1] - opened[lower, 1]
            closed_gap = rest + closed[upper, 1] - closed[lower, 1]
            row[INDEX[blink]] = np.clip((open_gap - gap) / max(open_gap - closed_gap, 1e-3), 0.0, 1.0)


@numba.njit(cache=True)
def _solve_boxed(
    normal: Array, projected: Array, weights: Array, free: NDArray[np.bool_], sweeps: int
) -> None:
    """Minimise ``w normal w / 2 - projected w`` over 0..1 in place, by coordinate descent in each frame."""
    for t in range(len(weights)):
        for _ in range(sweeps):
            for i in range(len(free)):
                if free[i]:
                    slope = projected[t, i]
                    for j in range(len(free)):
                        if free[j]:
                            slope -= normal[i, j] * weights[t, j]
                    weights[t, i] = min(max(weights[t, i] + slope / normal[i, i], 0.0), 1.0)
