"""Does a face tremble? Roughness of its curves against that of real, tracked faces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from generator.evaluation.track import FaceTrack

Array = NDArray[np.float64]

REAL_MOTION = {"opening": 0.97, "width": 0.93, "yaw": 0.46, "pitch": 0.49, "roll": 0.45}
"""Medians over 119 clips of nine speakers of GRID (Cooke et al. 2006) at 25 fps, fitted: head smoothed."""
REAL_FILM = {"opening": 0.97, "width": 0.82, "yaw": 1.01, "pitch": 0.90, "roll": 0.96}
"""The same clips as the landmark model tracks them, frame by frame: its own noise included."""


def roughness(curve: Array) -> float:
    """RMS of the second difference over RMS of the first of (T,), per frame.

    0 for a ramp, near ``2 pi f / fps`` for a wave of frequency f, sqrt(3) for white noise: free of scale,
    as is the usual dimensionless jerk (Hogan and Sternad 2009). 0 for what does not move.
    """
    speed = np.diff(curve)
    travelled = float(np.sqrt(np.mean(speed**2)))
    return float(np.sqrt(np.mean(np.diff(speed) ** 2))) / travelled if travelled > 1e-9 else 0.0


def track_roughness(track: FaceTrack) -> dict[str, float]:
    """Of lip opening, mouth width and the three head angles."""
    curves = {"opening": track.opening, "width": track.width}
    curves |= {name: track.rotation[:, i] for i, name in enumerate(("yaw", "pitch", "roll"))}
    return {name: roughness(curve) for name, curve in curves.items()}


def ratio(tracks: Sequence[FaceTrack], real: dict[str, float] = REAL_MOTION) -> float:
    """How rough clips are against real speakers: geometric mean over the curves, medians over clips.

    1 is as smooth as tracks of real faces, more is rougher; NaN when nothing moves.
    """
    each = [track_roughness(track) for track in tracks]
    found = {name: float(np.median([one[name] for one in each])) for name in real}
    shares = [found[name] / real[name] for name in real if found[name] > 0]
    return float(np.exp(np.mean(np.log(shares)))) if shares else float("nan")
