"""Similarity transforms between corresponding point sets."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Similarity:
    """``y = scale * rotation @ x + translation``; ``rotation`` (3, 3), ``translation`` (3,)."""

    scale: float
    rotation: Array
    translation: Array

    def __call__(self, points: Array) -> Array:
        """Transform points (N, 3)."""
        return self.scale * points @ self.rotation.T + self.translation

    def inverse(self, points: Array) -> Array:
        """Undo the transform on points (N, 3)."""
        return (points - self.translation) @ self.rotation / self.scale


def align(source: Array, target: Array) -> Similarity:
    """The least-squares similarity taking ``source`` (N, 3) onto ``target`` (N, 3) (Umeyama, 1991)."""
    source_mean, target_mean = source.mean(0), target.mean(0)
    a, b = source - source_mean, target - target_mean
    u, singular, vt = np.linalg.svd(b.T @ a)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((singular * sign).sum() / (a**2).sum())
    return Similarity(scale, rotation, target_mean - scale * rotation @ source_mean)
