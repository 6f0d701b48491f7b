"""Marks a film while it is made, with its job's number in pictures and sound, and reads it back when done."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from detector.errors import DetectorError
from detector.fingerprint import Fingerprint, FingerprintIndex
from detector.fingerprint.iscc import ALGORITHM as ISCC
from detector.jobs import job_name
from detector.readback import read_back
from detector.watermark.code import JOB_BITS
from detector.watermark.picture import PictureMark
from detector.watermark.sound import SoundEmbedder, SoundMark
from governance import home, keyfiles
from governance.markkeys import MarkKeys
from governance.provenance import SoftBinding
from service.errors import MarkLost

PICTURE_PURPOSE = "vernissage picture mark 1"
SOUND_PURPOSE = "vernissage sound mark 1"
PICTURE_BINDING = "org.vernissage.picture-mark.1"
SOUND_BINDING = "org.vernissage.sound-mark.1"
JOB_BYTES = JOB_BITS // 8

READABLE_SECONDS = 3.0
"""From this length on no film is handed over unless the mark is read in its picture. In shorter ones there
may be too little of it, and in a sound with little speech too: what was not read is not declared."""

REGISTER = "fingerprints"
"""The folder of delivered films' fingerprints, at the hub's home."""


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
        keys = MarkKeys.load(directory or home.keys_directory())
        return cls(
            tuple(PictureMark(key) for key in keys.derived(PICTURE_PURPOSE)[:most]),
            tuple(SoundMark(key) for key in keys.derived(SOUND_PURPOSE)[:most]),
        )


@dataclass(frozen=True)
class Inscription:
    """What a finished film was found to bear: ``bindings`` for its manifest, and its ``fingerprint``."""

    bindings: tuple[SoftBinding, ...]
    fingerprint: Fingerprint


class Marking:
    """The treatment (``generator.film.Treatment``) by which one film gets the marks of its ``job``."""

    def __init__(self, marks: Marks, size: tuple[int, int], fps: float) -> None:
        """``size``: (width, height) in pixels. Raises ``WatermarkError`` if such a film cannot be marked."""
        self.job = secrets.randbits(JOB_BITS)
        self._marks = marks
        self._pictures = marks.pictures[0].embedder(size, fps, self.job)

    @property
    def name(self) -> str:
        """What the job is called."""
        return job_name(self.job)

    def picture(self, frame: NDArray[np.uint8], seconds: float) -> NDArray[np.uint8]:
        return self._pictures.embed(frame, seconds)

    def sound(self, rate: int) -> SoundEmbedder:
        return self._marks.sounds[0].embedder(rate, self.job)

    def inscription(self, film: Path) -> Inscription:
        """Read the finished film.

        Raises:
            MarkLost: it cannot be read, or is long enough to bear a mark and does not.
        """
        try:
            found = read_back(film, self._marks.pictures[0], self._marks.sounds[0])
        except DetectorError as error:
            raise MarkLost(f"The finished film cannot be read back ({error}) It was not kept.") from error
        seconds = found.fingerprint.seconds
        if found.in_picture != self.job and (found.in_picture is not None or seconds >= READABLE_SECONDS):
            raise MarkLost(
                "The mark cannot be read in the finished film's picture, so the film was not kept: "
                "use a portrait with more light and less of one plain colour, or a larger --size."
            )
        value = self.job.to_bytes(JOB_BYTES)
        marked = ((PICTURE_BINDING, found.in_picture), (SOUND_BINDING, found.in_sound))
        bindings = [SoftBinding(name, value, watermark=True) for name, job in marked if job == self.job]
        if found.content_code is not None:
            bindings.append(SoftBinding(ISCC, found.content_code.encode("ascii"), watermark=False))
        return Inscription(tuple(bindings), found.fingerprint)


def has_register() -> bool:
    """Whether this hub ever delivered a film."""
    return (home.directory() / REGISTER).is_dir()


def register() -> FingerprintIndex:
    """The fingerprints of the films this hub delivered. Raises ``FingerprintError``, ``KeysError``."""
    folder = home.directory() / REGISTER
    keyfiles.make_directory(folder)
    return FingerprintIndex.open(folder)


@contextmanager
def registered(job: str, film: Fingerprint) -> Iterator[None]:
    """``film`` is on the register from now on, unless the block fails. Raises ``FingerprintError``."""
    with register() as index:
        index.add(job, film)
        try:
            yield
        except BaseException:
            with suppress(DetectorError, sqlite3.Error):
                index.remove(job)
            raise
