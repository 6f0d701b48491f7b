"""What the network is shown: not so much what a face looks like as how it changes.

Five times a second each face is cut out of three frames (now, 0.08 s and 0.24 s ago) through one and the
same square, so that what differs between the three has moved or changed. A moment is (5, 112, 112) uint8:
luma; its change over 0.08 s; the optical flow over 0.24 s (right, down); what the flow leaves unexplained.
A still picture that is warped is explained but for noise, mouth and eyes; skin in a camera's light is not.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.classifier.faces import Box, Finder, Tracks

UInt8 = NDArray[np.uint8]

CROP_PX = 112
CHANNELS = 5
MARGIN = 1.5
"""Side of the square over the longer side of the face's box."""
SAMPLE_SECONDS = 0.2
SHORT_SECONDS = 0.08
LONG_SECONDS = 0.24
_SEARCH_EVERY = 2
"""Faces are searched at every second moment."""
_KEEP_SECONDS = 0.035
"""Frames that follow each other faster are not kept."""
_SLACK_SECONDS = 0.015
_LONGEST_SIDE_PX = 1280
"""Larger frames are kept reduced."""
_MID = 128
_CHANGE_GAIN = 4.0
_FLOW_GAIN = 16.0
"""Grey levels per pixel of the crop."""


@dataclass(frozen=True, eq=False)
class Sight:
    """A face at one moment: ``at`` s; ``track`` its number; ``box`` x, y, width, height, shares of the frame;
    ``stack`` (5, 112, 112) uint8."""

    at: float
    track: int
    box: tuple[float, float, float, float]
    stack: UInt8


class Sampler:
    """Takes every frame of a film, gives the sights that are due. Memory does not grow with the film."""

    def __init__(self) -> None:
        self._finder = Finder()
        self._kept: deque[tuple[float, UInt8]] = deque()
        self._tracks = Tracks()
        self._due = 0.0
        self._moments = 0

    def see(self, seconds: float, frame: UInt8) -> list[Sight]:
        """``frame`` (height, width, 3) RGB, shown at ``seconds``; times ascend."""
        if self._kept and self._kept[-1][1].shape != _reduced_shape(frame):
            self._kept.clear()
        if self._kept and seconds - self._kept[-1][0] < _KEEP_SECONDS:
            return []
        frame = _reduced(frame)
        self._kept.append((seconds, frame))
        while len(self._kept) > 2 and self._kept[1][0] <= seconds - LONG_SECONDS + _SLACK_SECONDS:
            self._kept.popleft()
        if seconds < self._due - _SLACK_SECONDS:
            return []
        self._due = max(self._due + SAMPLE_SECONDS, seconds + SAMPLE_SECONDS / 2)
        if self._moments % _SEARCH_EVERY == 0:
            self._tracks.update(seconds, self._finder.find(frame))
        self._moments += 1
        long_ago = self._ago(seconds, LONG_SECONDS)
        lately = self._ago(seconds, SHORT_SECONDS)
        if long_ago is None or lately is None:
            return []
        height, width = frame.shape[:2]
        size = np.array([width, height, width, height], np.float64)
        sights = []
        for track in self._tracks.current:
            now, short, long = (crop_of(picture, track.box) for picture in (frame, lately, long_ago))
            x, y, w, h = (float(value) for value in track.box / size)
            sights.append(Sight(seconds, track.number, (x, y, w, h), evidence(now, short, long)))
        return sights

    def _ago(self, seconds: float, gap: float) -> UInt8 | None:
        """The latest frame kept that is at least ``gap`` old, unless it is far older."""
        for at, frame in reversed(self._kept):
            if seconds - at >= gap - _SLACK_SECONDS:
                return frame if seconds - at <= 2 * gap + _SLACK_SECONDS else None
        return None


def evidence(now: UInt8, short: UInt8, long: UInt8) -> UInt8:
    """(5, 112, 112) from the same square of a frame, of that 0.08 s and of that 0.24 s before it."""
    flow = _flow().calc(now, long, None)
    there = cv2.remap(long, _GRID + flow, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    here = now.astype(np.float32)
    return np.stack(
        [
            now,
            _levels(_CHANGE_GAIN * (here - short)),
            _levels(-_FLOW_GAIN * flow[..., 0]),
            _levels(-_FLOW_GAIN * flow[..., 1]),
            _levels(_CHANGE_GAIN * (here - there)),
        ]
    )


def square(box: Box) -> tuple[int, int, int]:
    """Left, top and side in pixels of the square around a face's ``box``."""
    x, y, width, height = box
    side = max(8, round(MARGIN * max(width, height)))
    return round(x + width / 2 - side / 2), round(y + height / 2 - side / 2), side


def crop_of(frame: UInt8, box: Box) -> UInt8:
    """(112, 112) luma of the square around ``box``; beyond the frame its edge goes on."""
    left, top, side = square(box)
    rows, columns = frame.shape[:2]
    inner = frame[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)]
    if inner.size == 0:
        return np.full((CROP_PX, CROP_PX), _MID, np.uint8)
    inner = cv2.cvtColor(np.ascontiguousarray(inner), cv2.COLOR_RGB2GRAY)
    above, before = max(0, -top), max(0, -left)
    below, after = max(0, top + side - rows), max(0, left + side - columns)
    if above or before or below or after:
        inner = cv2.copyMakeBorder(inner, above, below, before, after, cv2.BORDER_REPLICATE)
    smaller = side > CROP_PX
    resized = cv2.resize(
        inner, (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    )
    return np.ascontiguousarray(resized, np.uint8)


def _flow() -> Any:
    """Kroeger et al., *Fast optical flow using dense inverse search*, 2016; one for each thread."""
    if not hasattr(_OF_THREAD, "flow"):
        _OF_THREAD.flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        _OF_THREAD.flow.setFinestScale(0)
    return _OF_THREAD.flow


def _levels(change: NDArray[np.float32]) -> UInt8:
    return np.clip(np.rint(change + _MID), 0, 255).astype(np.uint8)


def _reduced_shape(frame: UInt8) -> tuple[int, int, int]:
    height, width = frame.shape[:2]
    scale = min(1.0, _LONGEST_SIDE_PX / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale)), 3


def _reduced(frame: UInt8) -> UInt8:
    height, width, _ = _reduced_shape(frame)
    if (height, width) == frame.shape[:2]:
        return frame
    return np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


_OF_THREAD = threading.local()
_GRID = np.stack(np.meshgrid(np.arange(CROP_PX), np.arange(CROP_PX)), axis=-1).astype(np.float32)
