"""Closed lips meet on the dark line a painter drew, not where the landmark model guesses it."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from generator.face import topology
from generator.portrait.lips import CLOSED_GAP_CM, close_lips

PX_PER_CM = 16.0
UPPER, LOWER = list(topology.INNER_LIP_UPPER), list(topology.INNER_LIP_LOWER)
ALONG = np.linspace(-40, 40, 11)
BOW = np.sin(np.pi * np.linspace(0, 1, 11))
UPPER_LIP_PX, LOWER_LIP_PX = 15.0, 18.0
CENTRE = np.array([128.0, 120.0])

Array = NDArray[np.float64]


def turned(points: Array, roll_deg: float) -> Array:
    """(N, 2) points about the mouth's middle, placed in the picture."""
    c, s = np.cos(np.radians(roll_deg)), np.sin(np.radians(roll_deg))
    return points @ np.array([[c, s], [-s, c]]) + CENTRE


def landmarks(gap_px: float, roll_deg: float = 0.0) -> Array:
    """(468, 3) of a mouth 80 px wide whose inner lip edges are ``gap_px`` apart in the middle."""
    face = np.zeros((468, 3))
    for ring, v in (
        (topology.INNER_LIP_UPPER, -gap_px / 2 * BOW),
        (topology.INNER_LIP_LOWER, gap_px / 2 * BOW),
        (topology.OUTER_LIP_UPPER, -UPPER_LIP_PX * BOW),
        (topology.OUTER_LIP_LOWER, LOWER_LIP_PX * BOW),
    ):
        face[list(ring), :2] = turned(np.column_stack([ALONG, v]), roll_deg)
    return face


def painted(offset_px: float | None, roll_deg: float = 0.0) -> NDArray[np.uint8]:
    """Grey lips, with a dark line that sags by ``offset_px`` in the middle."""
    grey = np.full((240, 256), 150, np.uint8)
    if offset_px is not None:
        dense = np.linspace(-40, 40, 81)
        v = offset_px * np.sin(np.pi * (dense + 40) / 80)
        line = np.round(turned(np.column_stack([dense, v]), roll_deg) * 16).astype(np.int32)
        cv2.polylines(grey, [line.reshape(-1, 1, 2)], False, 60, 2, cv2.LINE_AA, shift=4)
    return grey


@settings(max_examples=40)
@given(
    st.floats(-0.22 * UPPER_LIP_PX, 0.22 * LOWER_LIP_PX),
    st.floats(0, 0.9 * CLOSED_GAP_CM * PX_PER_CM),
    st.floats(-30, 30),
)
def test_lips_close_on_the_dark_line_wherever_it_runs(offset_px: float, gap_px: float, roll_deg: float):
    closed, gap = close_lips(painted(offset_px, roll_deg), landmarks(gap_px, roll_deg), PX_PER_CM)
    assert gap == 0
    np.testing.assert_array_equal(closed[UPPER], closed[LOWER])
    line = turned(np.column_stack([ALONG, offset_px * BOW]), roll_deg)
    np.testing.assert_allclose(closed[UPPER, :2][2:-2], line[2:-2], atol=1.2)


def test_the_corners_of_the_mouth_stay():
    face = landmarks(4.0)
    closed, _ = close_lips(painted(3.0), face, PX_PER_CM)
    np.testing.assert_array_equal(closed[[UPPER[0], UPPER[-1]]], face[[UPPER[0], UPPER[-1]]])


def test_nothing_but_the_inner_lips_moves_and_the_landmarks_given_stay_as_they_are():
    face = landmarks(4.0)
    before = face.copy()
    closed, _ = close_lips(painted(3.0), face, PX_PER_CM)
    np.testing.assert_array_equal(face, before)
    others = np.setdiff1d(np.arange(468), UPPER + LOWER)
    np.testing.assert_array_equal(closed[others], face[others])


def test_without_a_line_lips_close_half_way():
    face = landmarks(5.0)
    closed, gap = close_lips(painted(None), face, PX_PER_CM)
    assert gap == 0
    np.testing.assert_allclose(closed[UPPER, :2], (face[UPPER, :2] + face[LOWER, :2]) / 2, atol=1e-6)


@pytest.mark.parametrize("gap_cm", [CLOSED_GAP_CM + 0.01, 0.8, 2.5])
def test_an_open_mouth_is_left_as_it_is_and_its_gap_told(gap_cm: float):
    face = landmarks(gap_cm * PX_PER_CM)
    left, gap = close_lips(painted(3.0), face, PX_PER_CM)
    np.testing.assert_array_equal(left, face)
    assert gap == pytest.approx(gap_cm * PX_PER_CM)


def test_whether_a_mouth_is_closed_depends_on_the_heads_size_not_on_pixels():
    face = landmarks(8.0)
    assert close_lips(painted(0.0), face, 8.0 / CLOSED_GAP_CM * 1.05)[1] == 0
    assert close_lips(painted(0.0), face, 8.0 / CLOSED_GAP_CM * 0.95)[1] == pytest.approx(8.0)
