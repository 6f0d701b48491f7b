"""Expressions to learn from: combinations as faces make them, and caps where their sum exceeds a face."""

import numpy as np
from numpy.typing import NDArray

from generator.arkit import EXPRESSIONS, INDEX
from generator.face.decoder import admissible

Array = NDArray[np.float64]

# Expressions that pull the same skin the same way: beyond the cap their sum leaves what a face can do.
_COMPETING: tuple[tuple[float, tuple[str, ...]], ...] = (
    (1.25, ("mouthSmileLeft", "mouthDimpleLeft", "mouthStretchLeft")),
    (1.25, ("mouthSmileRight", "mouthDimpleRight", "mouthStretchRight")),
    (1.2, ("mouthPucker", "mouthFunnel")),
    (1.2, ("mouthLowerDownLeft", "mouthFunnel", "mouthShrugUpper")),
    (1.2, ("mouthLowerDownRight", "mouthFunnel", "mouthShrugUpper")),
    (1.25, ("mouthUpperUpLeft", "noseSneerLeft", "mouthShrugUpper")),
    (1.25, ("mouthUpperUpRight", "noseSneerRight", "mouthShrugUpper")),
    (1.2, ("mouthPressLeft", "mouthRollLower", "mouthShrugLower")),
    (1.2, ("mouthPressRight", "mouthRollUpper", "mouthShrugLower")),
    (1.25, ("jawLeft", "mouthLeft")),
    (1.25, ("jawRight", "mouthRight")),
)


def saturate(weights: Array) -> Array:
    """Weights (B, 51) as a face would follow them: competing expressions share a cap."""
    held = weights.copy()
    for cap, names in _COMPETING:
        group = [INDEX[name] for name in names]
        total = held[:, group].sum(1, keepdims=True)
        held[:, group] *= np.minimum(1.0, cap / np.maximum(total, cap))
    return held


_SPEECH = {
    "jawOpen": (0.75, 0.35), "mouthClose": (0.3, 0.2), "mouthFunnel": (0.4, 0.5), "mouthPucker": (0.4, 0.5),
    "mouthLowerDown": (0.5, 0.4), "mouthUpperUp": (0.45, 0.35), "mouthStretch": (0.35, 0.35),
    "mouthSmile": (0.35, 0.4), "mouthPress": (0.3, 0.4), "mouthRollLower": (0.3, 0.4),
    "mouthRollUpper": (0.25, 0.3), "mouthShrugLower": (0.3, 0.4), "mouthShrugUpper": (0.25, 0.4),
    "mouthDimple": (0.2, 0.3), "mouthFrown": (0.2, 0.3), "jawForward": (0.15, 0.2), "cheekPuff": (0.08, 0.4),
}  # fmt: skip
"""Speech mouth shapes: how often each expression takes part, and its mean amplitude."""
_EYES = {
    "eyeBlink": (0.7, 0.6), "eyeSquint": (0.35, 0.4), "eyeWide": (0.25, 0.5), "eyeLookDown": (0.3, 0.5),
    "eyeLookUp": (0.2, 0.5), "cheekSquint": (0.25, 0.4), "browDown": (0.3, 0.5), "browInnerUp": (0.3, 0.5),
    "browOuterUp": (0.3, 0.5), "noseSneer": (0.12, 0.4),
}  # fmt: skip


def sample_weights(rng: np.random.Generator, count: int) -> Array:
    """Expression combinations (count, 51): single, speaking, looking, sparse and rarely crowded ones."""
    sampled = np.zeros((count, len(EXPRESSIONS)))
    kinds = rng.choice(5, count, p=(0.12, 0.43, 0.15, 0.25, 0.05))
    for row, kind in zip(sampled, kinds, strict=True):
        if kind == 0:
            _set(row, rng, _draw_name(rng), rng.random())
            row[INDEX["jawOpen"]] = max(row[INDEX["jawOpen"]], row[INDEX["mouthClose"]])
        elif kind == 1:
            _mix(row, rng, _SPEECH)
            if rng.random() < 0.15:
                row[INDEX["mouthClose"]] = 1.0
            if rng.random() < 0.5:
                _mix(row, rng, _EYES)
        elif kind == 2:
            _mix(row, rng, _EYES)
        elif kind == 3:
            for _ in range(rng.integers(2, 7)):
                _set(row, rng, _draw_name(rng), rng.random())
        else:
            row[:] = rng.random(len(row)) * (rng.random(len(row)) < rng.random())
        if rng.random() < 0.08:
            row[INDEX["eyeBlinkLeft"]] = row[INDEX["eyeBlinkRight"]] = 1.0
    return admissible(sampled)


_NAMES = tuple(dict.fromkeys(name.removesuffix("Left").removesuffix("Right") for name in EXPRESSIONS))


def _draw_name(rng: np.random.Generator) -> str:
    return _NAMES[rng.integers(len(_NAMES))]


def _mix(row: Array, rng: np.random.Generator, shares: dict[str, tuple[float, float]]) -> None:
    for name, (chance, mean) in shares.items():
        if rng.random() < chance:
            _set(row, rng, name, rng.beta(2.0, 2.0 * (1 - mean) / mean))


def _set(row: Array, rng: np.random.Generator, name: str, amount: float) -> None:
    """Set one expression, or both sides of a sided one: mostly alike, sometimes uneven or one-sided."""
    if name in INDEX:
        row[INDEX[name]] = amount
        return
    opposed = name in ("jaw", "mouth")  # jawLeft and jawRight exclude each other
    style = 0.0 if opposed else rng.random()
    left = right = amount
    if style < 0.12:
        left, right = (amount, 0.0) if rng.random() < 0.5 else (0.0, amount)
    elif style < 0.5:
        left, right = np.clip(amount * rng.normal(1.0, 0.2, 2), 0, 1)
    row[INDEX[f"{name}Left"]], row[INDEX[f"{name}Right"]] = left, right
