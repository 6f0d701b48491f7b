"""A directed face does what is asked, and goes on speaking."""

import numpy as np
import pytest

from generator.arkit import INDEX
from generator.motion.directing import CAMERA_CM, direct, direct_frames
from generator.motion.direction import Direction
from generator.motion.driver import get
from generator.motion.emotion import ACTION_UNITS, APPEARANCES, EMOTIONS, Emotion
from generator.motion.motion import Motion
from generator.render.renderer import FOCAL_CM
from generator.sitters import clips
from generator.speech.audio import Speech

REST = Motion.rest(50)


@pytest.fixture(scope="module")
def speech() -> Speech:
    return Speech.open(clips()[0].path)


@pytest.fixture(scope="module")
def spoken(speech: Speech) -> Motion:
    return get("rules")(speech, seed=1)


def test_no_direction_changes_nothing(spoken: Motion) -> None:
    assert direct(spoken, Direction()) == spoken


@pytest.mark.parametrize("yaw", [-20, -10, 10, 20])
def test_eyes_look_where_they_are_told_while_the_head_turns(spoken: Motion, yaw: float) -> None:
    directed = direct(spoken, Direction.constant(gaze=(yaw, 5), pose=(-8, 4, 2)))
    turned = directed.rotation - spoken.rotation
    looked = directed.gaze - spoken.gaze + turned[:, :2]
    assert np.allclose(turned, (-8, 4, 2), atol=1e-4)
    assert np.allclose(looked, (yaw, 5), atol=1e-4)
    assert np.abs(directed.gaze[:, 0] + directed.rotation[:, 0] - yaw).mean() < 4


def test_the_camera_is_where_the_renderer_has_it() -> None:
    assert CAMERA_CM == FOCAL_CM


@pytest.mark.parametrize("percent", [70, 90, 110, 160])
def test_a_head_at_another_distance_is_seen_as_large_as_it_would_be(percent: float) -> None:
    z = direct(REST, Direction.constant(distance=percent)).translation[:, 2]
    assert 1 + z / FOCAL_CM == pytest.approx(100 / percent)


@pytest.mark.parametrize("name", EMOTIONS[1:])
def test_an_emotion_raises_its_action_units_the_more_the_stronger(name: str) -> None:
    still = [direct(REST, Direction.constant(emotion=Emotion(name, s))).expressions for s in (0.2, 0.6, 1.0)]
    for unit in APPEARANCES[name].units:
        for weight in ACTION_UNITS[unit]:
            column = INDEX.get(weight, INDEX.get(f"{weight}Left", 0))
            means = [frames[:, column].mean() for frames in still]
            assert 0.01 < means[0] < means[1] < means[2]


@pytest.mark.parametrize("name", EMOTIONS[1:])
def test_lips_that_close_in_speech_close_in_every_emotion(spoken: Motion, name: str) -> None:
    closed = spoken["mouthClose"] >= 0.98 * np.maximum(spoken["jawOpen"], 0.02)
    assert closed.sum() > 3
    felt = direct(spoken, Direction.constant(emotion=Emotion(name, 1.0)))
    assert (felt["mouthClose"][closed] >= 0.97 * felt["jawOpen"][closed]).all()
    assert (felt["mouthUpperUpLeft"][closed] <= spoken["mouthUpperUpLeft"][closed] + 0.02).all()


def test_expressiveness_scales_head_brows_and_lips(spoken: Motion) -> None:
    ranges = []
    for amount in (0.0, 0.5, 1.0, 1.5, 2.0):
        played = direct(spoken, Direction.constant(expressiveness=amount))
        ranges.append(
            (np.ptp(played.rotation[:, 0]), np.ptp(played["browInnerUp"]), np.ptp(played["jawOpen"]))
        )
    assert (np.diff(ranges, axis=0) > 0).all()
    assert ranges[0][0] == 0
    assert ranges[0][2] > 0.5 * ranges[2][2]


def test_a_stream_of_pieces_is_the_whole(spoken: Motion) -> None:
    direction = Direction.parse({
        "emotion": [[0, {"name": "happy", "strength": 0.5}], [1, {"name": "angry", "strength": 0.7}]],
        "gaze": [[0, [0, 0]], [2, [15, 3]]],
        "expressiveness": 1.3,
    })  # fmt: skip
    times = (np.arange(len(spoken)) + 0.5) / spoken.fps
    whole = direct(spoken, direction, seed=5).values
    pieces = [
        direct_frames(spoken.values[i : i + 7], times[i : i + 7], direction, seed=5)
        for i in range(0, len(spoken), 7)
    ]
    assert np.array_equal(np.concatenate(pieces), whole)


def _blinks(motion: Motion) -> int:
    shut = motion["eyeBlinkLeft"] > 0.5
    return int((shut[1:] & ~shut[:-1]).sum())


def test_the_rules_driver_blinks_as_often_as_told(speech: Speech) -> None:
    counts = [
        sum(
            _blinks(get("rules")(speech, seed=s, direction=Direction.constant(blink_rate=r)))
            for s in range(3)
        )
        for r in (0, 10, 24, 45)
    ]
    assert counts[0] == 0
    assert counts[1] < counts[2] < counts[3]
