"""What an emotion looks like: FACS action units, written in ARKit weights.

The units of each emotion are the prototypes of EMFACS (Friesen and Ekman 1983; Ekman, Friesen and Hager,
*Facial Action Coding System*, 2002); what the head does follows Wallbott, *Bodily expression of emotion*,
1998.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from generator.arkit import EXPRESSIONS, INDEX

ACTION_UNITS: dict[str, dict[str, float]] = {
    "1 inner brow raiser": {"browInnerUp": 1.0},
    "2 outer brow raiser": {"browOuterUp": 1.0},
    "4 brow lowerer": {"browDown": 1.0},
    "5 upper lid raiser": {"eyeWide": 1.0},
    "6 cheek raiser": {"cheekSquint": 1.0, "eyeSquint": 0.35},
    "7 lid tightener": {"eyeSquint": 1.0},
    "9 nose wrinkler": {"noseSneer": 1.0},
    "10 upper lip raiser": {"mouthUpperUp": 1.0},
    "12 lip corner puller": {"mouthSmile": 1.0},
    "12 right": {"mouthSmileRight": 1.0},
    "14 right dimpler": {"mouthDimpleRight": 1.0},
    "15 lip corner depressor": {"mouthFrown": 1.0},
    "17 chin raiser": {"mouthShrugLower": 1.0},
    "20 lip stretcher": {"mouthStretch": 1.0},
    "24 lip pressor": {"mouthPress": 1.0},
    "26 jaw drop": {"jawOpen": 1.0},
}
"""Names without a side mean both."""


@dataclass(frozen=True)
class Appearance:
    """An emotion at full strength.

    ``units``: action unit to 0..1. ``head_deg``: yaw, pitch, roll; ``lean_cm``: towards the camera;
    ``gaze_deg``: yaw, pitch; signs as in ``Motion``.
    """

    units: dict[str, float]
    head_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    lean_cm: float = 0.0
    gaze_deg: tuple[float, float] = (0.0, 0.0)

    def weights(self) -> NDArray[np.float64]:
        """(51,) ARKit weights."""
        weights = np.zeros(len(EXPRESSIONS))
        for unit, amount in self.units.items():
            for name, share in ACTION_UNITS[unit].items():
                sides = (name,) if name in INDEX else (f"{name}Left", f"{name}Right")
                weights[[INDEX[side] for side in sides]] += amount * share
        return np.clip(weights, 0.0, 1.0)


APPEARANCES = MappingProxyType(
    {
        "neutral": Appearance({}),
        "happy": Appearance(
            {"6 cheek raiser": 0.55, "12 lip corner puller": 0.62}, head_deg=(0.0, 1.0, 1.5)
        ),
        "sad": Appearance(
            {
                "1 inner brow raiser": 1.0, "4 brow lowerer": 0.2, "15 lip corner depressor": 0.75,
                "17 chin raiser": 0.35, "7 lid tightener": 0.2,
            },
            head_deg=(0.0, -4.0, 1.5),
            gaze_deg=(0.0, -3.0),
        ),
        "angry": Appearance(
            {
                "4 brow lowerer": 1.0, "5 upper lid raiser": 0.15, "7 lid tightener": 0.65,
                "9 nose wrinkler": 0.35, "15 lip corner depressor": 0.25, "24 lip pressor": 0.5,
            },
            head_deg=(0.0, -3.0, 0.0),
            lean_cm=1.0,
            gaze_deg=(0.0, 1.5),
        ),
        "surprised": Appearance(
            {
                "1 inner brow raiser": 0.85, "2 outer brow raiser": 0.85, "5 upper lid raiser": 0.7,
                "26 jaw drop": 0.14,
            },
            head_deg=(0.0, 2.0, 0.0),
            lean_cm=-0.8,
        ),
        "afraid": Appearance(
            {
                "1 inner brow raiser": 0.85, "2 outer brow raiser": 0.35, "4 brow lowerer": 0.35,
                "5 upper lid raiser": 0.8, "20 lip stretcher": 0.45, "26 jaw drop": 0.06,
            },
            head_deg=(0.0, 1.0, 0.0),
            lean_cm=-1.5,
        ),
        "disgusted": Appearance(
            {
                "4 brow lowerer": 0.45, "7 lid tightener": 0.35, "9 nose wrinkler": 0.55,
                "10 upper lip raiser": 0.10, "15 lip corner depressor": 0.25,
            },
            head_deg=(3.0, 1.5, 0.0),
            lean_cm=-1.0,
        ),
        "contemptuous": Appearance(
            {"12 right": 0.42, "14 right dimpler": 0.55, "7 lid tightener": 0.2},
            head_deg=(-2.0, 3.0, -2.0),
            gaze_deg=(0.0, -2.0),
        ),
    }
)  # fmt: skip
"""The eight emotions, at strength 1."""

EMOTIONS = tuple(APPEARANCES)


@dataclass(frozen=True)
class Emotion:
    """One of ``EMOTIONS`` and its strength, 0..1."""

    name: str = "neutral"
    strength: float = 1.0
