"""A commanded turn becomes the turn of the mesh that looks like it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.portrait.turning import KNOTS_DEG, TurnGain

gains = st.floats(0.7, 2.4)


def test_each_direction_of_turning_has_its_own_gain():
    gain = TurnGain((1.1, 1.1), (1.2, 1.2), (1.3, 1.3), (1.4, 1.4))
    assert gain.apply(-10, -10) == pytest.approx((-11, -13))
    assert gain.apply(10, 10) == pytest.approx((12, 14))
    assert gain.apply(0, 0) == (0, 0)


def test_the_gain_glides_from_small_angles_to_large_ones():
    gain = TurnGain(yaw_right=(1.0, 2.0))
    small, large = KNOTS_DEG
    assert gain.apply(small, 0)[0] == pytest.approx(small)
    assert gain.apply(large, 0)[0] == pytest.approx(2 * large)
    assert gain.apply(2 * large, 0)[0] == pytest.approx(4 * large)
    assert gain.apply((small + large) / 2, 0)[0] == pytest.approx(1.5 * (small + large) / 2)


@given(gains, st.floats(1 / 1.35, 1.35), st.floats(0, 44), st.floats(0.01, 1))
def test_turning_further_never_turns_the_head_back(large: float, bend: float, angle: float, more: float):
    gain = TurnGain(pitch_up=(large * bend, large))
    assert gain.apply(0, angle + more)[1] > gain.apply(0, angle)[1]
