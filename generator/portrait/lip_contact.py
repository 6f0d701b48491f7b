"""What a still picture hides about lips: how parted ones close, and how closed ones part.

Motion is relative to the portrait at rest. Lips pictured parted would never close, and every opening would
come on top of the one they have; lips pictured closed would keep the shape of their seam as they open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.arkit import INDEX
from generator.face import topology

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]

OVERLAP_SHARE = 0.7
"""How much of an opening in speech is found in lips that were parted already, not added to it."""
SEALING_PRESS = 0.18
"""At this much mouthPress parted lips touch, as they must in /p/, /b/ and /m/."""
LOWER_SHARE = 0.65
"""The lower lip's share of the way when lips close; the jaw follows it."""
REACH_CM = 1.0
RELAXED_OPENING_CM = 0.6
"""Opened this far, the lower lip has lost the shape of the seam it was closed in."""
RELAX_REACH_CM = 0.45

_PRESS = np.array([INDEX["mouthPressLeft"], INDEX["mouthPressRight"]])
_UPPER = np.array(topology.INNER_LIP_UPPER)
_LOWER = np.array(topology.INNER_LIP_LOWER)


@dataclass(frozen=True)
class PartedLips:
    """Lips that were pictured parted.

    Attributes:
        gap: (11,) cm between the inner lips at rest.
        lift: (468, 11) how far each vertex rises when a point of the opening closes by one.
    """

    gap: Array
    lift: Array

    @classmethod
    def of(cls, neutral: Array) -> PartedLips:
        """For a face at rest (468, 3), head coordinates, cm."""
        above = _above(neutral)[:, None]
        own = np.where(above, _to_ring(neutral, _UPPER), _to_ring(neutral, _LOWER))
        weight = np.exp(-((own / REACH_CM) ** 2)) + 1e-9
        lift = weight.max(1, keepdims=True) * weight / weight.sum(1, keepdims=True)
        lift *= np.where(above, LOWER_SHARE - 1, LOWER_SHARE)
        for ring, share in ((_UPPER, LOWER_SHARE - 1), (_LOWER, LOWER_SHARE)):
            lift[ring] = share * np.eye(len(ring))
        return cls(np.maximum(neutral[_UPPER, 1] - neutral[_LOWER, 1], 0), lift)

    def settle(self, displacement: Float32, weights: Float32) -> Float32:
        """``displacement`` (468, 3) with the lips brought together as (51,) ``weights`` ask."""
        opening = displacement[_UPPER, 1] - displacement[_LOWER, 1]
        seal = min(float(weights[_PRESS].mean()) / SEALING_PRESS, 1.0)
        closing = OVERLAP_SHARE * np.minimum(self.gap, np.maximum(opening, 0))
        closing += seal * np.maximum(self.gap + opening - closing, 0)
        settled = displacement.copy()
        settled[:, 1] += (self.lift @ closing).astype(np.float32)
        return settled


@dataclass(frozen=True)
class ClosedLips:
    """Lips that were pictured closed.

    Attributes:
        relax: (468,) float32 cm by which each vertex of the lower lip rises from the shape of the seam to
            that of a lip at ease.
    """

    relax: Float32

    @classmethod
    def of(cls, neutral: Array) -> ClosedLips:
        """For a face at rest (468, 3), head coordinates, cm."""
        seam = neutral[_LOWER]
        along = np.linspace(-1, 1, len(seam))
        ease = np.polynomial.Polynomial.fit(along, seam[:, 1], 2, w=1 + 3 * np.abs(along))(along)
        offset = (ease - seam[:, 1]) * (1 - along**8)
        distance = _to_ring(neutral, _LOWER)
        weight = np.exp(-((distance / RELAX_REACH_CM) ** 2)) + 1e-12
        relax = weight.max(1) * (weight @ offset) / weight.sum(1)
        relax[_above(neutral)] = 0
        relax[_LOWER] = offset
        relax[_UPPER] = 0
        return cls(relax.astype(np.float32))

    def settle(self, displacement: Float32, weights: Float32) -> Float32:
        """``displacement`` (468, 3) with the lower lip at ease as it opens; ``weights`` are not needed."""
        opening = float((displacement[_UPPER, 1] - displacement[_LOWER, 1]).max())
        if opening <= 0:
            return displacement
        t = min(opening / RELAXED_OPENING_CM, 1.0)
        settled = displacement.copy()
        settled[:, 1] += self.relax * np.float32(t * t * (3 - 2 * t))
        return settled


def _above(neutral: Array) -> NDArray[np.bool_]:
    """(468,) whether a vertex lies above the line between the lips."""
    middle = (neutral[_UPPER] + neutral[_LOWER]) / 2
    order = np.argsort(middle[:, 0])
    above = neutral[:, 1] > np.interp(neutral[:, 0], middle[order, 0], middle[order, 1])
    above[_UPPER], above[_LOWER] = True, False
    return np.asarray(above)


def _to_ring(neutral: Array, ring: NDArray[np.int64]) -> Array:
    """(468, 11) distances in the face plane, cm."""
    return np.asarray(np.linalg.norm(neutral[:, None, :2] - neutral[ring][None, :, :2], axis=2))
