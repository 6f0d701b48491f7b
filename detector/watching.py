"""The two who look at a file: ``Eyes`` at its picture, ``Ears``, on a thread, at its sound.

Each shows what is decoded to every layer; a layer that raises is asked no more, and its failure is kept.
"""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from assets.errors import AssetError
from detector.errors import DetectorError, MediaError, NoPicture, NoSound
from detector.evidence import Seen
from detector.fingerprint import FingerprintIndex, Watcher
from detector.fingerprint import sound as listening
from detector.media import Facts, Limits, facts, frames, sound_streams
from detector.protocol import Classifier, FaceWatcher
from detector.stills import Stills
from detector.watermark.picture import PictureMark, Reader
from detector.watermark.sound import SoundMark, SoundReader

Progress = Callable[[float, float], None]
"""Called with the seconds that were looked at and those there are (0 if the file does not say)."""

LONGEST_SIDE = 1024
"""Larger pictures are made smaller before any layer sees them."""

PICTURES_PER_SECOND = 48.0
"""More are left out: it bounds the cost of a second, and no layer needs them."""

_PROGRESS_SECONDS = 0.5
_HASHED_AT_ONCE = 1 << 20

Heard: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.bool_], tuple[listening.Retuned, ...]]
Told = TypeVar("Told")
Watching = TypeVar("Watching")


@dataclass(frozen=True)
class Tools:
    """What to look with.

    ``missing``: sentences on what this machine lacks, and what to do about it; a layer without its tool is
    inconclusive.
    """

    picture_marks: tuple[PictureMark, ...] = ()
    sound_marks: tuple[SoundMark, ...] = ()
    index: FingerprintIndex | None = None
    classifier: Classifier | None = None
    missing: tuple[str, ...] = ()


def attempt(act: Callable[[], Told]) -> tuple[Told | None, str | None]:
    """What ``act`` returns, or why it failed: a hostile file may upset any library in any way."""
    try:
        return act(), None
    except (AssetError, DetectorError) as error:
        return None, str(error).rstrip(".")
    except Exception as error:
        return None, f"the software failed on it ({type(error).__name__})"


class Guarded(Generic[Watching]):
    """A layer's watcher, shown things until it fails."""

    def __init__(self, make: Callable[[], Watching]) -> None:
        self._watcher, self.failure = attempt(make)

    def show(self, act: Callable[[Watching], object]) -> None:
        if self._watcher is not None and self.failure is None:
            watcher = self._watcher
            _, self.failure = attempt(lambda: act(watcher))

    def done(self, act: Callable[[Watching], Told]) -> Told | None:
        """What it says in the end; ``None`` if it failed."""
        if self._watcher is None or self.failure is not None:
            return None
        watcher = self._watcher
        told, self.failure = attempt(lambda: act(watcher))
        return told


class Eyes:
    """The picture's layers. ``seen`` and ``error`` tell what there was to see, and why no more."""

    def __init__(self, tools: Tools, stills: Stills) -> None:
        self.marks = [Guarded[Reader](mark.reader) for mark in tools.picture_marks]
        self.prints = Guarded(Watcher) if tools.index is not None else None
        self.faces = Guarded[FaceWatcher](tools.classifier.watcher) if tools.classifier else None
        self.stills = stills
        self.seen = Seen(0.0, exists=True)
        self.error: MediaError | None = None

    def watch(self, path: Path, limits: Limits, tell: Callable[[float], None]) -> None:
        """Decode the picture and show it to all."""
        told = 0.0
        first = True
        try:
            for at, frame in frames(path, limits, per_second=PICTURES_PER_SECOND, longest_side=LONGEST_SIDE):
                self._see(at, frame)
                if first or at >= told + _PROGRESS_SECONDS:
                    told, first = at, False
                    tell(at)
        except MediaError as error:
            self.error = error
            missing = isinstance(error, NoPicture)
            self.seen = replace(self.seen, exists=not missing, damage=None if missing else str(error))

    def _see(self, at: float, frame: NDArray[np.uint8]) -> None:
        for mark in self.marks:
            mark.show(lambda reader: reader.see(at, frame))
        if self.prints is not None:
            self.prints.show(lambda watcher: watcher.see(at, frame))
        if self.faces is not None:
            self.faces.show(lambda watcher: watcher.see(at, frame))
        self.stills.see(at, frame)
        side = max(self.seen.side, min(frame.shape[:2]))
        self.seen = replace(self.seen, seconds=max(at, 1e-3), side=side)


class Ears(Thread):
    """The sound's layers, and what the file says of itself. Reads nothing more once it is stopped."""

    def __init__(self, path: Path, keys: tuple[SoundMark, ...], limits: Limits, *, prints: bool) -> None:
        """``keys``: the marks to listen for; ``prints``: whether the fingerprint is asked for."""
        super().__init__(daemon=True)
        self.keys = keys
        self._listens = prints
        self.marks: list[Guarded[SoundReader]] = []
        self.facts: Facts | None = None
        self.bytes = 0
        self.sha256 = ""
        self.seen = Seen(0.0, exists=True)
        self.error: MediaError | None = None
        self.deaf: str | None = None
        self._heard = listening.listen(())
        self._path, self._limits = path, limits
        self._stopped = Event()

    @property
    def announced(self) -> float:
        """How long (s) the file says it is, 0 if it does not."""
        seconds = self.facts.seconds if self.facts else 0.0
        return seconds if math.isfinite(seconds) else 0.0

    def heard(self) -> Heard:
        """What ``fingerprint.sound.listen`` made of it; nothing if that failed."""
        return self._heard

    def stop(self) -> None:
        """Let go of the file."""
        self._stopped.set()
        self.join()

    def run(self) -> None:
        with suppress(MediaError):
            self.facts = facts(self._path, self._limits)
        blocks = self._blocks()
        if self._listens:
            heard, self.deaf = attempt(lambda: listening.listen(blocks))
            if heard is not None:
                self._heard = heard
        deque(blocks, maxlen=0)
        if self.facts is not None:
            self._hash()

    def _blocks(self) -> Iterator[NDArray[np.float32]]:
        """The sound for its fingerprint; at its own rate it is shown to the marks on the way."""
        try:
            for which, block, rate in sound_streams(self._path, (None, listening.SAMPLE_RATE), self._limits):
                if self._stopped.is_set():
                    return
                if which == 0:
                    self._hear(block, rate)
                else:
                    yield block
        except MediaError as error:
            self.error = error
            missing = isinstance(error, NoSound)
            self.seen = replace(self.seen, exists=not missing, damage=None if missing else str(error))

    def _hear(self, block: NDArray[np.float32], rate: int) -> None:
        if not self.marks:
            self.marks = [Guarded(partial(mark.reader, rate)) for mark in self.keys]
        for mark in self.marks:
            mark.show(lambda reader: reader.push(block))
        self.seen = replace(self.seen, seconds=self.seen.seconds + len(block) / rate)

    def _hash(self) -> None:
        digest = hashlib.sha256()
        with suppress(OSError), self._path.open("rb") as file:
            while not self._stopped.is_set() and (piece := file.read(_HASHED_AT_ONCE)):
                digest.update(piece)
                self.bytes += len(piece)
            self.sha256 = digest.hexdigest()
