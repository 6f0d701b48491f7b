"""The learned driver: lips from a network that hears, in a face that is alive around them."""

from __future__ import annotations

import hashlib
import json
import math
from functools import cached_property
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from generator.errors import ModelError
from generator.motion import liveliness
from generator.motion.directing import direct
from generator.motion.direction import NATURAL_DIRECTION, Direction
from generator.motion.lips import PER_FRAME, LipNetwork
from generator.motion.motion import EXPRESSION_COLUMNS, FPS, WIDTH, Motion
from generator.motion.mouth import Mouth
from generator.motion.rules import FACE_EASE_SECONDS, LIP_EASE_SECONDS, ease
from generator.speech import prosody
from generator.speech.acoustics import hear
from generator.speech.audio import Speech
from generator.speech.encoder import SpeechEncoder
from generator.speech.recognition import segments

WEIGHTS = Path(__file__).with_name("flow.safetensors")
"""The released weights; ``flow.json`` beside them states their hash and how they were trained."""


def load_mouth(path: Path | None = None) -> Mouth:
    """The mouth of released weights (``.safetensors``), checked against the statement (``.json``).

    Raises ``ModelError`` if either is missing or the bytes are not those that the statement names.
    """
    path = path or WEIGHTS
    try:
        data = path.read_bytes()
        stated = json.loads(path.with_suffix(".json").read_text("utf-8"))["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"The motion model {path} cannot be read; reinstall this package.") from error
    if hashlib.sha256(data).hexdigest() != stated:
        raise ModelError(f"The motion model {path} is not the one released; reinstall this package.")
    try:
        tensors = load(data)
    except SafetensorError as error:
        raise ModelError(f"The motion model {path} is damaged; reinstall this package.") from error
    return Mouth(LipNetwork({name.removeprefix("lips."): value for name, value in tensors.items()}))


class LearnedDriver:
    """A ``generator.motion.driver.Driver``. The seed moves head, eyes and brows; lips follow the sound."""

    name = "learned"

    @cached_property
    def _mouth(self) -> Mouth:
        return load_mouth()

    @cached_property
    def _encoder(self) -> SpeechEncoder:
        return SpeechEncoder.load()

    def __call__(self, speech: Speech, *, seed: int = 0, direction: Direction = NATURAL_DIRECTION) -> Motion:
        frames = math.ceil(round(speech.seconds * FPS, 6))
        heard = hear(speech.samples, self._encoder)
        missing = max(frames * PER_FRAME - len(heard), 0)
        heard = np.pad(heard, ((0, missing), (0, 0)), mode="edge")[: frames * PER_FRAME]
        sound = prosody.analyse(speech.samples)
        spoken = segments(heard, speech.seconds)
        seeds = (seed % 2**64, int(speech.sha256[:16], 16))
        values = np.zeros((frames, WIDTH), np.float32)
        values[:, EXPRESSION_COLUMNS] = self._mouth(heard) * ease(frames, LIP_EASE_SECONDS)
        values += liveliness.enliven(spoken, sound, frames, seeds) * ease(frames, FACE_EASE_SECONDS)
        values[:, EXPRESSION_COLUMNS] += liveliness.blinks(spoken, frames, seeds, direction.blinking)
        np.clip(values[:, EXPRESSION_COLUMNS], 0.0, 1.0, out=values[:, EXPRESSION_COLUMNS])
        return direct(Motion(values), direction, seed=seed)
