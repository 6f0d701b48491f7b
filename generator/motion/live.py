"""Speech to motion, as it is spoken: rows of a ``Motion`` as soon as they are certain.

Lips follow what is heard, head and brows the flow, eyes and breath go their own way. A recording goes the
same way as live speech, so both move alike. Memory and work per frame stay the same however long it goes on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generator.motion.agitation import Agitation
from generator.motion.directing import direct_frames
from generator.motion.direction import NATURAL_DIRECTION, Direction
from generator.motion.flow import BLOCK, KNOWN, PROSODY, FlowStream, Loudness, heard_voice, prosody_of
from generator.motion.idle import WAKE_SECONDS, Idle
from generator.motion.lips import PER_FRAME
from generator.motion.model import MotionModel
from generator.motion.motion import EXPRESSION_COLUMNS, FPS, ROTATION_COLUMNS, WIDTH
from generator.motion.mouth import AHEAD, BEFORE
from generator.speech import acoustics
from generator.speech.acoustics import CHANNELS, PHONE_COLUMNS, AcousticStream
from generator.speech.encoder import PHONES, SpeechEncoder
from generator.speech.phones import SILENCE

Single = NDArray[np.float32]

HANGOVER_SECONDS = 0.3
"""How long after the last sound somebody still counts as speaking."""
_SILENT = PHONE_COLUMNS.start + PHONES.index(SILENCE)


class LiveMotion:
    """Feed it sound as it comes; it gives motion at 25 fps, each row ``delay_seconds`` after its moment."""

    delay_seconds = acoustics.LOOK_AHEAD_SECONDS + (AHEAD + 1) / FPS

    def __init__(
        self,
        encoder: SpeechEncoder,
        model: MotionModel,
        *,
        seed: int = 0,
        direction: Direction = NATURAL_DIRECTION,
    ) -> None:
        self._seed, self._direction = seed, direction
        self._acoustics = AcousticStream(encoder)
        self._model = model
        self._head = FlowStream(model.flow, seed)
        self._loudness = Loudness()
        self._voice = np.zeros((0, PROSODY), np.float32)  # from motion frame ``_first``
        self._block = np.zeros((BLOCK, WIDTH), np.float32)
        self._idle = Idle(seed, direction.blinking)
        self._agitation = Agitation()
        self._silent_frames = 10**6
        self._heard = np.zeros((0, CHANNELS), np.float32)
        self._first = 0  # motion frame at which ``_heard`` begins
        self._given = 0

    def push(self, samples: Single) -> Single:
        """(N,) samples at 16 kHz to the (n, 59) rows of ``Motion`` that they make certain; n may be 0."""
        return self._advance(self._acoustics.push(samples), AHEAD)

    def finish(self) -> Single:
        """The rows still owed when the sound has ended."""
        heard = self._acoustics.finish()
        half = (len(self._heard) + len(heard)) % PER_FRAME
        return self._advance(np.pad(heard, ((0, half), (0, 0)), mode="edge"), 0)

    def _advance(self, heard: Single, ahead: int) -> Single:
        self._hear(heard)
        certain = self._first + len(self._voice) - ahead
        if certain <= self._given:
            return np.zeros((0, WIDTH), np.float32)
        lips = self._model.mouth(self._heard)
        frames = range(self._given, certain)
        values = np.stack([self._row(frame, lips[frame - self._first]) for frame in frames])
        times = (np.array(frames) + 0.5) / FPS
        self._given = certain
        self._forget(max(certain - max(BEFORE, BLOCK) - self._first, 0))
        return direct_frames(values, times, self._direction, seed=self._seed)

    def _hear(self, heard: Single) -> None:
        self._heard = np.concatenate([self._heard, heard])
        fresh = self._heard[len(self._voice) * PER_FRAME :]
        self._voice = np.concatenate([self._voice, prosody_of(fresh, self._loudness)])

    def _row(self, frame: int, lips: Single) -> Single:
        at = frame - self._first
        if frame % BLOCK == 0:
            before = self._voice[at - BLOCK : at] if frame else np.zeros((BLOCK, PROSODY), np.float32)
            self._block = self._head.block(before, self._voice[at : at + KNOWN])
        quiet = float(self._heard[at * PER_FRAME : (at + 1) * PER_FRAME, _SILENT].mean())
        self._silent_frames = 0 if quiet < 0.5 else self._silent_frames + 1
        speaking = self._silent_frames < HANGOVER_SECONDS * FPS
        row = self._block[frame % BLOCK] * min(frame / (WAKE_SECONDS * FPS), 1.0)
        row = row + self._idle.step(speaking, row[ROTATION_COLUMNS][:2])
        loudness, pitch, voicing = heard_voice(self._voice[at])
        stirred = self._agitation.step(loudness, pitch, voicing, speaking)
        row[EXPRESSION_COLUMNS] = np.clip(row[EXPRESSION_COLUMNS] + stirred + lips, 0.0, 1.0)
        single: Single = row.astype(np.float32)
        return single

    def _forget(self, frames: int) -> None:
        self._heard = self._heard[frames * PER_FRAME :].copy()
        self._voice = self._voice[frames:].copy()
        self._first += frames
