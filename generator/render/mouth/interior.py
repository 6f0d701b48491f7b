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
from generator.render.mouth.mesh import OralMesh, Part, oral_mesh
from generator.render.mouth.palette import Palette

Project = Callable[[NDArray[np.float32]], NDArray[np.floating]]

CLOSED_GAP_PX = 0.9
"""Lips nearer to each other than this are closed: nothing is drawn."""
MOUTH_SCALE = (0.7, 1.25)
"""How much smaller or larger than canonical a mouth may be."""

_SUPERSAMPLING = 2
_MARGIN_PX = 3
_SPLINE_STEPS = 4
_EDGE_SIGMA_PX = 0.7
_LIGHT = np.array([0.12, 0.42, 0.90], np.float32) / np.linalg.norm([0.12, 0.42, 0.90])
_HALF = np.add(_LIGHT, (0, 0, 1)) / np.linalg.norm(np.add(_LIGHT, (0, 0, 1)))
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
    """

    centre: NDArray[np.float64]
    scale: float
    palette: Palette
    grain: float
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
    ) -> MouthInterior:
        """Fit the mouth to a portrait, once.

        Args:
            lip_centre_cm: (3,) middle of the inner lips with the mouth closed, head coordinates, cm.
            mouth_width_cm: distance between the outer mouth corners (landmarks 61 and 291), cm.
            lip_rgb: (3,) median lip colour, 0..255.
            skin_rgb: (3,) median skin colour, 0..255.
            highlight_rgb: (3,) mean of the brightest skin (top 8 %), 0..255.
            grain: standard deviation of the picture's fine noise, 8-bit levels.
        """
        mesh = oral_mesh()
        palette = Palette.of(lip_rgb, skin_rgb, highlight_rgb)
        scale = float(np.clip(mouth_width_cm / CANONICAL_MOUTH_WIDTH_CM, *MOUTH_SCALE))
        centre = np.asarray(lip_centre_cm, np.float64)
        return cls(centre, scale, palette, float(grain), mesh, _Still.of(mesh, palette))

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
        opening = _Opening.between(upper_lip, lower_lip, frame.shape[0], frame.shape[1])
        if opening is None or opacity <= 0:
            return
        jaw = JawPose.of(weights)
        if tongue_up is None:
            tongue_up = 0.35 * max(1.0 - jaw.angle / 0.12, 0.0)
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
        view = _View.of(screen[-3:], opening)
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
        image = np.empty((box.height * _SUPERSAMPLING, box.width * _SUPERSAMPLING, 3), np.float32)
        image[:] = self.palette.lip * 0.22
        depth = np.full(image.shape[:2], -np.inf, np.float32)
        kernels.rasterise(screen, lit, self._mesh.triangles, _SUPERSAMPLING, box.left, box.top, depth, image)
        mask, inset = opening.mask()
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


@dataclass(frozen=True)
class _Box:
    left: int
    top: int
    width: int
    height: int


def _spline_weights() -> NDArray[np.float64]:
    """(41, 11): Catmull-Rom through eleven points, open at both ends."""
    count = 11
    t = np.linspace(0, count - 1, (count - 1) * _SPLINE_STEPS + 1)
    weights = np.zeros((len(t), count))
    for row, at in enumerate(t):
        i = min(int(at), count - 2)
        f = at - i
        cubic = (
            -f / 2 + f * f - f**3 / 2,
            1 - 2.5 * f * f + 1.5 * f**3,
            f / 2 + 2 * f * f - 1.5 * f**3,
            (f**3 - f * f) / 2,
        )
        for k, value in zip(range(i - 1, i + 3), cubic, strict=True):
            weights[row, min(max(k, 0), count - 1)] += value
    return weights


_SPLINE = _spline_weights()


@dataclass(frozen=True)
class _Opening:
    """The gap between the lips in frame pixels.

    Attributes:
        upper, lower: (41, 2) smooth lip edges from corner to corner, never crossing.
        gap_px: largest distance between them.
        box: the part of the frame they lie in, with a margin.
    """

    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    gap_px: float
    box: _Box

    @classmethod
    def between(
        cls, upper_lip: NDArray[np.floating], lower_lip: NDArray[np.floating], height: int, width: int
    ) -> _Opening | None:
        """The opening, or ``None`` if the lips are closed or out of the frame."""
        upper, lower = np.array(upper_lip, np.float64), np.array(lower_lip, np.float64)
        along = upper[-1] - upper[0]
        down = np.array([-along[1], along[0]]) / (np.hypot(*along) + 1e-6)
        gaps = (lower - upper) @ down
        gap = float(gaps.max())
        if gap < CLOSED_GAP_PX:
            return None
        crossed = gaps < 0
        upper[crossed] = lower[crossed] = (upper[crossed] + lower[crossed]) / 2
        upper, lower = _SPLINE @ upper, _SPLINE @ lower
        low = np.floor(np.minimum(upper.min(0), lower.min(0))).astype(int) - _MARGIN_PX
        high = np.ceil(np.maximum(upper.max(0), lower.max(0))).astype(int) + _MARGIN_PX
        left, top = max(int(low[0]), 0), max(int(low[1]), 0)
        box = _Box(left, top, min(int(high[0]) + 1, width) - left, min(int(high[1]) + 1, height) - top)
        return cls(upper, lower, gap, box) if box.width > 1 and box.height > 1 else None

    def mask(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """(h, w) coverage 0..255 with a soft edge, and distance to the edge from inside, px."""
        ring = np.vstack([self.upper, self.lower[-2:0:-1]]) - (self.box.left, self.box.top)
        hard = np.zeros((self.box.height, self.box.width), np.uint8)
        cv2.fillPoly(hard, [np.round(ring * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        inset = cv2.distanceTransform(hard, cv2.DIST_L2, 3)
        soft = cv2.GaussianBlur(hard, (5, 5), _EDGE_SIGMA_PX)
        return soft.astype(np.uint8, copy=False), inset.astype(np.float32, copy=False)

    def edges(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(w,) rows of the upper and of the lower edge over the box's columns."""
        columns = np.arange(self.box.width, dtype=np.float64) + self.box.left
        rows = [
            np.interp(columns, np.maximum.accumulate(edge[:, 0]), edge[:, 1]) - self.box.top
            for edge in (self.upper, self.lower)
        ]
        return rows[0], rows[1]

    def area_px2(self) -> float:
        """Area of the opening in square pixels."""
        ring = np.vstack([self.upper, self.lower[-2:0:-1]])
        return float(cv2.contourArea(ring.astype(np.float32)))


@dataclass(frozen=True)
class _View:
    """How the opening looks in mouth coordinates."""

    px_per_cm: float
    aperture_cm2: float
    upper_lip_cm: float

    @classmethod
    def of(cls, references: NDArray[np.float32], opening: _Opening) -> _View:
        """From the three projected reference points: origin, 1 cm along x, 1 cm along y."""
        origin = references[0, :2].astype(np.float64)
        axes = (references[1:, :2] - references[0, :2]).astype(np.float64)
        area_px2 = max(abs(float(axes[0, 0] * axes[1, 1] - axes[0, 1] * axes[1, 0])), 1e-3)
        middle = opening.upper[15:26].mean(0) - origin
        up = axes[1] / (float(axes[1] @ axes[1]) + 1e-6)
        return cls(
            px_per_cm=float(np.linalg.norm(axes[1])),
            aperture_cm2=opening.area_px2() / area_px2,
            upper_lip_cm=float(middle @ up),
        )
