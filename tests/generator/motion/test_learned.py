"""The learned driver as released: any clip, any seed, any direction, the same again."""

import math
from pathlib import Path

import numpy as np
import pytest

from generator.errors import ModelError
from generator.motion.direction import Direction
from generator.motion.driver import get
from generator.motion.model import WEIGHTS, MotionModel
from generator.motion.motion import FPS
from generator.sitters import clips
from generator.speech.audio import Speech


@pytest.fixture(scope="module", params=range(len(clips())), ids=lambda i: clips()[i].name)
def speech(request: pytest.FixtureRequest) -> Speech:
    return Speech.open(clips()[request.param].path)


def test_the_motion_is_as_long_as_the_speech_and_the_same_again(speech: Speech) -> None:
    motion = get("learned")(speech, seed=1)
    assert len(motion) == math.ceil(round(speech.seconds * FPS, 6))
    assert motion == get("learned")(speech, seed=1)


def test_another_seed_moves_the_head_otherwise_and_the_lips_the_same(speech: Speech) -> None:
    first, second = (get("learned")(speech, seed=seed) for seed in (1, 2))
    assert np.array_equal(first["jawOpen"], second["jawOpen"])
    assert not np.allclose(first.rotation, second.rotation)


def test_the_mouth_opens_and_closes_and_the_eyes_blink(speech: Speech) -> None:
    motion = get("learned")(speech, seed=1)
    assert 0.1 < motion["jawOpen"].max() < 0.6
    assert motion["jawOpen"].min() < 0.03
    assert motion["eyeBlinkLeft"].max() > 0.9


def test_it_is_directed() -> None:
    speech = Speech.open(clips()[0].path)
    plain, directed = (
        get("learned")(speech, direction=direction)
        for direction in (Direction(), Direction.constant(gaze=(15, 0)))
    )
    assert np.allclose(directed.gaze - plain.gaze, (15, 0), atol=1e-3)


def test_weights_that_were_tampered_with_are_refused(tmp_path: Path) -> None:
    tampered = tmp_path / "flow.safetensors"
    tampered.write_bytes(WEIGHTS.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="cannot be read"):
        MotionModel.load(tampered)
    tampered.with_suffix(".json").write_text(WEIGHTS.with_suffix(".json").read_text())
    with pytest.raises(ModelError, match="not the one released"):
        MotionModel.load(tampered)
