"""An agitated voice furrows the brow and presses the lips; a calm one does not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from generator.arkit import INDEX
from generator.motion.agitation import Agitation


def _after(seconds: float, loudness: float, pitch: float, speaking: bool = True) -> NDArray[np.float64]:
    agitation = Agitation()
    for _ in range(round(seconds * 25)):
        weights = agitation.step(loudness, pitch, 1.0, speaking)
    return weights


@pytest.mark.parametrize(("loudness", "pitch"), [(-0.02, 0.0), (-0.3, 0.6), (-0.2, 0.1)])
def test_calm_or_merely_loud_or_merely_high_voices_leave_the_brow_alone(
    loudness: float, pitch: float
) -> None:
    assert _after(4, loudness, pitch).max() == 0


def test_a_loud_high_voice_furrows_the_brow_within_seconds_and_not_at_once() -> None:
    assert _after(0.1, 0.0, 0.6)[INDEX["browDownLeft"]] < 0.08
    assert _after(3, 0.0, 0.6)[INDEX["browDownLeft"]] > 0.3


def test_lips_are_pressed_in_pauses_alone() -> None:
    assert _after(3, 0.0, 0.6)[INDEX["mouthPressLeft"]] == 0
    assert _after(3, 0.0, 0.6, speaking=False)[INDEX["mouthPressLeft"]] > 0.2


def test_agitation_passes() -> None:
    agitation = Agitation()
    for _ in range(75):
        agitation.step(0.0, 0.6, 1.0, True)
    for _ in range(200):
        agitation.step(-0.5, 0.0, 0.0, False)
    assert agitation.amount < 0.02
