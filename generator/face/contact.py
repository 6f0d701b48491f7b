"""Lids that meet and lips that touch: what no linear basis guarantees, enforced on a portrait's own shape.

A blink is solved exactly: the upper lid travels from where the other expressions leave it to the lower lid,
over the eyeball, so that eyes of any opening close at ``eyeBlink = 1`` and never over-close. Inner lips that
would cross are moved apart, the lower lip giving way. Both corrections fade into the neighbouring skin. The
rings of each lip stay in their order, so that the red of the lips never folds over itself.
"""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from generator.arkit import INDEX
from generator.face import topology
from generator.face.shape import mouth_vertical

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Indices = NDArray[np.int64]

_LID_OVERLAP = 0.05  # eye widths that the closed upper lid reaches below the lower lid's edge
_LID_FORWARD_CM = 0.25  # the closed lid lies in front of the eye
_EYEBALL_RADIUS_CM = 1.25
_ARC_LIMIT_CM = 0.25
_LID_REACH = 0.55  # eye openings
_LID_REACH_LIMITS_CM = (0.35, 1.2)
_LIP_REACH = 0.2  # mouth widths
LOWER_LIP_SHARE = 0.7
_LIP_COMPRESSION = 0.2  # of the resting distance between two rings of a lip is always left
_INNER_YIELDS = 0.15  # where rings would pass each other, mostly the outer move: the inner outline the mouth

# The four rings of the upper and of the lower lip between the corners, from the inner to the outer.
_LIP_RINGS = np.array([
    [
        topology.INNER_LIP_UPPER[1:-1],
        (183, 42, 41, 38, 12, 268, 271, 272, 407),
        (184, 74, 73, 72, 11, 302, 303, 304, 408),
        topology.OUTER_LIP_UPPER[1:-1],
    ],
    [
        topology.INNER_LIP_LOWER[1:-1],
        (96, 89, 179, 86, 15, 316, 403, 319, 325),
        (77, 90, 180, 85, 16, 315, 404, 320, 307),
        topology.OUTER_LIP_LOWER[1:-1],
    ],
])  # fmt: skip

_SEAM = np.array([61, 76, 62, 78, 291, 306, 292, 308])  # mouth corners belong to both lips


@dataclass(frozen=True)
class Eye:
    """One eye of a bound portrait. N = 7 pairs between the corners, M vertices that the lid carries.

    ``corners`` (2,), ``upper``, ``lower`` (N,) vertices; ``shut`` (N, 3) cm, the upper lid's way to where it
    lies on the resting lower lid; ``arc`` (N,) cm by which the half-closed lid bulges over the eyeball;
    ``slack`` (N,) cm by which the lids may approach without a blink; ``skin`` (M,) vertices and ``spread``
    (M, N) how much of each pair's correction they take.
    """

    blink: int
    corners: Indices
    upper: Indices
    lower: Indices
    shut: Single
    arc: Single
    slack: Single
    skin: Indices
    spread: Single


@dataclass(frozen=True)
class Mouth:
    """The lips of a bound portrait. N = 9 pairs between the corners, M vertices that the lips carry.

    ``vertical`` (2,) image direction along which gaps are measured; ``slack`` (N,) cm by which the lips may
    approach until they touch; ``rings`` (2, 4, N) of the upper and the lower lip, from the inner to the
    outer, and ``room`` (2, 3, N) cm by which each two may approach; ``skin`` (M,), ``spread`` (M, N) signed:
    positive on the upper lip, negative on the lower.
    """

    upper: Indices
    lower: Indices
    vertical: Single
    slack: Single
    rings: Indices
    room: Single
    skin: Indices
    spread: Single


def eyes(shape: Array) -> tuple[Eye, Eye]:
    """The right and the left eye of a neutral ``shape`` (468, 3), cm."""
    return (
        _eye(shape, "eyeBlinkRight", topology.RIGHT_EYE_UPPER, topology.RIGHT_EYE_LOWER),
        _eye(shape, "eyeBlinkLeft", topology.LEFT_EYE_UPPER, topology.LEFT_EYE_LOWER),
    )


def _eye(shape: Array, blink: str, upper_ring: tuple[int, ...], lower_ring: tuple[int, ...]) -> Eye:
    upper, lower = np.array(upper_ring[1:-1]), np.array(lower_ring[1:-1])
    width = float(np.linalg.norm(shape[upper_ring[0]] - shape[upper_ring[-1]]))
    opening = np.linalg.norm(shape[upper] - shape[lower], axis=1)
    bulge = np.sin(np.pi * np.arange(1, 8) / 8)
    landing = np.zeros((7, 3))
    landing[:, 1] = -_LID_OVERLAP * width * bulge
    landing[:, 2] = _LID_FORWARD_CM * np.sqrt(bulge)
    reach = float(np.clip(_LID_REACH * opening.max(), *_LID_REACH_LIMITS_CM))
    corners = np.array([upper_ring[0], upper_ring[-1]])
    skin, spread = _spread(shape, upper, np.r_[corners, lower], reach)
    return Eye(
        blink=INDEX[blink],
        corners=corners,
        upper=upper,
        lower=lower,
        shut=(shape[lower] + landing - shape[upper]).astype(np.float32),
        arc=np.minimum(opening**2 / (8 * _EYEBALL_RADIUS_CM), _ARC_LIMIT_CM).astype(np.float32),
        slack=np.maximum(shape[upper, 1] - shape[lower, 1], 0.0).astype(np.float32),
        skin=skin,
        spread=spread.astype(np.float32),
    )


def mouth(shape: Array, lower_side: NDArray[np.bool_]) -> Mouth:
    """The lips of a neutral ``shape`` (468, 3), cm; the lower lip carries ``lower_side`` (468,)."""
    upper = np.array(topology.INNER_LIP_UPPER[1:-1])
    lower = np.array(topology.INNER_LIP_LOWER[1:-1])
    vertical = mouth_vertical(shape)
    reach = _LIP_REACH * float(np.linalg.norm(shape[61] - shape[291]))
    level = shape[_LIP_RINGS, :2] @ vertical * np.array([1.0, -1.0])[:, None, None]
    vertices = np.arange(topology.VERTEX_COUNT)
    above, raised = _spread(shape, upper, _SEAM, reach, vertices[~lower_side])
    below, lowered = _spread(shape, lower, _SEAM, reach, vertices[lower_side])
    return Mouth(
        upper=upper,
        lower=lower,
        vertical=vertical.astype(np.float32),
        slack=np.maximum((shape[upper, :2] - shape[lower, :2]) @ vertical, 0.0).astype(np.float32),
        rings=_LIP_RINGS,
        room=((1 - _LIP_COMPRESSION) * np.maximum(np.diff(level, axis=1), 0.0)).astype(np.float32),
        skin=np.r_[above, below],
        spread=np.r_[(1 - LOWER_LIP_SHARE) * raised, -LOWER_LIP_SHARE * lowered].astype(np.float32),
    )


def lower_side(shape: Array) -> NDArray[np.bool_]:
    """Which vertices (468,) of a closed-mouth ``shape`` (468, 3) lie below the line between the lips."""
    line = (shape[list(topology.INNER_LIP_UPPER)] + shape[list(topology.INNER_LIP_LOWER)]) / 2
    below: NDArray[np.bool_] = shape[:, 1] < np.interp(shape[:, 0], line[:, 0], line[:, 1])
    below[list(topology.INNER_LIP_UPPER[1:-1])] = False
    below[list(topology.INNER_LIP_LOWER[1:-1])] = True
    return below


_NEGLIGIBLE = 1e-3


def _spread(
    shape: Array, moved: Indices, fixed: Indices, reach: float, among: Indices | None = None
) -> tuple[Indices, Array]:
    """Gaussian-weighted interpolation of the ``moved`` vertices' corrections to the skin around them.

    Exact on ``moved``, zero on ``fixed``. Returns the vertices reached (M,) and weights (M, len(moved)).
    """
    among = np.arange(len(shape)) if among is None else among
    controls = np.r_[moved, fixed]
    near = np.exp(-(np.linalg.norm(shape[among, None, :2] - shape[controls, :2], axis=2) ** 2) / reach**2)
    weights = near**2 / np.maximum((near**2).sum(1, keepdims=True), 1e-12) * near.max(1, keepdims=True)
    weights[np.isin(among, fixed)] = 0.0
    weights = weights[:, : len(moved)]
    for column, vertex in enumerate(moved):
        row = np.flatnonzero(among == vertex)
        weights[row] = 0.0
        weights[row, column] = 1.0
    kept = weights.sum(1) > _NEGLIGIBLE
    return among[kept], weights[kept]


@numba.njit(cache=True)
def lid_displacement(
    opened: Single, lower: Single, blink: float, shut: Single, arc: float, slack: float
) -> tuple[float, float, float]:
    """How far a ``blink`` of 0..1 displaces one upper-lid vertex, cm.

    ``opened`` (3,) is its displacement by all expressions but the blink, ``lower`` (3,) its partner's.
    """
    height = max(opened[1], lower[1] - slack)
    x = (1 - blink) * opened[0] + blink * (lower[0] + shut[0])
    y = (1 - blink) * height + blink * (lower[1] + shut[1])
    z = (1 - blink) * opened[2] + blink * (lower[2] + shut[2]) + 4 * blink * (1 - blink) * arc
    return x, y, z


@numba.njit(cache=True, fastmath=True)
def close_eye(
    displaced: Single,
    opened: Single,
    blink: float,
    upper: Indices,
    lower: Indices,
    shut: Single,
    arc: Single,
    slack: Single,
    skin: Indices,
    spread: Single,
) -> None:
    """Correct ``displaced`` (468, 3) in place so that the upper lid lies where ``blink`` puts it.

    ``opened`` (N, 3) are the upper lid's displacements by all expressions but the blink.
    """
    count = upper.size
    correction = np.empty((count, 3), np.float32)
    for i in range(count):
        moved = lid_displacement(opened[i], displaced[lower[i]], blink, shut[i], arc[i], slack[i])
        for c in range(3):
            correction[i, c] = moved[c] - displaced[upper[i], c]
    for m in range(skin.size):
        for i in range(count):
            for c in range(3):
                displaced[skin[m], c] += spread[m, i] * correction[i, c]


@numba.njit(cache=True)
def unfold_lips(displaced: Single, rings: Indices, room: Single, vertical: Single) -> None:
    """Correct ``displaced`` (468, 3) in place so that the rings of each lip keep their order."""
    outward = np.empty(4, np.float32)
    pushed_out = np.empty(4, np.float32)
    pushed_in = np.empty(4, np.float32)
    for lip in range(2):
        sign = 1 - 2 * lip
        for i in range(rings.shape[2]):
            for k in range(4):
                moved = displaced[rings[lip, k, i]]
                outward[k] = sign * (moved[0] * vertical[0] + moved[1] * vertical[1])
            pushed_out[:] = outward
            pushed_in[:] = outward
            for k in range(3):
                pushed_out[k + 1] = max(pushed_out[k + 1], pushed_out[k] - room[lip, k, i])
            for k in range(2, -1, -1):
                pushed_in[k] = min(pushed_in[k], pushed_in[k + 1] + room[lip, k, i])
            for k in range(4):
                level = pushed_out[k] + _INNER_YIELDS * (pushed_in[k] - pushed_out[k])
                for c in range(2):
                    displaced[rings[lip, k, i], c] += sign * (level - outward[k]) * vertical[c]


@numba.njit(cache=True, fastmath=True)
def part_lips(
    displaced: Single,
    upper: Indices,
    lower: Indices,
    vertical: Single,
    slack: Single,
    skin: Indices,
    spread: Single,
) -> None:
    """Correct ``displaced`` (468, 3) in place so that no pair of inner lip vertices crosses."""
    count = upper.size
    lacking = np.zeros(count, np.float32)
    crossed = False
    for i in range(count):
        parted = np.float32(0.0)
        for c in range(2):
            parted += (displaced[upper[i], c] - displaced[lower[i], c]) * vertical[c]
        if parted < -slack[i]:
            lacking[i] = -slack[i] - parted
            crossed = True
    if not crossed:
        return
    for m in range(skin.size):
        moved = np.float32(0.0)
        for i in range(count):
            moved += spread[m, i] * lacking[i]
        for c in range(2):
            displaced[skin[m], c] += moved * vertical[c]
