"""The mesh that moves a portrait: the face, and a grid around it that carries hair, neck and background.

Everything is computed once per portrait. The decisive step is the depth outside the face: each vertex lies
as far forward as a slope limit from the face allows, so that turning the head never folds the silhouette.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay, cKDTree

from generator.easing import smoothstep
from generator.face import topology
from generator.portrait.pose import Pose

Array = NDArray[np.float64]

GRID_STEP = 12 / 512
"""Spacing of the outer grid, as a share of the frame's longer side."""
GRID_PAD = 48 / 512
"""How far the grid reaches beyond the frame."""
DEPTH_SLOPE = 1.8
"""Largest slope of depth against distance in the picture."""
BACK_PLANE_CM = -3.0
"""Depth of hair, neck and background in head coordinates."""
OUTLINE_INSET = 0.05
"""How far an edge-on part of the outline moves towards the middle of the face, as a share of the way."""
EXPRESSION_REACH = 0.16
"""How far an expression of the face's outline carries outwards, in face widths."""
RING_NEIGHBOURS = 8

_INTERIORS = (
    frozenset(topology.INNER_LIP_UPPER + topology.INNER_LIP_LOWER),
    frozenset(topology.RIGHT_EYE_UPPER + topology.RIGHT_EYE_LOWER),
    frozenset(topology.LEFT_EYE_UPPER + topology.LEFT_EYE_LOWER),
)


@dataclass(frozen=True)
class HeadMesh:
    """A portrait's mesh: F face vertices, then the outer grid.

    Attributes:
        neutral: (468, 3) the face at rest in head coordinates (cm), as the face decoder takes it.
        points: (V, 3) float32 rest positions in head coordinates (cm), depth limited as above.
        uv: (V + D, 2) float32 source pixels; the last D repeat ``interior``.
        triangles: (T, 3) int32.
        interior: (D,) int32 vertices of the eye and mouth openings, drawn again far behind the skin.
        ring_index, ring_weight: (V - 468, 8) face vertices that carry each outer vertex, and how much.
        head_weight: (V,) float32, 1 = moves with the head, 0 = stays with the body.
    """

    neutral: Array
    points: NDArray[np.float32]
    uv: NDArray[np.float32]
    triangles: NDArray[np.int32]
    interior: NDArray[np.int32]
    ring_index: NDArray[np.int32]
    ring_weight: NDArray[np.float32]
    head_weight: NDArray[np.float32]


def build_mesh(
    neutral: Array, pose: Pose, face_triangles: NDArray[np.int32], width: int, height: int
) -> HeadMesh:
    """The mesh of a portrait.

    Args:
        neutral: (468, 3) face at rest, head coordinates, cm.
        pose: from head coordinates to the frame's view coordinates.
        face_triangles: (898, 3) of the canonical mesh.
        width, height: of the frame, px.
    """
    view = pose.to_view(neutral)
    face_uv = view[:, :2] * (1, -1)
    oval = np.array(topology.FACE_OVAL)
    grid, outer_triangles = _grid_around(face_uv, face_triangles, oval, width, height)
    face_width = float(np.linalg.norm(face_uv[topology.RIGHT_CHEEK] - face_uv[topology.LEFT_CHEEK]))
    distance, nearest = cKDTree(face_uv[oval]).query(grid, k=RING_NEIGHBOURS)
    from_face = distance[:, 0] / face_width

    face_uv[oval] += _inset(face_uv, oval, face_triangles, view)
    xy = np.vstack([face_uv, grid])
    depth = _limited_depth(xy, view[:, 2], pose, oval, from_face, face_width)
    points = pose.to_head(np.column_stack([xy * (1, -1), depth]))

    ring_weight = 1 / (distance + 2.0) ** 2
    ring_weight *= (np.exp(-((from_face / EXPRESSION_REACH) ** 2)) / ring_weight.sum(1))[:, None]
    ring_weight[from_face > 3 * EXPRESSION_REACH] = 0

    opening = np.array([any(ring.issuperset(t) for ring in _INTERIORS) for t in face_triangles.tolist()])
    interior = np.unique(face_triangles[opening])
    to_behind = np.arange(len(xy))
    to_behind[interior] = len(xy) + np.arange(len(interior))
    triangles = np.vstack([face_triangles[~opening], outer_triangles, to_behind[face_triangles[opening]]])
    return HeadMesh(
        neutral=neutral,
        points=np.ascontiguousarray(points, np.float32),
        uv=np.ascontiguousarray(np.vstack([xy, xy[interior]]), np.float32),
        triangles=np.ascontiguousarray(triangles, np.int32),
        interior=interior.astype(np.int32),
        ring_index=oval[nearest].astype(np.int32),
        ring_weight=ring_weight.astype(np.float32),
        head_weight=_head_weight(points, grid, width, height),
    )


def _inset(face_uv: Array, oval: NDArray[np.int64], face_triangles: NDArray[np.int32], view: Array) -> Array:
    """(36, 2) shift of the face's outline inwards where it is seen edge-on, px.

    There landmarks lie on or beyond the silhouette, and background would turn into view with the cheek.
    """
    a, b, c = (view[face_triangles[:, k]] for k in range(3))
    facing = np.zeros_like(view)
    normal = np.cross(b - a, c - a)
    for k in range(3):
        np.add.at(facing, face_triangles[:, k], normal)
    towards = facing[oval, 2] / np.linalg.norm(facing[oval], axis=1)
    edge_on = 1 - smoothstep(0.0, 0.45, towards)
    inwards = face_uv.mean(0) - face_uv[oval]
    return np.asarray(OUTLINE_INSET * edge_on[:, None] * inwards)


def _grid_around(
    face_uv: Array, face_triangles: NDArray[np.int32], oval: NDArray[np.int64], width: int, height: int
) -> tuple[Array, NDArray[np.int64]]:
    """Grid points (G, 2) clear of the face, and triangles that join them to the face's oval."""
    longer = max(width, height)
    step, pad = GRID_STEP * longer, GRID_PAD * longer
    columns = np.linspace(-pad, width + pad, round((width + 2 * pad) / step) + 1)
    rows = np.linspace(-pad, height + pad, round((height + 2 * pad) / step) + 1)
    grid = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
    margin = int(pad)
    covered = np.zeros((height + 2 * margin, width + 2 * margin), np.uint8)
    shapes = np.round(face_uv[face_triangles] + margin).astype(np.int32)
    for shape in shapes:
        cv2.fillConvexPoly(covered, shape, 1)
    spread = max(3, round(step * 0.75)) | 1
    covered = np.asarray(cv2.dilate(covered, np.ones((spread, spread), np.uint8)), np.uint8)
    cell = np.clip(np.round(grid + margin).astype(int), 0, (covered.shape[1] - 1, covered.shape[0] - 1))
    grid = grid[covered[cell[:, 1], cell[:, 0]] == 0]

    joined = Delaunay(np.vstack([face_uv[oval], grid])).simplices
    vertex = np.concatenate([oval, np.arange(len(grid)) + topology.VERTEX_COUNT])
    centroid = np.vstack([face_uv[oval], grid])[joined].mean(1)
    outline = face_uv[oval].astype(np.float32).reshape(-1, 1, 2)
    outside = [cv2.pointPolygonTest(outline, (float(x), float(y)), False) < 0 for x, y in centroid]
    all_oval = (joined < len(oval)).all(1)
    return grid, vertex[joined[np.array(outside) | ~all_oval]]


def _limited_depth(
    xy: Array, face_depth: Array, pose: Pose, oval: NDArray[np.int64], from_face: Array, face_width: float
) -> Array:
    """(V,) depth in px: the slope-limited envelope of the face over the back plane."""
    back = float(pose.to_view(np.array([[0.0, 0.0, BACK_PLANE_CM]]))[0, 2])
    ahead = np.maximum(face_depth, back)
    gap = np.linalg.norm(xy[:, None] - xy[None, : len(face_depth)], axis=2)
    envelope = np.maximum((ahead - DEPTH_SLOPE * gap).max(1), back)

    outline_gap = gap[: len(face_depth)][:, oval].min(1)
    smoothing = np.exp(-((gap[: len(face_depth)] / (0.06 * face_width)) ** 2))
    smooth = smoothing @ envelope[: len(face_depth)] / smoothing.sum(1)
    edge = 0.5 * np.exp(-((outline_gap / (0.06 * face_width)) ** 2))
    envelope[: len(face_depth)] += edge * (smooth - envelope[: len(face_depth)])

    outer = xy[len(face_depth) :]
    tree = cKDTree(outer)
    distance, near = tree.query(outer, k=12)
    weight = np.exp(-((distance / (0.06 * face_width)) ** 2))
    settled = (weight * envelope[len(face_depth) :][near]).sum(1) / weight.sum(1)
    blend = smoothstep(0.0, 0.08, from_face)
    envelope[len(face_depth) :] += blend * (settled - envelope[len(face_depth) :])
    return np.asarray(envelope)


def _head_weight(points: Array, grid: Array, width: int, height: int) -> NDArray[np.float32]:
    """(V,) how much each vertex belongs to the head: 1 on the face and hair, fading down the neck,
    towards the shoulders and to the frame's edges."""
    face, outer = points[: topology.VERTEX_COUNT], points[topology.VERTEX_COUNT :]
    chin = face[topology.CHIN, 1]
    face_height = face[topology.FOREHEAD_TOP, 1] - chin
    face_width = abs(face[topology.RIGHT_CHEEK, 0] - face[topology.LEFT_CHEEK, 0])
    neck = 1 - smoothstep(-0.05, 0.55, (chin - outer[:, 1]) / face_height)
    reach = np.hypot(
        outer[:, 0] / (0.62 * face_width), (outer[:, 1] - chin - 0.62 * face_height) / (0.78 * face_height)
    )
    side = 1 - smoothstep(1.05, 1.9, reach)
    edge_px = np.minimum.reduce([grid[:, 0], width - grid[:, 0], grid[:, 1]])
    edge = smoothstep(-0.02, 0.10, edge_px / max(width, height))
    return np.concatenate([np.ones(len(face)), neck * side * edge]).astype(np.float32)
