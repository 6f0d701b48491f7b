"""Speech that is still being spoken, to motion: rows of a ``Motion`` as soon as they are certain.

Lips follow the sound with ``LiveMotion.delay_seconds`` of look-ahead; around them lives an ``Idle`` face.
Memory and work per frame stay the same however long it goes on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generator.arkit import EXPRESSIONS
from generator.motion.directing import direct_frames
from generator.motion.direction import NATURAL_DIRECTION, Direction
from generator.motion.idle import Idle
from generator.motion.motion import EXPRESSION_COLUMNS, FPS, WIDTH
from generator.speech import mel
from generator.speech.articulation import ENERGY_POSE
from generator.speech.visemes import columns

Signal = NDArray[np.float64]
Single = NDArray[np.float32]

SPECTRA_PER_FRAME = round(mel.RATE / FPS)
FLOOR_RISE_PER_SECOND = 0.6
"""How fast (in natural logarithms of power) the level taken for silence follows the sound up."""
SPEECH_ABOVE_FLOOR = 2.5
QUIETEST = -12.0
"""Mean log-mel level below which nothing counts as speech."""
LOUD_RANGE = 6.0
"""From the level at which speech begins to the widest mouth."""
HANGOVER_SECONDS = 0.3
"""How long after the last sound somebody still counts as speaking."""
CLOSE_SECONDS = 0.12
ACCENT_RISE = 1.2
"""How much louder than a moment ago a sound is that counts as an accent."""


class LiveMotion:
    """Feed it sound as it comes; it gives motion at 25 fps."""

    delay_seconds = mel.LOOK_AHEAD_SAMPLES / 16000 + 1 / FPS

    def __init__(self, *, seed: int = 0, direction: Direction = NATURAL_DIRECTION) -> None:
        self._seed, self._direction = seed, direction
        self._mel = mel.MelStream()
        self._spectra = np.zeros((0, mel.BANDS), np.float32)
        self._ear = Ear()
        self._idle = Idle(seed, direction.blinking)
        self._lips = np.zeros(len(EXPRESSIONS))
        self._frame = 0

    def push(self, samples: Single) -> Single:
        """(N,) samples at 16 kHz to the (n, 59) rows of ``Motion`` that they complete; n may be 0."""
        self._spectra = np.concatenate([self._spectra, self._mel.push(samples)])
        count = len(self._spectra) // SPECTRA_PER_FRAME
        levels = self._spectra.mean(1)[: count * SPECTRA_PER_FRAME].reshape(count, SPECTRA_PER_FRAME).mean(1)
        self._spectra = self._spectra[count * SPECTRA_PER_FRAME :].copy()
        rows = [self._row(float(level)) for level in levels]
        values = np.array(rows, np.float32).reshape(count, WIDTH)
        times = (self._frame - count + np.arange(count, dtype=np.float64) + 0.5) / FPS
        return direct_frames(values, times, self._direction, seed=self._seed)

    def _row(self, level: float) -> Signal:
        self._frame += 1
        self._ear.hear(level)
        row = self._idle.step(self._ear.speaking, self._ear.accent)
        target = np.zeros(len(EXPRESSIONS))
        for name, weight in ENERGY_POSE.items():
            target[columns(name)] = weight * self._ear.loudness
        self._lips += (target - self._lips) * (1 - np.exp(-1 / (0.5 * CLOSE_SECONDS * FPS)))
        row[EXPRESSION_COLUMNS] += self._lips
        return row


class Ear:
    """Hears, frame by frame, whether somebody speaks, how loudly, and what they stress."""

    def __init__(self) -> None:
        self.speaking = False
        self.loudness = 0.0
        self.accent = 0.0
        self._floor = QUIETEST
        self._recent = QUIETEST
        self._silent_frames = 10**6

    def hear(self, level: float) -> None:
        """``level``: mean log-mel of one frame."""
        self._floor = min(max(level, QUIETEST), self._floor + FLOOR_RISE_PER_SECOND / FPS)
        above = level - max(self._floor + SPEECH_ABOVE_FLOOR, QUIETEST)
        self.loudness = float(np.clip(above / LOUD_RANGE, 0.0, 1.0))
        self._silent_frames = 0 if above > 0 else self._silent_frames + 1
        self.speaking = self._silent_frames < HANGOVER_SECONDS * FPS
        rise = level - self._recent
        self._recent += (level - self._recent) * 0.25
        self.accent = float(np.clip(rise / 4, 0.2, 1.0)) if above > 0 and rise > ACCENT_RISE else 0.0
