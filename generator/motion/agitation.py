"""Agitation in the voice, seen in the face: brows furrow, lids tighten, lips press in the pauses.

A voice counts as agitated while it is both higher than the speaker's own and as loud as it gets (Scherer,
*Vocal affect expression*, 1986: raised pitch and intensity in anger and fear alike).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generator.arkit import EXPRESSIONS, INDEX
from generator.motion.motion import FPS

RISE_SECONDS = 0.8
FALL_SECONDS = 2.0
PITCH_OCTAVES = (0.15, 0.45)
"""Above the speaker's mean: where agitation begins, and where it is full."""
LOUDNESS = (-0.14, -0.04)
"""Energy (1 for 60 dB) relative to the loudest so far, likewise."""
VOICED = 0.5

FACE = {
    "browDownLeft": 0.4,
    "browDownRight": 0.4,
    "eyeSquintLeft": 0.25,
    "eyeSquintRight": 0.25,
    "noseSneerLeft": 0.12,
    "noseSneerRight": 0.12,
}
PRESSED_LIPS = {"mouthPressLeft": 0.35, "mouthPressRight": 0.35}


class Agitation:
    """Follows a voice, one motion frame after another."""

    def __init__(self) -> None:
        self.amount = 0.0

    def step(self, loudness: float, pitch: float, voicing: float, speaking: bool) -> NDArray[np.float64]:
        """(51,) weights to add; ``loudness`` relative to the loudest so far, ``pitch`` in octaves."""
        if voicing > VOICED:
            stirred = _share(pitch, PITCH_OCTAVES) * _share(loudness, LOUDNESS)
            seconds = RISE_SECONDS if stirred > self.amount else FALL_SECONDS
            self.amount += (stirred - self.amount) / (seconds * FPS)
        else:
            self.amount -= self.amount / (FALL_SECONDS * FPS)
        weights = np.zeros(len(EXPRESSIONS))
        for name, weight in (FACE if speaking else FACE | PRESSED_LIPS).items():
            weights[INDEX[name]] = weight * self.amount
        return weights


def _share(value: float, limits: tuple[float, float]) -> float:
    return min(max((value - limits[0]) / (limits[1] - limits[0]), 0.0), 1.0)
