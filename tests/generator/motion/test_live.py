"""Live motion: the lips a recording would get, whatever the chunks, in bounded memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from generator.motion.direction import Direction
from generator.motion.lips import MOUTH, PER_FRAME
from generator.motion.live import LiveMotion
from generator.motion.model import MotionModel
from generator.motion.motion import FPS, Motion
from generator.motion.mouth import BEFORE
from generator.sitters import clips
from generator.speech.acoustics import hear
from generator.speech.audio import Speech
from generator.speech.encoder import SpeechEncoder

SECONDS = 3
DIRECTION = Direction.parse({"gaze": [[0, [0, 0]], [1, [12, 0]]]})


@pytest.fixture(scope="module")
def sound() -> NDArray[np.float32]:
    return Speech.open(clips()[0].path).samples[: 16000 * SECONDS]


def _live(encoder: SpeechEncoder, model: MotionModel, sound: NDArray[np.float32], cuts: list[int]) -> Motion:
    live = LiveMotion(encoder, model, seed=1, direction=DIRECTION)
    rows = [live.push(piece) for piece in np.split(sound, cuts)]
    return Motion(np.concatenate([*rows, live.finish()]))


@settings(deadline=None, max_examples=8)
@given(cuts=st.lists(st.integers(0, 16000 * SECONDS), max_size=40).map(sorted))
def test_chunks_of_any_size_give_the_same(
    encoder: SpeechEncoder, model: MotionModel, sound: NDArray[np.float32], cuts: list[int]
) -> None:
    whole, pieces = _live(encoder, model, sound, []), _live(encoder, model, sound, cuts)
    assert len(pieces) == SECONDS * FPS
    assert np.allclose(pieces.expressions, whole.expressions, atol=2e-3)
    assert np.allclose(pieces.values, whole.values, atol=0.02)


def test_lips_are_those_of_the_recording(
    encoder: SpeechEncoder, model: MotionModel, sound: NDArray[np.float32]
) -> None:
    live = _live(encoder, model, sound, list(range(0, len(sound), 320)))
    recorded = model.mouth(hear(sound, encoder))[: len(live)]
    assert len(hear(sound, encoder)) == len(live) * PER_FRAME
    assert np.allclose(live.expressions[:, MOUTH], recorded[:, MOUTH], atol=2e-3)


def test_rows_come_no_later_than_stated(
    encoder: SpeechEncoder, model: MotionModel, sound: NDArray[np.float32]
) -> None:
    live = LiveMotion(encoder, model)
    given = 0
    for end in range(160, len(sound), 160):
        given += len(live.push(sound[end - 160 : end]))
        shown = given / FPS
        assert shown >= end / 16000 - live.delay_seconds - 0.01
    assert live.delay_seconds <= 0.4


def test_nothing_piles_up(encoder: SpeechEncoder, model: MotionModel) -> None:
    live = LiveMotion(encoder, model)
    for _ in range(120):
        live.push(np.zeros(8000, np.float32))
    assert len(live._heard) <= PER_FRAME * (BEFORE + 10)
    assert sum(len(getattr(live._acoustics, name)) for name in ("_samples", "_mel", "_bands")) < 2000
