"""A face that is alive for as long as somebody watches: head, eyes, brows and breath, frame after frame.

The live counterpart of ``liveliness``, from the same measured numbers. State is a few dozen numbers however
long it runs; the same seed and input give the same motion.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import comb

from generator.arkit import INDEX
from generator.motion import liveliness as natural
from generator.motion.motion import FPS, GAZE_COLUMNS, ROTATION_COLUMNS, TRANSLATION_COLUMNS, WIDTH

Signal = NDArray[np.float64]

POLES = 4
"""Low-pass filters in a row, which together smooth almost as a Gaussian does."""
ACTIVITY_SECONDS = 0.25
WAKE_SECONDS = 0.5
"""How long the face takes to leave the pose of the picture."""
GESTURE_RISE_SECONDS = 0.24
"""From an accent to the depth of the nod, or the height of the brows, that marks it."""
GESTURE_SECONDS = 1.2
"""After this a gesture is over and forgotten."""
_BLINKS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
_OUTER_BROWS = [INDEX["browOuterUpLeft"], INDEX["browOuterUpRight"]]


class Drift:
    """Smooth endless noise of ``channels`` values with zero mean and unit variance."""

    def __init__(self, channels: int, seconds: float, random: np.random.Generator) -> None:
        """``seconds``: standard deviation of the Gaussian that would smooth as much."""
        time_constant = max(seconds / np.sqrt(POLES), 1e-3)
        self._keep = float(np.exp(-1 / (time_constant * FPS)))
        self._state = np.zeros((POLES, channels))
        self._random = random
        ticks = np.arange(round(40 * time_constant * FPS) + 2)
        impulse = (1 - self._keep) ** POLES * comb(ticks + POLES - 1, POLES - 1) * self._keep**ticks
        self._gain = 1 / float(np.sqrt(np.square(impulse).sum()))
        for _ in ticks:
            self.step()

    def step(self) -> Signal:
        """(channels,) the next values."""
        value = self._random.standard_normal(self._state.shape[1])
        for pole in self._state:
            pole += (1 - self._keep) * (value - pole)
            value = pole
        unit: Signal = value * self._gain
        return unit


@dataclass(frozen=True)
class _Gesture:
    """A nod (deg) and a brow raise (weight) that begin at ``start`` seconds."""

    start: float
    nod_deg: float
    lean: float
    brow: float
    inner: float


class Idle:
    """Steps through time at 25 fps; see the module."""

    def __init__(self, seed: int, blinking: Callable[[float], float] = lambda _: 1.0) -> None:
        """``blinking`` gives, for a time in seconds, how many times as often as by nature eyes blink."""
        streams = [np.random.default_rng([seed % 2**64, i, *b"idle"]) for i in range(5)]
        self._turn = Drift(3, natural.SWAY_SECONDS, streams[0])
        self._shift = Drift(3, 2 * natural.SWAY_SECONDS, streams[1])
        self._gestures = _Gestures(streams[2])
        self._gaze = _Gaze(streams[3])
        self._lids = _Lids(streams[4], blinking)
        self._breath = float(streams[1].random())
        self._activity = 0.0
        self._frame = 0

    def step(self, speaking: bool, accent: float) -> Signal:
        """(59,) the next frame; ``accent`` is 0, or the strength (..1) of an accent heard just now."""
        seconds = (self._frame + 0.5) / FPS
        self._frame += 1
        self._activity += (speaking - self._activity) / (ACTIVITY_SECONDS * FPS)
        row = np.zeros(WIDTH)
        nod, roll, inner, outer = self._gestures.step(seconds, accent)
        active = natural.SWAY_IN_SILENCE + (1 - natural.SWAY_IN_SILENCE) * self._activity
        turn = self._turn.step() * natural.HEAD_SWAY_DEG * active + (0.0, -nod, roll)
        limit = np.array(natural.HEAD_LIMIT_DEG)
        awake = min(seconds / WAKE_SECONDS, 1.0)
        turn = limit * np.tanh(turn / limit) * awake
        row[ROTATION_COLUMNS] = turn
        shift = np.clip(self._shift.step() * natural.HEAD_SHIFT_CM, -1.0, 1.0)
        phase = 2 * np.pi * ((natural.BREATHS_PER_SECOND * seconds + self._breath) % 1.0)
        shift[1] += natural.BREATH_CM * np.sin(phase + 0.4 * np.sin(phase))
        row[TRANSLATION_COLUMNS] = shift * awake
        row[GAZE_COLUMNS] = self._gaze.step(seconds, turn[:2])
        row[INDEX["browInnerUp"]] = inner
        row[_OUTER_BROWS] = outer
        row[_BLINKS] = self._lids.step(seconds, speaking)
        return row


class _Gestures:
    """Nods and brow raises that mark accents."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._going_on: list[_Gesture] = []
        self._last_accent = -np.inf

    def step(self, seconds: float, accent: float) -> tuple[float, float, float, float]:
        """Nod (deg down), roll (deg), inner and outer brow raise."""
        if accent > 0 and seconds - self._last_accent >= natural.ACCENT_SPACING_SECONDS:
            self._last_accent = seconds
            self._going_on.append(self._gesture(seconds, accent))
        self._going_on = [g for g in self._going_on if seconds < g.start + GESTURE_SECONDS]
        nod = roll = inner = outer = 0.0
        for gesture in self._going_on:
            depth = gesture.nod_deg * _bump(seconds - gesture.start, natural.NOD_SECONDS)
            height = gesture.brow * _bump(seconds - gesture.start, natural.BROW_SECONDS)
            nod += depth
            roll += gesture.lean * depth
            inner += gesture.inner * height
            outer += height
        most = 1.5 * natural.BROW_RAISE[1]
        return nod, roll, min(inner, most), min(outer, most)

    def _gesture(self, start: float, accent: float) -> _Gesture:
        random = self._random
        return _Gesture(
            start=start,
            nod_deg=accent * (random.random() < natural.NOD_SHARE) * random.uniform(*natural.NOD_DEG),
            lean=random.normal(0, 0.3),
            brow=accent * (random.random() < natural.BROW_SHARE) * random.uniform(*natural.BROW_RAISE),
            inner=random.uniform(0.6, 1.0),
        )


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


def _bump(since: float, fall_seconds: float) -> float:
    """0 at the accent, 1 ``GESTURE_RISE_SECONDS`` later, then falling off as a Gaussian."""
    if since < GESTURE_RISE_SECONDS:
        share = max(since / GESTURE_RISE_SECONDS, 0.0)
        return share * share * (3 - 2 * share)
    return float(np.exp(-0.5 * ((since - GESTURE_RISE_SECONDS) / fall_seconds) ** 2))
