"""Crowns and gums, lofted from the tooth tables along an arch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from generator.easing import smoothstep
from generator.render.mouth.anatomy import Arch, Array, Kind, Tooth
from generator.render.mouth.surface import OralMesh, Part, fan, grid, surface

_HEIGHTS = {
    Kind.INCISOR: np.array([0.0, 0.05, 0.18, 0.42, 0.70, 1.0, 1.12]),
    Kind.CANINE: np.array([0.0, 0.07, 0.20, 0.42, 0.70, 1.0, 1.12]),
    Kind.PREMOLAR: np.array([0.0, 0.12, 0.35, 0.70, 1.05]),
    Kind.MOLAR: np.array([0.0, 0.12, 0.35, 0.70, 1.05]),
}
"""Stations from the biting edge (0) to the gum line (1), in crown heights."""
_AROUND = {Kind.INCISOR: 14, Kind.CANINE: 14, Kind.PREMOLAR: 10, Kind.MOLAR: 10}
"""Vertices around a crown."""
CONTACT_OVERLAP = 1.025
"""Crowns are lofted this much wider than measured, so that no light shows through where they touch."""
ENAMEL_SCATTER = 0.6
"""How far normals lean towards a crown's face, because light spreads inside it."""
_FULLNESS = 3.6
"""Exponent of the superellipse that a crown's cross-section is."""


def _side_widths(tooth: Tooth, h: Array) -> Array:
    """Mesiodistal width at heights ``h``: widest at the contact points, narrow at the neck."""
    share = np.interp(
        h, [0, 0.05, 0.16, 0.32, 0.55, 0.8, 1.0, 1.15], [0.45, 0.82, 0.98, 1, 0.95, 0.72, 0.3, 0.1]
    )
    return np.asarray(tooth.neck_width + (tooth.width - tooth.neck_width) * share)


def _faces(tooth: Tooth, h: Array) -> tuple[Array, Array]:
    """How far the outer and the tongue side lie outside the arch line at heights ``h``, cm."""
    if tooth.kind in (Kind.INCISOR, Kind.CANINE):
        edge = 0.2 if tooth.kind is Kind.INCISOR else 0.3
        outer = tooth.thickness * (edge / 2 + 0.20 * np.sin(np.pi * 0.62 * h.clip(0, 1.2) ** 0.85) - 0.05 * h)
        thickness = tooth.thickness * (edge + (1 - edge) * np.sin(np.pi / 2 * (h / 0.85).clip(0, 1)))
        return outer, outer - thickness
    half = tooth.thickness / 2 * (0.64 + 0.36 * np.sin(np.pi / 2 * (h / 0.5).clip(0, 1)))
    return half, -half


def _biting_contour(tooth: Tooth, across: Array, mesial: float) -> Array:
    """How far the biting end recedes at ``across`` (-1..1 over the width), cm."""
    distal = across * -mesial > 0
    if tooth.kind is Kind.INCISOR:
        return np.asarray(tooth.width * np.abs(across) ** 3 * np.where(distal, 0.13, 0.06))
    if tooth.kind is Kind.CANINE:
        return np.asarray(tooth.width * np.abs(across) ** 1.3 * np.where(distal, 0.28, 0.22))
    if tooth.kind is Kind.PREMOLAR:
        return np.asarray(tooth.width * 0.20 * np.abs(across) ** 1.5)
    return np.asarray(tooth.width * 0.05 * (1 + np.cos(2 * np.pi * across)))


def crowns(arch: Arch, seat: Array, part: Part) -> list[OralMesh]:
    """The fourteen crowns of an arch whose front lies at ``seat`` (3,), cm."""
    centres = arch.centres()
    return [
        _crown(tooth, arch, seat, side * s, part)
        for tooth, s in zip(arch.teeth, centres, strict=True)
        for side in (-1.0, 1.0)
    ]


def _crown(tooth: Tooth, arch: Arch, seat: Array, s: float, part: Part) -> OralMesh:
    rootward = 1.0 if part is Part.UPPER_TEETH else -1.0
    h = _HEIGHTS[tooth.kind]
    count = _AROUND[tooth.kind]
    turn = 2 * np.pi * np.arange(count) / count
    across = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** (2 / _FULLNESS)
    facing = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** (2 / _FULLNESS)
    outer, inner = _faces(tooth, h)
    along = np.outer(CONTACT_OVERLAP * _side_widths(tooth, h) / 2, across)
    out = (outer + inner)[:, None] / 2 + np.outer((outer - inner) / 2, facing)
    recede = _biting_contour(tooth, across, -np.sign(s)) * (1 - h[:, None]).clip(0) ** 2.5
    up = tooth.shy + h[:, None] * tooth.height + recede
    hollow = 0.14 if tooth.kind in (Kind.PREMOLAR, Kind.MOLAR) else 0.0
    local = np.column_stack([along.ravel(), out.ravel(), up.ravel()])
    cap = [0.0, float(outer[0] + inner[0]) / 2, float(up[0].mean()) - 0.015 + hollow]
    local = np.vstack([local, cap])
    normal = arch.outward(s)
    tangent = np.array([normal[1], -normal[0]])
    ground = arch.at(s) + local[:, :1] * tangent + local[:, 1:2] * normal
    vertices = seat + np.column_stack([ground[:, 0], rootward * local[:, 2], ground[:, 1]])
    triangles = np.vstack([grid(len(h), count, wrap=True), fan(count, len(h) * count)])
    height = np.append(np.repeat(h, count), 0.0)
    side = np.append(np.tile(np.abs(across), len(h)), 0.0)
    front = tooth.kind in (Kind.INCISOR, Kind.CANINE)
    crown = surface(
        vertices,
        triangles,
        inside=vertices[:-1].mean(0),
        part=part,
        jaw=0.0 if part is Part.UPPER_TEETH else 1.0,
        open_air=(1 - 0.16 * side**6)
        * (1 - 0.12 * smoothstep(0.72, 1.0, height))
        * _beside_cheek(ground[:, 1]),
        edge=(1 - height / 0.25).clip(0) * float(front),
        neck=smoothstep(0.35, 1.0, height),
    )
    return replace(crown, normals=_scattered(crown.normals, np.array([normal[0], 0.0, normal[1]])))


def _beside_cheek(z: Array) -> Array:
    """What cheeks and tongue leave of the light at ``z`` cm (negative) behind the front of an arch."""
    return np.asarray(1 - 0.6 * smoothstep(0.7, 3.2, -z))


def _scattered(normals: Array, facing: Array) -> Array:
    """Normals for lighting enamel: its sides are hardly darker than its face."""
    soft = normals + ENAMEL_SCATTER * facing * (normals @ facing > -0.3)[:, None]
    return np.asarray(soft / np.linalg.norm(soft, axis=1, keepdims=True))


_FRONT_MARGIN = ((-1.0, 0.54), (-0.78, 0.76), (-0.42, 0.88), (0.0, 0.915), (0.42, 0.88), (0.78, 0.76))
_BACK_MARGIN = ((-1.0, 0.58), (-0.5, 0.84), (0.0, 0.90), (0.5, 0.84))
"""The gum line over a crown: place across it (-1..1) and height in crown heights; papillae fill the rest."""


def gum(arch: Arch, seat: Array, part: Part) -> OralMesh:
    """Gingiva around an arch whose front lies at ``seat`` (3,), cm.

    Margins are scalloped, papillae fill the gaps between the teeth, and roots swell it.
    """
    rootward = 1.0 if part is Part.UPPER_GUM else -1.0
    columns = [column for side in (-1.0, 1.0) for column in _gum_columns(arch, side)]
    columns.sort(key=lambda column: column[0])
    s, margin, outer, inner, between = np.array(columns).T
    point, normal = arch.at(s), arch.outward(s)
    swell = 0.07 * (1 - between)
    profile = [
        (margin + 1.10, outer + 0.00),
        (margin + 0.45, outer + 0.06 + swell),
        (margin + 0.12, outer + 0.05),
        (margin, outer),
        (margin, inner),
        (margin + 0.40, inner - 0.10),
        (margin + 1.10, inner - 0.18),
    ]
    rows = []
    for up, out in profile:
        ground = point + out[:, None] * normal
        rows.append(seat + np.column_stack([ground[:, 0], rootward * up, ground[:, 1]]))
    core = seat + np.column_stack([point[:, 0], rootward * (margin + 0.8), point[:, 1]])
    air = np.outer([0.75, 1.0, 1.0, 0.85, 0.6, 0.7, 0.5], (1 - 0.12 * between) * _beside_cheek(point[:, 1]))
    return surface(
        np.concatenate(rows),
        grid(len(profile), len(s)),
        inside=np.tile(core, (len(profile), 1)),
        part=part,
        jaw=0.0 if part is Part.UPPER_GUM else 1.0,
        open_air=air,
    )


def _gum_columns(arch: Arch, side: float) -> list[tuple[float, float, float, float, float]]:
    """Per column: arc length, margin height, outer and inner offset (cm), 1 between teeth and 0 amid one."""
    columns: list[tuple[float, float, float, float, float]] = []
    for index, (tooth, centre) in enumerate(zip(arch.teeth, arch.centres(), strict=True)):
        front = tooth.kind in (Kind.INCISOR, Kind.CANINE)
        for u, height in _FRONT_MARGIN if front else _BACK_MARGIN:
            if index == 0 and u == -1.0 and side < 0:
                continue
            outer, inner = (float(face[0]) for face in _faces(tooth, np.array([min(height + 0.1, 1.0)])))
            between = abs(u) ** 3
            middle, half = (outer + inner) / 2, (outer - inner) / 2 * (1 - 0.3 * between)
            place = side * (centre + u * tooth.width / 2)
            columns.append((place, tooth.shy + height * tooth.height, middle + half, middle - half, between))
    last = arch.teeth[-1]
    columns.append((side * arch.lengths[-1], last.height * 0.7, 0.25, -0.25, 1.0))
    return columns
