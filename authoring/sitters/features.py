"""Eyes, lashes and brows: small things that carry the likeness."""

from __future__ import annotations

import bpy
import materials
import numpy as np
import scene
from head import Array, FaceKit, smoothstep
from lids import lid_curves
from skin import brow_line

IRIS_RADIUS = 0.66  # cm
PUPIL_RADIUS = 0.24
RELAXED_VERGENCE_DEG = 3.0  # each eye turned out a little: a calm look, as painters do
SCLERA = np.array([0.66, 0.575, 0.49])


def eye_axes(kit: FaceKit, vertices: Array, side: str, viewer: Array) -> tuple[Array, Array, Array, Array]:
    """Centre of one eyeball and its right, up and gaze directions when it looks at `viewer` (cm)."""
    first, last = kit.parts[f"sclera{side}"]
    ball = vertices[first:last]
    centre = (ball.min(0) + ball.max(0)) / 2
    gaze = (viewer - centre) / np.linalg.norm(viewer - centre)
    outward = 1.0 if side == "L" else -1.0
    gaze = gaze + np.array([outward * np.tan(np.radians(RELAXED_VERGENCE_DEG)), 0.0, 0.0])
    gaze /= np.linalg.norm(gaze)
    right = np.cross([0.0, 1.0, 0.0], gaze)
    right /= np.linalg.norm(right)
    return centre, right, np.cross(gaze, right), gaze


def eye_plane(points: Array, axes: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array]:
    """Position across and up from the gaze axis (cm) and radius; points behind get a huge radius."""
    centre, right, up, gaze = axes
    offset = points - centre
    across, above = offset @ right, offset @ up
    radius = np.where(offset @ gaze > 0, np.hypot(across, above), 9.0)
    return across, above, radius


def painted_eyes(kit: FaceKit, vertices: Array, viewer: Array, iris: Array) -> None:
    """Both eyes with a fibrous iris, a dark limbus and a soft window light at ten o'clock."""
    for side in ("L", "R"):
        axes = eye_axes(kit, vertices, side, viewer)
        made = materials.material(f"eye{side}", Roughness=0.22, Specular_IOR_Level=0.35, Coat_Weight=0.25)
        ball = scene.part_mesh(f"eye{side}", kit, vertices, (f"sclera{side}",), made, 3)
        across, above, radius = eye_plane(scene.mesh_points(ball.data), axes)
        angle = np.arctan2(above, across)
        fibres = 0.80 + 0.14 * np.sin(angle * 23 + 2 * np.sin(angle * 7)) + 0.10 * np.sin(angle * 53)
        glow = 0.75 + 1.05 * np.exp(-(((radius - 0.38) / 0.14) ** 2)) * (0.60 - 0.40 * np.sin(angle + 0.7))
        colour = iris * (fibres * glow)[:, None]
        colour *= 1 - 0.70 * smoothstep(IRIS_RADIUS - 0.16, IRIS_RADIUS, radius)[:, None]
        colour = _mix(
            colour,
            np.array([0.006, 0.005, 0.004]),
            1 - smoothstep(PUPIL_RADIUS - 0.05, PUPIL_RADIUS + 0.03, radius),
        )
        white = SCLERA * (1 - 0.16 * smoothstep(0.9, 1.4, radius))[:, None]
        white = white * (1 - 0.10 * smoothstep(0.9, 1.5, np.abs(across))[:, None] * [0.0, 1.0, 1.0])
        colour = _mix(colour, white, smoothstep(IRIS_RADIUS - 0.03, IRIS_RADIUS + 0.09, radius))
        lid_shadow = smoothstep(0.18, 0.75, above)
        colour *= 1 - 0.45 * lid_shadow[:, None]
        light = np.exp(-(((across + 0.22) / 0.105) ** 4) - ((above - 0.23) / 0.115) ** 4)
        glint = np.exp(-((across - 0.27) ** 2 + (above + 0.27) ** 2) / 0.13**2)
        materials.drive(made, "Base Color", "colour", ball.data, _mix(colour, np.ones(3), light))
        materials.drive(
            made,
            "Emission Color",
            "light",
            ball.data,
            np.repeat((0.95 * light + 0.07 * glint)[:, None], 3, 1),
        )
        materials.principled(made).inputs["Emission Strength"].default_value = 1.0
    wet = materials.material("tear line", (0.62, 0.34, 0.27), Roughness=0.2, Specular_IOR_Level=0.6)
    scene.part_mesh("tear line", kit, vertices, ("lacL", "lacR"), wet, 1)


def _mix(colour: Array, other: Array, weight: Array) -> Array:
    return colour * (1 - weight[:, None]) + other * weight[:, None]


def lashes(
    kit: FaceKit, vertices: Array, made: bpy.types.Material, rng: np.random.Generator, length: float
) -> None:
    lines, radii = [], []
    for side in ("L", "R"):
        outward = 1.0 if side == "L" else -1.0
        upper, lower = lid_curves(kit, vertices, side)
        for curve, count, reach, lift, width in (
            (upper, 190, length, 1.0, 0.013),
            (lower, 34, 0.30 * length, -0.8, 0.006),
        ):
            for along in rng.uniform(0.10, 0.97, count):
                root = curve(along)
                direction = np.array([outward * (1.1 * along - 0.42), 0.10 * lift, 0.85])
                direction /= np.linalg.norm(direction)
                size = reach * (0.55 + 0.55 * along) * rng.uniform(0.7, 1.1)
                t = np.linspace(0, 1, 7)[:, None]
                curl = np.array([outward * 0.10, 0.75 * lift, -0.18])
                lines.append(root + [0, 0.03 * lift, 0.02] + direction * size * t + curl * size * t**2)
                radii.append(width * np.linspace(1, 0.15, 7))
    scene.strands("lashes", lines, radii, made)


def brows(
    kit: FaceKit,
    vertices: Array,
    head: bpy.types.Mesh,
    made: bpy.types.Material,
    rng: np.random.Generator,
    drop: float,
    hairs: int = 400,
) -> None:
    tree = scene.surface(head)
    lines, radii = [], []
    for side in ("L", "R"):
        line = brow_line(vertices[kit.landmarks68], side, drop)
        along_line = np.linspace(0, 1, len(line))
        for _ in range(hairs):
            along = rng.beta(1.15, 1.15)
            root, tangent = _at(line, along_line, along), _tangent(line, along_line, along)
            band = 0.34 * (1 - 0.66 * along) * (0.6 + 0.4 * min(1.0, along * 5))
            across = rng.triangular(-1.25, 0.0, 1.25)
            root = root + np.array([0, across * band, 0])
            lean = np.interp(along, [0, 0.15, 0.5, 1], [0.85, 0.60, 0.22, -0.05]) - 0.35 * across * (
                along > 0.12
            )
            direction = tangent * np.cos(lean) + np.array([0, 1, 0]) * np.sin(lean)
            size = rng.uniform(0.30, 0.54) * (1 - 0.30 * along)
            hair = []
            for t in np.linspace(0, 1, 6):
                flat, normal = scene.nearest(tree, root + direction * size * t + tangent * 0.12 * t * t)
                hair.append(flat + normal * (0.015 + 0.05 * np.sin(np.pi * t)))
            lines.append(np.array(hair))
            fine = 0.006 + 0.003 * min(1.0, along * 4)
            radii.append(fine * np.linspace(1, 0.1, 6))
    scene.strands("brows", lines, radii, made)


def _at(line: Array, along_line: Array, along: float) -> Array:
    return np.array([np.interp(along, along_line, line[:, k]) for k in range(3)])


def _tangent(line: Array, along_line: Array, along: float) -> Array:
    step = _at(line, along_line, min(along + 0.05, 1)) - _at(line, along_line, max(along - 0.05, 0))
    return step / np.linalg.norm(step)
