"""How often, how long and how fully the eyes blink.

People in conversation blink 26 times a minute, 95 % of them 10.5 to 32.5 times (Bentivoglio et al. 1997);
a blink takes 100 to 400 ms (Schiffman 2000; half closed for 0.08 to 0.32 s).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import percentile_filter

Array = NDArray[np.float64]

_OPEN_PERCENTILE = 80.0
_BASELINE_SECONDS = 3.0
_CLOSED = 0.4  # share of the opening that a blink takes away at least; trackers never see lids meet
_EDGE = 0.3  # of a blink's own depth


@dataclass(frozen=True)
class Blink:
    """``start`` and ``end``, s: where three tenths of the blink's depth are passed; ``depth`` 0..1."""

    start: float
    end: float
    depth: float

    @property
    def milliseconds(self) -> float:
        return 1000 * (self.end - self.start)


def closure(lids: Array, fps: float) -> Array:
    """(T,) 0 open .. 1 shut, from lid openings (T,) of any scale: what is missing to the opening usual in
    the seconds around."""
    whole = float(np.percentile(lids, _OPEN_PERCENTILE))
    window = min(2 * round(_BASELINE_SECONDS * fps) + 1, 2 * len(lids) - 1)
    usual = percentile_filter(lids, _OPEN_PERCENTILE, size=window, mode="nearest")
    shut: Array = np.clip(1 - lids / np.maximum(usual, max(0.6 * whole, 1e-9)), 0, 1)
    return shut


def find(lids: Array, fps: float) -> list[Blink]:
    """The blinks in lid openings (T,); those cut by the beginning or the end are left out."""
    shut = closure(lids, fps)
    found: list[Blink] = []
    frame = 0
    while frame < len(shut):
        if shut[frame] < _CLOSED:
            frame += 1
            continue
        peak = frame
        while frame < len(shut) and shut[frame] >= _CLOSED:
            peak = frame if shut[frame] > shut[peak] else peak
            frame += 1
        edge = _EDGE * float(shut[peak])
        start, end = _crossing(shut, peak, -1, edge), _crossing(shut, peak, 1, edge)
        if start is not None and end is not None:
            found.append(Blink(start / fps, end / fps, float(shut[peak])))
            frame = max(frame, int(np.ceil(end)))
    return found


def per_minute(blinks: list[Blink], seconds: float) -> float:
    return 60 * len(blinks) / seconds


def latched_seconds(lids: Array, fps: float) -> float:
    """The longest time for which the eyes stay shut."""
    longest = run = 0
    for shut in closure(lids, fps) >= _CLOSED:
        run = run + 1 if shut else 0
        longest = max(longest, run)
    return longest / fps


def _crossing(shut: Array, peak: int, step: int, level: float) -> float | None:
    """Frame number, between frames, at which ``shut`` falls to ``level`` going from ``peak`` by ``step``."""
    at = peak
    while 0 <= at + step < len(shut):
        here, there = float(shut[at]), float(shut[at + step])
        if there <= level:
            return at + step * (here - level) / max(here - there, 1e-9)
        at += step
    return None
