"""What every part of the mouth is made of: surfaces whose vertices know how to be moved and lit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from generator.render.mouth.anatomy import Array


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
        open_air: (N,) 0..1.5, what neighbouring surfaces leave of the vertex's light, or add to it.
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


def grid(rows: int, columns: int, wrap: bool = False) -> NDArray[np.int64]:
    """Triangles of a ``rows`` x ``columns`` vertex grid, closed around the columns if ``wrap``."""
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns if wrap else columns - 1), indexing="ij")
    a, b = (i * columns + j).ravel(), (i * columns + (j + 1) % columns).ravel()
    c, d = a + columns, b + columns
    return np.concatenate([np.column_stack([a, b, d]), np.column_stack([a, d, c])])


def fan(count: int, apex: int) -> NDArray[np.int64]:
    """Triangles from vertex ``apex`` to the ring 0..count-1."""
    ring = np.arange(count)
    return np.column_stack([np.full(count, apex), (ring + 1) % count, ring])


def surface(
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
