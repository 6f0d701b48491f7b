"""Charts show their lines within the axes, and ticks are round."""

import numpy as np
import pytest

from generator.evaluation.plots import SIZE_PX, Line, chart, sheet, ticks


def test_ticks_are_round_and_inside():
    assert ticks(0, 10) == [0, 2, 4, 6, 8, 10]
    assert ticks(-0.13, 0.31) == pytest.approx([-0.1, 0, 0.1, 0.2, 0.3])
    assert ticks(5, 5.0000001)


def test_each_line_is_drawn_in_a_colour_of_its_own():
    x = np.linspace(0, 1, 20)
    one = chart("t", "x", "y", [Line("a", x, x)])
    two = chart("t", "x", "y", [Line("a", x, x), Line("b", x, 1 - x)])
    blue, red = (27, 94, 140), (200, 85, 61)
    assert one.size == SIZE_PX

    def pixels(picture, colour) -> int:
        return int((np.abs(np.asarray(picture).astype(int) - colour).max(2) < 40).sum())

    assert pixels(one, blue) > 300
    assert pixels(one, red) == 0
    assert pixels(two, red) > 300


def test_flat_and_missing_values_do_not_break_the_axes():
    chart("flat", "x", "y", [Line("a", [0, 1], [2, 2]), Line("b", [0, 1], [1, 2])])


def test_a_sheet_places_charts_row_by_row():
    charts = [chart(str(k), "x", "y", [Line("a", [0, 1], [0, k])]) for k in range(1, 4)]
    page = np.asarray(sheet(charts, columns=2))
    width, height = SIZE_PX
    assert page.shape == (2 * height, 2 * width, 3)
    np.testing.assert_array_equal(page[height:, :width], np.asarray(charts[2]))
