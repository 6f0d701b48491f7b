"""Films of our own sitters, rendered or put together from their pictures, and keys for templates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from generator.motion import Motion
from generator.motion.motion import WIDTH
from generator.portrait.portrait import Portrait
from generator.render.renderer import Renderer
from governance.biometrics import Keyring
from tests.governance.biometrics.films import FPS, HOUSE, UInt8, write_film

SIDE = 512
YAW_DEG = 32.0

Film = Callable[[Iterable[UInt8]], Path]


@pytest.fixture(scope="session")
def picture() -> Callable[[str], UInt8]:
    """A sitter's picture, (512, 512, 3) RGB."""

    def open_picture(name: str) -> UInt8:
        image = cv2.cvtColor(cv2.imread(str(HOUSE[name].path)), cv2.COLOR_BGR2RGB)
        return cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)

    return open_picture


@pytest.fixture
def film(tmp_path: Path) -> Film:
    """Writes a film of the frames it is given."""
    return lambda frames: write_film(tmp_path / "film.mp4", frames)


def course(turns: Sequence[str]) -> NDArray[np.float64]:
    """Yaw in degrees, frame by frame: a second at the camera, then each turn there and back."""
    there = YAW_DEG * (1 - np.cos(np.linspace(0, np.pi, 15))) / 2
    turn = np.r_[there, np.full(8, YAW_DEG), there[::-1], np.zeros(6)]
    return np.concatenate([np.zeros(FPS), *(turn if each == "left" else -turn for each in turns)])


@pytest.fixture(scope="session")
def turning_frames() -> list[UInt8]:
    """The bust turns left, right and right again: as our renderer, not a camera, sees it."""
    yaw = course(["left", "right", "right"])
    values = np.zeros((len(yaw), WIDTH), np.float32)
    values[:, 51] = yaw
    portrait = Portrait.open(HOUSE["terracotta_bust"].path)
    renderer = Renderer(portrait)
    return [np.array(renderer.frame(row)) for row in Motion(values).values]


@pytest.fixture(scope="session")
def turning(turning_frames: list[UInt8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a film."""
    return write_film(tmp_path_factory.mktemp("films") / "turning.mp4", turning_frames)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A file with keys for templates."""
    path = tmp_path / "templates.json"
    Keyring.create(path)
    return path
