"""Reads a finished film back before it is handed over: is what was put in still there?"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from detector.errors import FingerprintError, NoSound
from detector.fingerprint import Fingerprint, Watcher
from detector.fingerprint.iscc import ContentCoder
from detector.media import Limits, frames
from detector.watching import LONGEST_SIDE, Ears
from detector.watermark.picture import PictureMark
from detector.watermark.sound import SoundMark

DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, eq=False)
class ReadBack:
    """What a film says of itself: the job marked ``in_picture`` and ``in_sound`` (``None`` where none can be
    read), its ``fingerprint``, and its ISCC content code (``None`` of a film under two seconds)."""

    in_picture: int | None
    in_sound: int | None
    fingerprint: Fingerprint = field(repr=False)
    content_code: str | None


def read_back(
    film: Path, picture: PictureMark, sound: SoundMark, limits: Limits = DEFAULT_LIMITS
) -> ReadBack:
    """Look at all of a film and listen to it, beside each other.

    Raises:
        MediaError: it cannot be decoded from beginning to end.
        FingerprintError: its sound cannot be told from others'.
    """
    reader, watcher, coder = picture.reader(), Watcher(), ContentCoder()
    ears = Ears(film, (sound,), limits, prints=True)
    ears.start()
    try:
        for at, frame in frames(film, limits, longest_side=LONGEST_SIDE):
            reader.see(at, frame)
            watcher.see(at, frame)
            coder.see(at, frame)
        ears.join()
    finally:
        ears.stop()
    if ears.error is not None and not isinstance(ears.error, NoSound):
        raise ears.error
    if ears.deaf is not None:
        raise FingerprintError(f"The film's sound was not understood: {ears.deaf}.")
    seen = reader.done().payload
    heard = next((mark.done(lambda each: each.finish()) for mark in ears.marks), None)
    spoken = heard.payload if heard is not None else None
    return ReadBack(
        seen.job_id if seen else None,
        spoken.job_id if spoken else None,
        watcher.done(*ears.heard()),
        coder.done() if len(coder.codes) > 1 else None,
    )
