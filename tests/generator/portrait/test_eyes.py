"""An eye is taken apart into what can be seen of it and what has to be invented."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from generator.portrait.eyes import (
    CURVE_SAMPLES,
    EYES,
    PATCH_U,
    PATCH_V,
    EyeLayer,
    EyeRing,
    build_eye,
    build_eyes,
    lid_curve,
)
from generator.portrait.portrait import Portrait

SKIN, WHITE, IRIS, LASH = (205, 160, 135), (232, 228, 224), (70, 110, 60), (40, 25, 20)
EYE_PX = 80.0
MIDDLE = np.array([130.0, 110.0])
IRIS_AT, IRIS_RADIUS = np.array([0.06, -0.05]), 0.20
PAINTED = ("oil_portrait", "cartoon", "cartoon_keeper")
"""Sitters whose eyes differ in colour from their skin; a sculpture's do not."""
EVEN = np.linspace(-0.5, 0.5, CURVE_SAMPLES)

Array = NDArray[np.float64]


def arch(u: Array) -> Array:
    return 1 - (2 * u) ** 2


def upper_lid(u: Array) -> Array:
    return -0.20 * arch(u)


def lower_lid(u: Array) -> Array:
    return 0.15 * arch(u)


def painted_eye(roll_deg: float, ring: EyeRing = EYES[0]) -> tuple[NDArray[np.uint8], Array, Array, Array]:
    """An eye 80 px wide with one colour each for skin, white and iris.

    Returns the picture, (468, 2) vertices, (5, 2) iris landmarks and the (2, 2) turn from eye to picture.
    """
    c, s = np.cos(np.radians(roll_deg)), np.sin(np.radians(roll_deg))
    turn = np.array([[c, s], [-s, c]]) * EYE_PX
    rows, columns = np.indices((220, 260), np.float64)
    local = (np.stack([columns, rows], -1) - MIDDLE) @ np.linalg.inv(turn)
    u, v = local[..., 0], local[..., 1]
    inside = (np.abs(u) < 0.5) & (v > upper_lid(u)) & (v < lower_lid(u))
    iris = inside & (np.hypot(u - IRIS_AT[0], v - IRIS_AT[1]) < IRIS_RADIUS)
    rgb = np.full((*u.shape, 3), SKIN, np.float32)
    rgb[inside] = WHITE
    rgb[iris] = IRIS
    rgb[(np.abs(u) < 0.5) & (np.abs(v - upper_lid(u)) < 0.02)] = LASH
    uv = np.zeros((468, 2))
    along = np.linspace(-0.5, 0.5, 9)
    for ids, lid in ((ring.upper, upper_lid), (ring.lower, lower_lid)):
        uv[list(ids)] = np.column_stack([along, lid(along)]) @ turn + MIDDLE
    guess = 1.15 * IRIS_RADIUS
    rim = np.array([[0, 0], [guess, 0], [0, -guess], [-guess, 0], [0, guess]]) + IRIS_AT
    return cv2.GaussianBlur(rgb, (0, 0), 0.7).astype(np.uint8), uv, rim @ turn + MIDDLE, turn


@pytest.fixture(params=[0, -20, 25], ids=lambda roll: f"rolled by {roll}")
def painted(request: pytest.FixtureRequest) -> EyeLayer:
    frame, uv, iris, _ = painted_eye(request.param)
    return build_eye(frame, uv, iris, EYES[0], grain=0.0)


def patch_coordinates(eye: EyeLayer) -> tuple[Array, Array, Array]:
    """u, v and the distance from the iris' middle in iris radii, for each pixel of the small pictures."""
    height, width = eye.ball.shape[:2]
    u, v = np.meshgrid(np.linspace(*PATCH_U, width), np.linspace(*PATCH_V, height))
    return u, v, np.hypot(u - eye.iris_centre[0], v - eye.iris_centre[1]) / eye.iris_radius


def within_lids(eye: EyeLayer, u: Array, v: Array) -> NDArray[np.bool_]:
    top, bottom = np.interp(u, EVEN, eye.upper), np.interp(u, EVEN, eye.lower)
    return (np.abs(u) < 0.45) & (v > top + 0.03) & (v < bottom - 0.03)


# lids

lid_points = st.lists(st.integers(-600, 600).map(lambda v: v / 1000), min_size=9, max_size=9)


@given(lid_points, st.randoms())
def test_a_lids_edge_goes_through_its_points_in_whatever_order(v: list[float], random):
    u = np.linspace(-0.5, 0.5, 9)
    order = list(range(9))
    random.shuffle(order)
    curve = lid_curve(u[order], np.array(v)[order])
    assert curve.shape == (CURVE_SAMPLES,)
    np.testing.assert_allclose(curve[:: (CURVE_SAMPLES - 1) // 8], v, atol=1e-6)


@given(lid_points)
def test_a_lids_edge_never_overshoots_its_points(v: list[float]):
    curve = lid_curve(np.linspace(-0.5, 0.5, 9), np.array(v))
    assert curve.min() >= min(v) - 1e-6
    assert curve.max() <= max(v) + 1e-6


def test_a_lids_edge_is_level_beyond_its_ends_and_bears_points_on_top_of_each_other():
    curve = lid_curve(np.array([-0.3, 0.0, 0.0, 0.3]), np.array([0.1, -0.2, -0.2, 0.2]))
    np.testing.assert_allclose(curve[EVEN <= -0.3], 0.1, atol=1e-6)
    np.testing.assert_allclose(curve[EVEN >= 0.3], 0.2, atol=1e-6)


def test_both_rings_run_from_the_images_left_to_its_right(sitting: Portrait):
    for ring in EYES:
        assert ring.upper[0] == ring.lower[0]
        assert ring.upper[-1] == ring.lower[-1]
        for ids in (ring.upper, ring.lower):
            assert (np.diff(sitting.mesh.uv[list(ids), 0]) > 0).all()
    assert sitting.eyes[0].centre[0] < sitting.eyes[1].centre[0]


# an eye whose parts are known


def test_an_iris_is_measured_where_it_meets_the_white(painted: EyeLayer):
    assert painted.iris_radius == pytest.approx(IRIS_RADIUS, rel=0.07)
    np.testing.assert_allclose(painted.iris_centre, IRIS_AT, atol=1e-6)


def test_lids_and_corners_are_where_they_were_painted(painted: EyeLayer):
    assert painted.width_px == pytest.approx(EYE_PX)
    assert painted.opening == pytest.approx(0.35, abs=0.01)
    np.testing.assert_allclose(painted.upper, upper_lid(EVEN), atol=0.01)
    np.testing.assert_allclose(painted.lower, lower_lid(EVEN), atol=0.01)


@pytest.mark.parametrize("roll_deg", [0, -20, 25])
def test_eye_coordinates_lead_back_to_the_frame(roll_deg: float):
    frame, uv, iris, turn = painted_eye(roll_deg)
    eye = build_eye(frame, uv, iris, EYES[0], grain=0.0)
    local = np.array([[-0.5, 0, 1], [0.5, 0, 1], [0, 0.2, 1]])
    np.testing.assert_allclose(local @ eye.to_frame.T, local[:, :2] @ turn + MIDDLE, atol=1e-6)


def test_the_white_continues_behind_the_iris(painted: EyeLayer):
    u, v, rho = patch_coordinates(painted)
    behind = painted.ball[within_lids(painted, u, v) & (rho < 0.9)]
    np.testing.assert_allclose(np.median(behind, 0), WHITE, atol=16)
    assert np.linalg.norm(behind - IRIS, axis=1).min() > 100


def test_the_iris_is_whole_where_a_lid_hid_it_and_fades_out_beyond_its_rim(painted: EyeLayer):
    u, v, rho = patch_coordinates(painted)
    colour, coverage = painted.iris[..., :3], painted.iris[..., 3]
    under_the_lid = (rho < 0.9) & (v < np.interp(u, EVEN, painted.upper))
    assert under_the_lid.any()
    np.testing.assert_allclose(np.median(colour[under_the_lid], 0), IRIS, atol=14)
    assert (coverage[rho < 0.9] > 0.99).all()
    assert (coverage[rho > 1.2] == 0).all()


def test_a_closed_lid_shows_skin_only(painted: EyeLayer):
    u, v, _ = patch_coordinates(painted)
    over_the_eye = painted.lid[within_lids(painted, u, v)]
    assert np.abs(over_the_eye - SKIN).max() < 30


def test_lashes_have_the_colour_of_the_lids_edge(painted: EyeLayer):
    np.testing.assert_allclose(painted.lash, LASH, atol=25)


def test_lashes_are_dark_even_where_a_painter_left_them_out():
    frame, uv, iris, _ = painted_eye(0)
    frame[(np.abs(frame.astype(int) - LASH).max(-1) < 120)] = SKIN
    eye = build_eye(frame, uv, iris, EYES[0], grain=0.0)
    assert eye.lash.mean() < 0.45 * np.mean(SKIN)


def test_what_is_invented_carries_the_pictures_grain():
    frame, uv, iris, _ = painted_eye(0)
    smooth, grainy = (build_eye(frame, uv, iris, EYES[0], grain=grain).lid for grain in (0.0, 6.0))
    assert np.std(grainy - smooth) > 1.0


def pair_of_eyes(white_in_shadow: tuple[int, int, int]) -> tuple[NDArray[np.uint8], Array, Array]:
    """A lit eye and, beside it, one in shadow: frame, vertices (468, 2) and landmarks (478, 2)."""
    lit, uv, iris, _ = painted_eye(0, EYES[0])
    shaded, other_uv, other_iris, _ = painted_eye(0, EYES[1])
    is_white = np.abs(shaded.astype(int) - WHITE).max(-1) < 25
    shaded = (0.5 * shaded).astype(np.uint8)
    shaded[is_white] = white_in_shadow
    shift = np.array([lit.shape[1], 0])
    own = list(EYES[1].upper + EYES[1].lower)
    uv[own] = other_uv[own] + shift
    landmarks = np.vstack([uv, np.zeros((10, 2))])
    landmarks[list(EYES[0].iris)], landmarks[list(EYES[1].iris)] = iris, other_iris + shift
    return np.hstack([lit, shaded]), uv, landmarks


def test_a_dull_eye_in_shadow_takes_after_the_white_of_the_other():
    frame, uv, landmarks = pair_of_eyes(white_in_shadow=(88, 84, 80))
    alone = [build_eye(frame, uv, landmarks[list(ring.iris)], ring, 0.0) for ring in EYES]
    left, right = build_eyes(frame, uv, landmarks, 0.0)
    np.testing.assert_array_equal(left.ball, alone[0].ball)
    assert alone[1].whiteness.mean() < right.whiteness.mean() < left.whiteness.mean()


def test_eyes_lit_alike_are_left_as_they_are():
    frame, uv, landmarks = pair_of_eyes(white_in_shadow=(116, 114, 112))
    alone = [build_eye(frame, uv, landmarks[list(ring.iris)], ring, 0.0) for ring in EYES]
    for eye, own in zip(build_eyes(frame, uv, landmarks, 0.0), alone, strict=True):
        np.testing.assert_array_equal(eye.ball, own.ball)


# the sitters


def test_a_sitters_eyes_have_an_eyes_proportions(sitting: Portrait):
    for eye in sitting.eyes:
        assert 0.12 < eye.iris_radius < 0.36
        assert 0.15 < eye.opening < 0.65
        assert np.abs(eye.iris_centre).max() < 0.25
        assert 0.05 < eye.width_px / sitting.size[0] < 0.2
        assert eye.opening == pytest.approx((eye.lower - eye.upper).max())
        assert eye.ball.shape[:2] == eye.iris.shape[:2] == eye.lid.shape[:2]
    first, second = sitting.eyes
    assert first.iris_radius == pytest.approx(second.iris_radius, rel=0.3)


@pytest.mark.parametrize("name", PAINTED)
def test_behind_a_painted_iris_there_is_white_and_no_iris_colour(portraits: dict[str, Portrait], name: str):
    for eye in portraits[name].eyes:
        u, v, rho = patch_coordinates(eye)
        inside = within_lids(eye, u, v)
        iris = np.median(eye.iris[inside & (rho < 0.7)][:, :3], 0)
        white = np.median(eye.ball[inside & (rho > 1.3)], 0)
        behind = eye.ball[inside & (rho < 0.7)]
        nearer_iris = np.linalg.norm(behind - iris, axis=1) < np.linalg.norm(behind - white, axis=1)
        assert white.mean() > iris.mean() + 15
        assert nearer_iris.mean() < 0.25
        assert np.median(behind, 0).mean() > iris.mean() + 15


@pytest.mark.parametrize("name", PAINTED)
def test_a_painted_lid_has_the_colour_of_skin_not_of_the_eye(portraits: dict[str, Portrait], name: str):
    for eye in portraits[name].eyes:
        u, v, rho = patch_coordinates(eye)
        inside = within_lids(eye, u, v)
        skin = np.median(eye.lid[(np.abs(u) < 0.4) & (v > 0.45)], 0)
        lid = np.median(eye.lid[inside], 0)
        iris = np.median(eye.iris[inside & (rho < 0.7)][:, :3], 0)
        assert np.linalg.norm(lid - skin) < np.linalg.norm(lid - iris)


def test_nothing_of_the_iris_is_left_on_the_ball_and_the_lid(sitting: Portrait):
    """Also where an iris is carved, not coloured: its drawing is gone."""
    for eye in sitting.eyes:
        u, v, rho = patch_coordinates(eye)
        here = within_lids(eye, u, v) & (v > np.interp(u, EVEN, eye.upper) + 0.06) & (rho < 0.7)
        drawing = np.std(eye.iris[here][:, :3].mean(-1))
        assert np.std(eye.ball[here].mean(-1)) < 0.6 * drawing
        assert np.std(eye.lid[here].mean(-1)) < 0.8 * drawing
