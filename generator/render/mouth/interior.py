"""Draws the inside of the mouth of one portrait into rendered frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.render.mouth import kernels
from generator.render.mouth.anatomy import CANONICAL_MOUTH_WIDTH_CM, INCISOR_EDGE_CM
from generator.render.mouth.jaw import CONDYLE_CM, JawPose
from generator.render.mouth.mesh import oral_mesh
from generator.render.mouth.opening import CLOSED_GAP_PX, Opening, View
from generator.render.mouth.palette import Palette
from generator.render.mouth.surface import OralMesh, Part

Project = Callable[[NDArray[np.float32]], NDArray[np.floating]]

PARTED_GAP_PX = 1.8
"""From here on the mouth is drawn in full; in between it fades in."""
MOUTH_SCALE = (0.7, 1.25)
"""How much smaller or larger than canonical a mouth may be."""
UPPER_LIP_STAYS = 0.85
"""Of an open mouth's gap, the share below the place where the lips would meet."""
JAW_SHARE = 0.6
"""How much of the gap at rest the jaw is taken to make; lips drawn apart make the rest."""
LIP_DROP_CM = 3.5
"""How far the lower lip sinks at ``jawOpen`` = 1."""
INNER_LIP = 0.22
"""Brightness of what lies before the cavity, between lips and gums."""
IDLE_TONGUE_UP, TONGUE_DOWN_RAD = 0.35, 0.12
"""How far the blade is raised with the teeth together, and the jaw angle at which it has come to rest."""

_SUPERSAMPLING = 2
_LIGHT = np.array([0.12, 0.42, 0.90], np.float32) / np.linalg.norm([0.12, 0.42, 0.90])
_HALF = np.add(_LIGHT, (0, 0, 1)) / np.linalg.norm(np.add(_LIGHT, (0, 0, 1)))
"""Direction to the light, a little above and beside the viewer, and half-way from it to the viewer."""
_ALVEOLAR_RIDGE_CM = (0.0, INCISOR_EDGE_CM[1] + 0.75, INCISOR_EDGE_CM[2] - 0.75)
_TONGUE_TIP_CM = (0.0, -0.36, -1.5)
_WETNESS = {Part.UPPER_TEETH: 0.55, Part.LOWER_TEETH: 0.45, Part.TONGUE: 0.30}
_GRAIN_SIDE_PX = 512


@dataclass(frozen=True)
class MouthInterior:
    """Teeth, gums, tongue and cavity of one portrait, ready to be drawn.

    Attributes:
        centre: (3,) middle of the closed lips' meeting line, head coordinates, cm.
        scale: size of this mouth over the canonical one.
        palette: colours.
        grain: standard deviation of the portrait's grain, 8-bit levels.
        rest_opening: how far the jaw is open at rest already, as a ``jawOpen`` weight.
    """

    centre: NDArray[np.float64]
    scale: float
    palette: Palette
    grain: float
    rest_opening: float
    _mesh: OralMesh
    _still: _Still

    @classmethod
    def build(
        cls,
        lip_centre_cm: NDArray[np.floating],
        mouth_width_cm: float,
        lip_rgb: NDArray[np.floating],
        skin_rgb: NDArray[np.floating],
        highlight_rgb: NDArray[np.floating],
        grain: float,
        lip_gap_cm: float = 0.0,
    ) -> MouthInterior:
        """Fit the mouth to a portrait, once.

        Args:
            lip_centre_cm: (3,) point between the middles of the inner lips at rest, head coordinates, cm.
            mouth_width_cm: distance between the outer mouth corners (landmarks 61 and 291), cm.
            lip_rgb: (3,) median lip colour, 0..255.
            skin_rgb: (3,) median skin colour, 0..255.
            highlight_rgb: (3,) mean of the brightest skin (top 8 %), 0..255.
            grain: standard deviation of the picture's fine noise, 8-bit levels.
            lip_gap_cm: gap between those middles; in an open mouth the teeth hang from the upper lip and the
                jaw starts out open.
        """
        mesh = oral_mesh()
        palette = Palette.of(lip_rgb, skin_rgb, highlight_rgb)
        scale = float(np.clip(mouth_width_cm / CANONICAL_MOUTH_WIDTH_CM, *MOUTH_SCALE))
        return cls(
            centre=lip_centre_cm + np.array([0.0, UPPER_LIP_STAYS * lip_gap_cm / 2, 0.0]),
            scale=scale,
            palette=palette,
            grain=float(grain),
            rest_opening=JAW_SHARE * lip_gap_cm / (LIP_DROP_CM * scale),
            _mesh=mesh,
            _still=_Still.of(mesh, palette),
        )

    def draw(
        self,
        frame: NDArray[np.uint8],
        upper_lip: NDArray[np.floating],
        lower_lip: NDArray[np.floating],
        project: Project,
        weights: NDArray[np.floating],
        opacity: float = 1.0,
        tongue_up: float | None = None,
    ) -> None:
        """Draw into ``frame`` (H, W, 3) RGB, in place; touches only the opening and its soft edge (2 px).

        Args:
            upper_lip, lower_lip: (11, 2) inner lip rings in frame pixels (pixel centres at whole numbers),
                from the image's left corner to its right, sharing their first and last point.
            project: carries points (N, 3), cm, of the *unmoved* head to (N, 3) frame pixels and depth; depth
                grows towards the camera and has any unit.
            weights: (51,) expression weights; the jaw's four are used.
            opacity: 0..1, for fading in from a portrait whose mouth is already open.
            tongue_up: 0..1 raises the tongue's blade to the ridge behind the upper teeth; by default a
                little while the mouth is nearly closed.
        """
        opening = Opening.between(upper_lip, lower_lip, frame.shape[0], frame.shape[1])
        if opening is None or opacity <= 0:
            return
        opacity *= min((opening.gap_px - CLOSED_GAP_PX) / (PARTED_GAP_PX - CLOSED_GAP_PX), 1.0)
        jaw = JawPose.of(weights, self.rest_opening)
        if tongue_up is None:
            tongue_up = IDLE_TONGUE_UP * max(1.0 - jaw.angle / TONGUE_DOWN_RAD, 0.0)
        still = self._still
        mouth = np.empty_like(still.vertices)
        lift = np.subtract(_ALVEOLAR_RIDGE_CM, _TONGUE_TIP_CM) * tongue_up
        shift = np.array([jaw.side, 0.0, jaw.forward])
        kernels.move_vertices(
            still.vertices, still.jaw, still.blade, jaw.angle, shift, np.array(CONDYLE_CM), lift, mouth
        )
        head = mouth * np.float32(self.scale) + self.centre.astype(np.float32)
        screen = np.array(project(head), np.float32, order="C")
        anchor_x, anchor_y = float(screen[-3, 0]), float(screen[-3, 1])
        view = View.of(screen[-3:], opening)
        lit = np.empty_like(mouth)
        kernels.light_vertices(
            mouth,
            still.normals,
            still.colours,
            still.jaw,
            still.wetness,
            jaw.angle,
            _LIGHT,
            _HALF,
            view.aperture_cm2,
            view.upper_lip_cm,
            self.palette.bounce,
            self.palette.gleam,
            lit,
        )
        box = opening.box
        mask, inset = opening.mask()
        shape = (box.height * _SUPERSAMPLING, box.width * _SUPERSAMPLING)
        image = np.empty((*shape, 3), np.float32)
        kernels.rasterise(
            screen,
            lit,
            self._mesh.triangles,
            _SUPERSAMPLING,
            box.left,
            box.top,
            mask,
            INNER_LIP * self.palette.lip,
            np.empty(shape, np.float32),
            image,
        )
        upper, lower = opening.edges()
        grain = cv2.getRectSubPix(
            still.noise,
            (box.width, box.height),
            (
                box.left + (box.width - 1) / 2 - anchor_x + _GRAIN_SIDE_PX / 2,
                box.top + (box.height - 1) / 2 - anchor_y + _GRAIN_SIDE_PX / 2,
            ),
        )
        kernels.blend(
            image,
            mask,
            inset,
            upper,
            lower,
            grain,
            self.grain,
            self.palette.lip,
            max(0.13 * view.px_per_cm, 0.8),
            max(min(0.16 * view.px_per_cm, 0.25 * opening.gap_px), 0.6),
            opacity,
            frame[box.top : box.top + box.height, box.left : box.left + box.width],
        )


@dataclass(frozen=True)
class _Still:
    """What of the mesh never changes, as the kernels take it; three reference points end the vertices."""

    vertices: NDArray[np.float32]
    normals: NDArray[np.float32]
    colours: NDArray[np.float32]
    jaw: NDArray[np.float32]
    blade: NDArray[np.float32]
    wetness: NDArray[np.float32]
    noise: NDArray[np.float32]

    @classmethod
    def of(cls, mesh: OralMesh, palette: Palette) -> _Still:
        wetness = np.zeros(len(mesh.part))
        for part, value in _WETNESS.items():
            wetness[mesh.part == part] = value
        noise = np.random.default_rng(0).standard_normal((_GRAIN_SIDE_PX, _GRAIN_SIDE_PX)).astype(np.float32)
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.6), np.float32)

        def with_references(
            values: NDArray[np.floating], references: NDArray[np.floating]
        ) -> NDArray[np.float32]:
            return np.ascontiguousarray(np.concatenate([values, references]), np.float32)

        return cls(
            vertices=with_references(mesh.vertices, np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]])),
            normals=with_references(mesh.normals, np.zeros((3, 3))),
            colours=with_references(palette.paint(mesh), np.zeros((3, 3))),
            jaw=with_references(mesh.jaw, np.zeros(3)),
            blade=with_references(mesh.blade, np.zeros(3)),
            wetness=with_references(wetness * mesh.open_air, np.zeros(3)),
            noise=noise / noise.std(),
        )
