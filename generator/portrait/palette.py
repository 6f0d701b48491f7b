"""The colours of a portrait that its invented parts must share."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.face import topology

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Palette:
    """Colours as (3,) float32 RGB, 0..255, and the strength of the fine texture.

    Attributes:
        skin: median of the face.
        highlight: mean of its brightest tenth.
        lip: median of the lips.
        grain: standard deviation of detail finer than two pixels (noise, canvas, brushwork).
    """

    skin: Float32
    highlight: Float32
    lip: Float32
    grain: float

    @classmethod
    def of(cls, frame: NDArray[np.uint8], uv: NDArray[np.float64]) -> Palette:
        """Measure a frame (H, W, 3) whose face vertices (468, 2) lie at ``uv``."""
        pixels = frame.astype(np.float32)
        face = _inside(frame.shape[:2], uv[list(topology.FACE_OVAL)])
        skin = pixels[face]
        light = skin @ np.array([0.299, 0.587, 0.114], np.float32)
        rim = topology.OUTER_LIP_UPPER + topology.OUTER_LIP_LOWER[::-1]
        lips = pixels[_inside(frame.shape[:2], uv[list(rim)])]
        detail = pixels.mean(2) - cv2.GaussianBlur(pixels.mean(2), (0, 0), 1.0)
        return cls(
            skin=np.median(skin, 0),
            highlight=skin[light > np.percentile(light, 92)].mean(0),
            lip=np.median(lips if len(lips) else skin, 0),
            grain=float(np.median(np.abs(detail[face])) * 1.2),
        )


def _inside(shape: tuple[int, int], polygon: NDArray[np.float64]) -> NDArray[np.bool_]:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(polygon).astype(np.int32)], 1)
    return mask > 0
