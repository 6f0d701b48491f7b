"""The learned motion model: the released weights of the lip network and the flow."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from generator.errors import ModelError
from generator.motion.flow import FlowNetwork
from generator.motion.lips import LipNetwork
from generator.motion.mouth import Mouth

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
        path = path or WEIGHTS
        try:
            data = path.read_bytes()
            stated = json.loads(path.with_suffix(".json").read_text("utf-8"))["sha256"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"The motion model {path} cannot be read; reinstall this package.") from error
        if hashlib.sha256(data).hexdigest() != stated:
            raise ModelError(f"The motion model {path} is not the one released; reinstall this package.")
        try:
            return cls.of(load(data))
        except SafetensorError as error:
            raise ModelError(f"The motion model {path} is damaged; reinstall this package.") from error
