"""A face left alone stays alive, stays in its place, and never jumps."""

import numpy as np
import pytest
from numpy.typing import NDArray

from generator.arkit import INDEX
from generator.motion.idle import Idle
from generator.motion.motion import FPS, Motion

MINUTES = 4


def _run(frames: int, seed: int = 0, speaking: bool = False, rate: float = 1.0) -> NDArray[np.float64]:
    idle = Idle(seed, lambda _: rate)
    return np.stack([idle.step(speaking, np.array([3.0, 0.0])) for _ in range(frames)])


@pytest.fixture(scope="module", params=[False, True], ids=["silent", "speaking"])
def rows(request: pytest.FixtureRequest) -> NDArray[np.float64]:
    return _run(round(MINUTES * 60 * FPS), speaking=request.param)


def test_every_frame_is_a_valid_motion_that_begins_at_rest(rows: NDArray[np.float64]) -> None:
    motion = Motion(rows.astype(np.float32))
    assert np.abs(motion.translation[0]).max() < 0.01
    assert motion.expressions[0].max() == 0


def test_the_body_breathes_in_its_place(rows: NDArray[np.float64]) -> None:
    height = rows[:, 55]
    assert 0.08 < np.ptp(height) < 0.3
    assert np.abs(np.diff(height)).max() * FPS < 0.3


def test_eyes_mostly_undo_the_turn_of_the_head(rows: NDArray[np.float64]) -> None:
    assert -3.2 < rows[:, 57].mean() < -1.3


def test_eyes_move_and_blink_as_people_do(rows: NDArray[np.float64]) -> None:
    shut = rows[:, INDEX["eyeBlinkLeft"]] > 0.5
    edges = np.flatnonzero(np.diff(shut.astype(int)))
    starts, ends = edges[::2], edges[1::2]
    assert 10 <= len(starts) / MINUTES <= 32
    assert ((ends - starts[: len(ends)]) / FPS <= 0.4).all()
    saccades = np.abs(np.diff(rows[:, 57])) > 0.7
    assert 15 < saccades.sum() / MINUTES < 120


def test_the_same_seed_is_the_same_life_and_another_is_another() -> None:
    assert np.array_equal(_run(100, seed=3), _run(100, seed=3))
    assert not np.array_equal(_run(100, seed=3), _run(100, seed=4))


def test_blinking_follows_its_rate() -> None:
    counts = [
        np.count_nonzero(np.diff((_run(1500, rate=rate)[:, INDEX["eyeBlinkLeft"]] > 0.5).astype(int)) > 0)
        for rate in (0.0, 0.5, 1.0, 2.0)
    ]
    assert counts[0] == 0
    assert counts == sorted(set(counts))
