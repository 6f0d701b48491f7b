"""The first driver: lips from recognised phones by rule, and a face that is alive around them.

Nothing here is learned, so nothing fails in a surprising way; a learned driver is measured against it.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generator.motion import liveliness
from generator.motion.directing import direct
from generator.motion.direction import NATURAL_DIRECTION, Direction
from generator.motion.motion import EXPRESSION_COLUMNS, FPS, WIDTH, Motion
from generator.speech import articulation, phones, prosody
from generator.speech.audio import Speech

LIP_EASE_SECONDS = 0.2
"""How long the lips take to leave rest at the start, and to return to it at the end."""
FACE_EASE_SECONDS = 0.5


class RulesDriver:
    """A ``generator.motion.driver.Driver``. The seed moves head, eyes and brows; lips follow the sound.

    The file's hash is mixed into the seed, so that two clips with one seed do not nod alike.
    """

    name = "rules"
    weights: tuple[Path, ...] = ()

    def __call__(self, speech: Speech, *, seed: int = 0, direction: Direction = NATURAL_DIRECTION) -> Motion:
        frames = math.ceil(round(speech.seconds * FPS, 6))
        sound = prosody.analyse(speech.samples)
        spoken = phones.recognise(speech.samples, sound)
        lips = articulation.articulate(spoken, sound, frames, FPS)
        values = np.zeros((frames, WIDTH), np.float32)
        seeds = (seed % 2**64, int(speech.sha256[:16], 16))
        values[:, EXPRESSION_COLUMNS] = lips * _ease(frames, LIP_EASE_SECONDS)
        values += liveliness.enliven(spoken, sound, frames, seeds) * _ease(frames, FACE_EASE_SECONDS)
        values[:, EXPRESSION_COLUMNS] += liveliness.blinks(spoken, frames, seeds, direction.blinking)
        return direct(Motion(values), direction, seed=seed)


def _ease(frames: int, seconds: float) -> NDArray[np.float32]:
    """(T, 1): 0 on the first and the last frame, 1 from ``seconds`` away from them, smooth between."""
    at = np.arange(frames)
    share = np.clip(np.minimum(at, frames - 1 - at) / (seconds * FPS), 0, 1)
    return (share * share * (3 - 2 * share)).astype(np.float32)[:, None]
