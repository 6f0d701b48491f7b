"""Which part of a picture becomes the frame, and at what size."""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.errors import PortraitError
from generator.portrait.landmarks import Face

FACE_SHARE = 0.46
"""Height of the face (forehead to chin) as a share of a square frame."""
FACE_CENTRE_SHARE = 0.46
"""Where the middle of the face lies, from the top of a square frame."""
WHOLE_PICTURE_SHARE = 1.35
"""A picture less than this many times as high as its face is extended rather than filled with face."""
MIN_SIZE_PX, MAX_SIZE_PX = 128, 1024


class Aspect(StrEnum):
    """The shape of the frame."""

    SQUARE = "square"
    """A square around the head."""
    OWN = "own"
    """The whole picture, its longer side as long as asked."""


def frame_portrait(
    rgb: NDArray[np.uint8], face: Face, size: int, aspect: Aspect
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Crop and scale a picture.

    Args:
        rgb: (H, W, 3).
        face: the face to be animated.
        size: the longer side of the frame in pixels, even, 128 to 1024.
        aspect: square around the head, or the whole picture.

    Returns:
        The frame (h, w, 3) with even sides, and the face's landmarks (478, 3) in it.

    Raises:
        PortraitError: ``size`` is odd or out of range.
    """
    if size % 2 or not MIN_SIZE_PX <= size <= MAX_SIZE_PX:
        raise PortraitError(f"A frame of {size} px cannot be made: choose an even size from 128 to 1024.")
    height, width = rgb.shape[:2]
    if aspect is Aspect.OWN:
        left, top, right, bottom = 0, 0, width, height
    else:
        left, top, right, bottom = _square_around(face, width, height)
    crop = _crop(rgb, left, top, right, bottom)
    scale = size / max(right - left, bottom - top)
    out_width = max(2, round((right - left) * scale / 2) * 2)
    out_height = max(2, round((bottom - top) * scale / 2) * 2)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    frame = cv2.resize(crop, (out_width, out_height), interpolation=interpolation)
    stretch = np.array([out_width / (right - left), out_height / (bottom - top)])
    landmarks = face.landmarks.copy()
    landmarks[:, :2] = (landmarks[:, :2] + 0.5 - (left, top)) * stretch - 0.5
    landmarks[:, 2] *= stretch.mean()
    return np.ascontiguousarray(frame), landmarks


def _square_around(face: Face, width: int, height: int) -> tuple[int, int, int, int]:
    centre = face.landmarks[[10, 152, 234, 454], :2].mean(0)
    side = face.height_px / FACE_SHARE
    shortest = min(width, height)
    if side > shortest > WHOLE_PICTURE_SHARE * face.height_px:
        side = shortest
    left = centre[0] - side / 2
    top = centre[1] - side * FACE_CENTRE_SHARE
    if side <= width:
        left = float(np.clip(left, 0, width - side))
    if side <= height:
        top = float(np.clip(top, 0, height - side))
    whole = round(side)
    return round(left), round(top), round(left) + whole, round(top) + whole


def _crop(rgb: NDArray[np.uint8], left: int, top: int, right: int, bottom: int) -> NDArray[np.uint8]:
    """The crop, the picture's edge drawn out where the picture ends."""
    height, width = rgb.shape[:2]
    inside = rgb[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
    margins = max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0)
    if not any(margins):
        return inside
    return np.asarray(cv2.copyMakeBorder(inside, *margins, cv2.BORDER_REPLICATE), np.uint8)
