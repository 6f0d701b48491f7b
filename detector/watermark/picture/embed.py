"""Writing the mark, frame by frame, in constant memory."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.errors import WatermarkError
from detector.watermark.picture.pattern import Pattern, carrier

AMPLITUDE_LEVELS = 2.6
"""Standard deviation of what is added to blue, in 8-bit levels; half of it arrives in Cb."""

SHORTEST_SIDE_PX = 128
LOWEST_FPS = 8.0

_DITHER = np.array([[-0.375, 0.125], [0.375, -0.125]], np.float32)
"""Thresholds that four pixels share, so that one chroma sample sees quarters of a level."""

UInt8 = NDArray[np.uint8]


class Embedder:
    """Marks the frames of one film. Made by `PictureMark.embedder`."""

    def __init__(self, pattern: Pattern, size: tuple[int, int], fps: float, job_id: int) -> None:
        width, height = size
        if min(size) < SHORTEST_SIDE_PX:
            raise WatermarkError(
                f"A frame of {width}x{height} is too small to be marked: make each side "
                f"{SHORTEST_SIDE_PX} pixels or more."
            )
        if not fps >= LOWEST_FPS:
            raise WatermarkError(
                f"{fps:g} frames a second are too few to be marked: make it {LOWEST_FPS:g} or more."
            )
        self.size = size
        longer = max(size)
        mark = cv2.resize(pattern.mark(job_id), (longer, longer), interpolation=cv2.INTER_CUBIC)
        dither = np.tile(_DITHER, (longer // 2 + 1, longer // 2 + 1))
        levels = AMPLITUDE_LEVELS * mark[:height, :width]
        dither = dither[:height, :width]
        self._added = {sign: np.rint(sign * levels + dither).astype(np.int16) for sign in (1, -1)}

    def embed(self, frame: UInt8, seconds: float) -> UInt8:
        """The marked copy of an RGB frame (height, width, 3) shown at `seconds` from the start of the film.

        Only blue changes. Raises WatermarkError if the frame is not of the size, or not 8-bit RGB.
        """
        width, height = self.size
        if frame.shape != (height, width, 3) or frame.dtype != np.uint8:
            raise WatermarkError(f"The film's frames are {width}x{height} in 8-bit RGB; this one is not.")
        marked = frame.copy()
        blue = cv2.add(cv2.extractChannel(frame, 2), self._added[carrier(seconds)], dtype=cv2.CV_8U)
        cv2.insertChannel(blue, marked, 2)
        return marked
