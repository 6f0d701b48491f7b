"""What turns speech into motion, and how to ask for one by name."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from generator.errors import MotionError
from generator.motion.direction import NATURAL_DIRECTION, Direction
from generator.motion.learned import LearnedDriver
from generator.motion.motion import Motion
from generator.motion.rules import RulesDriver
from generator.speech.audio import Speech


class Driver(Protocol):
    """Makes a face speak: the same speech and seed give the same motion, bit for bit."""

    @property
    def name(self) -> str:
        """What ``get`` knows it by, and what a film's manifest states."""

    @property
    def weights(self) -> tuple[Path, ...]:
        """The model files it uses, for the film's manifest."""

    def __call__(self, speech: Speech, *, seed: int = 0, direction: Direction = NATURAL_DIRECTION) -> Motion:
        """Motion of ``ceil(speech.seconds * 25)`` frames at 25 a second, played as ``direction`` says."""


_DRIVERS: tuple[Driver, ...] = (RulesDriver(), LearnedDriver())


def names() -> tuple[str, ...]:
    """The names ``get`` accepts."""
    return tuple(driver.name for driver in _DRIVERS)


def get(name: str) -> Driver:
    """The driver called ``name``; ``MotionError`` when there is none."""
    for driver in _DRIVERS:
        if driver.name == name:
            return driver
    raise MotionError(f"There is no motion driver {name!r}; choose one of: {', '.join(names())}.")
