"""A portrait's skin: the face decoder, bound to one face and fitted to how that face was pictured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.face.decoder import BoundFace
from generator.portrait.folds import hold_back, measure_give
from generator.portrait.lip_contact import ClosedLips, PartedLips
from generator.portrait.pose import Pose


@dataclass(frozen=True)
class Skin:
    """Expression weights to displacements of the face.

    Attributes:
        face: the decoder bound to this face's shape.
        give: (468, 1) float32, how much of the mouth's widening each vertex takes without folding in view.
        lips: how the lips part and close, given how they were pictured.
    """

    face: BoundFace
    give: NDArray[np.float32]
    lips: ClosedLips | PartedLips

    @classmethod
    def of(cls, face: BoundFace, pose: Pose, triangles: NDArray[np.int32], lips_closed: bool) -> Skin:
        """Fit a bound decoder to a portrait in ``pose``; ``triangles`` (898, 3) of the canonical mesh."""
        lips = (ClosedLips if lips_closed else PartedLips).of(face.neutral)
        return cls(face, measure_give(face, pose, triangles), lips)

    def __call__(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """(468, 3) displacements in cm for (51,) ARKit weights; exactly 0 at rest."""
        return self.lips.settle(hold_back(self.face, self.give, weights), weights)
