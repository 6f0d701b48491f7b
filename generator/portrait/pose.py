"""Where a head is: the similarity that carries canonical head coordinates onto a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pose:
    """Similarity ``x = scale * R @ h + t`` from head coordinates h (cm) to view coordinates x.

    View coordinates are pixels with x to the right, y *up* and z towards the camera.

    Attributes:
        scale: pixels per centimetre.
        rotation: (3, 3) head to view.
        translation: (3,) in pixels.
    """

    scale: float
    rotation: Array
    translation: Array

    def to_view(self, head: Array) -> Array:
        """(N, 3) head coordinates (cm) to view coordinates (px)."""
        return self.scale * head @ self.rotation.T + self.translation

    def to_head(self, view: Array) -> Array:
        """(N, 3) view coordinates (px) to head coordinates (cm)."""
        return np.asarray((view - self.translation) @ self.rotation / self.scale)

    @property
    def degrees(self) -> tuple[float, float, float]:
        """Yaw, pitch, roll as ``rotation_matrix`` takes them."""
        return rotation_degrees(self.rotation)


def landmarks_to_view(landmarks: Array) -> Array:
    """Landmarks (N, 3), y down and z away from the camera, as view coordinates."""
    return np.asarray(landmarks * np.array([1.0, -1.0, -1.0]))


def fit_similarity(source: Array, target: Array) -> Pose:
    """Least-squares similarity from ``source`` to ``target``, both (N, 3) (Umeyama 1991)."""
    mean_source, mean_target = source.mean(0), target.mean(0)
    a, b = source - mean_source, target - mean_target
    u, singular, vt = np.linalg.svd(b.T @ a)
    reflect = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * reflect) @ vt
    scale = float((singular * reflect).sum() / (a**2).sum())
    return Pose(scale, rotation, mean_target - scale * rotation @ mean_source)


def rotation_matrix(yaw: float, pitch: float, roll: float) -> Array:
    """(3, 3) rotation from degrees: yaw + turns the nose to the image's right, pitch + lifts it,
    roll + tips the top of the head to the image's right."""
    y, p, r = np.radians([yaw, -pitch, -roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z)


def rotation_degrees(rotation: Array) -> tuple[float, float, float]:
    """The yaw, pitch and roll (degrees) for which ``rotation_matrix`` gives ``rotation``."""
    yaw = np.arctan2(rotation[0, 2], rotation[2, 2])
    pitch = np.arcsin(np.clip(rotation[1, 2], -1, 1))
    roll = -np.arctan2(rotation[1, 0], rotation[1, 1])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))
