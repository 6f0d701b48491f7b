"""Does a face tremble? Roughness of its curves against that of real, tracked faces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generator.evaluation.track import FaceTrack

Array = NDArray[np.float64]


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


def ratio(found: dict[str, float], real: dict[str, float]) -> float:
    """Geometric mean of the ratios of roughness; 1 is as smooth as real tracks, more is rougher."""
    shares = [found[name] / real[name] for name in found if real.get(name, 0) > 0 and found[name] > 0]
    return float(np.exp(np.mean(np.log(shares)))) if shares else float("nan")
