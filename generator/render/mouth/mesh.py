"""One triangle mesh of the mouth's inside, lofted from the tables in ``anatomy``."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import IntEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from generator.render.mouth.anatomy import (
    INCISOR_EDGE_CM,
    LOWER,
    LOWER_MOLAR_SPAN_CM,
    OVERBITE_CM,
    OVERJET_CM,
    UPPER,
    UPPER_MOLAR_SPAN_CM,
    Arch,
    Array,
    Kind,
    Tooth,
)


class Part(IntEnum):
    """What a vertex belongs to."""

    UPPER_TEETH = 0
    LOWER_TEETH = 1
    UPPER_GUM = 2
    LOWER_GUM = 3
    TONGUE = 4
    CAVITY = 5


@dataclass(frozen=True)
class OralMesh:
    """Mouth interior at rest, in mouth coordinates (see ``anatomy``).

    Attributes:
        vertices: (N, 3) cm.
        normals: (N, 3) unit vectors, out of teeth, gums and tongue and into the cavity.
        triangles: (T, 3) int32, counter-clockwise seen from the side the normals point to, front parts first.
        part: (N,) ``Part`` of each vertex.
        jaw: (N,) 0 for what is fixed to the skull, 1 for what the lower jaw carries, between for soft tissue.
        blade: (N,) 1 at the tip of the tongue, falling to 0 behind its blade and elsewhere.
        open_air: (N,) 0..1, how little the neighbouring surfaces shade the vertex.
        edge: (N,) 0..1, how close an enamel vertex is to the translucent biting edge.
        neck: (N,) 0..1, how close an enamel vertex is to the gum.
    """

    vertices: Array
    normals: Array
    triangles: NDArray[np.int32]
    part: NDArray[np.int32]
    jaw: Array
    blade: Array
    open_air: Array
    edge: Array
    neck: Array


@cache
def oral_mesh() -> OralMesh:
    """The mesh for a mouth of canonical width; about 5000 triangles."""
    x, y, z = INCISOR_EDGE_CM
    upper = Arch.fitting(UPPER, UPPER_MOLAR_SPAN_CM)
    lower = Arch.fitting(LOWER, LOWER_MOLAR_SPAN_CM)
    upper_seat = np.array([x, y, z])
    lower_seat = np.array([x, y + OVERBITE_CM, z - OVERJET_CM])
    surfaces = [
        *_crowns(upper, upper_seat, Part.UPPER_TEETH),
        *_crowns(lower, lower_seat, Part.LOWER_TEETH),
        _gum(upper, upper_seat, Part.UPPER_GUM),
        _gum(lower, lower_seat, Part.LOWER_GUM),
        _tongue(),
        _cavity(),
    ]
    offsets = np.cumsum([0, *(len(surface.vertices) for surface in surfaces)])
    joined = {
        field.name: np.concatenate([getattr(surface, field.name) for surface in surfaces])
        for field in fields(OralMesh)
        if field.name != "triangles"
    }
    triangles = [surface.triangles + start for surface, start in zip(surfaces, offsets, strict=False)]
    return OralMesh(triangles=np.concatenate(triangles).astype(np.int32), **joined)


# --- crowns -----------------------------------------------------------------------------------------------

_HEIGHTS = {
    Kind.INCISOR: np.array([0.0, 0.05, 0.18, 0.42, 0.70, 1.0, 1.12]),
    Kind.CANINE: np.array([0.0, 0.07, 0.20, 0.42, 0.70, 1.0, 1.12]),
    Kind.PREMOLAR: np.array([0.0, 0.12, 0.35, 0.70, 1.05]),
    Kind.MOLAR: np.array([0.0, 0.12, 0.35, 0.70, 1.05]),
}
"""Stations from the biting edge (0) to the gum line (1), in crown heights."""
_AROUND = {Kind.INCISOR: 14, Kind.CANINE: 14, Kind.PREMOLAR: 10, Kind.MOLAR: 10}
ENAMEL_SCATTER = 0.6
_FULLNESS = 3.0
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


def _crowns(arch: Arch, seat: Array, part: Part) -> list[OralMesh]:
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
    along = np.outer(_side_widths(tooth, h) / 2, across)
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
    triangles = np.vstack([_grid(len(h), count, wrap=True), _fan(count, len(h) * count)])
    height = np.append(np.repeat(h, count), 0.0)
    side = np.append(np.tile(np.abs(across), len(h)), 0.0)
    front = tooth.kind in (Kind.INCISOR, Kind.CANINE)
    crown = _surface(
        vertices,
        triangles,
        inside=vertices[:-1].mean(0),
        part=part,
        jaw=0.0 if part is Part.UPPER_TEETH else 1.0,
        open_air=(1 - 0.24 * side**6) * (1 - 0.25 * _ramp(0.72, 1.0, height)),
        edge=(1 - height / 0.25).clip(0) * float(front),
        neck=_ramp(0.35, 1.0, height),
    )
    return replace(crown, normals=_scattered(crown.normals, np.array([normal[0], 0.0, normal[1]])))


def _scattered(normals: Array, facing: Array) -> Array:
    """Normals for lighting enamel: light spreads inside it, so its sides are hardly darker than its face."""
    soft = normals + ENAMEL_SCATTER * facing * (normals @ facing > -0.3)[:, None]
    return np.asarray(soft / np.linalg.norm(soft, axis=1, keepdims=True))


# --- gums -------------------------------------------------------------------------------------------------


def _gum(arch: Arch, seat: Array, part: Part) -> OralMesh:
    """Gingiva around one arch: scalloped margins, papillae between the teeth, the swell over the roots."""
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
        (margin + 0.12, inner - 0.05),
        (margin + 0.50, inner - 0.10),
        (margin + 1.10, inner - 0.18),
    ]
    rows = []
    for up, out in profile:
        ground = point + out[:, None] * normal
        rows.append(seat + np.column_stack([ground[:, 0], rootward * up, ground[:, 1]]))
    vertices = np.concatenate(rows)
    core = np.concatenate([seat + np.column_stack([point[:, 0], rootward * (margin + 0.8), point[:, 1]])] * 8)
    air = np.repeat([0.75, 1.0, 1.0, 0.8, 0.6, 0.7, 0.7, 0.5], len(s)) * np.tile(1 - 0.12 * between, 8)
    return _surface(
        vertices,
        _grid(8, len(s)),
        inside=core,
        part=part,
        jaw=0.0 if part is Part.UPPER_GUM else 1.0,
        open_air=air,
    )


def _gum_columns(arch: Arch, side: float) -> list[tuple[float, float, float, float, float]]:
    """Per column: arc length, margin height, outer and inner offset (cm), 1 between teeth and 0 amid one."""
    columns: list[tuple[float, float, float, float, float]] = []
    for index, (tooth, centre) in enumerate(zip(arch.teeth, arch.centres(), strict=True)):
        for u, scallop, between in (
            (-1.0, 0.52, 1.0),
            (-0.55, 0.81, 0.35),
            (0.0, 0.92, 0.0),
            (0.55, 0.81, 0.35),
        ):
            outer, inner = (float(face[0]) for face in _faces(tooth, np.array([min(scallop + 0.1, 1.0)])))
            if between == 1.0:
                if index == 0 and side < 0:
                    continue
                middle, half = (outer + inner) / 2, (outer - inner) / 2
                outer, inner = middle + 0.70 * half, middle - 0.7 * half
            height = tooth.shy + scallop * tooth.height
            columns.append((side * (centre + u * tooth.width / 2), height, outer, inner, between))
    last = arch.teeth[-1]
    columns.append((side * sum(tooth.width for tooth in arch.teeth), last.height * 0.7, 0.25, -0.25, 1.0))
    return columns


# --- tongue and cavity ------------------------------------------------------------------------------------

_TONGUE_MIDLINE = np.array(
    # y, z, half-width, thickness of the rim, depth of the groove, all cm
    [
        [-1.20, -2.30, 0.55, 0.10, 0.00],
        [-1.02, -1.72, 0.78, 0.12, 0.00],
        [-0.78, -1.46, 0.86, 0.14, 0.01],
        [-0.55, -1.42, 0.92, 0.20, 0.03],
        [-0.36, -1.54, 1.02, 0.28, 0.05],
        [-0.20, -1.82, 1.18, 0.38, 0.08],
        [-0.06, -2.30, 1.42, 0.46, 0.11],
        [0.08, -2.90, 1.66, 0.52, 0.13],
        [0.17, -3.60, 1.84, 0.56, 0.12],
        [0.15, -4.35, 1.94, 0.58, 0.09],
        [-0.05, -5.05, 1.92, 0.58, 0.05],
        [-0.50, -5.65, 1.80, 0.55, 0.02],
        [-1.20, -6.05, 1.60, 0.50, 0.00],
    ]
)
"""From under the tip, round it, along the dorsum to the root."""
_TONGUE_ACROSS = 15
_RIM_TURN = np.radians(112)


def _tongue() -> OralMesh:
    y, z, half, rim, groove = (_TONGUE_MIDLINE[:, k, None] for k in range(5))
    turn = np.linspace(-_RIM_TURN, _RIM_TURN, _TONGUE_ACROSS)
    across = np.sin(turn)
    crown = np.abs(across) ** 2.2 * 0.45 + np.where(np.abs(turn) > np.pi / 2, 1 - np.abs(across), 0) * 1.6
    down = rim * (crown + 0.55 * np.abs(turn / _RIM_TURN) ** 4) + groove * np.exp(-((turn / 0.17) ** 2))
    along = np.linspace(0, 1, len(y))[:, None]
    round_tip = 0.50 * across**2 * (1 - _ramp(0.15, 0.7, along))
    vertices = np.column_stack(
        [(half * across).ravel(), (y - down).ravel(), np.broadcast_to(z - round_tip, down.shape).ravel()]
    )
    count = len(y)
    core = np.repeat(np.column_stack([0 * y[:, 0], y[:, 0] - 0.7, z[:, 0] - 0.9]), _TONGUE_ACROSS, 0)
    blade = np.repeat(1 - _ramp(0.25, 0.72, along[:, 0]), _TONGUE_ACROSS)
    air = 1 - 0.30 * np.exp(-((turn / 0.15) ** 2)) * (groove / 0.13) - 0.45 * np.abs(turn / _RIM_TURN) ** 3
    air = air * (0.62 + 0.38 * _ramp(0.1, 0.32, along))
    follow = np.repeat(0.94 - 0.34 * along[:, 0], _TONGUE_ACROSS)
    return _surface(
        vertices,
        _grid(count, _TONGUE_ACROSS),
        inside=core,
        part=Part.TONGUE,
        jaw=follow,
        blade=blade,
        open_air=air,
    )


_CAVITY_SECTIONS = np.array(
    # z, half-width, top y, bottom y, all cm: vestibule, palate, soft palate, throat
    [
        [-0.25, 2.9, 1.0, -1.5],
        [-1.4, 3.2, 1.35, -1.7],
        [-2.8, 3.3, 1.45, -1.8],
        [-4.3, 3.1, 1.35, -1.8],
        [-5.6, 2.6, 0.85, -1.9],
        [-6.4, 2.0, 0.15, -2.1],
        [-6.9, 1.5, -0.3, -2.3],
        [-7.3, 0.7, -0.8, -1.9],
    ]
)
_CAVITY_AROUND = 16


def _cavity() -> OralMesh:
    """Cheeks, palate, mouth floor and throat, seen from within."""
    z, half, top, bottom = (_CAVITY_SECTIONS[:, k, None] for k in range(4))
    turn = 2 * np.pi * np.arange(_CAVITY_AROUND) / _CAVITY_AROUND
    height = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** 0.8
    x = half * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.8
    y = (top + bottom) / 2 + (top - bottom) / 2 * height
    vertices = np.column_stack([x.ravel(), y.ravel(), np.broadcast_to(z, x.shape).ravel()])
    sections = len(z)
    last = (sections - 1) * _CAVITY_AROUND
    vertices = np.vstack([vertices, vertices[last:].mean(0) - (0, 0, 0.1)])
    fan = _fan(_CAVITY_AROUND, len(vertices) - 1)[:, [0, 2, 1]] + (0, last, last)
    centre = np.repeat(np.column_stack([0 * z, (top + bottom) / 2, z + 1.0]), _CAVITY_AROUND, 0)
    centre = np.vstack([centre, vertices[-1] + (0, 0, 1.0)])
    follow = 0.5 - 0.5 * np.append(np.tile(height, sections), 0.2)
    follow *= 1 - 0.35 * _ramp(4.5, 7.2, -vertices[:, 2])
    air = np.append(np.broadcast_to(1.0 - 0.2 * np.abs(height), x.shape).ravel(), 0.8)
    return _surface(
        vertices,
        np.vstack([_grid(sections, _CAVITY_AROUND, wrap=True), fan]),
        inside=centre,
        part=Part.CAVITY,
        jaw=follow,
        open_air=air,
        inward=True,
    )


# --- shared -----------------------------------------------------------------------------------------------


def _ramp(low: float, high: float, x: Array) -> Array:
    t = ((x - low) / (high - low)).clip(0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def _grid(rows: int, columns: int, wrap: bool = False) -> NDArray[np.int64]:
    """Triangles of a ``rows`` x ``columns`` vertex grid, closed around the columns if ``wrap``."""
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns if wrap else columns - 1), indexing="ij")
    a, b = (i * columns + j).ravel(), (i * columns + (j + 1) % columns).ravel()
    c, d = a + columns, b + columns
    return np.concatenate([np.column_stack([a, b, d]), np.column_stack([a, d, c])])


def _fan(count: int, apex: int) -> NDArray[np.int64]:
    """Triangles from vertex ``apex`` to the ring 0..count-1."""
    ring = np.arange(count)
    return np.column_stack([np.full(count, apex), (ring + 1) % count, ring])


def _surface(
    vertices: Array,
    triangles: NDArray[np.int64],
    inside: Array,
    part: Part,
    jaw: Array | float,
    open_air: Array,
    blade: Array | float = 0.0,
    edge: Array | float = 0.0,
    neck: Array | float = 0.0,
    inward: bool = False,
) -> OralMesh:
    """Finish a surface: turn its triangles away from ``inside`` (or towards it) and average their normals."""
    corners = vertices[triangles]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(normals, triangles[:, k], flat)
    agreement = float((normals * (vertices - inside)).sum())
    if (agreement < 0) != inward:
        normals, triangles = -normals, triangles[:, ::-1]
    normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12)
    count = len(vertices)

    def spread(value: Array | float) -> Array:
        return np.broadcast_to(np.asarray(value, np.float64), (count,)).copy()

    return OralMesh(
        vertices=vertices,
        normals=normals,
        triangles=triangles.astype(np.int32),
        part=np.full(count, int(part), np.int32),
        jaw=spread(jaw),
        blade=spread(blade),
        open_air=spread(np.asarray(open_air).ravel()),
        edge=spread(edge),
        neck=spread(neck),
    )
