from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from generator.arkit import EXPRESSIONS
from generator.errors import MotionError
from generator.motion import Motion
from generator.motion.motion import EXPRESSION_COLUMNS, GAZE_COLUMNS, ROTATION_COLUMNS, WIDTH


def random_motion(frames: int, seed: int = 0, fps: float = 25.0) -> Motion:
    random = np.random.default_rng(seed)
    values = np.empty((frames, WIDTH), np.float32)
    values[:, EXPRESSION_COLUMNS] = random.random((frames, 51))
    values[:, 51:] = random.uniform(-10, 10, (frames, 8))
    return Motion(values, fps)


motions = st.builds(
    random_motion, st.integers(1, 40), st.integers(0, 99), st.sampled_from([24.0, 25.0, 29.97, 60.0])
)


def test_rest_is_the_portrait_itself() -> None:
    motion = Motion.rest(7)
    assert len(motion) == 7
    assert motion.fps == 25.0
    assert not motion.values.any()


def test_the_named_parts_are_the_documented_columns() -> None:
    motion = Motion(np.arange(WIDTH, dtype=np.float32)[None] / 100)
    assert motion.expressions.shape == (1, 51)
    np.testing.assert_allclose(motion.rotation, [[0.51, 0.52, 0.53]])
    np.testing.assert_allclose(motion.translation, [[0.54, 0.55, 0.56]])
    np.testing.assert_allclose(motion.gaze, [[0.57, 0.58]])
    np.testing.assert_allclose(motion["jawOpen"], [EXPRESSIONS.index("jawOpen") / 100])


def test_an_unknown_expression_is_refused() -> None:
    with pytest.raises(MotionError, match="tongueOut"):
        Motion.rest(1)["tongueOut"]


@pytest.mark.parametrize("shape", [(0, 59), (3, 58), (59,), (1, 2, 59)])
def test_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(MotionError, match="array of"):
        Motion(np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        (0, 1.01, "weights"),
        (0, -0.01, "weights"),
        (51, 91, "rotation"),
        (54, -51, "translation"),
        (58, 61, "gaze"),
    ],
)
def test_a_value_out_of_range_is_named_with_its_frame(column: int, value: float, what: str) -> None:
    values = np.zeros((4, WIDTH), np.float32)
    values[2, column] = value
    with pytest.raises(MotionError, match=f"Frame 2 .*{what}"):
        Motion(values)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_refused(value: float) -> None:
    values = np.zeros((4, WIDTH), np.float32)
    values[1, 5] = value
    with pytest.raises(MotionError, match="Frame 1, column 5"):
        Motion(values)


@pytest.mark.parametrize("fps", [0.0, -25.0, 1000.0, float("nan")])
def test_an_impossible_frame_rate_is_refused(fps: float) -> None:
    with pytest.raises(MotionError, match="frames a second"):
        Motion.rest(2, fps)


def test_a_motion_cannot_be_changed_in_place_nor_through_its_source() -> None:
    source = np.zeros((2, WIDTH), np.float32)
    motion = Motion(source)
    source[:] = 1
    assert not motion.values.any()
    with pytest.raises(ValueError, match="read-only"):
        motion.values[0, 0] = 1


@given(motions)
def test_saving_and_loading_keeps_every_bit(tmp_path_factory: pytest.TempPathFactory, motion: Motion) -> None:
    path = tmp_path_factory.mktemp("motion") / "m.safetensors"
    motion.save(path)
    assert Motion.load(path) == motion


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(MotionError, match="no motion file"):
        Motion.load(tmp_path / "absent.safetensors")


@pytest.mark.parametrize("content", [b"", b"yaw,pitch\n0,0\n", b"\xff" * 200])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(MotionError, match="not a readable motion file"):
        Motion.load(path)


HEADER = {"format": "vernissage-motion", "version": "1", "fps": "25.0"}


@pytest.mark.parametrize(
    ("tensors", "header", "message"),
    [
        ({"values": np.zeros((1, 59), np.float32)}, {}, "no motion"),
        ({"weights": np.zeros((1, 59), np.float32)}, HEADER, "no motion"),
        ({"values": np.zeros((1, 59), np.float32)}, {**HEADER, "version": "2"}, "version '2'"),
        ({"values": np.zeros((1, 59), np.float64)}, HEADER, "float32"),
        ({"values": np.zeros((1, 58), np.float32)}, HEADER, "array of"),
        ({"values": np.full((1, 59), 99, np.float32)}, HEADER, "Frame 0"),
        ({"values": np.zeros((1, 59), np.float32)}, {**HEADER, "fps": "fast"}, "not a readable"),
    ],
)
def test_tensors_that_are_no_motion_are_refused(
    tmp_path: Path, tensors: dict[str, np.ndarray], header: dict[str, str], message: str
) -> None:
    path = tmp_path / "m.safetensors"
    save_file(tensors, path, metadata=header)
    with pytest.raises(MotionError, match=message):
        Motion.load(path)


def test_saving_into_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(MotionError, match="cannot be written"):
        Motion.rest(1).save(tmp_path / "absent" / "m.safetensors")


def test_slices_by_frame_and_by_second_agree() -> None:
    motion = random_motion(100)
    assert motion[25:50] == motion.between(1.0, 2.0)
    np.testing.assert_array_equal(motion[25:50].values, motion.values[25:50])


@pytest.mark.parametrize(("start", "end"), [(-1, 1), (0, 5), (2, 2), (3, 1)])
def test_a_stretch_outside_the_motion_is_refused(start: float, end: float) -> None:
    with pytest.raises(MotionError, match="no part of a motion"):
        random_motion(100).between(start, end)


@given(motions)
def test_resampling_to_the_same_rate_changes_nothing(motion: Motion) -> None:
    assert motion.resample(motion.fps) == motion


@given(motions, st.sampled_from([12.5, 30.0, 48.0, 120.0]))
def test_resampling_keeps_duration_and_stays_between_the_frames(motion: Motion, fps: float) -> None:
    other = motion.resample(fps)
    assert other.seconds == pytest.approx(motion.seconds, abs=max(1 / fps, 0.5 / fps + 1e-9))
    assert (other.values <= motion.values.max(0)).all()
    assert (other.values >= motion.values.min(0)).all()
    np.testing.assert_array_equal(other.values[0], motion.values[0])


def test_resampling_interpolates_weights_and_angles_halfway() -> None:
    values = np.zeros((2, WIDTH), np.float32)
    values[1, 0], values[1, ROTATION_COLUMNS], values[1, GAZE_COLUMNS] = 0.8, 4.0, -2.0
    middle = Motion(values).resample(50.0).values[1]
    assert middle[0] == pytest.approx(0.4)
    np.testing.assert_allclose(middle[ROTATION_COLUMNS], 2.0)
    np.testing.assert_allclose(middle[GAZE_COLUMNS], -1.0)


def test_blending_runs_from_one_motion_to_the_other() -> None:
    first, second = random_motion(9, 1), random_motion(9, 2)
    assert first.blend(second, 0.0) == first
    assert first.blend(second, 1.0) == second
    ramp = np.linspace(0, 1, 9)
    np.testing.assert_allclose(
        first.blend(second, ramp).values[4], (first.values[4] + second.values[4]) / 2, rtol=1e-5
    )


def test_blending_refuses_what_does_not_match() -> None:
    with pytest.raises(MotionError, match="equal length"):
        Motion.rest(2).blend(Motion.rest(3), 0.5)
    with pytest.raises(MotionError, match="resample"):
        Motion.rest(2).blend(Motion.rest(2, 30.0), 0.5)
    with pytest.raises(MotionError, match="weight"):
        Motion.rest(2).blend(Motion.rest(2), 1.5)


@given(st.integers(1, 20), st.integers(1, 20), st.data())
def test_joining_crossfades_only_the_overlap(one: int, two: int, data: st.DataObject) -> None:
    first, second = random_motion(one, 1), random_motion(two, 2)
    overlap = data.draw(st.integers(0, min(one, two)))
    joined = first.concat(second, overlap)
    assert len(joined) == one + two - overlap
    np.testing.assert_array_equal(joined.values[: one - overlap], first.values[: one - overlap])
    np.testing.assert_array_equal(joined.values[one:], second.values[overlap:])


def test_an_overlap_longer_than_either_motion_is_refused() -> None:
    with pytest.raises(MotionError, match="overlap of 3"):
        Motion.rest(5).concat(Motion.rest(2), 3)
