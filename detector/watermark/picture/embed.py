"""Writing the mark, frame by frame, in constant memory."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.errors import WatermarkError
from detector.watermark.picture.pattern import Float32, Pattern, carrier

AMPLITUDE_LEVELS = 2.3
"""Standard deviation of what is added to blue where it is bright and busy, in 8-bit levels; Cb gets half."""

PEAK = 1.8
"""Standard deviations that no block exceeds: single strong ones are what an eye finds on a wall."""

DARKEST_WEIGHT = 0.6
FLATTEST_WEIGHT = 0.65
"""What of the amplitude is left in the dark and on even ground, where blotches would show first."""

FULL_WEIGHT_LUMA = 110.0
FULL_WEIGHT_TEXTURE_LEVELS = 2.0
SEEN_AT_PX = 128

SHORTEST_SIDE_PX = 192
LOWEST_FPS = 8.0

BLOCK_PX = 16
"""The pattern is even within an encoder's block, which then has one number to code and not four."""

FEWEST_BLOCKS = 32
"""Along the longer side, so that they can draw the pattern: of a small film the blocks are smaller."""

DEADZONE = 0.65
"""Standard deviations that every block loses: faint ones would cost an encoder most for their worth."""

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
        self._levels = AMPLITUDE_LEVELS * _in_blocks(pattern.mark(job_id), max(size))[:height, :width]
        self._sign = 0
        self._added = np.zeros((height, width), np.int16)

    def embed(self, frame: UInt8, seconds: float) -> UInt8:
        """The marked copy of an RGB frame (height, width, 3) shown at `seconds` from the start of the film.

        Frames come in order; only blue changes. Raises WatermarkError if the frame is not of the size, or not
        8-bit RGB.
        """
        width, height = self.size
        if frame.shape != (height, width, 3) or frame.dtype != np.uint8:
            raise WatermarkError(f"The film's frames are {width}x{height} in 8-bit RGB; this one is not.")
        sign = carrier(seconds)
        if sign != self._sign:
            self._sign = sign
            self._added = np.rint(sign * _weight(frame) * self._levels).astype(np.int16)
        marked = frame.copy()
        blue = cv2.add(cv2.extractChannel(frame, 2), self._added, dtype=cv2.CV_8U)
        cv2.insertChannel(blue, marked, 2)
        return marked


def _in_blocks(mark: Float32, side: int) -> Float32:
    """The mark over a square of `side` pixels or a little more, of unit variance, blocks alike or zero."""
    block = BLOCK_PX
    while block > 1 and side < FEWEST_BLOCKS * block:
        block //= 2
    count = -(-side // block)
    drawn = cv2.resize(mark, (side, side), interpolation=cv2.INTER_CUBIC)
    over = count * block - side
    drawn = cv2.copyMakeBorder(drawn, 0, over, 0, over, cv2.BORDER_REPLICATE)
    blocks = cv2.resize(drawn, (count, count), interpolation=cv2.INTER_AREA)
    blocks = np.sign(blocks) * np.maximum(np.abs(blocks) - DEADZONE * blocks.std(), 0.0)
    blocks = np.clip(blocks / blocks.std(), -PEAK, PEAK)
    blocks /= blocks.std()
    return np.kron(blocks, np.ones((block, block), np.float32))


def _weight(frame: UInt8) -> Float32:
    """How much of the mark each pixel (height, width) bears: by light and by texture, within limits."""
    height, width = frame.shape[:2]
    scale = SEEN_AT_PX / max(height, width)
    small = cv2.resize(frame, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    texture = cv2.GaussianBlur(np.abs(luma - cv2.GaussianBlur(luma, (0, 0), 1.5)), (0, 0), 4.0)
    bright = np.clip(cv2.GaussianBlur(luma, (0, 0), 4.0) / FULL_WEIGHT_LUMA, DARKEST_WEIGHT, 1.0)
    busy = np.minimum(texture / FULL_WEIGHT_TEXTURE_LEVELS, 1.0)
    weight = bright * (FLATTEST_WEIGHT + (1.0 - FLATTEST_WEIGHT) * busy)
    return cast(Float32, cv2.resize(weight, (width, height), interpolation=cv2.INTER_LINEAR))
