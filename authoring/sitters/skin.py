"""Flesh colours per vertex, laid in soft patches the way a portraitist glazes; linear RGB."""

from __future__ import annotations

import numpy as np
from head import SKIN_VERTICES, Array, FaceKit, scalp_weight, smoothstep
from lids import lid_curves
from scipy.spatial import cKDTree

FLESH = np.array([0.78, 0.565, 0.435])
BLUSH = np.array([0.80, 0.40, 0.30])
LIP = np.array([0.50, 0.185, 0.155])
UMBER = np.array([0.13, 0.070, 0.040])
HAIR_GROUND = np.array([0.050, 0.026, 0.014])
NOSTRIL = np.array([0.22, 0.085, 0.055])


def patch(points: Array, centre: Array, spread: tuple[float, float, float]) -> Array:
    """A soft Gaussian patch of weight 1 at its centre; spreads in cm."""
    return np.exp(-(((points - centre) / np.array(spread)) ** 2).sum(1))


def outline(points: Array, steps: int = 12, closed: bool = True) -> Array:
    """A Catmull-Rom curve through ordered points."""
    count = len(points)
    ring = (
        points
        if closed
        else np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    )
    index = np.arange(count if closed else count - 1) + (0 if closed else 1)
    a, b, c, d = (ring[(index + k) % len(ring)][:, None] for k in (-1, 0, 1, 2))
    t = (np.arange(steps) / steps)[None, :, None]
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return curve.reshape(-1, points.shape[1])


def signed_distance(polygon: Array, points: Array) -> Array:
    """Distance to a closed 2-D polygon, negative inside."""
    squared = np.full(len(points), np.inf)
    inside = np.zeros(len(points), bool)
    for start, end in zip(polygon, np.roll(polygon, -1, 0), strict=True):
        edge, offset = end - start, points - start
        t = np.clip(offset @ edge / (edge @ edge + 1e-12), 0, 1)
        squared = np.minimum(squared, ((offset - t[:, None] * edge) ** 2).sum(1))
        crosses = (start[1] > points[:, 1]) != (end[1] > points[:, 1])
        inside ^= crosses & (
            points[:, 0] < edge[0] * (points[:, 1] - start[1]) / (edge[1] + 1e-12) + start[0]
        )
    return np.sqrt(squared) * np.where(inside, -1, 1)


def brow_line(landmarks: Array, side: str, drop: float) -> Array:
    """Centre line of one brow from the nose outwards, lowered by `drop` cm."""
    line = landmarks[22:27] if side == "L" else landmarks[17:22][::-1]
    lowering = drop * np.array([0.85, 1.0, 1.0, 0.9, 0.55])
    return outline(line - lowering[:, None] * [0, 1, 0], closed=False)


def hairline(kit: FaceKit, vertices: Array, points: Array) -> Array:
    """Scalp weight carried from the coarse head to finer surface points."""
    distance, index = cKDTree(vertices[:SKIN_VERTICES]).query(points, k=4)
    weight = 1.0 / (distance + 0.01)
    return (scalp_weight(kit)[index] * weight).sum(1) / weight.sum(1)


def paint(kit: FaceKit, vertices: Array, points: Array, brow_drop: float) -> tuple[Array, Array, Array]:
    """Colour (n, 3), roughness (n,) and subsurface weight (n,) for points on the skin."""
    landmarks = vertices[kit.landmarks68]
    colour = np.tile(FLESH, (len(points), 1))
    front = points[:, 2] > 4.0

    def glaze(weight: Array, tint: Array) -> None:
        colour[:] = colour * (1 - weight[:, None]) + tint * weight[:, None]

    for side in (-1, 1):
        cheek = np.array([side * 4.3, landmarks[33, 1] + 0.7, 8.4])
        glaze(0.50 * patch(points, cheek, (2.1, 1.6, 4.0)), BLUSH)
        glaze(0.40 * patch(points, np.array([side * 8.0, 2.0, 0.0]), (1.5, 4.0, 3.0)), BLUSH)
    glaze(0.34 * patch(points, landmarks[30], (1.2, 1.0, 1.6)), BLUSH)
    glaze(0.26 * patch(points, landmarks[8] + [0, 0.9, 0], (1.9, 1.2, 3.0)), BLUSH)
    for corners in (landmarks[36:42], landmarks[42:48]):
        glaze(0.30 * patch(points, corners.mean(0), (2.3, 1.5, 3.0)), FLESH * [0.88, 0.74, 0.70])
        glaze(0.22 * patch(points, corners.mean(0) + np.array([0, 0.75, 0]), (1.7, 0.45, 3.0)), UMBER * 2.2)
    glaze(0.10 * patch(points, landmarks[27] + [0, 3.6, 0], (4.5, 2.2, 5.0)), np.array([0.86, 0.68, 0.50]))

    rng = np.random.default_rng(11)
    waves = sum(np.sin(points @ rng.normal(0, 1.4, 3) + rng.uniform(0, 6)) for _ in range(9)) / 9
    colour *= 1 + 0.035 * waves[:, None] * [0.6, 1.0, 1.1]

    near_mouth = front & (np.abs(points[:, 0]) < 4) & (np.abs(points[:, 1] - landmarks[48, 1]) < 3)
    lips = np.full(len(points), 9.0)
    lips[near_mouth] = signed_distance(outline(landmarks[48:60, :2]), points[near_mouth, :2])
    lip_weight = 1 - smoothstep(-0.16, 0.12, lips)
    upper = smoothstep(landmarks[62, 1] - 0.05, landmarks[62, 1] + 0.05, points[:, 1])
    glaze(0.66 * lip_weight * (1 - upper), LIP)
    glaze(0.70 * lip_weight * upper, LIP * [0.88, 0.80, 0.80])
    seam = np.linalg.norm(
        points[:, None, :] - outline(landmarks[60:65], closed=False)[None, ::3], axis=2
    ).min(1)
    glaze(0.55 * np.exp(-((seam / 0.10) ** 2)), np.array([0.20, 0.055, 0.045]))

    nostrils = np.zeros(len(points))
    for index in (31, 32, 34, 35):
        nostrils = np.maximum(
            nostrils, patch(points, landmarks[index] + [0, 0.24, -0.30], (0.28, 0.22, 0.50))
        )
    glaze(0.82 * nostrils, NOSTRIL)

    for side in ("L", "R"):
        line = brow_line(landmarks, side, brow_drop)[:, :2]
        gap = np.full(len(points), 9.0)
        gap[front] = np.linalg.norm(points[front, None, :2] - line[None, ::2], axis=2).min(1)
        along = np.clip(np.abs(points[:, 0]) - np.abs(line[0, 0]) + 0.1, 0, 2.4) / 2.4
        width = 0.40 - 0.20 * along
        glaze(0.48 * smoothstep(0.0, 0.30, along) * np.exp(-((gap / width) ** 2)), UMBER)
        upper_lid, _ = lid_curves(kit, vertices, side)
        margin = upper_lid(np.linspace(0.04, 1.0, 40))
        rim = np.full(len(points), 9.0)
        rim[front] = np.linalg.norm(points[front, None] - margin[None], axis=2).min(1)
        glaze(0.75 * np.exp(-((rim / 0.085) ** 2)), UMBER * 0.6)
        fold = margin + np.array([0, 0.36, 0]) * np.sin(np.linspace(0.5, 2.7, 40))[:, None]
        rim[front] = np.linalg.norm(points[front, None, :2] - fold[None, :, :2], axis=2).min(1)
        glaze(0.42 * np.exp(-((rim / 0.075) ** 2)), np.array([0.30, 0.13, 0.085]))

    scalp = hairline(kit, vertices, points)
    glaze(0.95 * smoothstep(0.25, 1.0, scalp), HAIR_GROUND)

    inside_mouth = near_mouth & (lips < -0.1) & (points[:, 2] < landmarks[48, 2] - 0.4)
    colour[inside_mouth] *= 0.3
    roughness = 0.43 - 0.08 * lip_weight - 0.05 * patch(points, landmarks[30], (0.9, 0.9, 1.2))
    subsurface = np.clip(1.0 - nostrils * 1.2 - smoothstep(0.2, 0.6, scalp), 0.0, 1.0)
    return colour, roughness, subsurface
