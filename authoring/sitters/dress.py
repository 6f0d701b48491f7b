"""Shoulders, a gathered chemise, a velvet mantle and pearls."""

from __future__ import annotations

import bpy
import numpy as np
import scene
from head import Array, FaceKit, smoothstep, turn_body
from mathutils.bvhtree import BVHTree
from scipy.ndimage import gaussian_filter1d

SPINE_Z = -1.6
HEIGHTS = np.array([-34, -26, -22, -19.5, -17.5, -16, -14.5, -13, -11.5, -10.5])
HALF_WIDTHS = np.array([19.2, 19.4, 19.2, 18.4, 16.8, 14.8, 12.2, 9.6, 7.0, 5.0])
CHEMISE_NECKLINE = (-16.4, -12.9, -11.5)  # heights at the front, side and back, cm
HALF_DEPTHS = np.array([10.8, 10.2, 9.4, 8.8, 8.2, 7.6, 7.0, 6.2, 5.2, 4.0])


def torso_point(bearing: Array, height: Array, clearance: float) -> Array:
    """Points of a super-ellipse torso; bearing 0 is the front, heights in cm."""
    across = np.interp(height, HEIGHTS, HALF_WIDTHS) + clearance
    deep = np.interp(height, HEIGHTS, HALF_DEPTHS) + clearance
    power = 2 / 2.4
    sine, cosine = np.sin(bearing), np.cos(bearing)
    x = across * np.sign(sine) * np.abs(sine) ** power
    z = SPINE_Z + deep * np.sign(cosine) * np.abs(cosine) ** power
    return np.stack([x, np.broadcast_to(height, x.shape), z], -1)


def garment(
    skin: BVHTree,
    neckline: tuple[float, float, float],
    clearance: float,
    lowest: float = -34.0,
    rows: int = 90,
    columns: int = 720,
) -> tuple[Array, Array, Array]:
    """A closed sheet from a neckline (heights at front, side, back) down; it rests on the skin at the top.

    Returns points (rows, columns, 3), the bearing of each column and the fraction down of each row.
    """
    bearing = np.linspace(-np.pi, np.pi, columns, endpoint=False)
    top, resting = _neckline(bearing, neckline), _neckline(bearing, CHEMISE_NECKLINE)
    down = np.linspace(0, 1, rows) ** 1.4
    height = top[None] + (lowest - top[None]) * down[:, None]
    loft = torso_point(np.broadcast_to(bearing, height.shape), height, clearance)
    points = loft.copy()
    for row in range(rows):
        rest = 1 - smoothstep(0.3, 4.5, resting - height[row])
        for column in np.flatnonzero(rest > 0):
            flat, normal = scene.nearest(skin, loft[row, column])
            share = rest[column]
            points[row, column] = share * (flat + clearance * normal) + (1 - share) * loft[row, column]
    points = gaussian_filter1d(points, 3.0, axis=1, mode="wrap")
    return gaussian_filter1d(points, 1.2, axis=0, mode="nearest"), bearing, down


def _neckline(bearing: Array, heights: tuple[float, float, float]) -> Array:
    front, side, back = heights
    line = np.interp(
        np.abs(bearing), [0, 0.5, 1.0, 1.35, np.pi], [front, front + 0.3, side - 1.2, side, back]
    )
    return gaussian_filter1d(line, len(bearing) / 60, mode="wrap")


def _normals(points: Array) -> Array:
    across = np.roll(points, -1, 1) - np.roll(points, 1, 1)
    along = np.gradient(points, axis=0)
    normals = np.cross(along, across)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True) + 1e-9
    outward = points - np.array([0, -26.0, SPINE_Z])
    return normals * np.sign((normals * outward).sum(-1, keepdims=True) + 1e-9)


def chemise(skin: BVHTree, made: bpy.types.Material, turn: float) -> None:
    """White linen gathered into a narrow frill."""
    points, bearing, down = garment(skin, CHEMISE_NECKLINE, 0.20)
    ripple = np.sin(78 * bearing + 1.6 * np.sin(9 * bearing) + 0.9 * np.sin(23 * bearing + 1))
    uneven = 0.65 + 0.35 * np.sin(17 * bearing + 2 * np.sin(5 * bearing))
    depth = 0.16 * smoothstep(0.0, 0.03, down) * (1 - 0.5 * smoothstep(0.1, 0.5, down))
    sway = ripple * uneven
    points = points + _normals(points) * (depth[:, None] * sway[None])[..., None]
    scene.grid_mesh(
        "chemise", turn_body(points.reshape(-1, 3), turn).reshape(points.shape), made, 1, 0.05, True
    )
    edge = points[0]
    outward = _normals(points)[0]
    rise = np.linspace(0, 1, 6)[:, None, None]
    flare = 0.14 * np.sin(110 * bearing + 2 * np.sin(13 * bearing))[None, :, None]
    frill = edge[None] + rise * np.array([0, 0.48, 0]) + outward[None] * (0.12 + 0.10 * rise + flare * rise)
    scene.grid_mesh("frill", turn_body(frill.reshape(-1, 3), turn).reshape(frill.shape), made, 1, 0.035, True)


def mantle(
    skin: BVHTree,
    made: bpy.types.Material,
    trim: bpy.types.Material | None,
    turn: float,
    neckline: tuple[float, float, float],
    clearance: float = 0.60,
    cord: float = 0.17,
    fold_depth: float = 0.42,
) -> None:
    """A heavy cloth over both shoulders with long falling folds and a cord along its edge."""
    points, bearing, down = garment(skin, neckline, clearance)
    fall = down[:, None]
    lean = bearing[None] * (1 + 0.25 * fall)
    folds = (
        0.60 * np.sin(11 * lean + 2.1 * np.sin(4 * lean) + 2.0 * fall)
        + 0.24 * np.sin(23 * lean + 1.3 * np.sin(7 * lean) - 3.0 * fall)
        + 0.55 * np.sin(6.0 * lean + 9.0 * fall + 1.0)
    )
    depth = fold_depth * smoothstep(0.0, 0.16, down)[:, None]
    points = points + _normals(points) * (depth * (folds + 1.1))[..., None]
    turned = turn_body(points.reshape(-1, 3), turn).reshape(points.shape)
    scene.grid_mesh("mantle", turned, made, 1, 0.22, True)
    if trim is not None:
        edge = np.concatenate([turned[0], turned[:1, 0]])
        scene.tube("cord", edge + np.array([0, 0.02, 0.05]), cord, trim)


def necklace(skin: BVHTree, made: bpy.types.Material, lowest: float, radius: float = 0.30) -> None:
    bearing = np.linspace(-2.4, 2.4, 900)
    height = lowest + 3.4 * (1 - np.cos(bearing * 0.62)) ** 1.1
    ring = np.stack([14 * np.sin(bearing), height, SPINE_Z + 14 * np.cos(bearing)], -1)
    axis = np.stack([0 * bearing, height, np.full_like(height, SPINE_Z)], -1)
    hits = [scene.cast(skin, start, end) for start, end in zip(ring, axis, strict=True)]
    line = np.array([flat + radius * normal for flat, normal in hits])
    line = gaussian_filter1d(line, 8, axis=0, mode="nearest")
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    stations = np.arange(0, length[-1], 2.04 * radius)
    beads = np.stack([np.interp(stations, length, line[:, k]) for k in range(3)], -1)
    scene.spheres("pearl", beads, np.full(len(beads), radius), made)


def earrings(kit: FaceKit, vertices: Array, pearl: bpy.types.Material, gold: bpy.types.Material) -> None:
    for side in (-1, 1):
        x, y = kit.neutral[:11248, 0] * side, kit.neutral[:11248, 1]
        ear = np.flatnonzero((x > 7.6) & (y < 2.0) & (y > -2.5))
        lobe = vertices[ear[np.argmin(kit.neutral[ear, 1] - 0.3 * x[ear])]]
        hook = lobe + np.array([side * 0.05, 0.25, 0.55])
        scene.spheres("stud", hook[None], np.array([0.13]), gold)
        scene.spheres("drop", (hook - [0, 0.72, 0])[None], np.array([0.42]), pearl)
        scene.tube("wire", np.array([hook, hook - [0, 0.4, 0]]), 0.035, gold)
