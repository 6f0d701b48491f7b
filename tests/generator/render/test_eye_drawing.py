"""Eyes drawn in flat colours, so that every part can be told apart in the frame."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from generator.portrait.eyes import CURVE_SAMPLES, EYES, PATCH_U, PATCH_V, EyeLayer
from generator.render.eyes import EYEBALL_REACH, draw_eye

SKIN, LID, LASH = (0, 0, 200), (0, 200, 0), (0, 0, 0)
WHITE, IRIS = (240, 240, 240), (240, 0, 0)
EYE_PX = 120.0
CENTRE = np.array([150.0, 110.0])
RADIUS = 0.18
STAY = np.array([[1.0, 0, 0], [0, 1, 0]])

Array = NDArray[np.float64]
Frame = NDArray[np.uint8]


def upper_lid(u: Array) -> Array:
    return np.asarray(-0.22 * (1 - (2 * u) ** 2))


def lower_lid(u: Array) -> Array:
    return np.asarray(0.20 * (1 - (2 * u) ** 2))


def eye_layer() -> EyeLayer:
    u, v = np.meshgrid(np.linspace(*PATCH_U, 204), np.linspace(*PATCH_V, 162))
    even = np.linspace(-0.5, 0.5, CURVE_SAMPLES)
    covered = np.clip((RADIUS - np.hypot(u, v)) * 120 + 0.5, 0, 1)

    def flat(colour: tuple[int, int, int]) -> NDArray[np.float32]:
        return np.ascontiguousarray(np.broadcast_to(np.array(colour, np.float32), (*u.shape, 3)))

    return EyeLayer(
        ring=EYES[0],
        centre=CENTRE,
        axis=np.array([1.0, 0.0]),
        width_px=EYE_PX,
        upper=upper_lid(even).astype(np.float32),
        lower=lower_lid(even).astype(np.float32),
        opening=0.42,
        ball=flat(WHITE),
        iris=np.dstack([flat(IRIS), covered]).astype(np.float32),
        lid=flat(LID),
        iris_centre=np.zeros(2),
        iris_radius=RADIUS,
        lash=np.array(LASH, np.float32),
        whiteness=np.ones(3),
    )


@dataclass
class Drawing:
    """A skin-coloured frame with one eye drawn on it. ``shut`` is 0 at rest, 1 with the lids together."""

    yaw: float = 0.0
    pitch: float = 0.0
    shut: float = 0.0
    head: Array = field(default_factory=lambda: STAY)

    @property
    def frame(self) -> Frame:
        frame = np.full((220, 300, 3), SKIN, np.uint8)
        u = np.linspace(-0.5, 0.5, 9)
        top = upper_lid(u) + self.shut * (lower_lid(u) - upper_lid(u))
        rims = [
            (CENTRE + EYE_PX * np.column_stack([u, v])) @ self.head[:, :2].T + self.head[:, 2]
            for v in (top, lower_lid(u))
        ]
        draw_eye(frame, eye_layer(), self.head, (rims[0], rims[1]), np.array([self.yaw, self.pitch]))
        return frame


def where(test: Callable[[Array], NDArray[np.bool_]], frame: Frame) -> Array:
    """(N, 2) x, y of the pixels that pass."""
    rows, columns = np.nonzero(test(frame.astype(float)))
    return np.column_stack([columns, rows]).astype(float)


def red(frame: Array) -> NDArray[np.bool_]:
    return (frame[..., 0] > 110) & (frame[..., 1] < 60) & (frame[..., 2] < 60)


def light(frame: Array) -> NDArray[np.bool_]:
    return frame.min(-1) > 120


def iris_at(**drawing: float) -> Array:
    """Middle of the iris' left and right edge on its own level, and of its lower edge, in eye widths."""
    seen = (where(red, Drawing(**drawing).frame) - CENTRE) / EYE_PX
    return np.array([(seen[:, 0].min() + seen[:, 0].max()) / 2, seen[:, 1].max() - RADIUS])


def test_at_rest_nothing_is_drawn_over_the_source():
    assert (Drawing().frame == SKIN).all()


@settings(max_examples=30)
@given(st.floats(8, 30), st.sampled_from([-1, 1]))
def test_yaw_shifts_the_iris_as_a_ball_turns(yaw: float, side: int):
    assert iris_at(yaw=side * yaw)[0] == pytest.approx(
        side * EYEBALL_REACH * np.sin(np.radians(yaw)), abs=0.015
    )


@settings(max_examples=30)
@given(st.floats(8, 25))
def test_pitch_lifts_the_iris_as_a_ball_turns(pitch: float):
    assert iris_at(pitch=pitch)[1] == pytest.approx(-EYEBALL_REACH * np.sin(np.radians(pitch)), abs=0.015)


def test_the_iris_narrows_as_it_turns_aside():
    def width(yaw: float) -> float:
        return float(np.ptp(where(red, Drawing(yaw=yaw).frame)[:, 0]) / EYE_PX)

    assert width(30) == pytest.approx(2 * RADIUS * np.cos(np.radians(30)), abs=0.02)


@settings(max_examples=30)
@given(st.floats(-30, 30), st.floats(-25, 25), st.floats(0, 0.9))
def test_the_eyeball_never_shows_outside_the_lids(yaw: float, pitch: float, shut: float):
    frame = Drawing(yaw=yaw, pitch=pitch, shut=shut).frame
    ball = (where(lambda f: red(f) | light(f), frame) - CENTRE) / EYE_PX
    top = upper_lid(ball[:, 0]) + shut * (lower_lid(ball[:, 0]) - upper_lid(ball[:, 0]))
    assert (ball[:, 1] > top - 0.02).all()
    assert (ball[:, 1] < lower_lid(ball[:, 0]) + 0.02).all()


def test_a_shut_eye_is_lid_with_a_dark_line_below():
    frame = Drawing(shut=1.0).frame.astype(float)
    assert not red(frame).any()
    assert not light(frame).any()
    column = frame[:, round(CENTRE[0])]
    lid = column[round(CENTRE[1] - 0.1 * EYE_PX) : round(CENTRE[1] + 0.08 * EYE_PX)]
    assert (lid[:, 1] > 3 * lid[:, 2]).all(), "lid, no longer skin"
    line = column[round(CENTRE[1] + 0.20 * EYE_PX)]
    assert line.max() < 0.5 * lid.max()


@pytest.mark.parametrize("motion", ["yaw", "pitch", "shut"])
def test_eyes_move_without_a_jump(motion: str):
    """From rest, where the source shows, through the fade, to the drawn eye."""
    reach = 1.0 if motion == "shut" else 25.0
    frames = [Drawing(**{motion: amount}).frame.astype(float) for amount in np.linspace(0, reach, 101)]
    steps = [np.abs(b - a).mean() for a, b in pairwise(frames)]
    assert max(steps) < 0.12 * np.abs(frames[-1] - frames[0]).mean()


def test_the_eye_goes_where_the_head_goes():
    c, s = np.cos(0.2) * 0.8, np.sin(0.2) * 0.8
    head = np.array([[c, -s, 60.0], [s, c, -20.0]])
    still, moved = Drawing(yaw=15).frame, Drawing(yaw=15, head=head).frame
    middle = where(red, still).mean(0) @ head[:, :2].T + head[:, 2]
    np.testing.assert_allclose(where(red, moved).mean(0), middle, atol=1.0)
    assert len(where(red, moved)) == pytest.approx(0.64 * len(where(red, still)), rel=0.05)


@pytest.mark.parametrize("away", [(-400, 0), (400, 0), (0, -400), (0, 400), (-150, -110)])
def test_an_eye_at_the_frames_edge_or_beyond_is_drawn_as_far_as_it_shows(away: tuple[int, int]):
    head = np.array([[1.0, 0, away[0]], [0, 1, away[1]]])
    frame, whole = Drawing(yaw=15, shut=0.5, head=head).frame, Drawing(yaw=15, shut=0.5).frame
    if max(map(abs, away)) == 400:
        assert (frame == SKIN).all()
    else:
        np.testing.assert_allclose(frame[:80, :100], whole[110:190, 150:250].astype(int), atol=1)
