"""The picture's mark: a job id in slow, faint changes of colour that nobody sees and re-encoding keeps.

    mark = PictureMark(key)
    embedder = mark.embedder(size=(512, 512), fps=25.0, job_id=42)
    marked = embedder.embed(frame, seconds)          # RGB uint8, each frame of a film in turn
    reading = mark.read(detector.media.frames(path)) # (seconds, frame) pairs, in order; or mark.reader()
    reading.payload                                  # Payload(job_id=42, ...) or None

Three ideas carry it. The blue-yellow axis of a talking portrait is quiet at half a hertz, so a fixed keyed
pattern that is added for 1.25 s and taken away for 1.25 s stands out once each pixel is regressed on its own
mean and that carrier (spread spectrum, Cox et al. 1997, along time). Between two changes the pattern stands
still, so that a video encoder pays for it at each change and not in every frame. And a part of the pattern,
the pilot, is known without the payload and finds scale, shift and flip blindly.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from detector.watermark.picture.embed import Embedder
from detector.watermark.picture.pattern import Pattern
from detector.watermark.picture.read import Reader, Reading, Segment

__all__ = ["Embedder", "PictureMark", "Reader", "Reading", "Segment"]


class PictureMark:
    """Writes and reads the mark of one key (any bytes, kept secret: who holds them can forge or erase it).

    Building one costs about half a second; make it once and keep it.
    """

    def __init__(self, key: bytes) -> None:
        self._pattern = Pattern(key)

    def embedder(self, size: tuple[int, int], fps: float, job_id: int) -> Embedder:
        """What marks one film of `size` (width, height) pixels with `job_id`, 0 .. 2^40 - 1.

        Raises WatermarkError if the frame is under 192 pixels on a side, or if `fps` is under 8: a carrier
        needs frames to turn in. Raises ValueError on a job id out of range.
        """
        return Embedder(self._pattern, size, fps, job_id)

    def read(self, frames: Iterable[tuple[float, NDArray[np.uint8]]]) -> Reading:
        """Look for a mark in (seconds, RGB uint8 frame) pairs, times rising, in constant memory."""
        reader = self.reader()
        for seconds, frame in frames:
            reader.see(seconds, frame)
        return reader.done()

    def reader(self) -> Reader:
        """What reads one film whose frames come one by one: `see(seconds, frame)` each, then `done()`."""
        return Reader(self._pattern)
