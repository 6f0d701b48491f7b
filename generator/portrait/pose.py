"""Where a head is: the similarity that carries canonical head coordinates onto a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generator.face.alignment import Similarity, align

Array = NDArray[np.float64]


class Pose(Similarity):
    """The similarity from head coordinates (cm) to view coordinates.

    View coordinates are pixels with x to the right, y *up* and z towards the camera; ``scale`` is in pixels
    per centimetre, ``translation`` in pixels.
    """

    def to_view(self, head: Array) -> Array:
        """(N, 3) head coordinates (cm) to view coordinates (px)."""
        return self(head)

    def to_head(self, view: Array) -> Array:
        """(N, 3) view coordinates (px) to head coordinates (cm)."""
        return self.inverse(view)

    @property
    def degrees(self) -> tuple[float, float, float]:
        """Yaw, pitch, roll as ``rotation_matrix`` takes them."""
        return rotation_degrees(self.rotation)


def landmarks_to_view(landmarks: Array) -> Array:
    """Landmarks (N, 3), y down and z away from the camera, as view coordinates."""
    return np.asarray(landmarks * np.array([1.0, -1.0, -1.0]))


def fit_pose(head: Array, view: Array) -> Pose:
    """The pose that best takes points ``head`` (N, 3) onto ``view`` (N, 3)."""
    found = align(head, view)
    return Pose(found.scale, found.rotation, found.translation)


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
