"""The whole mouth as one triangle mesh."""

from __future__ import annotations

from dataclasses import fields
from functools import cache

import numpy as np

from generator.render.mouth.anatomy import (
    INCISOR_EDGE_CM,
    LOWER,
    LOWER_MOLAR_SPAN_CM,
    OVERBITE_CM,
    OVERJET_CM,
    UPPER,
    UPPER_MOLAR_SPAN_CM,
    Arch,
)
from generator.render.mouth.soft_tissue import cavity, tongue
from generator.render.mouth.surface import OralMesh, Part
from generator.render.mouth.teeth import crowns, gum


@cache
def oral_mesh() -> OralMesh:
    """The mesh for a mouth of canonical width; about 5900 triangles, half of which face away."""
    x, y, z = INCISOR_EDGE_CM
    upper = Arch.fitting(UPPER, UPPER_MOLAR_SPAN_CM)
    lower = Arch.fitting(LOWER, LOWER_MOLAR_SPAN_CM)
    upper_seat = np.array([x, y, z])
    lower_seat = np.array([x, y + OVERBITE_CM, z - OVERJET_CM])
    surfaces = [
        *crowns(upper, upper_seat, Part.UPPER_TEETH),
        *crowns(lower, lower_seat, Part.LOWER_TEETH),
        gum(upper, upper_seat, Part.UPPER_GUM),
        gum(lower, lower_seat, Part.LOWER_GUM),
        tongue(),
        cavity(),
    ]
    offsets = np.cumsum([0, *(len(surface.vertices) for surface in surfaces)])
    joined = {
        field.name: np.concatenate([getattr(surface, field.name) for surface in surfaces])
        for field in fields(OralMesh)
        if field.name != "triangles"
    }
    triangles = [surface.triangles + start for surface, start in zip(surfaces, offsets, strict=False)]
    return OralMesh(triangles=np.concatenate(triangles).astype(np.int32), **joined)
