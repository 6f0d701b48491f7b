"""A commanded angle is the angle one sees."""

from dataclasses import replace

import numpy as np
import pytest

from generator.portrait.portrait import Portrait
from generator.portrait.turning import TurnGain
from generator.render.calibration import GAIN_RANGE, measure_gain, measured_turn


@pytest.mark.parametrize("degrees", [-15, -8, 8, 15])
def test_yaw_appears_as_commanded(sitting: Portrait, landmarker, degrees: float):
    yaw, pitch = measured_turn(sitting, landmarker, degrees, 0)
    assert yaw == pytest.approx(degrees, rel=0.15)
    assert abs(pitch) < 0.3 * abs(degrees)


@pytest.mark.parametrize("degrees", [-15, -8, 8, 15])
def test_pitch_appears_as_commanded(sitting: Portrait, landmarker, degrees: float):
    yaw, pitch = measured_turn(sitting, landmarker, 0, degrees)
    assert pitch == pytest.approx(degrees, rel=0.15)
    assert abs(yaw) < 0.3 * abs(degrees)


def test_at_rest_no_turn_is_measured(sitting: Portrait, landmarker):
    assert measured_turn(sitting, landmarker, 0, 0) == pytest.approx((0, 0), abs=1.5)


def test_without_its_gain_a_flattened_head_turns_too_little(portrait: Portrait, landmarker):
    plain = replace(portrait, gain=TurnGain())
    assert sum(abs(measured_turn(plain, landmarker, yaw, 0)[0]) for yaw in (-15, 15)) < 0.95 * 30


def test_the_gain_is_found_from_wherever_the_measuring_starts(portrait: Portrait, landmarker):
    again = measure_gain(replace(portrait, gain=TurnGain(*[(1.6, 1.6)] * 4)), landmarker)
    for name in ("yaw_left", "yaw_right", "pitch_down", "pitch_up"):
        assert getattr(again, name) == pytest.approx(getattr(portrait.gain, name), rel=0.15)
        assert all(GAIN_RANGE[0] <= gain <= GAIN_RANGE[1] for gain in getattr(again, name))


def test_a_face_that_is_lost_gives_no_angle_and_no_gain(portrait: Portrait, landmarker):
    blank = replace(portrait, frame=np.full_like(portrait.frame, 128), gain=TurnGain())
    eyeless = replace(blank, eyes=())
    assert np.isnan(measured_turn(eyeless, landmarker, 10, 0)).all()
    assert measure_gain(eyeless, landmarker) == TurnGain()
