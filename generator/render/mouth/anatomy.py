"""Tooth sizes, dental arches and how the jaws meet, as dental anatomy texts give them.

Sources: crown sizes from Nelson & Ash, *Wheeler's Dental Anatomy, Physiology and Occlusion* (tables of
average measurements); arch form from Braun, Hnat, Fender & Legan 1998, "The form of the human dental
arch", Angle Orthodontist 68(1); overbite, overjet and the curve of the smile from Proffit, *Contemporary
Orthodontics*. No mesh of any person is used.

Mouth coordinates, cm: origin at the centre of the closed lips' meeting line, +x = image right (the sitter's
left), +y = up, +z = towards the camera; the jaws are at rest, teeth together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Kind(Enum):
    """Tooth classes, which differ in the shape of the biting end."""

    INCISOR = "incisor"
    CANINE = "canine"
    PREMOLAR = "premolar"
    MOLAR = "molar"


@dataclass(frozen=True)
class Tooth:
    """One crown of an adult; lengths in cm.

    Attributes:
        kind: class of the tooth.
        height: crown, from the biting edge to the gum line of the unworn tooth.
        width: mesiodistal, at the contact points.
        neck_width: mesiodistal, at the gum line.
        thickness: from lips or cheek to tongue, at its largest.
        shy: how far the biting edge falls short of the central incisor's level.
    """

    kind: Kind
    height: float
    width: float
    neck_width: float
    thickness: float
    shy: float


UPPER = (
    Tooth(Kind.INCISOR, 1.05, 0.85, 0.70, 0.70, 0.00),
    Tooth(Kind.INCISOR, 0.90, 0.65, 0.50, 0.60, 0.07),
    Tooth(Kind.CANINE, 1.00, 0.75, 0.55, 0.80, 0.01),
    Tooth(Kind.PREMOLAR, 0.85, 0.70, 0.50, 0.90, 0.05),
    Tooth(Kind.PREMOLAR, 0.85, 0.70, 0.50, 0.90, 0.07),
    Tooth(Kind.MOLAR, 0.75, 1.00, 0.80, 1.10, 0.08),
    Tooth(Kind.MOLAR, 0.70, 0.90, 0.70, 1.10, 0.06),
)
"""One side of the upper arch, from the midline to the second molar."""

LOWER = (
    Tooth(Kind.INCISOR, 0.90, 0.50, 0.35, 0.60, 0.02),
    Tooth(Kind.INCISOR, 0.95, 0.55, 0.40, 0.65, 0.01),
    Tooth(Kind.CANINE, 1.10, 0.70, 0.55, 0.75, 0.00),
    Tooth(Kind.PREMOLAR, 0.85, 0.70, 0.50, 0.75, 0.05),
    Tooth(Kind.PREMOLAR, 0.80, 0.70, 0.50, 0.80, 0.09),
    Tooth(Kind.MOLAR, 0.75, 1.10, 0.90, 1.05, 0.10),
    Tooth(Kind.MOLAR, 0.70, 1.05, 0.80, 1.00, 0.06),
)
"""One side of the lower arch, from the midline to the second molar."""

UPPER_MOLAR_SPAN_CM = 6.5
"""Width of the upper arch behind the second molars (Braun's W)."""
LOWER_MOLAR_SPAN_CM = 6.1
"""The lower arch bites inside the upper one by about half a cusp on either side."""

OVERBITE_CM = 0.30
"""Vertical overlap of the incisors."""
OVERJET_CM = 0.25
"""From the lip side of the lower incisors to that of the upper ones."""

INCISOR_EDGE_CM = (0.0, -0.44, -0.62)
"""Middle of the upper incisors' biting edge: about 4 mm below the meeting line of the lips at rest, with the
lip about 6 mm thick in front of it."""

CANONICAL_MOUTH_WIDTH_CM = 4.91
"""Distance between the mouth corners (61, 291) of the canonical face, for which these sizes are drawn."""

ARCH_EXPONENT = 0.8
_ARCH_SAMPLES = 2001


@dataclass(frozen=True)
class Arch:
    """A dental arch as Braun's beta function, as long as its teeth are wide.

    ``Y(x) = depth * 4**0.8 * ((1/2 + x / span) * (1/2 - x / span))**0.8``

    Attributes:
        teeth: one side, from the midline.
        span: width behind the last teeth, cm.
        depth: from there to the front of the arch, cm.
        points: (N, 2) x and z along the curve, image left to right; z is 0 at the front and negative behind.
        lengths: (N,) arc length up to each point, 0 at the midline, cm.
    """

    teeth: tuple[Tooth, ...]
    span: float
    depth: float
    points: Array
    lengths: Array

    @classmethod
    def fitting(cls, teeth: tuple[Tooth, ...], span: float) -> Arch:
        """The arch of the given span (cm) whose length is the sum of all tooth widths."""
        wanted = 2 * sum(tooth.width for tooth in teeth)
        low, high = 0.0, wanted
        for _ in range(60):
            depth = (low + high) / 2
            points, lengths = _beta_curve(span, depth)
            low, high = (depth, high) if 2 * lengths[-1] < wanted else (low, depth)
        return cls(teeth, span, depth, points, lengths)

    def at(self, length: Array | float) -> Array:
        """Points (..., 2) at signed arc lengths from the midline (cm, positive to image right)."""
        s = np.asarray(length, np.float64)
        return np.stack([np.interp(s, self.lengths, self.points[:, k]) for k in (0, 1)], -1)

    def outward(self, length: Array | float) -> Array:
        """Unit normals (..., 2) in x and z that point to lips and cheeks."""
        s = np.asarray(length, np.float64)
        along = self.at(s + 0.15) - self.at(s - 0.15)
        normal = np.stack([-along[..., 1], along[..., 0]], -1)
        return np.asarray(normal / np.linalg.norm(normal, axis=-1, keepdims=True))

    def centres(self) -> Array:
        """(teeth,) arc length from the midline to the middle of each tooth, cm."""
        widths = np.array([tooth.width for tooth in self.teeth])
        return np.asarray(np.cumsum(widths) - widths / 2)


def _beta_curve(span: float, depth: float) -> tuple[Array, Array]:
    x = -span / 2 * np.cos(np.linspace(0, np.pi, _ARCH_SAMPLES))
    x[[0, -1]] = -span / 2, span / 2
    form = 4**ARCH_EXPONENT * ((0.5 + x / span) * (0.5 - x / span)).clip(0) ** ARCH_EXPONENT
    points = np.column_stack([x, depth * (form - 1)])
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    lengths = np.concatenate([[0.0], np.cumsum(steps)])
    return points, lengths - lengths[-1] / 2
