"""The learned motion model: the released weights of the lip network and the flow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generator.motion.flow import FlowNetwork
from generator.motion.lips import LipNetwork
from generator.motion.mouth import Mouth
from generator.released import load_released

WEIGHTS = Path(__file__).with_name("flow.safetensors")
"""The released weights; ``flow.json`` beside them states their hash and how they were trained."""


@dataclass(frozen=True, eq=False)
class MotionModel:
    """``mouth`` makes lips and jaw, ``flow`` head and brows."""

    mouth: Mouth
    flow: FlowNetwork

    @classmethod
    def of(cls, tensors: dict[str, NDArray[np.float32]]) -> MotionModel:
        """From tensors whose names begin with ``lips.`` or ``flow.``."""

        def part(prefix: str) -> dict[str, NDArray[np.float32]]:
            return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}

        return cls(Mouth(LipNetwork(part("lips."))), FlowNetwork(part("flow.")))

    @classmethod
    def load(cls, path: Path | None = None) -> MotionModel:
        """Read released weights (``.safetensors``) and the statement (``.json``) beside them.

        Raises ``ModelError`` if either is missing or the bytes are not those that the statement names.
        """
        return cls.of(load_released(path or WEIGHTS, "motion model"))
