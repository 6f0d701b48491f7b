"""Direction: what may be asked for, how it is written down, and what is said when it is impossible."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.errors import MotionError
from generator.motion.direction import CONTROLS, Direction
from generator.motion.emotion import EMOTIONS, Emotion


def _within(control: str) -> st.SearchStrategy[object]:
    if control == "emotion":
        return st.builds(
            lambda name, strength: {"name": name, "strength": strength},
            st.sampled_from(EMOTIONS),
            st.floats(0, 1),
        )
    numbers = [st.floats(low, high) for _, _, low, high in CONTROLS[control].parts]
    return numbers[0] if len(numbers) == 1 else st.tuples(*numbers).map(list)


def _stated(control: str) -> st.SearchStrategy[object]:
    values = _within(control)
    steps = st.lists(st.tuples(st.floats(0.1, 5), values), min_size=1, max_size=4)

    def timeline(pairs: list[tuple[float, object]]) -> list[list[object]]:
        times = np.cumsum([0.0] + [seconds for seconds, _ in pairs[1:]])
        return [[float(time), value] for time, (_, value) in zip(times, pairs, strict=True)]

    return values | steps.map(timeline)


documents = st.fixed_dictionaries({}, optional={name: _stated(name) for name in CONTROLS})


@given(documents)
def test_what_is_saved_is_loaded_again_equal(document: dict[str, object]) -> None:
    direction = Direction.parse(json.loads(json.dumps(document)))
    assert Direction.parse(json.loads(json.dumps(direction.document()))) == direction


def test_a_file_is_loaded_and_saved(tmp_path: Path) -> None:
    path = tmp_path / "direction.json"
    direction = Direction.constant(gaze=(10, -5), distance=90, emotion=Emotion("happy", 0.6))
    direction.save(path)
    assert json.loads(path.read_text()) == {
        "gaze": [10.0, -5.0],
        "distance": 90.0,
        "emotion": {"name": "happy", "strength": 0.6},
    }
    assert Direction.load(path) == direction


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ([], "not a JSON object"),
        ({"gase": [0, 0]}, "no 'gase' to direct; choose from: gaze, distance"),
        ({"gaze": [45, 0]}, "gaze asks for a yaw of 45 degrees; give -30 to 30 degrees"),
        ({"gaze": 10}, r"gaze is 10; give \[yaw, pitch\]"),
        ({"distance": "near"}, "distance is 'near'; give one number"),
        ({"distance": True}, "distance is True; give one number"),
        ({"distance": float("nan")}, "distance is nan; give one number"),
        ({"pose": [[1, [0, 0, 0]]]}, "pose begins at 1 s; its first entry must be at 0 s"),
        ({"pose": [[0, [0, 0, 0]], [0, [1, 0, 0]]]}, "goes from 0 s to 0 s; times must rise"),
        ({"pose": [[0, [0, 0, 0]], [1]]}, r"each entry is \[seconds, value\]"),
        ({"emotion": {"name": "bored", "strength": 1}}, "emotion is 'bored'; choose from: neutral, happy"),
        ({"emotion": "happy"}, 'write {"name": "happy", "strength": 0.5}'),
        (
            {"emotion": [[0, {"name": "sad", "strength": 0}], [2, {"name": "sad", "strength": 3}]]},
            "emotion at 2 s asks for a strength of 3; give 0 to 1",
        ),
        ({"blink_rate": 100}, "blink rate of 100 a minute; give 0 to 60 a minute"),
    ],
)
def test_what_is_impossible_is_explained(document: object, sentence: str) -> None:
    with pytest.raises(MotionError, match=sentence):
        Direction.parse(document)


def test_a_missing_file_and_bad_json_are_explained(tmp_path: Path) -> None:
    with pytest.raises(MotionError, match="cannot be read"):
        Direction.load(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(MotionError, match="is not JSON"):
        Direction.load(tmp_path / "bad.json")


def test_a_value_holds_until_the_next_and_is_reached_smoothly() -> None:
    direction = Direction.parse({"distance": [[0, 100], [2, 80]]})
    times = np.arange(0, 5, 0.04)
    distance = direction.at("distance", times)[:, 0]
    assert (distance[times <= 2] == 100).all()
    assert distance[times >= 3] == pytest.approx(80)
    assert np.abs(np.diff(distance)).max() < 2
    assert (np.diff(distance) <= 0).all()


def test_any_frame_can_be_asked_for_alone() -> None:
    direction = Direction.parse({"gaze": [[0, [0, 0]], [1, [20, 0]], [1.04, [-20, 5]]]})
    times = np.arange(0, 2, 0.02)
    together = direction.at("gaze", times)
    alone = np.concatenate([direction.at("gaze", times[i : i + 1]) for i in range(len(times))])
    assert np.array_equal(together, alone)
