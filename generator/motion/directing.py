"""Applies a ``Direction`` to motion of any driver: frame by frame, without memory, so to live motion too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generator.arkit import EXPRESSIONS, INDEX
from generator.motion.direction import NATURAL_DIRECTION, Direction
from generator.motion.emotion import APPEARANCES
from generator.motion.liveliness import EYES_STAY_SHARE
from generator.motion.motion import (
    EXPRESSION_COLUMNS,
    GAZE_COLUMNS,
    ROTATION_COLUMNS,
    TRANSLATION_COLUMNS,
    Motion,
)

Signal = NDArray[np.float64]

CAMERA_CM = 70.0
"""Distance of the camera in the picture, which sets how much a nearer head grows; the renderer's."""
LIPS_AT_LEAST = 0.6
"""Share of their movement that the lips keep at expressiveness 0: they still have to be read."""
EYE_LIMIT_DEG = (40.0, 32.0)
TRANSLATION_LIMIT_CM = 45.0
FLICKER = 0.12
"""How much the strength of an emotion comes and goes; a mask does not."""
FLICKER_HZ = (0.11, 0.27)
SMILE_LOST_TO_PUCKER = 0.6

_LIPS = [
    i for i, name in enumerate(EXPRESSIONS)
    if name.startswith(("jaw", "mouth")) and name not in ("mouthClose", "mouthPressLeft", "mouthPressRight")
]  # fmt: skip
_BROWS = [i for i, name in enumerate(EXPRESSIONS) if name.startswith("brow")]
_PARTS_LIPS = [
    INDEX[name]
    for name in ("mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight")
]
_SMILES = [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]
_JAW, _CLOSE, _PUCKER = INDEX["jawOpen"], INDEX["mouthClose"], INDEX["mouthPucker"]


def direct(motion: Motion, direction: Direction, *, seed: int = 0) -> Motion:
    """``motion`` as ``direction`` wants it played. Its blink rate is the driver's to follow."""
    times = (np.arange(len(motion), dtype=np.float64) + 0.5) / motion.fps
    return Motion(direct_frames(motion.values, times, direction, seed=seed), motion.fps)


def direct_frames(
    values: NDArray[np.float32], times: Signal, direction: Direction, *, seed: int = 0
) -> NDArray[np.float32]:
    """Rows (T, 59) of a ``Motion`` shown at ``times`` (T,) in seconds, directed; new array."""
    if direction == NATURAL_DIRECTION:
        return values.copy()
    out = values.astype(np.float64)
    _move_widely(out, direction.at("expressiveness", times)[:, 0])
    _feel(out, direction.at("emotion", times) * _flicker(times, seed)[:, None])
    pose = direction.at("pose", times)
    out[:, ROTATION_COLUMNS] += pose
    out[:, GAZE_COLUMNS] += direction.at("gaze", times) - pose[:, :2]
    distance = direction.at("distance", times)[:, 0] / 100
    out[:, TRANSLATION_COLUMNS.stop - 1] += CAMERA_CM * (1 / distance - 1)
    _limit(out)
    return out.astype(np.float32)


def _move_widely(out: Signal, amount: Signal) -> None:
    """Scale head, brows and lips in place; eyes go on undoing head turns, closed lips stay closed."""
    sealed = _sealed(out)
    out[:, GAZE_COLUMNS] -= EYES_STAY_SHARE * (amount - 1)[:, None] * out[:, ROTATION_COLUMNS][:, :2]
    out[:, ROTATION_COLUMNS] *= amount[:, None]
    out[:, TRANSLATION_COLUMNS] *= amount[:, None]
    out[:, _BROWS] *= amount[:, None]
    out[:, _LIPS] *= (LIPS_AT_LEAST + (1 - LIPS_AT_LEAST) * amount)[:, None]
    out[:, _CLOSE] = sealed * out[:, _JAW]


def _feel(out: Signal, strengths: Signal) -> None:
    """Add emotions of ``strengths`` (T, 8) in place; lips that touch in speech still touch."""
    sealed = _sealed(out)
    appearances = APPEARANCES.values()
    felt = strengths @ np.stack([appearance.weights() for appearance in appearances])
    felt[:, _PARTS_LIPS] *= 1 - sealed[:, None]
    felt[:, _SMILES] *= 1 - SMILE_LOST_TO_PUCKER * np.clip(out[:, [_PUCKER]] / 0.5, 0.0, 1.0)
    felt[:, _JAW] *= 1 - sealed
    out[:, EXPRESSION_COLUMNS] += felt
    out[:, _CLOSE] = sealed * out[:, _JAW]
    out[:, ROTATION_COLUMNS] += strengths @ np.array([a.head_deg for a in appearances])
    out[:, GAZE_COLUMNS] += strengths @ np.array([a.gaze_deg for a in appearances])
    out[:, TRANSLATION_COLUMNS.stop - 1] += strengths @ np.array([a.lean_cm for a in appearances])


def _sealed(out: Signal) -> Signal:
    """(T,) 0..1, how far the lips are brought together against the jaw."""
    sealed: Signal = np.clip(out[:, _CLOSE] / np.maximum(out[:, _JAW], 0.01), 0.0, 1.0)
    return sealed


def _flicker(times: Signal, seed: int) -> Signal:
    """(T,) factor about 1 on the strength of an emotion."""
    phases = np.random.default_rng([seed % 2**64, *b"flicker"]).uniform(0, 2 * np.pi, len(FLICKER_HZ))
    waves = [np.sin(2 * np.pi * hz * times + phase) for hz, phase in zip(FLICKER_HZ, phases, strict=True)]
    factor: Signal = 1 + FLICKER * np.mean(waves, axis=0)
    return factor


def _limit(out: Signal) -> None:
    np.clip(out[:, EXPRESSION_COLUMNS], 0.0, 1.0, out=out[:, EXPRESSION_COLUMNS])
    np.clip(out[:, GAZE_COLUMNS], np.negative(EYE_LIMIT_DEG), EYE_LIMIT_DEG, out=out[:, GAZE_COLUMNS])
    z = out[:, TRANSLATION_COLUMNS]
    np.clip(z, -TRANSLATION_LIMIT_CM, TRANSLATION_LIMIT_CM, out=z)
