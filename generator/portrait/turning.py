"""How much further than commanded a mesh must turn for the face to *appear* turned as commanded.

The depth limit that keeps silhouettes from folding flattens a head, so it under-rotates, more or less
depending on the portrait, the direction and the angle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KNOTS_DEG = (5.5, 13.0)
"""Angles for which a gain is known; it is interpolated between them and constant beyond."""

Gains = tuple[float, float]


@dataclass(frozen=True)
class TurnGain:
    """Factors on the commanded angle, one for each of ``KNOTS_DEG``, for each direction of turning."""

    yaw_left: Gains = (1.0, 1.0)
    yaw_right: Gains = (1.0, 1.0)
    pitch_down: Gains = (1.0, 1.0)
    pitch_up: Gains = (1.0, 1.0)

    def apply(self, yaw: float, pitch: float) -> tuple[float, float]:
        """The geometric yaw and pitch (degrees) for commanded ones."""
        return (
            _turn(yaw, self.yaw_right if yaw > 0 else self.yaw_left),
            _turn(pitch, self.pitch_up if pitch > 0 else self.pitch_down),
        )


def _turn(commanded: float, gains: Gains) -> float:
    return commanded * float(np.interp(abs(commanded), KNOTS_DEG, gains))
