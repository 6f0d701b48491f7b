"""What a face does by itself for as long as somebody watches: it looks about, blinks and breathes.

The live counterpart of ``liveliness``, from the same measured numbers. State is a few dozen numbers however
long it runs; the same seed and input give the same motion.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from generator.arkit import INDEX
from generator.motion import liveliness as natural
from generator.motion.motion import FPS, GAZE_COLUMNS, TRANSLATION_COLUMNS, WIDTH

Signal = NDArray[np.float64]

WAKE_SECONDS = 0.5
"""How long the face takes to leave the pose of the picture."""
_BLINKS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]


class Idle:
    """Steps through time at 25 fps; see the module."""

    def __init__(self, seed: int, blinking: Callable[[float], float] = lambda _: 1.0) -> None:
        """``blinking`` gives, for a time in seconds, how many times as often as by nature eyes blink."""
        streams = [np.random.default_rng([seed % 2**64, i, *b"idle"]) for i in range(3)]
        self._gaze = _Gaze(streams[0])
        self._lids = _Lids(streams[1], blinking)
        self._breath = float(streams[2].random())
        self._frame = 0

    def step(self, speaking: bool, head: Signal) -> Signal:
        """(59,) the next frame: gaze, lids and breath, while the head is turned by ``head`` (2,) yaw and
        pitch in degrees."""
        seconds = (self._frame + 0.5) / FPS
        self._frame += 1
        row = np.zeros(WIDTH)
        row[GAZE_COLUMNS] = self._gaze.step(seconds, head)
        row[_BLINKS] = self._lids.step(seconds, speaking)
        phase = 2 * np.pi * ((natural.BREATHS_PER_SECOND * seconds + self._breath) % 1.0)
        awake = min(seconds / WAKE_SECONDS, 1.0)
        row[TRANSLATION_COLUMNS.start + 1] = awake * natural.BREATH_CM * np.sin(phase + 0.4 * np.sin(phase))
        return row


class _Gaze:
    """Fixations near straight ahead, joined by saccades; head turns mostly undone."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._from = self._to = np.zeros(2)
        self._began = 0.0
        self._moves_at = self._fixation()

    def step(self, seconds: float, head: Signal) -> Signal:
        if seconds >= self._moves_at:
            averted = self._random.random() < natural.AVERSION_SHARE
            self._from = self._to
            self._to = self._random.standard_normal(2) * (
                natural.AVERSION_DEG if averted else natural.FIXATION_DEG
            )
            self._began = seconds
            self._moves_at = seconds + natural.SACCADE_SECONDS + self._fixation()
        share = min((seconds - self._began) / natural.SACCADE_SECONDS, 1.0)
        target = self._from + share * (self._to - self._from)
        limit = np.array(natural.GAZE_LIMIT_DEG)
        return np.clip(target - natural.EYES_STAY_SHARE * head, -limit, limit)

    def _fixation(self) -> float:
        spread = natural.FIXATION_SIGMA * self._random.standard_normal()
        return float(natural.FIXATION_MEDIAN_SECONDS * np.exp(spread))


class _Lids:
    """Blinks: log-normal intervals, in pauses where one is near."""

    def __init__(self, random: np.random.Generator, blinking: Callable[[float], float]) -> None:
        self._random = random
        self._blinking = blinking
        self._due = float(random.uniform(*natural.FIRST_BLINK_SECONDS))
        self._corners: Signal | None = None

    def step(self, seconds: float, speaking: bool) -> float:
        if self._corners is None and seconds >= self._due:
            often = self._blinking(seconds)
            if often < natural.BLINK_RATE_MIN:
                self._due = seconds + 1.0
            elif not speaking or seconds >= self._due + natural.BLINK_TO_PAUSE_SECONDS:
                self._begin(seconds, often)
        if self._corners is None:
            return 0.0
        lid = float(np.interp(seconds, self._corners, [0.0, 1.0, 1.0, 0.0]))
        if seconds >= self._corners[-1]:
            self._corners = None
        return lid * lid * (3 - 2 * lid)

    def _begin(self, seconds: float, often: float) -> None:
        random = self._random
        phases = [
            random.uniform(*limits)
            for limits in (
                natural.BLINK_CLOSE_SECONDS,
                natural.BLINK_HOLD_SECONDS,
                natural.BLINK_OPEN_SECONDS,
            )
        ]
        start = seconds - 0.5 / FPS
        self._corners = start + np.cumsum([0.0, *phases])
        spread = natural.BLINK_INTERVAL_SIGMA * random.standard_normal()
        interval = natural.BLINK_INTERVAL_MEDIAN_SECONDS * np.exp(spread)
        self._due = start + float(np.clip(interval, *natural.BLINK_INTERVAL_LIMITS_SECONDS)) / often
