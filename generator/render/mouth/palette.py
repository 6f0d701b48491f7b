"""Colours of a mouth that belongs to its picture.

A photographed mouth has ivory teeth and red tissue under the light that falls on the face. A bust in
terracotta or a drawing in ink has neither: everything in it is one material. How much the lips differ from
the skin in *hue* tells the two apart, and the colours slide between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.easing import smoothstep
from generator.render.mouth.surface import OralMesh, Part

Colour = NDArray[np.float64]

LUMA = np.array([0.299, 0.587, 0.114])
ENAMEL = np.array([0.99, 0.945, 0.865])
"""Reflectance of enamel over the body of a crown (about VITA shade A2), relative to white."""
NECK = np.array([0.93, 0.82, 0.66])
"""Reflectance where dentine shows through thin enamel at the gum, relative to white."""
TISSUE_REDNESS = np.array([1.10, 0.80, 0.82])
"""What blood adds to tongue and gums over the lips' own colour."""

_SAME_MATERIAL, _FLESH = 0.03, 0.22
"""Difference in log red over green between lips and skin below which all is one material, and above which
lips are flesh."""
_GREY = (0.12, 0.35)
"""Saturation of the skin below which the picture is grey, and above which shade in it turns warmer."""


@dataclass(frozen=True)
class Palette:
    """Colours in 0..255, RGB, as they appear under the full light of the portrait.

    Attributes:
        enamel, neck: a crown's body and its part next to the gum.
        gum, tongue, cavity: soft tissue; ``cavity`` is also what shows through the translucent biting edge.
        lip: inner lip.
        gleam: light that a wet surface throws back at most.
        bounce: (3,) factors, about 1, that one reflection between tissues puts on light.
        flesh: 0 for a portrait of one material, 1 for living colour.
    """

    enamel: Colour
    neck: Colour
    gum: Colour
    tongue: Colour
    cavity: Colour
    lip: Colour
    gleam: Colour
    bounce: Colour
    flesh: float

    @classmethod
    def of(
        cls,
        lip_rgb: NDArray[np.floating],
        skin_rgb: NDArray[np.floating],
        highlight_rgb: NDArray[np.floating],
    ) -> Palette:
        """The palette for a portrait's median lip and skin colour and its brightest skin's mean, 0..255."""
        lip, skin, light = (
            np.asarray(c, np.float64).clip(1, 255) for c in (lip_rgb, skin_rgb, highlight_rgb)
        )
        redness = np.log(lip[0] / lip[1]) - np.log(skin[0] / skin[1])
        flesh = float(smoothstep(_SAME_MATERIAL, _FLESH, redness))
        luma = float(light @ LUMA)
        cast = (light / luma) ** (0.9 - 0.55 * flesh)
        bright = min(luma * (1.0 + 0.12 * flesh), float(skin @ LUMA) * (1.25 + 0.75 * flesh))
        colourful = float(smoothstep(*_GREY, 1.0 - float(skin.min() / skin.max())))
        blood = TISSUE_REDNESS ** max(flesh, 0.75 * colourful)
        bounce = (lip / float(lip @ LUMA)) ** 0.5
        return cls(
            enamel=(bright * cast * ENAMEL**flesh).clip(0, 255),
            neck=(bright * cast * NECK ** (0.4 + 0.6 * flesh)).clip(0, 255),
            gum=((0.72 * lip + 0.28 * skin) * blood).clip(0, 255),
            tongue=(((0.85 + 0.25 * flesh) * lip + 0.18 * flesh * skin) * blood**0.75).clip(0, 255),
            cavity=(((0.80 + 0.25 * flesh) * lip + 0.25 * flesh * skin) * blood).clip(0, 255),
            lip=lip,
            gleam=0.5 * light,
            bounce=bounce,
            flesh=flesh,
        )

    def paint(self, mesh: OralMesh) -> NDArray[np.float32]:
        """(N, 3) colour of each vertex in full light, 0..255."""
        colours = np.zeros((len(mesh.part), 3))
        teeth = mesh.part <= Part.LOWER_TEETH
        neck, edge = mesh.neck[teeth, None], mesh.edge[teeth, None]
        crown = self.enamel + (self.neck - self.enamel) * 0.85 * neck
        behind = 0.55 * self.enamel + 0.30 * self.cavity
        colours[teeth] = crown + (behind - crown) * 0.45 * edge
        colours[mesh.part == Part.TONGUE] = self.tongue
        colours[mesh.part == Part.CAVITY] = self.cavity
        colours[(mesh.part == Part.UPPER_GUM) | (mesh.part == Part.LOWER_GUM)] = self.gum
        return (colours * mesh.open_air[:, None]).astype(np.float32)
