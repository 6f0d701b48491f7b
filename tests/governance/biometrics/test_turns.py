"""A head that turns as asked passes; a picture does not, however it is moved. What is not caught is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.biometrics.checks import TurnedHead
from governance.biometrics.turns import CENTRED, RELIEF, TURNED, parallax, relief, turns_in

HEAD_CM = np.array([[-3.2, 3.0, 0.5], [3.2, 3.0, 0.5], [0.0, 0.0, 3.5], [-2.5, -3.2, 1.0], [2.5, -3.2, 1.0]])
"""Right eye, left eye, nose tip, right, left corner of the mouth; x to the image's right, z to the camera."""
FLAT_CM = HEAD_CM * [1, 1, 0]


def seen(points_cm, yaw: float = 0.0, pitch: float = 0.0, distance_cm: float = 50.0, at=(0.0, 0.0)):
    """Landmarks in pixels of points turned by degrees, through a pinhole."""
    yaw, pitch = np.radians([yaw, pitch])
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    tilt = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    x, y, z = (points_cm @ (tilt @ turn).T + [*at, 0]).T
    return np.float32(np.c_[600 * x / (distance_cm - z) + 256, 256 - 600 * y / (distance_cm - z)])


@given(
    yaw=st.floats(-70, 70),
    pitch=st.floats(-40, 40),
    distance=st.floats(20, 150),
    x=st.floats(-10, 10),
    y=st.floats(-10, 10),
)
@settings(max_examples=60, deadline=None)
def test_a_flat_face_has_no_parallax_wherever_and_however_it_is_held(yaw, pitch, distance, x, y):
    held = seen(FLAT_CM, yaw, pitch, distance, (x, y))
    assert abs(parallax(seen(FLAT_CM), held)) < 0.01


@pytest.mark.parametrize("yaw", [25, 35, 45, -25, -35, -45])
def test_a_turning_head_has_it_on_the_side_it_turns_to(yaw):
    shown = parallax(seen(HEAD_CM), seen(HEAD_CM, yaw))
    assert np.sign(shown) == np.sign(yaw)
    assert abs(shown) >= TURNED


@pytest.mark.parametrize("pitch", [-15, 15])
def test_a_nod_is_no_turn(pitch):
    assert abs(parallax(seen(HEAD_CM), seen(HEAD_CM, pitch=pitch))) < CENTRED


def swings(*sides: float):
    there_and_back = [np.r_[np.linspace(0, side, 10), np.linspace(side, 0, 10)] for side in sides]
    return np.concatenate([np.zeros(5), *there_and_back])


def told(parallaxes, stands: float = 0.5):
    return turns_in(np.float32(parallaxes), np.full(len(parallaxes), stands, np.float32))


@pytest.mark.parametrize("yaw", [20, 35, 50, -20, -35, -50])
def test_a_nose_stands_out_by_what_it_does(yaw):
    stands = (HEAD_CM[2] - HEAD_CM[[0, 1, 3, 4]].mean(0))[2] / 6.4
    assert relief(seen(HEAD_CM), seen(HEAD_CM, yaw)) == pytest.approx(stands, rel=0.35)
    assert stands > RELIEF


def test_parallax_without_relief_is_no_turn():
    assert told(swings(0.3, -0.3), stands=0.2) == ()


def test_turns_are_told_in_their_order():
    assert told(swings(0.3, -0.3, 0.25)) == ("left", "right", "left")


def test_a_hesitation_on_the_way_back_is_still_one_turn():
    assert told(np.r_[swings(0.3), np.linspace(0.12, 0.0, 4)]) == ("left",)


def test_less_than_a_turn_is_none():
    assert told(swings(0.15, -0.15)) == ()


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([0, 0, 0.3, 0.3, 0.3, 0.3, 0, 0], id="pictures shown one after the other"),
        pytest.param(
            [*np.linspace(0, 0.3, 10), *np.linspace(0.3, 0.2, 5)], id="a head that does not come back"
        ),
        pytest.param([*np.linspace(0, 0.3, 10), -0.3, -0.3, -0.15, -0.05], id="a cut from side to side"),
        pytest.param([0, 0, float("inf"), 0], id="points that span no plane"),
    ],
)
def test_what_no_head_does_is_refused(values):
    assert told(np.float32(values)) is None


def test_a_head_that_turns_as_asked_passes(turning: Path):
    """The film is rendered: this check cannot tell, and does not claim to. ``SyntheticCheck`` must."""
    assert TurnedHead()(turning, ("left", "right", "right")).passed


def test_other_turns_than_were_asked_for_fail(turning: Path):
    found = TurnedHead()(turning, ("right", "left", "left"))
    assert (found.passed, found.reason) == (False, "turn_differs")


def test_a_picture_that_is_moved_about_fails(film, picture: Callable[[str], np.ndarray]):
    still = picture("terracotta_bust")
    moves = 60 * np.sin(np.linspace(0, 4 * np.pi, 50))
    moved = film(cv2.warpAffine(still, np.float32([[1, 0, x], [0, 1, 0]]), still.shape[:2]) for x in moves)
    assert TurnedHead()(moved, ("left", "right", "left")).reason == "turn_differs"


def test_a_photograph_turned_before_the_camera_fails(film, picture: Callable[[str], np.ndarray]):
    still = picture("oil_portrait")
    angles = np.r_[np.zeros(20), 45 * np.sin(np.linspace(0, 4 * np.pi, 50)), np.zeros(5)]
    turned = film(turned_photograph(still, angle) for angle in angles)
    found = TurnedHead()(turned, ("left", "right", "left", "right"))
    assert (found.passed, found.reason) == (False, "turn_differs")


def turned_photograph(still: np.ndarray, angle_deg: float) -> np.ndarray:
    """A print 20 cm wide, turned about its middle 35 cm from a camera that it would fill at 31 cm."""
    side = still.shape[0]
    corners = np.array([[-10.0, 10, 0], [10, 10, 0], [10, -10, 0], [-10, -10, 0]])
    angle = np.radians(angle_deg)
    x, y, z = corners[:, 0] * np.cos(angle), corners[:, 1], corners[:, 0] * np.sin(angle)
    placed = np.float32(np.c_[x, -y] / (35 - z)[:, None] * side * 1.55 + side / 2)
    plane = cv2.getPerspectiveTransform(np.float32([[0, 0], [side, 0], [side, side], [0, side]]), placed)
    return cv2.warpPerspective(still, plane, (side, side), borderValue=(90, 90, 90))


def test_three_photographs_shown_in_turn_fail(film, turning_frames: list[np.ndarray]):
    centre, left, right = turning_frames[0], turning_frames[43], turning_frames[87]
    shown = film(frame for frame in (centre, left, centre, right, centre, right, centre) for _ in range(12))
    assert TurnedHead()(shown, ("left", "right", "right")).reason in {"turn_jumps", "turn_differs"}


def test_a_film_without_a_face_says_so(film):
    found = TurnedHead()(film([np.full((128, 128, 3), 120, np.uint8)] * 30), ("left",))
    assert (found.passed, found.reason) == (False, "no_face")
