"""Where faces are, a few times a second: YuNet on a reduced picture, boxes followed from one to the next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import assets

UInt8 = NDArray[np.uint8]
Box = NDArray[np.float64]
"""(4,) x, y, width, height in pixels."""

DETECTOR = "face_detection_yunet_2023mar_int8bq.onnx"
SEARCH_SIDE_PX = 320
"""Longer side of the picture that is searched."""
MIN_SCORE = 0.6
MIN_HEIGHT_PX = 24.0
"""Smaller faces show too little."""
MOST_FACES = 4
_OVERLAP = 0.3
_SAME_FACE = 0.3
"""Intersection over union from which a box continues a track."""
_FOLLOW = 0.6
"""How far a track's box goes towards the one found."""
_LOST_SECONDS = 0.9


class Finder:
    """YuNet. Not to be shared between threads."""

    def __init__(self) -> None:
        self._net = cv2.FaceDetectorYN.create(str(_detector()), "", (0, 0), MIN_SCORE, _OVERLAP, 20)

    def find(self, frame: UInt8) -> list[Box]:
        """The largest faces of ``frame``, (height, width, 3) RGB, the largest first."""
        height, width = frame.shape[:2]
        scale = min(1.0, SEARCH_SIDE_PX / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        reduced = cv2.resize(frame, size, interpolation=cv2.INTER_AREA) if scale < 1 else frame
        self._net.setInputSize(size)
        found = self._net.detect(np.ascontiguousarray(reduced[..., ::-1]))[1]
        if found is None:
            return []
        boxes = [row[:4].astype(np.float64) / scale for row in found]
        boxes = [box for box in boxes if box[3] >= MIN_HEIGHT_PX and np.isfinite(box).all()]
        return sorted(boxes, key=lambda box: -box[2] * box[3])[:MOST_FACES]


@dataclass(eq=False)
class Track:
    """One face from its first to its last sight. ``box`` is smoothed; ``seen`` in seconds."""

    number: int
    box: Box
    seen: float


class Tracks:
    """Which box is whose."""

    def __init__(self) -> None:
        self.current: list[Track] = []
        self._count = 0

    def update(self, seconds: float, boxes: list[Box]) -> None:
        """Continue tracks with the boxes found at ``seconds``, begin others, end those long unseen."""
        free = list(self.current)
        for box in boxes:
            near = max(free, key=lambda track: overlap(track.box, box), default=None)
            if near is not None and overlap(near.box, box) >= _SAME_FACE:
                free.remove(near)
                near.box = near.box + _FOLLOW * (box - near.box)
                near.seen = seconds
            elif len(self.current) < MOST_FACES:
                self.current.append(Track(self._count, box, seconds))
                self._count += 1
        self.current = [track for track in self.current if seconds - track.seen <= _LOST_SECONDS]


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    low = np.maximum(one[:2], other[:2])
    high = np.minimum(one[:2] + one[2:], other[:2] + other[2:])
    shared = float(np.prod(np.clip(high - low, 0.0, None)))
    together = float(np.prod(one[2:]) + np.prod(other[2:])) - shared
    return shared / together if together > 0 else 0.0


@cache
def _detector() -> Any:
    return assets.path(DETECTOR)
