"""Motion as the CSV of Epic's Live Link Face, which Unreal Engine, Blender add-ons and Maya tools read.

One row a frame: ``Timecode`` (HH:MM:SS:FF.mmm), ``BlendShapeCount`` and 61 values: 52 ARKit weights, then
head and eye rotations in radians with the signs of ``Motion``. ``TongueOut`` and the eye rolls are
written as 0; head translation has no column in this layout and is lost.

ARKit states gaze twice, as eye rotation and in the ``EyeLook*`` weights. So does this file: gaze is added to
the weights on the way out, and taken off again on the way in.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generator.arkit import INDEX
from generator.errors import MotionError
from generator.motion.motion import EXPRESSION_COLUMNS, FPS, GAZE_COLUMNS, ROTATION_COLUMNS, WIDTH, Motion

EYE_LOOK_YAW_DEG = 38.0
"""Eye yaw at which ``eyeLookIn``/``eyeLookOut`` reach 1."""
EYE_LOOK_PITCH_DEG = 30.0
"""Eye pitch at which ``eyeLookUp``/``eyeLookDown`` reach 1."""

_EYE = ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")
_MOUTH_AND_BROW = (
    "JawForward", "JawRight", "JawLeft", "JawOpen", "MouthClose", "MouthFunnel", "MouthPucker", "MouthRight",
    "MouthLeft", "MouthSmileLeft", "MouthSmileRight", "MouthFrownLeft", "MouthFrownRight", "MouthDimpleLeft",
    "MouthDimpleRight", "MouthStretchLeft", "MouthStretchRight", "MouthRollLower", "MouthRollUpper",
    "MouthShrugLower", "MouthShrugUpper", "MouthPressLeft", "MouthPressRight", "MouthLowerDownLeft",
    "MouthLowerDownRight", "MouthUpperUpLeft", "MouthUpperUpRight", "BrowDownLeft", "BrowDownRight",
    "BrowInnerUp", "BrowOuterUpLeft", "BrowOuterUpRight", "CheekPuff", "CheekSquintLeft", "CheekSquintRight",
    "NoseSneerLeft", "NoseSneerRight", "TongueOut",
)  # fmt: skip
WEIGHTS = (
    *(f"Eye{move}{side}" for side in ("Left", "Right") for move in _EYE),
    *_MOUTH_AND_BROW,
)
HEAD = ("HeadYaw", "HeadPitch", "HeadRoll")
EYES = ("LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll", "RightEyeYaw", "RightEyePitch", "RightEyeRoll")
VALUES = (*WEIGHTS, *HEAD, *EYES)
COLUMNS = ("Timecode", "BlendShapeCount", *VALUES)

_EXPRESSION_OF = {name: INDEX[name[0].lower() + name[1:]] for name in WEIGHTS if name != "TongueOut"}


def to_arkit_csv(motion: Motion, path: Path | str) -> None:
    """Write ``motion`` to ``path``; raises ``MotionError`` when the file cannot be written."""
    weights = np.clip(motion.expressions + _eye_look(motion.gaze), 0.0, 1.0)
    rotation, gaze = np.radians(motion.rotation), np.radians(motion.gaze)
    try:
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(COLUMNS)
            for frame in range(len(motion)):
                shapes = (weights[frame, _EXPRESSION_OF[n]] if n in _EXPRESSION_OF else 0.0 for n in WEIGHTS)
                numbers = (*shapes, *rotation[frame], *gaze[frame], 0.0, *gaze[frame], 0.0)
                cells = (f"{number:.9g}" for number in numbers)
                rows.writerow((_timecode(frame, motion.fps), len(VALUES), *cells))
    except OSError as error:
        raise MotionError(f"The motion cannot be written to {path}: {error}.") from error


def from_arkit_csv(path: Path | str, fps: float = FPS) -> Motion:
    """Read a Live Link Face CSV recorded at ``fps`` frames a second; head translation is 0.

    Raises ``MotionError`` when columns are missing, a cell is not a number, or a value leaves its range.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MotionError(f"{path} is not a readable CSV file: {error}.") from error
    if not rows:
        raise MotionError(f"{path} has no frames; give a CSV with a header row and one row a frame.")
    missing = [name for name in VALUES if name not in rows[0]]
    if missing:
        raise MotionError(f"{path} is not a Live Link Face CSV: column {missing[0]} is missing.")
    values = np.zeros((len(rows), WIDTH), np.float32)
    for name, index in _EXPRESSION_OF.items():
        values[:, index] = _column(rows, name, path)
    values[:, ROTATION_COLUMNS] = np.degrees([_column(rows, name, path) for name in HEAD]).T
    eyes = np.degrees([_column(rows, name, path) for name in EYES]).T
    gaze = (eyes[:, :2] + eyes[:, 3:5]) / 2
    values[:, GAZE_COLUMNS] = gaze
    look = _eye_look(gaze.astype(np.float32))
    weights = values[:, EXPRESSION_COLUMNS]
    values[:, EXPRESSION_COLUMNS] = np.where(look > 0, np.maximum(weights - look, 0.0), weights)
    return Motion(values, fps)


def _eye_look(gaze: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T, 2) gaze in degrees -> (T, 51), zero but for the ``eyeLook*`` weights that show that gaze."""
    weights = np.zeros((len(gaze), len(INDEX)), np.float32)
    yaw, pitch = gaze[:, 0] / EYE_LOOK_YAW_DEG, gaze[:, 1] / EYE_LOOK_PITCH_DEG
    for name, amount in (
        ("eyeLookOutLeft", yaw), ("eyeLookInRight", yaw), ("eyeLookInLeft", -yaw), ("eyeLookOutRight", -yaw),
        ("eyeLookUpLeft", pitch), ("eyeLookUpRight", pitch),
        ("eyeLookDownLeft", -pitch), ("eyeLookDownRight", -pitch),
    ):  # fmt: skip
        weights[:, INDEX[name]] = np.clip(amount, 0.0, 1.0)
    return weights


def _timecode(frame: int, fps: float) -> str:
    seconds = math.floor(frame / fps + 1e-9)
    frames = frame - seconds * fps
    whole = math.floor(frames + 1e-9)
    milli = math.floor((frames - whole) * 1000 + 1e-6)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{whole:02d}.{milli:03d}"


def _column(rows: list[dict[str, str]], name: str, path: Path | str) -> NDArray[np.float64]:
    numbers = np.empty(len(rows))
    for frame, row in enumerate(rows):
        try:
            numbers[frame] = float(row[name])
        except (TypeError, ValueError) as error:
            raise MotionError(f"{path}, row {frame + 2}: {name} is {row[name]!r}, not a number.") from error
    return numbers
