"""From a network's scores to probabilities, and where to draw a line.

Platt, *Probabilistic outputs for support vector machines*, 1999 (with his targets, which keep the
probabilities of well separated classes finite); Lee et al., *A simple unified framework for detecting
out-of-distribution samples*, 2018, for what looks like nothing seen before.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import ClassifierError

Floats = NDArray[np.float64]

_STEPS = 100


@dataclass(frozen=True)
class Sigmoid:
    """A probability: 1 / (1 + exp(-(slope * score + offset)))."""

    slope: float
    offset: float

    def __call__(self, score: float) -> float:
        return 1.0 / (1.0 + math.exp(-float(np.clip(self.slope * score + self.offset, -30.0, 30.0))))

    @classmethod
    def fit(cls, scores: Floats, labels: NDArray[np.bool_], weights: Floats | None = None) -> Sigmoid:
        """To (N,) scores and whether each is a hit, by Newton's method; ``weights`` (N,) of the examples."""
        weights = np.ones(len(scores)) if weights is None else weights
        hits, misses = weights[labels].sum(), weights[~labels].sum()
        targets = np.where(labels, (hits + 1) / (hits + 2), 1 / (misses + 2))
        design = np.stack([scores, np.ones(len(scores))], axis=1)
        fitted = np.array([1.0, 0.0])
        for _ in range(_STEPS):
            chance = 1 / (1 + np.exp(-np.clip(design @ fitted, -30, 30)))
            slope = design.T @ (weights * (chance - targets)) + 1e-3 * fitted
            bend = (design.T * (weights * chance * (1 - chance))) @ design + 1e-3 * np.eye(2)
            step = np.linalg.solve(bend, slope)
            fitted = fitted - step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-9))
            if np.abs(step).max() < 1e-7:
                break
        return cls(float(fitted[0]), float(fitted[1]))


@dataclass(frozen=True)
class OperatingPoint:
    """Films at or above ``threshold`` are called ours (or synthetic). Of ``n`` real clips, each treated many
    times, the share ``fpr`` ever was; with 95 % confidence no more than ``fpr_upper_95`` of such clips are
    (Clopper and Pearson 1934)."""

    threshold: float
    fpr: float
    fpr_upper_95: float
    n: int


@dataclass(frozen=True)
class Calibration:
    """What scores mean. ``usual`` and ``odd``: distance from all that was seen, half and 99 of 100 films."""

    ours: Sigmoid
    synthetic: Sigmoid
    usual: float
    odd: float
    operating_points: dict[str, OperatingPoint]

    @classmethod
    def load(cls, path: Path) -> Calibration:
        """Raises ``ClassifierError`` when the file is not there or not whole."""
        try:
            found: dict[str, Any] = json.loads(path.read_text("utf-8"))
            return cls(
                Sigmoid(**found["ours"]),
                Sigmoid(**found["synthetic"]),
                float(found["usual"]),
                float(found["odd"]),
                {name: OperatingPoint(**point) for name, point in found["operating_points"].items()},
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ClassifierError(
                f"{path.name} is not as it was released: install the package again."
            ) from error

    def save(self, path: Path, **more: Any) -> None:
        """Write it, with ``more`` about how it was found."""
        document = asdict(self) | more
        path.write_text(json.dumps(document, indent=2) + "\n", "utf-8")

    def unfamiliar(self, distance: float) -> float:
        """0..1, one half where one film in a hundred that was seen lies."""
        return Sigmoid(
            3.0 / max(self.odd - self.usual, 1e-9), -3.0 * self.odd / max(self.odd - self.usual, 1e-9)
        )(distance)
