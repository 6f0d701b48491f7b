"""Motions to render and faces to read."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from generator.arkit import INDEX
from generator.motion.motion import WIDTH
from generator.portrait.image import open_image
from generator.sitters import sitters

_COLUMNS = INDEX | {
    name: 51 + k for k, name in enumerate(("yaw", "pitch", "roll", "x", "y", "z", "gaze_yaw", "gaze_pitch"))
}


@pytest.fixture(scope="session")
def row() -> Callable[..., NDArray[np.float32]]:
    """``row(jawOpen=0.5, yaw=10)``: one row of a ``Motion``, zero but for what is named."""

    def build(**values: float) -> NDArray[np.float32]:
        motion = np.zeros(WIDTH, np.float32)
        for name, value in values.items():
            motion[_COLUMNS[name]] = value
        return motion

    return build


@pytest.fixture(scope="session")
def pictures() -> dict[str, NDArray[np.uint8]]:
    """Every sitter's picture, (H, W, 3), by name."""
    return {sitter.name: open_image(sitter.path).rgb for sitter in sitters()}
