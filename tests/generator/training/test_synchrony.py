"""A picture that runs ahead of its sound is noticed."""

import numpy as np
import pytest

from generator.training.synchrony import best_lag

MOUTH = np.abs(np.random.default_rng(0).standard_normal(75)).cumsum() % 3.0


@pytest.mark.parametrize("frames", [-9, -2, 0, 4, 11])
def test_the_lag_is_found(frames: int) -> None:
    lag, better = best_lag(MOUTH[20:60], MOUTH[20 - frames : 60 - frames])
    assert lag == frames
    assert (better > 0) == (frames != 0)


def test_a_still_face_has_no_lag() -> None:
    assert best_lag(MOUTH, np.zeros(75))[1] == 0
