"""How much and how fast a head moves, and whether it wanders off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.evaluation.track import FaceTrack

Array = NDArray[np.float64]

AXES = ("yaw", "pitch", "roll")


@dataclass(frozen=True)
class HeadActivity:
    """Of yaw, pitch, roll: standard deviation (degrees) and 95th percentile of speed (degrees a second); of
    translation: standard deviation (cm, the longest of the three); of the brows' height likewise (cm)."""

    spread_deg: tuple[float, float, float]
    speed_deg_per_s: tuple[float, float, float]
    shift_cm: float
    brows_cm: float


def activity(track: FaceTrack) -> HeadActivity:
    spread = track.rotation.std(0)
    if len(track) > 1:
        speed = np.percentile(np.abs(np.diff(track.rotation, axis=0)) * track.fps, 95, axis=0)
    else:
        speed = np.zeros(3)
    return HeadActivity(
        (float(spread[0]), float(spread[1]), float(spread[2])),
        (float(speed[0]), float(speed[1]), float(speed[2])),
        float(track.translation.std(0).max()),
        float(track.brows.std()),
    )


def drift(values: Array, fps: float, window_seconds: float = 60.0) -> Array:
    """How far each column of (T, n) has moved from its first to its last ``window_seconds``.

    The medians of both windows are compared: what a face does within a minute is no drift.
    """
    window = min(max(round(window_seconds * fps), 1), max(len(values) // 2, 1))
    moved: Array = np.median(values[-window:], axis=0) - np.median(values[:window], axis=0)
    return moved
