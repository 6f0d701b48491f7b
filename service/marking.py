"""Marks a film while it is made: one job's number in its pictures and in its sound."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from detector.watermark.code import JOB_BITS
from detector.watermark.picture import PictureMark
from detector.watermark.sound import SoundEmbedder, SoundMark
from governance.home import keys_directory
from governance.markkeys import MarkKeys

PICTURE_PURPOSE = "vernissage picture mark 1"
SOUND_PURPOSE = "vernissage sound mark 1"


@dataclass(frozen=True)
class Marks:
    """What this house marks its films with, and finds them by: the marks of its keys, the newest first."""

    pictures: tuple[PictureMark, ...]
    sounds: tuple[SoundMark, ...]

    @classmethod
    def open(cls, directory: Path | None = None, *, most: int | None = None) -> Self:
        """Those of the newest ``most`` keys in ``directory``, by default all of the house's.

        Raises:
            KeysMissing: there are none; ``vernissage keys init --if-missing`` makes them.
            KeysUnsafe, KeysDamaged: as ``MarkKeys.load`` says.
        """
        keys = MarkKeys.load(directory or keys_directory())
        return cls(
            tuple(PictureMark(key) for key in keys.derived(PICTURE_PURPOSE)[:most]),
            tuple(SoundMark(key) for key in keys.derived(SOUND_PURPOSE)[:most]),
        )


class Marking:
    """The treatment (``generator.film.Treatment``) by which one film gets the marks of its job."""

    def __init__(self, marks: Marks, size: tuple[int, int], fps: float, job: int) -> None:
        """``size``: (width, height) in pixels. Raises ``WatermarkError`` if such a film cannot be marked."""
        self._pictures = marks.pictures[0].embedder(size, fps, job)
        self._mark, self._job = marks.sounds[0], job

    def picture(self, frame: NDArray[np.uint8], seconds: float) -> NDArray[np.uint8]:
        return self._pictures.embed(frame, seconds)

    def sound(self, rate: int) -> SoundEmbedder:
        return self._mark.embedder(rate, self._job)


def new_job() -> int:
    """A number that no film has had, but for a chance of films / 2^40."""
    return secrets.randbits(JOB_BITS)
