"""Draws one frame of a moving portrait. Every frame comes from the source picture, so nothing drifts."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.arkit import INDEX
from generator.face import topology
from generator.motion.motion import EXPRESSION_COLUMNS, GAZE_COLUMNS, ROTATION_COLUMNS, TRANSLATION_COLUMNS
from generator.portrait.eyes import EyeLayer
from generator.portrait.portrait import Portrait
from generator.portrait.pose import rotation_matrix
from generator.render.eyes import draw_eye
from generator.render.kernels import deform, rasterise_uv

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]

PIVOT_CM = np.array([0.0, -3.5, -5.0])
"""The joint of skull and neck, about which a head turns, in head coordinates."""
FOCAL_CM = 70.0
"""Distance of the imagined camera; it sets how much a nearer head grows."""
BEHIND_PX = 1000.0
"""How far behind the skin the fillers of eye and mouth openings are drawn."""
LOOK_DEG = {"In": 38.0, "Out": 38.0, "Up": 30.0, "Down": 30.0}
"""Gaze of a full ARKit look weight."""
LID_FOLLOWS_DOWN = 0.42
LID_FOLLOWS_UP = 0.5
"""How much of a full look down closes the upper lid, and of a look up widens the eye."""
_FOLD_PX = 3.5
_SEAM_CM = 0.12
"""Lips less apart than about this show the dark line of the source between them, not the mouth behind."""


@dataclass(frozen=True)
class _View:
    """The posed head of one frame: view = matrix @ head + shift, in px, y up."""

    matrix: Array
    shift: Array


class Renderer:
    """Renders frames of one portrait. Not safe to share between threads: it reuses its buffers."""

    def __init__(self, portrait: Portrait) -> None:
        self.portrait = portrait
        width, height = portrait.size
        mesh, pose = portrait.mesh, portrait.pose
        self._centre = pose.to_view(PIVOT_CM[None])[0]
        self._rest = pose.to_view(mesh.points.astype(np.float64)).astype(np.float32)
        self._screen = np.empty((len(mesh.uv), 3), np.float32)
        self._depth = np.empty((height, width), np.float32)
        self._map_x = np.empty_like(self._depth)
        self._map_y = np.empty_like(self._depth)

    def frame(self, motion: Float32) -> NDArray[np.uint8]:
        """One frame.

        Args:
            motion: (59,) one row of a ``Motion``.

        Returns:
            (H, W, 3) uint8 RGB, a new array.
        """
        portrait = self.portrait
        weights = np.asarray(motion[EXPRESSION_COLUMNS], np.float32)
        rotation, translation = motion[ROTATION_COLUMNS], motion[TRANSLATION_COLUMNS]
        gaze = motion[GAZE_COLUMNS].astype(np.float64)
        gazes = {eye.ring.side: gaze + _look(weights, eye.ring.side) for eye in portrait.eyes}
        view = self._view(rotation, translation)
        displacement = portrait.skin(_lids_follow(weights, gazes))
        self._place_vertices(displacement, view)
        self._rasterise()
        out = self._warp()
        self._soften_folds(out)
        for eye in portrait.eyes:
            self._draw_eye(out, eye, view, gazes[eye.ring.side])
        self._draw_mouth(out, weights, displacement, view)
        return out

    def _view(self, rotation: Float32, translation: Float32) -> _View:
        pose = self.portrait.pose
        yaw, pitch = self.portrait.gain.apply(float(rotation[0]), float(rotation[1]))
        matrix = pose.scale * rotation_matrix(yaw, pitch, float(rotation[2])) @ pose.rotation
        shift = self._centre + pose.scale * translation - matrix @ PIVOT_CM
        return _View(matrix, shift)

    def _place_vertices(self, displacement: Float32, view: _View) -> None:
        mesh = self.portrait.mesh
        count = len(mesh.points)
        deform(
            mesh.points,
            displacement,
            mesh.ring_index,
            mesh.ring_weight,
            mesh.head_weight,
            self._rest,
            view.matrix.astype(np.float32),
            view.shift.astype(np.float32),
            self._centre.astype(np.float32),
            np.float32(FOCAL_CM * self.portrait.pose.scale),
            self._screen[:count],
        )
        self._screen[count:] = self._screen[mesh.interior]
        self._screen[count:, 2] -= BEHIND_PX

    def _rasterise(self) -> None:
        mesh = self.portrait.mesh
        rasterise_uv(self._screen, mesh.uv, mesh.triangles, self._depth, self._map_x, self._map_y)

    def _warp(self) -> NDArray[np.uint8]:
        out = np.empty_like(self.portrait.frame)
        maps = self._map_x, self._map_y
        cv2.remap(self.portrait.frame, *maps, cv2.INTER_LINEAR, dst=out, borderMode=cv2.BORDER_REPLICATE)
        return out

    def _project(self, head: Array, view: _View) -> Array:
        """(N, 3) head coordinates (cm) to frame x, y (px) and depth, on the posed head."""
        pose = self.portrait.pose
        posed = head @ view.matrix.T + view.shift
        ahead = posed[:, 2] - (head @ (pose.scale * pose.rotation.T))[:, 2] - pose.translation[2]
        k = (1 + ahead / (FOCAL_CM * pose.scale))[:, None]
        xy = (self._centre[:2] + (posed[:, :2] - self._centre[:2]) * k) * (1, -1)
        return np.column_stack([xy, posed[:, 2]])

    def _soften_folds(self, out: NDArray[np.uint8]) -> None:
        """Antialias edges where one part of the face hides another: there the source jumps."""
        face = self._screen[: topology.VERTEX_COUNT, :2]
        x0, y0 = np.maximum(face.min(0).astype(int) - 2, 0)
        x1, y1 = np.minimum(face.max(0).astype(int) + 2, self.portrait.size)
        map_x, map_y = self._map_x[y0:y1, x0:x1], self._map_y[y0:y1, x0:x1]
        fold = np.zeros(map_x.shape, np.uint8)
        fold[:, :-1] |= (np.abs(map_x[:, 1:] - map_x[:, :-1]) > _FOLD_PX).view(np.uint8)
        fold[:-1] |= (np.abs(map_y[1:] - map_y[:-1]) > _FOLD_PX).view(np.uint8)
        if not fold.any():
            return
        mask = cv2.GaussianBlur(cv2.dilate(fold * 255, np.ones((3, 3), np.uint8)), (3, 3), 0)
        rows, columns = np.nonzero(mask)
        part = out[y0:y1, x0:x1]
        soft = cv2.GaussianBlur(part, (3, 3), 0.9)
        k = mask[rows, columns, None].astype(np.float32) / 255
        part[rows, columns] = (part[rows, columns] * (1 - k) + soft[rows, columns] * k + 0.5).astype(np.uint8)

    def _draw_eye(self, out: NDArray[np.uint8], eye: EyeLayer, view: _View, gaze: Array) -> None:
        neutral = self.portrait.mesh.points
        corners = neutral[[eye.ring.upper[0], eye.ring.upper[-1]]].astype(np.float64)
        plane = corners.mean(0) + np.array([[0.0, 0, 0], [1.5, 0, 0], [0, 1.5, 0]])
        source = (self.portrait.pose.to_view(plane)[:, :2] * (1, -1)).astype(np.float32)
        target = self._project(plane, view)[:, :2].astype(np.float32)
        rims = (
            self._screen[list(eye.ring.upper), :2].astype(np.float64),
            self._screen[list(eye.ring.lower), :2].astype(np.float64),
        )
        draw_eye(out, eye, np.asarray(cv2.getAffineTransform(source, target)), rims, gaze)

    def _draw_mouth(
        self, out: NDArray[np.uint8], weights: Float32, displacement: Float32, view: _View
    ) -> None:
        upper, lower = list(topology.INNER_LIP_UPPER), list(topology.INNER_LIP_LOWER)
        lips = self.portrait.mesh.neutral + displacement
        gap = float(np.linalg.norm(lips[upper] - lips[lower], axis=1).max())
        rest = self.portrait.lip_gap_cm
        opened = abs(gap - rest) / rest - 0.1 if rest else gap / _SEAM_CM - 0.4
        opacity = min(max(opened / 0.35, 0.0), 1.0)
        if opacity > 0:
            self.portrait.mouth.draw(
                out,
                self._screen[upper, :2],
                self._screen[lower, :2],
                lambda points: self._project(points.astype(np.float64), view),
                weights,
                opacity,
            )


def _look(weights: Float32, side: str) -> Array:
    """(2,) gaze in degrees, + right and up, that an eye's ARKit look weights ask for."""

    def weight(direction: str) -> float:
        return float(weights[INDEX[f"eyeLook{direction}{side}"]]) * LOOK_DEG[direction]

    to_nose = 1 if side == "Right" else -1
    return np.array([to_nose * (weight("In") - weight("Out")), weight("Up") - weight("Down")])


def _lids_follow(weights: Float32, gazes: dict[str, Array]) -> Float32:
    """The weights for the skin: lids follow the gaze up and down, and a shut eye is not squinted further."""
    skin = weights.copy()
    for side, gaze in gazes.items():
        blink, wide, squint = (INDEX[f"eye{name}{side}"] for name in ("Blink", "Wide", "Squint"))
        down = LID_FOLLOWS_DOWN * float(np.clip(-gaze[1] / LOOK_DEG["Down"], 0, 1))
        skin[blink] = np.clip(max(skin[blink], skin[blink] * (1 - down) + down), 0, 1)
        skin[wide] += LID_FOLLOWS_UP * float(np.clip(gaze[1] / LOOK_DEG["Up"], 0, 1))
        skin[squint] *= 1 - skin[blink]
        skin[wide] *= 1 - skin[blink]
        for direction in LOOK_DEG:
            skin[INDEX[f"eyeLook{direction}{side}"]] = 0
    return skin
