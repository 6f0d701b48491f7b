"""The learned driver: a recording goes the way of live speech."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from generator.motion import model
from generator.motion.direction import NATURAL_DIRECTION, Direction
from generator.motion.live import LiveMotion
from generator.motion.model import MotionModel
from generator.motion.motion import Motion
from generator.speech import encoder
from generator.speech.audio import SAMPLE_RATE, Speech
from generator.speech.encoder import SpeechEncoder

CHUNK_SECONDS = 0.25
"""Longer ones make matrix products that wake idle threads, which costs more than they help."""


class LearnedDriver:
    """A ``generator.motion.driver.Driver``. The seed moves head, eyes and brows; lips follow the sound.

    Raises ``ModelError`` when it is first used and its weights are missing or not the ones released.
    """

    name = "learned"
    weights = (model.WEIGHTS, encoder.WEIGHTS)

    @cached_property
    def _model(self) -> MotionModel:
        return MotionModel.load()

    @cached_property
    def _encoder(self) -> SpeechEncoder:
        return SpeechEncoder.load()

    def __call__(self, speech: Speech, *, seed: int = 0, direction: Direction = NATURAL_DIRECTION) -> Motion:
        live = LiveMotion(self._encoder, self._model, seed=seed, direction=direction)
        chunk = round(CHUNK_SECONDS * SAMPLE_RATE)
        chunks = (speech.samples[i : i + chunk] for i in range(0, len(speech.samples), chunk))
        return Motion(np.concatenate([*map(live.push, chunks), live.finish()]))
