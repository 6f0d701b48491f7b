"""``Motion``: how a face moves, frame by frame, relative to the portrait at rest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from generator.arkit import EXPRESSIONS, INDEX
from generator.errors import MotionError

FPS = 25.0
WIDTH = 59

EXPRESSION_COLUMNS = slice(0, len(EXPRESSIONS))
ROTATION_COLUMNS = slice(51, 54)
TRANSLATION_COLUMNS = slice(54, 57)
GAZE_COLUMNS = slice(57, 59)

ROTATION_LIMIT_DEG = 90.0
TRANSLATION_LIMIT_CM = 50.0
GAZE_LIMIT_DEG = 60.0
FPS_LIMITS = (1.0, 240.0)

FILE_FORMAT = "vernissage-motion"
FILE_VERSION = "1"

Array = NDArray[np.float32]

_RANGES = (
    ("expression weights", EXPRESSION_COLUMNS, 0.0, 1.0, ""),
    ("head rotation", ROTATION_COLUMNS, -ROTATION_LIMIT_DEG, ROTATION_LIMIT_DEG, " degrees"),
    ("head translation", TRANSLATION_COLUMNS, -TRANSLATION_LIMIT_CM, TRANSLATION_LIMIT_CM, " cm"),
    ("gaze", GAZE_COLUMNS, -GAZE_LIMIT_DEG, GAZE_LIMIT_DEG, " degrees"),
)


@dataclass(frozen=True, eq=False)
class Motion:
    """A stretch of facial movement.

    ``values`` is (T, 59) float32, read-only, T >= 1:

    ======  =====================================================================================
    0-50    ARKit expression weights in the order of ``generator.arkit.EXPRESSIONS``, 0..1
    51-53   head rotation yaw, pitch, roll in degrees; + = nose to image right, nose up, top of the
            head to image right
    54-56   head translation x, y, z in cm; + = image right, up, towards the camera
    57-58   gaze yaw, pitch in degrees relative to the head, added to the portrait's own gaze
    ======  =====================================================================================

    Raises ``MotionError`` when the array has another shape, holds NaN or infinity, or leaves those ranges.
    """

    values: Array
    fps: float = FPS

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float32)
        _check(values, self.fps)
        values.setflags(write=False)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "fps", float(self.fps))

    @classmethod
    def rest(cls, frames: int, fps: float = FPS) -> Motion:
        """``frames`` frames of the portrait exactly as it was pictured."""
        return cls(np.zeros((frames, WIDTH), np.float32), fps)

    @property
    def expressions(self) -> Array:
        """(T, 51) ARKit weights, 0..1."""
        return self.values[:, EXPRESSION_COLUMNS]

    @property
    def rotation(self) -> Array:
        """(T, 3) head yaw, pitch, roll in degrees."""
        return self.values[:, ROTATION_COLUMNS]

    @property
    def translation(self) -> Array:
        """(T, 3) head x, y, z in cm."""
        return self.values[:, TRANSLATION_COLUMNS]

    @property
    def gaze(self) -> Array:
        """(T, 2) gaze yaw, pitch in degrees."""
        return self.values[:, GAZE_COLUMNS]

    @property
    def seconds(self) -> float:
        return len(self) / self.fps

    def __len__(self) -> int:
        return int(self.values.shape[0])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Motion):
            return NotImplemented
        return self.fps == other.fps and np.array_equal(self.values, other.values)

    __hash__ = None  # type: ignore[assignment]

    @overload
    def __getitem__(self, key: str) -> Array: ...
    @overload
    def __getitem__(self, key: slice) -> Motion: ...
    def __getitem__(self, key: str | slice) -> Array | Motion:
        """``motion["jawOpen"]`` is one weight over time, (T,); ``motion[10:50]`` is a shorter ``Motion``."""
        if isinstance(key, slice):
            return Motion(self.values[key], self.fps)
        if key not in INDEX:
            raise MotionError(
                f"{key!r} is not an ARKit expression; generator.arkit.EXPRESSIONS lists all 51."
            )
        return self.values[:, INDEX[key]]

    def between(self, start_seconds: float, end_seconds: float) -> Motion:
        """The frames shown from ``start_seconds`` up to, not including, ``end_seconds``."""
        first, last = (math.ceil(seconds * self.fps - 1e-6) for seconds in (start_seconds, end_seconds))
        if not 0 <= first < last <= len(self):
            raise MotionError(
                f"{start_seconds:g} s to {end_seconds:g} s is no part of a motion of {self.seconds:g} s;"
                " choose a start before the end, both inside it."
            )
        return self[first:last]

    def resample(self, fps: float) -> Motion:
        """The same movement at another frame rate, linear between frames, the last frame held.

        Head angles are interpolated one by one: they turn a few degrees between frames, where this differs
        from the great-circle path by less than 0.1 degrees.
        """
        _check_fps(fps)
        frames = max(1, round(len(self) * fps / self.fps))
        at = np.minimum(np.arange(frames) * (self.fps / fps), len(self) - 1)
        before = np.floor(at).astype(int)
        after = np.minimum(before + 1, len(self) - 1)
        return Motion(_mix(self.values[before], self.values[after], (at - before)[:, None]), fps)

    def blend(self, other: Motion, weight: ArrayLike) -> Motion:
        """``(1 - weight) * self + weight * other``; ``weight`` is 0..1, one number or (T,)."""
        self._check_same_fps(other)
        if len(self) != len(other):
            raise MotionError(
                f"Only motions of equal length blend: {len(self)} and {len(other)} frames differ."
            )
        share = np.asarray(weight, np.float64)
        if share.shape not in ((), (len(self),)) or not np.all((share >= 0) & (share <= 1)):
            raise MotionError(f"A blend weight is one number or one per frame, 0 to 1, not {weight!r}.")
        return Motion(_mix(self.values, other.values, share.reshape(-1, 1)), self.fps)

    def concat(self, other: Motion, overlap: int = 0) -> Motion:
        """``self`` then ``other``, the last ``overlap`` frames cross-faded smoothly into its first ones."""
        self._check_same_fps(other)
        if not 0 <= overlap <= min(len(self), len(other)):
            raise MotionError(
                f"An overlap of {overlap} frames does not fit motions of {len(self)} and {len(other)} frames."
            )
        head = len(self) - overlap
        ramp = (np.arange(overlap) + 1.0) / (overlap + 1.0)
        seam = _mix(self.values[head:], other.values[:overlap], (ramp * ramp * (3 - 2 * ramp))[:, None])
        return Motion(np.concatenate([self.values[:head], seam, other.values[overlap:]]), self.fps)

    def save(self, path: Path | str) -> None:
        """Write a safetensors file that ``Motion.load`` reads back bit for bit."""
        header = {"format": FILE_FORMAT, "version": FILE_VERSION, "fps": repr(self.fps)}
        try:
            save_file({"values": np.ascontiguousarray(self.values)}, path, metadata=header)
        except (OSError, SafetensorError) as error:
            raise MotionError(f"The motion cannot be written to {path}: {error}.") from error

    @classmethod
    def load(cls, path: Path | str) -> Motion:
        """Read a file that ``save`` wrote; ``MotionError`` for anything else."""
        if not Path(path).is_file():
            raise MotionError(f"There is no motion file at {path}.")
        try:
            with safe_open(path, framework="numpy") as file:
                header: dict[str, str] = file.metadata() or {}
                if header.get("format") != FILE_FORMAT or set(file.keys()) != {"values"}:
                    raise MotionError(
                        f"{path} holds tensors but no motion; give a file that Motion.save wrote."
                    )
                if header.get("version") != FILE_VERSION:
                    raise MotionError(
                        f"{path} is motion file version {header.get('version')!r}; this release reads"
                        f" version {FILE_VERSION}. Export it again, or use the release that wrote it."
                    )
                values: Any = file.get_tensor("values")
                fps = float(header.get("fps", "nan"))
        except (OSError, SafetensorError, ValueError) as error:
            raise MotionError(f"{path} is not a readable motion file: {error}.") from error
        if values.dtype != np.float32:
            raise MotionError(f"{path} holds {values.dtype} values; a motion file holds float32.")
        return cls(values, fps)

    def _check_same_fps(self, other: Motion) -> None:
        if self.fps != other.fps:
            raise MotionError(
                f"The motions run at {self.fps:g} and {other.fps:g} frames a second;"
                " resample one of them first."
            )


def _mix(first: Array, second: Array, share: NDArray[np.float64]) -> Array:
    """Interpolate without ever leaving the interval between the two values by a rounding error."""
    mixed = first + (second.astype(np.float64) - first) * share
    return np.clip(mixed, np.minimum(first, second), np.maximum(first, second)).astype(np.float32)


def _check_fps(fps: float) -> None:
    low, high = FPS_LIMITS
    if not low <= fps <= high:
        raise MotionError(f"A motion runs at {low:g} to {high:g} frames a second, not {fps}.")


def _check(values: Array, fps: float) -> None:
    _check_fps(fps)
    if values.ndim != 2 or values.shape[1] != WIDTH or values.shape[0] < 1:
        raise MotionError(
            f"A motion is an array of (frames, {WIDTH}) with at least one frame, not {values.shape}."
        )
    if not np.isfinite(values).all():
        frame, column = np.argwhere(~np.isfinite(values))[0]
        raise MotionError(f"Frame {frame}, column {column} of the motion is not a finite number.")
    for what, columns, low, high, unit in _RANGES:
        outside = (values[:, columns] < low) | (values[:, columns] > high)
        if outside.any():
            frame, column = np.argwhere(outside)[0]
            found = values[frame, columns.start + column]
            raise MotionError(
                f"Frame {frame} of the motion has {what} of {found:g}{unit};"
                f" they lie between {low:g} and {high:g}{unit}."
            )
