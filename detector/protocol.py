"""What the verdict asks of a classifier of faces; ``detector.classifier`` is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]
"""x, y, width, height in shares of the picture."""


class OperatingPoint(Protocol):
    """A threshold, its false-positive rate measured over ``n`` real clips, and its 95 % upper bound."""

    @property
    def threshold(self) -> float: ...
    @property
    def fpr(self) -> float: ...
    @property
    def fpr_upper_95(self) -> float: ...
    @property
    def n(self) -> int: ...


class FaceTrack(Protocol):
    """A face from ``start`` to ``end`` (s), with its probabilities; ``box`` at the middle."""

    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...
    @property
    def box(self) -> Box: ...
    @property
    def ours(self) -> float: ...
    @property
    def synthetic(self) -> float: ...


class Moment(Protocol):
    """The probabilities ``at`` one moment (s)."""

    @property
    def at(self) -> float: ...
    @property
    def box(self) -> Box: ...
    @property
    def ours(self) -> float: ...
    @property
    def synthetic(self) -> float: ...


class Classification(Protocol):
    """What was seen: ``ours`` and ``synthetic`` are ``None`` if no face was seen long enough."""

    @property
    def faces(self) -> Sequence[FaceTrack]: ...
    @property
    def moments(self) -> Sequence[Moment]: ...
    @property
    def ours(self) -> float | None: ...
    @property
    def synthetic(self) -> float | None: ...
    @property
    def unfamiliar(self) -> float: ...
    @property
    def is_unfamiliar(self) -> bool: ...


class FaceWatcher(Protocol):
    """Is shown every frame, (height, width, 3) RGB, times (s) ascending."""

    def see(self, seconds: float, frame: NDArray[np.uint8], /) -> object: ...
    def done(self) -> Classification: ...


class Classifier(Protocol):
    """Judges faces."""

    @property
    def operating_points(self) -> Mapping[str, OperatingPoint]: ...
    def watcher(self) -> FaceWatcher: ...
    def heatmap(self, frames: Sequence[tuple[float, NDArray[np.uint8]]], box: Box, /) -> NDArray[np.float32]:
        """Where in the last of ``frames`` (with their times in s) the evidence lies: (H, W) 0..1."""
        ...
