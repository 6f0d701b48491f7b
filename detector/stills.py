"""A few pictures of a film, spread over it, kept while it is looked at."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]

FIRST_INTERVAL_SECONDS = 0.5
LONGEST_SIDE = 512
_QUALITY = 85


@dataclass(frozen=True, eq=False)
class Still:
    """A picture, (height, width, 3) RGB with at most 512 pixels a side, shown ``at`` (s)."""

    at: float
    picture: UInt8


class Stills:
    """Keeps between half of ``most`` and ``most`` pictures, however long the film is, at equal intervals.

    They are held as JPEG: 50 KB each.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._interval = FIRST_INTERVAL_SECONDS
        self._due = 0.0
        self._kept: list[tuple[float, UInt8]] = []

    def see(self, at: float, frame: UInt8) -> None:
        """The next picture: (height, width, 3) RGB, shown ``at`` (s, ascending)."""
        if not self._most or at < self._due:
            return
        if len(self._kept) == self._most:
            self._interval *= 2
            self._kept = self._kept[::2]
        self._due = (math.floor(at / self._interval + 1e-6) + 1) * self._interval
        self._kept.append((at, _packed(frame)))

    def done(self) -> tuple[Still, ...]:
        return tuple(Still(at, _unpacked(data)) for at, data in self._kept)


def _packed(frame: UInt8) -> UInt8:
    height, width = frame.shape[:2]
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    )
    return np.asarray(data, np.uint8)


def _unpacked(data: UInt8) -> UInt8:
    return np.asarray(cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)
