"""A few pictures of a film, spread over it, kept while it is looked at."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]
Moment: TypeAlias = tuple[float, UInt8]

FIRST_INTERVAL_SECONDS = 0.5
LONGEST_SIDE = 512
TRAIL_SECONDS = 0.28
"""What came before a still is kept as well: a classifier looks at movement."""

TRAIL_STEP_SECONDS = 0.035
_QUALITY = 95


@dataclass(frozen=True, eq=False)
class Still:
    """The pictures that lead to a moment, it last: seconds and (height, width, 3) RGB, at most 512 pixels."""

    trail: tuple[Moment, ...]

    @property
    def at(self) -> float:
        return self.trail[-1][0]

    @property
    def picture(self) -> UInt8:
        return self.trail[-1][1]


class Stills:
    """Keeps between half of ``most`` and ``most`` stills, however long the film is, at equal intervals.

    They are held as JPEG: half a megabyte each.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._interval = FIRST_INTERVAL_SECONDS
        self._due = TRAIL_SECONDS
        self._recent: deque[Moment] = deque()
        self._kept: list[list[tuple[float, UInt8]]] = []

    def see(self, at: float, frame: UInt8) -> None:
        """The next picture: (height, width, 3) RGB, shown ``at`` (s, ascending)."""
        if not self._most:
            return
        if not self._recent or at - self._recent[-1][0] >= TRAIL_STEP_SECONDS:
            self._recent.append((at, frame))
        while at - self._recent[0][0] > TRAIL_SECONDS:
            self._recent.popleft()
        if at < self._due or self._recent[-1][0] < at:
            return
        if len(self._kept) == self._most:
            self._interval *= 2
            self._kept = self._kept[::2]
        passed = math.floor((at - TRAIL_SECONDS) / self._interval + 1e-6)
        self._due = TRAIL_SECONDS + (passed + 1) * self._interval
        self._kept.append([(seconds, _packed(picture)) for seconds, picture in self._recent])

    def done(self) -> tuple[Still, ...]:
        """What was kept, in order of time."""
        return tuple(
            Still(tuple((seconds, _unpacked(data)) for seconds, data in trail)) for trail in self._kept
        )


def _packed(frame: UInt8) -> UInt8:
    height, width = frame.shape[:2]
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        frame = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    )
    return np.asarray(data, np.uint8)


def _unpacked(data: UInt8) -> UInt8:
    return np.asarray(cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)
