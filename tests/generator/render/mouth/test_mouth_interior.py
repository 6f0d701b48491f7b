"""What drawing the mouth does, and does not do, to a frame."""

import cv2
import numpy as np
import pytest

from generator.arkit import EXPRESSIONS, INDEX
from generator.render.mouth import MouthInterior

SKIN, LIP, HIGHLIGHT = np.array([205, 155, 128.0]), np.array([155, 86, 78.0]), np.array([232, 190, 160.0])
PX_PER_CM = 14.0


def mouth(grain: float = 0.0, lip=LIP, skin=SKIN, highlight=HIGHLIGHT) -> MouthInterior:
    return MouthInterior.build(np.array([0.0, -4.4, 5.5]), 4.9, lip, skin, highlight, grain)


def camera(x: float, y: float, scale: float = PX_PER_CM):
    """Projects the middle of the mouth to (x, y), looking straight ahead."""

    def project(points):
        return np.column_stack([
            x + points[:, 0] * scale, y - (points[:, 1] + 4.4) * scale, points[:, 2] * scale
        ])  # fmt: skip

    return project


def lips(x: float, y: float, gap: float, scale: float = PX_PER_CM):
    """Inner lip rings (11, 2) px around (x, y) that are ``gap`` cm apart in the middle."""
    along = np.linspace(-2.3, 2.3, 11)
    bow = np.sin(np.pi * np.linspace(0, 1, 11)) ** 0.8
    upper = np.column_stack([x + along * scale, y - 0.05 * gap * bow * scale])
    lower = np.column_stack([x + along * scale, y + 0.95 * gap * bow * scale])
    return upper, lower


def opened(jaw: float):
    weights = np.zeros(len(EXPRESSIONS), np.float32)
    weights[INDEX["jawOpen"]] = jaw
    return weights


def drawn(gap: float, size: int = 512, at=None, interior=None, opacity: float = 1.0, **options):
    x, y = at or (size / 2, 0.6 * size)
    scale = PX_PER_CM * size / 512
    frame = np.full((size, size, 3), SKIN, np.uint8)
    upper, lower = lips(x, y, gap, scale)
    (interior or mouth()).draw(
        frame, upper, lower, camera(x, y, scale), opened(gap / 3.4), opacity, **options
    )
    return frame, upper, lower


def test_a_closed_mouth_leaves_the_frame_untouched():
    frame, _, _ = drawn(gap=0.05)
    assert (frame == SKIN.astype(np.uint8)).all()


def test_crossed_lips_leave_the_frame_untouched():
    frame, _, _ = drawn(gap=-0.4)
    assert (frame == SKIN.astype(np.uint8)).all()


@pytest.mark.parametrize("gap", [0.2, 0.8, 3.0])
def test_nothing_is_drawn_outside_the_lips(gap):
    frame, upper, lower = drawn(gap)
    changed = (frame != SKIN.astype(np.uint8)).any(2)
    inside = np.zeros(changed.shape, np.uint8)
    cv2.fillPoly(inside, [np.round(np.vstack([upper, lower[::-1]])).astype(np.int32)], 1)
    assert changed.any()
    assert not (changed & (cv2.dilate(inside, np.ones((9, 9))) == 0)).any()


@pytest.mark.parametrize("size", [256, 512, 1024])
@pytest.mark.parametrize("at", [(0.0, 0.5), (1.0, 0.5), (0.5, 0.0), (0.5, 1.0), (1.4, 1.4), (-0.4, -0.4)])
def test_a_mouth_at_or_beyond_the_edge_of_the_frame_is_safe(size, at):
    drawn(2.0, size, at=(at[0] * size, at[1] * size))


def test_a_tiny_mouth_is_safe():
    frame = np.full((256, 256, 3), 128, np.uint8)
    upper, lower = lips(128, 128, 2.0, scale=0.8)
    mouth().draw(frame, upper, lower, camera(128, 128, 0.8), opened(0.5))


def test_drawing_twice_gives_the_same_frame_grain_included():
    interior = mouth(grain=3.0)
    np.testing.assert_array_equal(drawn(2.0, interior=interior)[0], drawn(2.0, interior=interior)[0])


def test_opacity_fades_the_mouth_in():
    full, half = (drawn(2.0, opacity=opacity)[0].astype(float) - SKIN for opacity in (1.0, 0.5))
    assert np.abs(half - full / 2).max() <= 1.5
    assert (drawn(2.0, opacity=0.0)[0] == SKIN.astype(np.uint8)).all()


def test_a_wide_open_mouth_is_a_warm_red_cavity_and_not_a_black_hole():
    frame, upper, lower = drawn(3.0)
    x, top, bottom = int(upper[5, 0]), int(upper[5, 1]), int(lower[5, 1])
    middle = frame[top + 6 : bottom - 4, x - 12 : x + 12].reshape(-1, 3).astype(float)
    assert (middle.sum(1) > 60).mean() > 0.9
    tissue = middle[int(0.5 * len(middle)) : int(0.9 * len(middle))]
    assert tissue[:, 0].mean() > 1.5 * tissue[:, 1].mean()


def test_upper_incisors_show_below_the_upper_lip():
    frame, upper, _ = drawn(1.2)
    x, top = int(upper[5, 0]), int(upper[5, 1])
    teeth = frame[top + 2 : top + 8, x - 8 : x + 8].reshape(-1, 3).astype(float)
    brightest = teeth[np.argsort(teeth.sum(1))[-30:]].mean(0)
    assert brightest.min() > 0.5 * HIGHLIGHT.min()
    assert brightest[0] < 1.6 * brightest[2]


def test_a_portrait_with_parted_lips_keeps_its_upper_teeth_at_the_upper_lip_and_its_jaw_open():
    centre = np.array([0.0, -4.4, 5.5])
    shut, parted = (
        MouthInterior.build(centre, 4.9, LIP, SKIN, HIGHLIGHT, 0.0, lip_gap_cm=gap) for gap in (0.0, 0.8)
    )
    assert 0.2 < parted.centre[1] - shut.centre[1] < 0.4
    assert shut.rest_opening == 0.0 < parted.rest_opening < 0.3


def test_the_tongue_can_rise():
    low, high = (drawn(1.5, tongue_up=up)[0].astype(int) for up in (0.0, 1.0))
    assert np.abs(low - high).max() > 20


def test_a_bust_of_one_material_has_teeth_of_that_material():
    clay = mouth(lip=[72, 41, 26.0], skin=[99, 58, 37.0], highlight=[188, 133, 103.0]).palette
    assert clay.enamel[0] / clay.enamel[2] > 1.5
    assert clay.enamel.mean() < 1.6 * np.mean([99, 58, 37])
    marble = mouth(lip=[90, 86, 79.0], skin=[121, 116, 108.0], highlight=[197, 193, 187.0]).palette
    assert np.ptp(marble.tongue) < 20


def test_teeth_in_a_living_face_are_less_tinted_than_the_light_on_it():
    palette = mouth().palette
    assert palette.flesh == 1.0
    assert palette.enamel[0] / palette.enamel[2] < HIGHLIGHT[0] / HIGHLIGHT[2]
