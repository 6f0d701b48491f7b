"""Where each of the 468 landmark vertices lies on the ICT FaceKit surface.

The canonical mesh is brought onto the ICT neutral by a similarity on the landmarks both meshes name, then by
a thin-plate spline that follows the nearest surface. Lid and lip rings are not left to proximity: they are
sampled by arc length along the shortest edge paths through the ICT landmarks of the same lid or lip.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from generator.face import topology
from generator.face.alignment import Similarity, align

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

# The canonical vertices that carry the 68 landmarks of the iBUG annotation, in its order.
LANDMARKS_68 = np.array([
    162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389,
    71, 63, 105, 66, 107, 336, 296, 334, 293, 301, 168, 197, 5, 4, 75, 97, 2, 326, 305,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87,
])  # fmt: skip
# Chin and inner face: the jaw line is where the two annotations disagree.
_STABLE = np.r_[8, 17:68]
_BROWS_AND_NOSE = np.r_[17:36]

# The iBUG landmarks along each ring of the topology, corner to corner.
_RINGS: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    (topology.RIGHT_EYE_UPPER, (36, 37, 38, 39)),
    (topology.RIGHT_EYE_LOWER, (36, 41, 40, 39)),
    (topology.LEFT_EYE_UPPER, (45, 44, 43, 42)),
    (topology.LEFT_EYE_LOWER, (45, 46, 47, 42)),
    (topology.INNER_LIP_UPPER, (60, 61, 62, 63, 64)),
    (topology.INNER_LIP_LOWER, (60, 67, 66, 65, 64)),
    (topology.OUTER_LIP_UPPER, (48, 49, 50, 51, 52, 53, 54)),
    (topology.OUTER_LIP_LOWER, (48, 59, 58, 57, 56, 55, 54)),
)
_UPPER_LIP = (184, 74, 73, 72, 11, 302, 303, 304, 408, 183, 42, 41, 38, 12, 268, 271, 272, 407)
_LOWER_LIP = (77, 90, 180, 85, 16, 315, 404, 320, 307, 96, 89, 179, 86, 15, 316, 403, 319, 325)

_WARP_SMOOTHING = (0.02, 0.3)  # of the first spline, and of those that follow the surface
_WARP_ROUNDS = 2
_SURFACE_REACH = 0.8  # ICT units; farther vertices do not pull the spline
_CANDIDATE_TRIANGLES = 12


@dataclass(frozen=True)
class FaceKit:
    """The part of an ICT FaceKit archive that the decoder learns from. Units are the kit's own (about 1 cm).

    ``neutral`` (V, 3); ``expressions`` name -> (V, 3) displacement; ``identities`` (M, V, 3) displacements
    per standard deviation; ``faces`` (F, 4) quads, or triangles padded with -1; ``landmarks`` (68,) vertices.
    """

    neutral: Array
    expressions: dict[str, Array]
    identities: Array
    faces: Indices
    landmarks: Indices

    @classmethod
    def load(cls, path: Path) -> "FaceKit":
        """Read the face part of an ``.npz`` archive of ICT FaceKit."""
        with np.load(path) as archive:
            start, end = archive["part_ranges"][list(archive["part_names"]).index("face")]
            faces = archive["faces"].astype(np.int64)
            faces = faces[((faces >= start) | (faces < 0)).all(1) & (faces < end).all(1)]
            names = [str(name) for name in archive["expression_names"]]
            expressions = archive["expressions"][:, start:end].astype(np.float64)
            return cls(
                neutral=archive["neutral"][start:end].astype(np.float64),
                expressions=dict(zip(names, expressions, strict=True)),
                identities=archive["identities"][:, start:end].astype(np.float64),
                faces=np.where(faces >= 0, faces - start, -1),
                landmarks=archive["landmarks68"].astype(np.int64) - start,
            )


@dataclass(frozen=True)
class Correspondence:
    """Barycentric positions of the 468 vertices on the kit's surface, and the kit's pose.

    ``vertices`` (468, 3) indices, ``weights`` (468, 3) summing to one; ``pose`` takes canonical centimetres
    to kit units.
    """

    vertices: Indices
    weights: Array
    pose: Similarity

    def points(self, surface: Array) -> Array:
        """The 468 vertices (468, 3), canonical cm, on a kit surface (V, 3)."""
        return self.pose.inverse(self._sample(surface))

    def displacements(self, field: Array) -> Array:
        """A displacement field of the kit (V, 3) at the 468 vertices (468, 3), canonical cm."""
        return self._sample(field) @ self.pose.rotation / self.pose.scale

    def _sample(self, field: Array) -> Array:
        sampled: Array = np.einsum("nk,nkc->nc", self.weights, field[self.vertices])
        return sampled


def correspond(kit: FaceKit, canonical: Array) -> Correspondence:
    """Find the 468 ``canonical`` vertices (cm) on the surface of ``kit``."""
    marks = kit.neutral[kit.landmarks]
    anchors = LANDMARKS_68[_STABLE]
    pose = align(canonical[anchors], marks[_STABLE])
    posed = pose(canonical)
    triangles = _triangulate(kit.faces)

    warp = RBFInterpolator(
        posed[anchors],
        marks[_STABLE] - posed[anchors],
        kernel="thin_plate_spline",
        smoothing=_WARP_SMOOTHING[0],
    )
    warped = posed + warp(posed)
    free = np.setdiff1d(np.arange(topology.VERTEX_COUNT), anchors)
    for _ in range(_WARP_ROUNDS):
        distance, corners, weights = _closest(warped, kit.neutral, triangles)
        near = free[distance[free] < _SURFACE_REACH]
        onto = np.einsum("nk,nkc->nc", weights[near], kit.neutral[corners[near]])
        sources = np.r_[posed[anchors], posed[near]]
        warp = RBFInterpolator(
            sources,
            np.r_[marks[_STABLE], onto] - sources,
            kernel="thin_plate_spline",
            smoothing=_WARP_SMOOTHING[1],
            neighbors=60,
        )
        warped = posed + warp(posed)
    _, corners, weights = _closest(warped, kit.neutral, triangles)

    # Lips touch: only what the jaw carries along can be lower lip.
    carried = np.linalg.norm(kit.expressions["jawOpen"], axis=1)
    threshold = (np.median(carried[kit.landmarks[61:64]]) + np.median(carried[kit.landmarks[65:68]])) / 2
    low = carried[triangles].mean(1)
    for lip, part in ((_UPPER_LIP, low < threshold), (_LOWER_LIP, low >= threshold)):
        at = list(lip)
        _, corners[at], weights[at] = _closest(warped[at], kit.neutral, triangles[part])

    edges = _Edges(kit)
    for ring, stops in _RINGS:
        at = list(ring)
        corners[at], weights[at] = edges.sample(kit.landmarks[list(stops)], _arc(posed[at]))
    corners[LANDMARKS_68[_BROWS_AND_NOSE]] = kit.landmarks[_BROWS_AND_NOSE, None]
    weights[LANDMARKS_68[_BROWS_AND_NOSE]] = (1.0, 0.0, 0.0)
    # Portraits are posed by all 468 vertices; the kit is measured in the same frame.
    points = np.einsum("nk,nkc->nc", weights, kit.neutral[corners])
    return Correspondence(corners, weights, align(canonical, points))


def _triangulate(faces: Indices) -> Indices:
    quads = faces[faces[:, 3] >= 0]
    return np.vstack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]], faces[faces[:, 3] < 0][:, :3]])


def _closest(points: Array, vertices: Array, triangles: Indices) -> tuple[Array, Indices, Array]:
    """Nearest points on a surface: distances (N,), triangle corners (N, 3), barycentric weights (N, 3)."""
    corners = vertices[triangles]
    _, candidates = cKDTree(corners.mean(1)).query(points, k=_CANDIDATE_TRIANGLES)
    a, b, c = (corners[candidates, k] for k in range(3))
    ab, ac, ap = b - a, c - a, points[:, None] - a
    ab_ab, ab_ac, ac_ac = (ab * ab).sum(-1), (ab * ac).sum(-1), (ac * ac).sum(-1)
    ap_ab, ap_ac = (ap * ab).sum(-1), (ap * ac).sum(-1)
    determinant = ab_ab * ac_ac - ab_ac**2 + 1e-12
    v = (ac_ac * ap_ab - ab_ac * ap_ac) / determinant
    w = (ab_ab * ap_ac - ab_ac * ap_ab) / determinant
    weights = np.clip(np.stack([1 - v - w, v, w], -1), 0, 1)
    weights /= weights.sum(-1, keepdims=True)
    nearest = np.einsum("nmk,nmkc->nmc", weights, corners[candidates])
    distance = np.linalg.norm(nearest - points[:, None], axis=-1)
    best = distance.argmin(1)
    row = np.arange(len(points))
    return distance[row, best], triangles[candidates[row, best]], weights[row, best]


def _arc(points: Array) -> Array:
    """Arc length along a polyline (N, 3), from 0 to 1."""
    length = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    arc: Array = length / length[-1]
    return arc


class _Edges:
    """The kit's edge graph, in which lid and lip lines are shortest paths."""

    def __init__(self, kit: FaceKit) -> None:
        ends = np.vstack([
            np.stack([face[face >= 0], np.roll(face[face >= 0], -1)], 1) for face in kit.faces
        ])  # fmt: skip
        ends = np.unique(np.sort(ends, axis=1), axis=0)
        length = np.linalg.norm(kit.neutral[ends[:, 0]] - kit.neutral[ends[:, 1]], axis=1)
        count = len(kit.neutral)
        self._vertices = kit.neutral
        self._graph = coo_array((length, (ends[:, 0], ends[:, 1])), shape=(count, count)).tocsr()

    def sample(self, stops: Indices, fractions: Array) -> tuple[Indices, Array]:
        """Corners and weights (N, 3) of points at arc ``fractions`` (N,) of the path through ``stops``."""
        path = self._path(stops)
        arc = _arc(self._vertices[path])
        before = np.clip(np.searchsorted(arc, fractions) - 1, 0, len(path) - 2)
        share = (fractions - arc[before]) / (arc[before + 1] - arc[before])
        corners = np.stack([path[before], path[before + 1], path[before]], 1)
        return corners, np.stack([1 - share, share, np.zeros_like(share)], 1)

    def _path(self, stops: Indices) -> Indices:
        path = [int(stops[0])]
        for start, end in pairwise(stops):
            _, previous = dijkstra(self._graph, directed=False, indices=start, return_predecessors=True)
            leg = [int(end)]
            while leg[-1] != start:
                leg.append(int(previous[leg[-1]]))
            path += leg[-2::-1]
        return np.array(path)
