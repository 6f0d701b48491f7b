"""Centre-parted hair combed over the temples to a low knot, with a coronet braid.

Guides are marched over the head in a comb direction field; the painting grows many fine strands
around each guide, the sculpture turns the same guides into a few thick locks of clay.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
import scene
from head import SKIN_VERTICES, Array, FaceKit, push_out, scalp_weight, smoothstep
from mathutils.bvhtree import BVHTree
from scipy.ndimage import gaussian_filter1d

STEP = 0.5  # cm between guide points
KNOT = np.array([0.0, -3.2, -9.2])


@dataclass(frozen=True)
class Locks:
    """Lines (n, 3) cm with a radius per point."""

    lines: list[Array]
    radii: list[Array]

    def __add__(self, other: Locks) -> Locks:
        return Locks(self.lines + other.lines, self.radii + other.radii)


def scalp_surface(kit: FaceKit, vertices: Array) -> BVHTree:
    padded = push_out(kit, vertices, 0.12 * scalp_weight(kit))
    head = scene.part_mesh("scalp", kit, padded, ("face", "headneck"), None, 1)
    tree = scene.surface(head.data)
    bpy.data.objects.remove(head)
    return tree


def roots(
    kit: FaceKit, vertices: Array, count: int, rng: np.random.Generator, low: float = 0.5, high: float = 1.01
) -> Array:
    """Random points on the skin where the scalp weight lies between `low` and `high`."""
    weight = scalp_weight(kit)
    triangles = kit.faces[:, :3]
    triangles = triangles[(triangles < SKIN_VERTICES).all(1)]
    mean = weight[triangles].mean(1)
    triangles = triangles[(mean > low) & (mean < high)]
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    chosen = rng.choice(len(triangles), count, p=area / area.sum())
    share = rng.dirichlet([1, 1, 1], count)
    return sum(share[:, k, None] * vertices[triangles[chosen, k]] for k in range(3))


def parting(kit: FaceKit, vertices: Array, count: int) -> Array:
    """Roots along both sides of the centre parting, from the forehead to the crown."""
    weight = scalp_weight(kit)
    x, y, z = kit.neutral[:SKIN_VERTICES].T
    middle = np.flatnonzero((np.abs(x) < 0.3) & (weight > 0.5) & (y > 6.0) & (z > -4.0))
    middle = middle[np.argsort(-z[middle])]
    steps = np.linspace(0, len(middle) - 1, count)
    line = np.stack([np.interp(steps, np.arange(len(middle)), vertices[middle, k]) for k in range(3)], -1)
    sides = np.where(np.arange(count) % 2 == 0, 0.12, -0.12)
    return np.c_[sides, line[:, 1:]]


def comb(root: Array, lift: float, tree: BVHTree, wave: float, phase: float) -> Array:
    """March one guide from its root: sideways from the parting, then back and down to the knot."""
    side = 1.0 if root[0] > 0 else -1.0
    place, line = root.copy(), [root.copy()]
    direction = np.array([side * 0.6, 0.2, -0.1])
    binormals = [np.zeros(3)]
    for step in range(70):
        to_knot = KNOT + np.array([side * 1.2, 0, 0]) - place
        distance = np.linalg.norm(to_knot)
        if distance < 4.5:
            break
        backward = smoothstep(4.5, -4.5, place[2:3])[0]
        aside = np.array([side * 1.0, -0.55, -0.30 - 0.30 * (place[1] < 5.0)])
        wanted = to_knot / distance * backward + aside * (1 - backward)
        direction = 0.62 * direction + 0.38 * wanted / np.linalg.norm(wanted)
        direction /= np.linalg.norm(direction)
        moved = place + direction * STEP
        flat, normal = scene.nearest(tree, moved)
        height = (moved - flat) @ normal
        needed = lift * (0.2 + 0.8 * min(1.0, step / 8))
        if height < needed:
            moved = flat + normal * needed
        elif height < 5.0:
            moved = moved - normal * min(0.4 * (height - needed), 0.35)
        direction = (moved - place) / max(float(np.linalg.norm(moved - place)), 1e-6)
        place = moved
        line.append(place.copy())
        binormals.append(np.cross(direction, normal))
    points = gaussian_filter1d(np.array(line), 1.5, axis=0, mode="nearest")
    points[0] = root
    along = np.arange(len(points)) * STEP
    swing = wave * smoothstep(2.0, 7.0, along) * np.sin(along * 1.35 + phase)
    return points + gaussian_filter1d(np.array(binormals), 2.0, axis=0) * swing[:, None]


def guides(
    kit: FaceKit,
    vertices: Array,
    tree: BVHTree,
    rng: np.random.Generator,
    count: int,
    wave: float,
    depth: tuple[float, float],
) -> list[Array]:
    """Guides that reach the knot; those that would hang loose in front of it are left out."""
    lines = []
    scattered = roots(kit, vertices, count, rng, 0.45)
    for root in np.concatenate([scattered, parting(kit, vertices, count // 10)]):
        phase = 0.30 * root[2] + rng.normal(0, 0.15)
        line = comb(root, rng.uniform(*depth), tree, wave, phase)
        loose = (line[:, 1] < -3.0) & (line[:, 2] > -5.0)
        if len(line) >= 8 and not loose.any():
            lines.append(line)
    return lines


def strands_around(
    lines: list[Array], rng: np.random.Generator, per_guide: int, radius: float, spread: float
) -> Locks:
    grown, radii = [], []
    for line in lines:
        t = np.linspace(0, 1, len(line))[:, None]
        fan = spread * (0.35 + np.sin(np.pi * np.minimum(t * 1.25, 1)))
        for _ in range(per_guide):
            shift, twist = rng.normal(0, 1, 3), rng.normal(0, 1, 3)
            wander = shift * (1 - 0.3 * t) + 0.4 * twist * np.sin(t * 8 + rng.uniform(0, 6))
            root = 0.40 * rng.normal(0, 1, 3) * [1.0, 0.15, 1.0]
            points = line + fan * wander + root * np.exp(-7 * t)
            points[:3, 0] = np.sign(line[1, 0]) * np.maximum(np.abs(points[:3, 0]), 0.06)
            end = int(len(line) * rng.uniform(0.8, 1.0))
            grown.append(points[:end])
            s = t[:end, 0]
            radii.append(radius * (0.3 + 0.7 * smoothstep(0, 0.12, s)) * (1 - 0.7 * s**3))
    return Locks(grown, radii)


def baby_hair(
    kit: FaceKit, vertices: Array, tree: BVHTree, rng: np.random.Generator, count: int, radius: float
) -> Locks:
    """Short fine hairs that dissolve the hairline."""
    lines, radii = [], []
    for root in roots(kit, vertices, count, rng, 0.10, 0.75):
        if root[2] < -1.0 or root[1] < 0.5:
            continue
        line = comb(root, rng.uniform(0.05, 0.35), tree, 0.0, 0.0)
        line = line[: rng.integers(4, 9)]
        if len(line) < 4:
            continue
        curl = rng.normal(0, 0.16, 3) * np.linspace(0, 1, len(line))[:, None] ** 2
        lines.append(line + curl)
        radii.append(radius * np.linspace(0.8, 0.1, len(line)))
    return Locks(lines, radii)


def flyaways(lines: list[Array], rng: np.random.Generator, count: int, radius: float) -> Locks:
    """Single hairs that leave the mass and soften its outline."""
    grown, radii = [], []
    for index in rng.integers(0, len(lines), count):
        line = lines[index]
        t = np.linspace(0, 1, len(line))[:, None]
        start, stop = sorted(rng.integers(2, len(line), 2))
        if stop - start < 5:
            continue
        away = line - np.array([0, 3.0, -1.0])
        away /= np.linalg.norm(away, axis=1, keepdims=True)
        bow = np.sin(np.pi * np.linspace(0, 1, stop - start))[:, None]
        wander = rng.normal(0, 0.25, 3) * np.sin(t[start:stop] * rng.uniform(6, 14) + rng.uniform(0, 6))
        grown.append(line[start:stop] + away[start:stop] * bow * rng.gamma(1.6, 0.16) + wander)
        radii.append(radius * np.linspace(0.9, 0.3, stop - start))
    return Locks(grown, radii)


def chignon(rng: np.random.Generator, count: int, radius: float) -> Locks:
    """A low coil behind the neck; from the front only its sides show."""
    lines, radii = [], []
    for _ in range(count):
        size = np.sqrt(rng.uniform(0.25, 1.0))
        turn = rng.uniform(0, 2 * np.pi) + np.linspace(0, rng.uniform(2.5, 5.0), 40)
        depth = rng.uniform(-1, 1) * 2.2 * np.sqrt(1.06 - size**2)
        drift = rng.normal(0, 0.16, 3) * np.sin(turn * rng.uniform(0.6, 1.6))[:, None]
        coil = np.stack([6.9 * size * np.cos(turn), 4.0 * size * np.sin(turn), 0 * turn], -1)
        lines.append(coil + drift + np.array([0.0, -4.2, -7.6 + depth]))
        radii.append(radius * np.sin(np.linspace(0.3, 2.9, 40)))
    return Locks(lines, radii)


def coronet(tree: BVHTree, rng: np.random.Generator, hairs: int, radius: float, lift: float) -> Locks:
    """A three-lock braid over the crown from ear to ear, `lift` cm above the scalp; `hairs` per lock."""
    sweep = np.linspace(-1, 1, 400)
    bearing = sweep * np.radians(118)
    aim = np.stack([np.sin(bearing), np.cos(bearing), 0.34 - 0.90 * np.abs(sweep) ** 2.2], -1)
    aim /= np.linalg.norm(aim, axis=1, keepdims=True)
    centre = np.array([0.0, 5.0, -1.5])
    path, normals = (
        np.array(a) for a in zip(*(scene.nearest(tree, centre + 12 * d) for d in aim), strict=True)
    )
    path = gaussian_filter1d(path, 6, axis=0, mode="nearest")
    normals = gaussian_filter1d(normals, 12, axis=0, mode="nearest")
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    across = np.cross(along, normals)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    lines, radii = [], []
    for lock in range(4):
        phase = 2 * np.pi * (length / 5.4 + lock / 3)
        middle = path + lift * normals
        middle += (0.66 * np.sin(phase))[:, None] * across + (0.30 * np.sin(2 * phase))[:, None] * normals
        if lock == 3:  # a straight core closes the gaps between braid and scalp
            middle = path + 0.35 * lift * normals
        for _ in range(hairs):
            r, turn = 0.50 * np.sqrt(rng.uniform()), rng.uniform(0, 2 * np.pi)
            spin = turn + 0.25 * length
            swell = (0.80 + 0.20 * np.cos(2 * phase))[:, None]
            offset = r * (np.cos(spin)[:, None] * across + np.sin(spin)[:, None] * normals) * swell
            lines.append((middle + offset)[::2])
            radii.append(np.full(len(lines[-1]), radius))
    return Locks(lines, radii)
