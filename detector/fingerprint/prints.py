"""The fingerprint of a film: registered when it is delivered, computed of a clip that is looked up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.errors import FingerprintError, NoPicture, NoSound
from detector.fingerprint import motion, picture, sound, surround
from detector.fingerprint.sound import Retuned
from detector.media import Limits, frames, sound_blocks

DEFAULT_LIMITS = Limits()
_LONGEST_SIDE = 512
_INSIDE_SIDE = 256
_STEADY = 0.02
"""Of the picture's side: how far a corner may move between two samples."""


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """``sights`` at 2 Hz, plain moments left out; ``motion`` (T, 12, 12) at 10 Hz; ``sound`` (S, 4) bytes and
    ``loud`` (S,) at 62.5 Hz. ``seconds``: the longer of picture and sound.

    Only of use in a query: ``retuned``, the sound at other speeds, and ``inside``, the fingerprint of the
    film that the pictures show on a plain ground, if they do, without its sound.
    """

    seconds: float
    sights: list[picture.Sight] = field(repr=False)
    motion: NDArray[np.float32] = field(repr=False)
    sound: NDArray[np.uint8] = field(repr=False)
    loud: NDArray[np.bool_] = field(repr=False)
    retuned: tuple[Retuned, ...] = field(default=(), repr=False)
    inside: Fingerprint | None = field(default=None, repr=False)


class Watcher:
    """Takes in pictures one by one, for a caller who decodes them anyway."""

    def __init__(self, look_inside: bool = True) -> None:
        self._look_inside = look_inside
        self._corners: NDArray[np.float32] | None = None
        self._inside: Watcher | None = None
        self._seconds = 0.0
        self._rows = motion.Rows()
        self._sights: list[picture.Sight] = []
        self._due = 0.0

    def see(self, seconds: float, image: NDArray[np.uint8]) -> None:
        """The next picture: (height, width, 3) RGB, shown at ``seconds`` (ascending)."""
        self._seconds = seconds
        self._rows.add(seconds, motion.blocks(image))
        if seconds + 1e-6 >= self._due:
            self._due = (
                np.floor((seconds + 1e-6) * picture.SAMPLES_PER_SECOND) + 1
            ) / picture.SAMPLES_PER_SECOND
            sight = picture.look(seconds, image)
            if sight is not None:
                self._sights.append(sight)
            if self._look_inside and self._inside is None:
                self._find_inside(image)
        if self._inside is not None and self._corners is not None:
            self._inside.see(seconds, surround.cut_out(image, self._corners, _INSIDE_SIDE))

    def _find_inside(self, image: NDArray[np.uint8]) -> None:
        """Two samples in a row must agree on where the film is."""
        before, self._corners = self._corners, surround.inner(image)
        if before is None or self._corners is None:
            return
        if np.abs(self._corners - before).max() <= _STEADY:
            self._inside = Watcher(look_inside=False)

    def done(
        self,
        sound_rows: NDArray[np.uint8],
        loud: NDArray[np.bool_],
        retuned: tuple[Retuned, ...] = (),
    ) -> Fingerprint:
        """All that was seen, with the sound (as from ``hear``, ``sound.listen`` or ``sound.rows``)."""
        seconds = max(self._seconds, len(sound_rows) / sound.ROWS_PER_SECOND)
        inside = self._inside.done(sound_rows[:0], loud[:0]) if self._inside else None
        return Fingerprint(seconds, self._sights, self._rows.all(), sound_rows, loud, retuned, inside)


def hear(path: Path, limits: Limits) -> tuple[NDArray[np.uint8], NDArray[np.bool_], tuple[Retuned, ...]]:
    """What ``sound.listen`` makes of a file; empty if it holds no sound. Raises ``MediaError``."""
    try:
        return sound.listen(block for block, _ in sound_blocks(path, limits, rate=sound.SAMPLE_RATE))
    except NoSound:
        return sound.listen(())


def fingerprint(path: Path, limits: Limits = DEFAULT_LIMITS) -> Fingerprint:
    """Of a film or a sound file.

    Raises:
        MediaRefused, MediaDamaged: it cannot be decoded within ``limits``.
        FingerprintError: it holds neither picture nor sound.
    """
    watcher = Watcher()
    count = 0
    for seconds, image in _pictures(path, limits):
        watcher.see(seconds, image)
        count += 1
    heard = hear(path, limits)
    if not count and not len(heard[0]):
        raise FingerprintError(f"{path} has neither a picture nor a third of a second of sound.")
    return watcher.done(*heard)


def _pictures(path: Path, limits: Limits) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    try:
        yield from frames(path, limits, longest_side=_LONGEST_SIDE)
    except NoPicture:
        return
