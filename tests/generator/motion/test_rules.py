"""The rules driver on the house's own speech, from file to motion."""

import math
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from generator.arkit import EXPRESSIONS
from generator.errors import MotionError
from generator.motion import Motion, driver
from generator.speech.audio import Speech

LIPS = [i for i, name in enumerate(EXPRESSIONS) if name.startswith(("jaw", "mouth"))]


@pytest.fixture(scope="module")
def speech() -> Speech:
    return Speech.open(Path(str(files("generator.sitters").joinpath("speech", "painting.flac"))))


@pytest.fixture(scope="module")
def motion(speech: Speech) -> Motion:
    return driver.get("rules")(speech, seed=1)


def test_there_is_a_frame_for_every_begun_25th_of_a_second(speech: Speech, motion: Motion) -> None:
    assert len(motion) == math.ceil(speech.seconds * 25)
    assert motion.fps == 25.0


def test_the_same_seed_gives_the_same_motion_bit_for_bit(speech: Speech, motion: Motion) -> None:
    assert driver.get("rules")(speech, seed=1) == motion


def test_another_seed_moves_the_head_but_not_the_lips(speech: Speech, motion: Motion) -> None:
    other = driver.get("rules")(speech, seed=2)
    np.testing.assert_array_equal(other.values[:, LIPS], motion.values[:, LIPS])
    assert np.abs(other.rotation - motion.rotation).max() > 0.5


def test_the_face_begins_and_ends_at_rest(motion: Motion) -> None:
    assert not motion.values[0].any()
    assert not motion.values[-1].any()


def test_the_mouth_speaks_within_speech_amplitudes_without_pops(motion: Motion) -> None:
    jaw = motion["jawOpen"]
    assert 0.1 < jaw.max() < 0.4
    assert 0.03 < jaw.mean() < 0.2
    assert np.abs(np.diff(jaw)).max() < 0.16


def test_lips_close_at_every_p_b_and_m(motion: Motion) -> None:
    """ "People ... hours ... Mostly ... about them" has two /p/, one /b/ and two /m/."""
    closed = (motion["mouthClose"] > 0.02) & (motion["mouthClose"] >= motion["jawOpen"] - 1e-6)
    closures = "".join("x" if frame else " " for frame in closed).split()
    assert len(closures) >= 4


def test_drivers_leave_eye_look_weights_to_gaze(motion: Motion) -> None:
    assert not any(motion[name].any() for name in EXPRESSIONS if name.startswith("eyeLook"))


def test_an_unknown_driver_is_refused_with_the_known_ones() -> None:
    assert driver.names() == ("rules", "learned")
    with pytest.raises(MotionError, match="rules"):
        driver.get("magic")
