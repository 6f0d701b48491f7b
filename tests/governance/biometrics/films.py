"""Films for ceremonies that nobody held, written frame by frame."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generator.sitters import sitters
from generator.video import VideoWriter

FPS = 25
HOUSE = {each.name: each for each in sitters()}
"""Our sitters by name."""

UInt8 = NDArray[np.uint8]


def write_film(path: Path, frames: Iterable[UInt8], audio: Path | None = None, fps: float = FPS) -> Path:
    """An MP4 of some frames, all of one size."""
    frames = list(frames)
    height, width = frames[0].shape[:2]
    with VideoWriter(path, size=(width, height), fps=fps, audio=audio) as film:
        for frame in frames:
            film.write(np.ascontiguousarray(frame))
    return path
