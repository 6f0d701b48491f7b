"""The lid margins of a sitter's eyes as smooth curves; centimetres, FaceKit frame."""

from __future__ import annotations

import numpy as np
from head import Array, FaceKit
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline


def lid_curves(kit: FaceKit, vertices: Array, side: str) -> tuple[CubicSpline, CubicSpline]:
    """Upper and lower lid margins as curves over 0 (nose) .. 1 (temple)."""
    ring = lid_rim(kit, vertices, side)
    outward = 1.0 if side == "L" else -1.0
    inner, outer = ring[np.argmin(outward * ring[:, 0])], ring[np.argmax(outward * ring[:, 0])]
    chord = np.interp(ring[:, 0], *_ascending(inner, outer))
    curves = []
    for half in (ring[:, 1] >= chord, ring[:, 1] < chord):
        points = np.concatenate([[inner], ring[half], [outer]])
        along = np.clip((points[:, 0] - inner[0]) / (outer[0] - inner[0]), 0, 1)
        order = np.argsort(along)
        along, keep = np.unique(np.round(along[order], 3), return_index=True)
        curves.append(CubicSpline(along, points[order][keep]))
    return curves[0], curves[1]


def _ascending(a: Array, b: Array) -> tuple[list[float], list[float]]:
    first, second = (a, b) if a[0] < b[0] else (b, a)
    return [first[0], second[0]], [first[1], second[1]]


def lid_rim(kit: FaceKit, vertices: Array, side: str) -> Array:
    """The lid margin of one eye ("L" or "R"), an ordered closed ring (n, 3) cm."""
    first, last = kit.parts[f"lac{side}"]
    ring = max(_boundary_loops(kit.faces, first, last), key=lambda loop: np.ptp(kit.neutral[loop, 0]))
    return vertices[ring]


def _boundary_loops(faces: NDArray[np.int32], first: int, last: int) -> list[list[int]]:
    inside = faces[(faces[:, 0] >= first) & (faces[:, 0] < last)]
    count: dict[tuple[int, int], int] = {}
    for face in inside.tolist():
        corners = [vertex for vertex in face if vertex >= 0]
        for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
            edge = (min(a, b), max(a, b))
            count[edge] = count.get(edge, 0) + 1
    neighbours: dict[int, list[int]] = {}
    for (a, b), uses in count.items():
        if uses == 1:
            neighbours.setdefault(a, []).append(b)
            neighbours.setdefault(b, []).append(a)
    loops = []
    while neighbours:
        start = next(iter(neighbours))
        loop, here = [start], start
        while True:
            onward = [n for n in neighbours.pop(here, []) if n in neighbours]
            if not onward:
                break
            here = onward[0]
            loop.append(here)
        loops.append(loop)
    return loops
