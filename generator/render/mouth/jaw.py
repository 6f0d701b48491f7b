"""How the lower jaw moves: a hinge at the condyles that also slides, from four expression weights.

The condyles sit about 10 cm behind and 5 cm above the lower incisors. A full ``jawOpen`` turns the jaw by 21
degrees: the incisors sink by 3.2 cm and, because the condyles slide forward meanwhile, retreat by 2 cm. That
leaves 2-3 mm of them above the lower lip of the ARKit shape, which sinks by 3.5 cm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.arkit import INDEX

CONDYLE_CM = (0.0, 4.86, -10.87)
"""Centre of the hinge axis in mouth coordinates (see ``anatomy``)."""
OPEN_DROP_CM = 3.2
"""How far the lower incisors sink at ``jawOpen`` = 1; in proportion below, as the lip of that shape does."""
OPEN_SLIDE_CM = 0.3
"""Forward slide of the condyles at ``jawOpen`` = 1."""
FORWARD_CM = 0.9
"""Protrusion at ``jawForward`` = 1."""
SIDE_CM = 0.73
"""Sideways shift at ``jawLeft`` or ``jawRight`` = 1."""

_ARM = (10.0, 5.0)
"""How far the lower incisors' edge lies before and below the hinge axis, cm."""
_REACH = float(np.hypot(*_ARM))
_OPEN, _FORWARD = INDEX["jawOpen"], INDEX["jawForward"]
_LEFT, _RIGHT = INDEX["jawLeft"], INDEX["jawRight"]


@dataclass(frozen=True)
class JawPose:
    """The jaw against the skull, for a mouth of canonical size.

    Attributes:
        angle: hinge angle, radians, positive when open.
        side: shift to image right, cm.
        forward: shift towards the camera, cm.
    """

    angle: float
    side: float
    forward: float

    @classmethod
    def of(cls, weights: NDArray[np.floating], rest_opening: float = 0.0) -> JawPose:
        """Pose for (51,) expression weights over a jaw at rest that is ``rest_opening`` (as ``jawOpen``) open
        already; opening is held to 0..1.1."""
        opening = min(max(float(weights[_OPEN]) + rest_opening, 0.0), 1.1)
        return cls(
            angle=float(np.arcsin((_ARM[1] + OPEN_DROP_CM * opening) / _REACH) - np.arcsin(_ARM[1] / _REACH)),
            side=SIDE_CM * (float(weights[_LEFT]) - float(weights[_RIGHT])),
            forward=OPEN_SLIDE_CM * opening + FORWARD_CM * float(weights[_FORWARD]),
        )

    def moved(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (N, 3) of the jaw in mouth coordinates, cm, after the motion."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        arm = points - CONDYLE_CM
        turned = np.column_stack([arm[:, 0], c * arm[:, 1] - s * arm[:, 2], s * arm[:, 1] + c * arm[:, 2]])
        return np.asarray(turned + CONDYLE_CM + (self.side, 0.0, self.forward))
