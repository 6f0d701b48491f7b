"""A face left alone stays alive, stays in its place, and never jumps."""

import numpy as np
import pytest
from numpy.typing import NDArray

from generator.arkit import INDEX
from generator.motion.idle import Drift, Idle
from generator.motion.motion import FPS, Motion

MINUTES = 4


def _run(frames: int, seed: int = 0, speaking: bool = False, rate: float = 1.0) -> NDArray[np.float64]:
    idle = Idle(seed, lambda _: rate)
    return np.stack([idle.step(speaking, 0.7 * (speaking and i % 30 == 0)) for i in range(frames)])


@pytest.fixture(scope="module", params=[False, True], ids=["silent", "speaking"])
def rows(request: pytest.FixtureRequest) -> NDArray[np.float64]:
    return _run(round(MINUTES * 60 * FPS), speaking=request.param)


def test_every_frame_is_a_valid_motion_that_begins_at_rest(rows: NDArray[np.float64]) -> None:
    motion = Motion(rows.astype(np.float32))
    assert np.abs(motion.rotation[0]).max() < 0.2
    assert motion.expressions[0].max() == 0


def test_head_stays_about_its_place_without_jumps(rows: NDArray[np.float64]) -> None:
    head = rows[:, 51:54]
    thirds = [part.mean(0) for part in np.array_split(head, 3)]
    assert np.abs(np.diff(thirds, axis=0)).max() < 0.8
    assert (head.std(0) > 0.2).all()
    assert (head.std(0) < 3).all()
    assert np.abs(np.diff(head, axis=0)).max() * FPS < 40


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


def test_drift_has_unit_variance_and_is_smooth() -> None:
    drift = Drift(8, 0.4, np.random.default_rng(0))
    values = np.stack([drift.step() for _ in range(5000)])
    assert values.std() == pytest.approx(1, abs=0.1)
    assert np.diff(values, axis=0).std() < 0.2
