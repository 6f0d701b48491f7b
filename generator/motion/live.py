"""Speech that is still being spoken, to motion: rows of a ``Motion`` as soon as they are certain.

Lips are the learned driver's, exactly as a recording of the same speech would give them; around them lives
an ``Idle`` face. Memory and work per frame stay the same however long it goes on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generator.motion.directing import direct_frames
from generator.motion.direction import NATURAL_DIRECTION, Direction
from generator.motion.idle import Idle
from generator.motion.lips import PER_FRAME
from generator.motion.motion import EXPRESSION_COLUMNS, FPS, WIDTH
from generator.motion.mouth import AHEAD, BEFORE, Mouth
from generator.speech import acoustics
from generator.speech.acoustics import CHANNELS, ENERGY, PHONE_COLUMNS, AcousticStream
from generator.speech.encoder import PHONES, SpeechEncoder
from generator.speech.phones import SILENCE

Single = NDArray[np.float32]

HANGOVER_SECONDS = 0.3
"""How long after the last sound somebody still counts as speaking."""
ACCENT_RISE = 0.06
"""Energy (1 for 60 dB) above that of a moment ago that counts as an accent; twice this is the strongest."""
MOMENT_FRAMES = 6

_SILENT = PHONE_COLUMNS.start + PHONES.index(SILENCE)


class LiveMotion:
    """Feed it sound as it comes; it gives motion at 25 fps, each row ``delay_seconds`` after its moment."""

    delay_seconds = acoustics.LOOK_AHEAD_SECONDS + (AHEAD + 1) / FPS

    def __init__(
        self,
        encoder: SpeechEncoder,
        mouth: Mouth,
        *,
        seed: int = 0,
        direction: Direction = NATURAL_DIRECTION,
    ) -> None:
        self._seed, self._direction = seed, direction
        self._acoustics = AcousticStream(encoder)
        self._mouth = mouth
        self._idle = Idle(seed, direction.blinking)
        self._ear = Ear()
        self._heard = np.zeros((0, CHANNELS), np.float32)
        self._first = 0  # motion frame at which ``_heard`` begins
        self._given = 0

    def push(self, samples: Single) -> Single:
        """(N,) samples at 16 kHz to the (n, 59) rows of ``Motion`` that they make certain; n may be 0."""
        return self._advance(self._acoustics.push(samples), AHEAD)

    def finish(self) -> Single:
        """The rows still owed when the sound has ended."""
        return self._advance(self._acoustics.finish(), 0)

    def _advance(self, heard: Single, ahead: int) -> Single:
        self._heard = np.concatenate([self._heard, heard])
        certain = self._first + len(self._heard) // PER_FRAME - ahead
        if certain <= self._given:
            return np.zeros((0, WIDTH), np.float32)
        lips = self._mouth(self._heard)
        values = np.zeros((certain - self._given, WIDTH), np.float32)
        for row, frame in zip(values, range(self._given, certain), strict=True):
            at = frame - self._first
            self._ear.hear(self._heard[at * PER_FRAME : (at + 1) * PER_FRAME])
            row[:] = self._idle.step(self._ear.speaking, self._ear.accent)
            row[EXPRESSION_COLUMNS] += lips[at]
        times = (np.arange(self._given, certain, dtype=np.float64) + 0.5) / FPS
        self._given = certain
        passed = max(certain - BEFORE - self._first, 0)
        self._heard = self._heard[passed * PER_FRAME :].copy()
        self._first += passed
        np.clip(values[:, EXPRESSION_COLUMNS], 0.0, 1.0, out=values[:, EXPRESSION_COLUMNS])
        return direct_frames(values, times, self._direction, seed=self._seed)


class Ear:
    """Notices, frame by frame, whether somebody is ``speaking`` and how strong an ``accent`` they set."""

    def __init__(self) -> None:
        self.speaking = False
        self.accent = 0.0
        self._silent_frames = 10**6
        self._recent = 0.0

    def hear(self, heard: Single) -> None:
        """``heard`` (2, CHANNELS): the acoustic frames of one motion frame."""
        quiet, energy = float(heard[:, _SILENT].mean()), float(heard[:, ENERGY].mean())
        self._silent_frames = 0 if quiet < 0.5 else self._silent_frames + 1
        self.speaking = self._silent_frames < HANGOVER_SECONDS * FPS
        rise = energy - self._recent
        self._recent += rise / MOMENT_FRAMES
        stressed = quiet < 0.5 and rise > ACCENT_RISE
        self.accent = float(np.clip(rise / (2 * ACCENT_RISE), 0.2, 1.0)) if stressed else 0.0
