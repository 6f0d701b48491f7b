"""Contact sheets show every expression, pose and gaze once, labelled, on the sitter asked for."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import sheets
from generator.arkit import INDEX
from generator.motion.motion import Motion
from generator.portrait.portrait import Portrait
from generator.sitters import sitters


def test_every_cell_asks_for_a_valid_motion():
    rows = [
        *map(sheets._expression, sheets.EXPRESSIONS.values()),
        *(sheets._pose(*pose) for pose in sheets.POSES.values()),
        *(sheets._gaze(*gaze) for gaze in sheets.GAZES.values()),
    ]
    motion = Motion(np.stack(rows))
    assert (np.abs(motion.values[1:]).max(1) > 0).all()
    assert (motion.values[0] == 0).all(), "the first expression is rest"


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [
        (sheets._pose("yaw", -20), 51, -20),
        (sheets._pose("pitch", 15), 52, 15),
        (sheets._pose("roll", 8), 53, 8),
        (sheets._pose("near", 6), 56, 6),
        (sheets._gaze(30, 0), 57, 30),
        (sheets._gaze(0, -15), 58, -15),
        (sheets._expression({"jawOpen": 0.5}), INDEX["jawOpen"], 0.5),
    ],
)
def test_a_cell_moves_what_its_label_says(row: np.ndarray, column: int, value: float):
    assert np.flatnonzero(row).tolist() == [column]
    assert row[column] == value


def test_a_sheet_opens_with_the_source_and_has_a_cell_for_each_row(portrait: Portrait):
    cell, columns = sheets.CELL_PX, sheets.COLUMNS
    turns = {f"yaw {k}": sheets._pose("yaw", k + 1) for k in range(columns)}
    sheet = np.asarray(sheets._sheet(portrait, {"rest": sheets._expression({})} | turns, whole=True))
    assert sheet.shape == (2 * cell, columns * cell, 3)
    below_the_labels = slice(40, cell)
    source, rest, turned = (sheet[below_the_labels, k * cell : (k + 1) * cell] for k in range(3))
    np.testing.assert_array_equal(source, rest)
    assert (turned != rest).any()
    assert (sheet[cell:, 2 * cell :] == 255).all(), "nothing after the last cell"
    assert (sheet[cell:, cell : 2 * cell] != 255).any()


def test_the_face_box_holds_the_face_and_lies_in_the_frame(sitting: Portrait):
    left, top, right, bottom = sheets._face_box(sitting)
    low, high = sitting.landmarks[:468, :2].min(0), sitting.landmarks[:468, :2].max(0)
    assert 0 <= left <= low[0]
    assert 0 <= top <= low[1]
    assert high[0] <= right <= sitting.size[0]
    assert high[1] <= bottom <= sitting.size[1]


@pytest.mark.slow
def test_the_command_writes_five_sheets_for_each_portrait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    picture = sitters()[0].path
    monkeypatch.setattr(sys, "argv", ["sheets", str(picture), "-o", str(tmp_path / "new" / "sheets")])
    sheets.main()
    written = sorted((tmp_path / "new" / "sheets").iterdir())
    names = ("emotions", "expressions", "gazes", "poses", "talking")
    assert [path.name for path in written] == [f"{picture.stem}_{name}.png" for name in names]
    assert set(capsys.readouterr().out.split()) == set(map(str, written))
    for path in written:
        with Image.open(path) as sheet:
            assert sheet.width == sheets.COLUMNS * sheets.CELL_PX
