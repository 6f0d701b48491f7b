"""What a face does besides speaking: it blinks, sways, nods, raises its brows, looks about and breathes.

Numbers marked *measured* are medians over 16 minutes of people in natural conversation and speech at 25 fps
(head pose and blendshape scores of public demo clips; only statistics were kept).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from generator.arkit import EXPRESSIONS, INDEX
from generator.motion.motion import FPS, GAZE_COLUMNS, ROTATION_COLUMNS, TRANSLATION_COLUMNS, WIDTH
from generator.speech.phones import SILENCE, Phone
from generator.speech.prosody import RATE, Prosody

Signal = NDArray[np.float64]
Seed = Sequence[int]
"""Non-negative whole numbers; all of them together choose the motion."""

BLINK_INTERVAL_MEDIAN_SECONDS = 2.3
BLINK_INTERVAL_SIGMA = 0.45
"""Log-normal, 24 blinks a minute on average; measured 28; Bentivoglio et al. 1997: 26 in conversation."""
BLINK_INTERVAL_LIMITS_SECONDS = (0.8, 7.0)
FIRST_BLINK_SECONDS = (0.5, 2.6)
BLINK_RATE_MIN = 0.02
"""Share of the natural rate below which nobody blinks."""
BLINK_CLOSE_SECONDS = (0.06, 0.10)
BLINK_HOLD_SECONDS = (0.04, 0.06)
BLINK_OPEN_SECONDS = (0.12, 0.20)
"""Lids close faster than they open; half closed for 0.16 s (measured 0.08-0.32 s)."""
BLINK_TO_PAUSE_SECONDS = 0.35
"""A blink this close to the beginning of a pause waits for it, as people's do."""

HEAD_SWAY_DEG = (1.8, 1.5, 1.1)
"""Standard deviation of yaw, pitch, roll while speaking; measured 1.7, 2.2, 1.4 including nods."""
HEAD_LIMIT_DEG = (6.0, 5.0, 4.0)
HEAD_SPEED_LIMIT_DEG_PER_S = (30.0, 30.0, 20.0)
"""Measured 95th percentiles in lively clips: 33, 33, 21."""
SWAY_SECONDS = 0.36
"""Gaussian smoothing of the sway: 90 % of its power lies below 0.6 Hz (measured with nods: 1.0-1.5 Hz)."""
SWAY_IN_SILENCE = 0.45
NOD_DEG = (1.5, 3.8)
NOD_SECONDS = 0.14
NOD_SHARE = 0.65
HEAD_SHIFT_CM = (0.22, 0.12, 0.22)
"""Standard deviation of x, y, z; measured 0.39, 0.31, 0.32 for people free to move about."""
BREATHS_PER_SECOND = 0.24
BREATH_CM = 0.06

ACCENT_SPACING_SECONDS = 0.4
ACCENT_SALIENCE = 0.0
"""In standard deviations of loudness plus pitch above what the clip's voiced sound has on average."""
BROW_SHARE = 0.5
BROW_RAISE = (0.08, 0.24)
BROW_SECONDS = 0.2

FIXATION_MEDIAN_SECONDS = 0.95
FIXATION_SIGMA = 0.55
"""Measured: 0.9 gaze shifts a second."""
FIXATION_DEG = (1.6, 1.0)
AVERSION_SHARE = 0.08
AVERSION_DEG = (6.0, 3.0)
SACCADE_SECONDS = 0.05
GAZE_LIMIT_DEG = (12.0, 8.0)
EYES_STAY_SHARE = 0.75
"""How much of a head turn the eyes undo, to keep looking at the same place."""


def enliven(phones: Sequence[Phone], prosody: Prosody, frames: int, seed: Seed) -> NDArray[np.float32]:
    """(frames, 59) head, gaze and brow motion at 25 fps, everything else 0."""
    values = np.zeros((frames, WIDTH))
    times = _times(frames)
    accents = _accents(prosody)
    rotation = _head(_activity(phones, times), accents, times, _random(seed, "head"))
    values[:, ROTATION_COLUMNS] = rotation
    values[:, TRANSLATION_COLUMNS] = _shift(times, _random(seed, "shift"))
    values[:, GAZE_COLUMNS] = _gaze(times, rotation[:, :2], _random(seed, "gaze"))
    values[:, : len(EXPRESSIONS)] = _brows(accents, times, _random(seed, "brows"))
    return values.astype(np.float32)


def blinks(
    phones: Sequence[Phone], frames: int, seed: Seed, rate: Callable[[float], float] = lambda _: 1.0
) -> NDArray[np.float32]:
    """(frames, 51) eye blinks at 25 fps, each complete within the clip; at least one in 4 s or more.

    ``rate`` gives, for a time in seconds, how many times as often as by nature; 0 for no blinks.
    """
    random = _random(seed, "blinks")
    weights = np.zeros((frames, len(EXPRESSIONS)), np.float32)
    times = _times(frames)
    seconds = frames / FPS
    pauses = np.array([p.start for p in phones if p.name == SILENCE and p.start > 0])
    longest = BLINK_CLOSE_SECONDS[1] + BLINK_HOLD_SECONDS[1] + BLINK_OPEN_SECONDS[1]
    at = random.uniform(*FIRST_BLINK_SECONDS)
    while True:
        often = rate(at)
        if often < BLINK_RATE_MIN:
            at += 1.0
            if at > seconds:
                return weights
            continue
        close, hold, opening = (
            random.uniform(*limits)
            for limits in (BLINK_CLOSE_SECONDS, BLINK_HOLD_SECONDS, BLINK_OPEN_SECONDS)
        )
        waits = pauses[(pauses >= at) & (pauses < at + BLINK_TO_PAUSE_SECONDS)]
        start = float(waits[0]) if len(waits) else at
        if start + longest > seconds - 0.5 / FPS:
            return weights
        lid = np.interp(
            times, [start, start + close, start + close + hold, start + close + hold + opening], [0, 1, 1, 0]
        )
        eased = (lid * lid * (3 - 2 * lid)).astype(np.float32)
        for side in ("eyeBlinkLeft", "eyeBlinkRight"):
            weights[:, INDEX[side]] = np.maximum(weights[:, INDEX[side]], eased)
        interval = BLINK_INTERVAL_MEDIAN_SECONDS * np.exp(BLINK_INTERVAL_SIGMA * random.standard_normal())
        at = start + max(float(np.clip(interval, *BLINK_INTERVAL_LIMITS_SECONDS)) / often, longest + 0.1)


def _times(frames: int) -> Signal:
    """(frames,) the middle of each frame, in seconds."""
    times: Signal = (np.arange(frames, dtype=np.float64) + 0.5) / FPS
    return times


def _random(seed: Seed, what: str) -> np.random.Generator:
    """Independent streams, so that more blinks never change how the head moves."""
    return np.random.default_rng([*seed, *what.encode()])


def _activity(phones: Sequence[Phone], times: Signal) -> Signal:
    """(T,) 1 while speaking, 0 in pauses, smooth."""
    starts = np.array([p.start for p in phones])
    speaking = np.array([p.name != SILENCE for p in phones], float)
    at = np.clip(np.searchsorted(starts, times, side="right") - 1, 0, len(starts) - 1)
    active: Signal = gaussian_filter1d(speaking[at], 0.25 * FPS)
    return active


def _accents(prosody: Prosody) -> list[tuple[float, float]]:
    """(time in s, strength 0..1) of syllables that stand out in loudness and pitch."""
    voiced = prosody.voiced
    if voiced.sum() < RATE // 5:
        return []
    spread = max(float(prosody.pitch[voiced].std()), 1.0)
    loud = (prosody.loudness - prosody.loudness[voiced].mean()) / max(
        float(prosody.loudness[voiced].std()), 0.05
    )
    salience = gaussian_filter1d(np.where(voiced, loud + prosody.pitch / spread, -2.0), 0.06 * RATE)
    window = 2 * round(ACCENT_SPACING_SECONDS * RATE) + 1
    peaks = np.flatnonzero((salience == maximum_filter1d(salience, window)) & (salience > ACCENT_SALIENCE))
    strength = np.clip(salience[peaks] / 2.0, 0.2, 1.0)
    return [(float(peak) / RATE, float(much)) for peak, much in zip(peaks, strength, strict=True)]


def _head(
    activity: Signal, accents: list[tuple[float, float]], times: Signal, random: np.random.Generator
) -> Signal:
    """(T, 3) yaw, pitch, roll in degrees: a slow sway, nods on accents, within limits of angle and speed."""
    sway = _drift(len(times), 3, SWAY_SECONDS, random) * HEAD_SWAY_DEG
    rotation = sway * (SWAY_IN_SILENCE + (1 - SWAY_IN_SILENCE) * activity)[:, None]
    for at, strength in accents:
        nods, depth, lean = random.random() < NOD_SHARE, random.uniform(*NOD_DEG), random.normal(0, 0.3)
        if nods:
            bump = depth * strength * _bump(times, at + 0.04, NOD_SECONDS)
            rotation[:, 1] -= bump
            rotation[:, 2] += lean * bump
    limit = np.array(HEAD_LIMIT_DEG)
    rotation = limit * np.tanh(rotation / limit)
    speed = np.abs(np.diff(rotation, axis=0, prepend=0)).max(0) * FPS
    limited: Signal = rotation * np.minimum(1, HEAD_SPEED_LIMIT_DEG_PER_S / np.maximum(speed, 1e-9))
    return limited


def _shift(times: Signal, random: np.random.Generator) -> Signal:
    """(T, 3) x, y, z in cm: slow sway and breath."""
    shift = _drift(len(times), 3, 2 * SWAY_SECONDS, random) * HEAD_SHIFT_CM
    phase = 2 * np.pi * (BREATHS_PER_SECOND * times + random.random())
    shift[:, 1] += BREATH_CM * np.sin(phase + 0.4 * np.sin(phase))
    limited: Signal = np.clip(shift, -1.0, 1.0)
    return limited


def _brows(accents: list[tuple[float, float]], times: Signal, random: np.random.Generator) -> Signal:
    """(T, 51) brow raises on some accents."""
    weights = np.zeros((len(times), len(EXPRESSIONS)))
    for at, strength in accents:
        raised, height, inner = (
            random.random() < BROW_SHARE,
            random.uniform(*BROW_RAISE),
            random.uniform(0.6, 1.0),
        )
        if raised:
            bump = height * strength * _bump(times, at, BROW_SECONDS)
            weights[:, INDEX["browInnerUp"]] += inner * bump
            weights[:, [INDEX["browOuterUpLeft"], INDEX["browOuterUpRight"]]] += bump[:, None]
    limited: Signal = np.clip(weights, 0, 1.5 * BROW_RAISE[1])
    return limited


def _gaze(times: Signal, head: Signal, random: np.random.Generator) -> Signal:
    """(T, 2) yaw, pitch in degrees: fixations near straight ahead, joined by saccades; the head undone."""
    knots: list[tuple[float, float, float]] = [(-1.0, 0.0, 0.0)]
    at = 0.0
    while at < times[-1]:
        at += FIXATION_MEDIAN_SECONDS * float(np.exp(FIXATION_SIGMA * random.standard_normal()))
        spread = AVERSION_DEG if random.random() < AVERSION_SHARE else FIXATION_DEG
        yaw, pitch = random.standard_normal(2) * spread
        knots += [(at, *knots[-1][1:]), (at + SACCADE_SECONDS, yaw, pitch)]
        at += SACCADE_SECONDS
    when, yaws, pitches = np.array(knots).T
    target = np.stack([np.interp(times, when, yaws), np.interp(times, when, pitches)], 1)
    return np.clip(target - EYES_STAY_SHARE * head, np.negative(GAZE_LIMIT_DEG), GAZE_LIMIT_DEG)


def _drift(count: int, channels: int, seconds: float, random: np.random.Generator) -> Signal:
    """(count, channels) smooth noise of zero mean and unit variance over time."""
    sigma = seconds * FPS
    margin = int(4 * sigma) + 1
    noise = random.standard_normal((count + 2 * margin, channels))
    smooth = gaussian_filter1d(noise, sigma, axis=0)[margin:-margin]
    unit: Signal = smooth * np.sqrt(2 * np.sqrt(np.pi) * sigma)
    return unit


def _bump(times: Signal, at: float, seconds: float) -> Signal:
    """(T,) 1 at ``at``, falling off as a Gaussian of ``seconds``."""
    bump: Signal = np.exp(-0.5 * ((times - at) / seconds) ** 2)
    return bump
