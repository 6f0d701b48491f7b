import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.arkit import EXPRESSIONS
from generator.errors import MotionError
from generator.motion import Motion, from_arkit_csv, to_arkit_csv
from generator.motion.motion import WIDTH


def posed(**weights: float) -> Motion:
    values = np.zeros((3, WIDTH), np.float32)
    for name, weight in weights.items():
        values[:, EXPRESSIONS.index(name)] = weight
    return Motion(values)


def turned(column: int, amount: float) -> Motion:
    values = np.zeros((3, WIDTH), np.float32)
    values[:, column] = amount
    return Motion(values)


def rows_of(motion: Motion, folder: Path) -> list[dict[str, str]]:
    to_arkit_csv(motion, folder / "m.csv")
    with (folder / "m.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_columns_are_those_of_live_link_face(tmp_path: Path) -> None:
    row = rows_of(Motion.rest(1), tmp_path)[0]
    columns = list(row)
    assert len(columns) == 63
    assert columns[:4] == ["Timecode", "BlendShapeCount", "EyeBlinkLeft", "EyeLookDownLeft"]
    assert columns[53:] == [
        "TongueOut", "HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll",
        "RightEyeYaw", "RightEyePitch", "RightEyeRoll",
    ]  # fmt: skip
    assert row["BlendShapeCount"] == "61"
    assert {name[0].lower() + name[1:] for name in columns[2:54]} == {*EXPRESSIONS, "tongueOut"}


def test_angles_are_radians_and_weights_go_to_their_own_column(tmp_path: Path) -> None:
    assert float(rows_of(turned(51, 45.0), tmp_path)[0]["HeadYaw"]) == pytest.approx(math.pi / 4)
    assert float(rows_of(posed(jawOpen=0.25), tmp_path)[0]["JawOpen"]) == 0.25


def test_gaze_is_also_told_in_the_eye_look_weights(tmp_path: Path) -> None:
    row = rows_of(turned(57, 19.0), tmp_path)[0]
    assert float(row["EyeLookOutLeft"]) == float(row["EyeLookInRight"]) == pytest.approx(0.5)
    assert float(row["EyeLookInLeft"]) == float(row["EyeLookOutRight"]) == 0
    down = rows_of(turned(58, -15.0), tmp_path)[0]
    assert float(down["EyeLookDownLeft"]) == pytest.approx(0.5)


def test_the_timecode_counts_hours_minutes_seconds_and_frames(tmp_path: Path) -> None:
    rows = rows_of(Motion.rest(25 * 61 + 4), tmp_path)
    assert rows[0]["Timecode"] == "00:00:00:00.000"
    assert rows[-1]["Timecode"] == "00:01:01:03.000"


@given(st.integers(0, 999))
def test_writing_and_reading_loses_only_translation(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    random = np.random.default_rng(seed)
    values = np.zeros((random.integers(1, 6), WIDTH), np.float32)
    values[:, :51] = random.uniform(0, 0.5, (len(values), 51))
    values[:, 51:54] = random.uniform(-40, 40, (len(values), 3))
    values[:, 57:] = random.uniform(-14, 14, (len(values), 2))
    path = tmp_path_factory.mktemp("csv") / "m.csv"
    to_arkit_csv(Motion(values), path)
    np.testing.assert_allclose(from_arkit_csv(path).values, values, atol=2e-6)


def test_a_file_without_its_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("Timecode,BlendShapeCount,JawOpen\n0,61,0.1\n")
    with pytest.raises(MotionError, match="EyeBlinkLeft is missing"):
        from_arkit_csv(path)


@pytest.mark.parametrize("content", [b"", b"Timecode,JawOpen\n", b"\xff\xfe\x00"])
def test_a_file_without_frames_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(content)
    with pytest.raises(MotionError, match=r"m\.csv"):
        from_arkit_csv(path)


def test_a_cell_that_is_no_number_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    to_arkit_csv(posed(jawOpen=0.25), path)
    path.write_text(path.read_text().replace("0.25", "wide", 1))
    with pytest.raises(MotionError, match="row 2: JawOpen is 'wide'"):
        from_arkit_csv(path)


def test_an_absent_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(MotionError, match="readable CSV"):
        from_arkit_csv(tmp_path / "absent.csv")
