"""Blinks are counted, timed and told from eyes that stay shut."""

import numpy as np
import pytest

from generator.evaluation import blinks

FPS = 25.0


def lids(frames: int, *at: tuple[float, float], slow: float = 0.0) -> np.ndarray:
    """Openings 0.3 wide with triangular blinks of (middle, half-height duration), s."""
    times = np.arange(frames) / FPS
    shut = np.zeros(frames)
    for middle, seconds in at:
        shut = np.maximum(shut, np.clip(1 - np.abs(times - middle) / seconds, 0, 1))
    return 0.3 * (1 - 0.9 * shut) + slow * np.sin(times)


def test_every_blink_is_found_once():
    found = blinks.find(lids(250, (1.0, 0.12), (3.02, 0.12), (7.0, 0.16)), FPS)
    assert len(found) == 3
    assert blinks.per_minute(found, 10.0) == 18
    middles = [(blink.start + blink.end) / 2 for blink in found]
    assert middles == pytest.approx([1.0, 3.02, 7.0], abs=0.03)


@pytest.mark.parametrize("seconds", [0.1, 0.16, 0.25])
def test_its_duration_is_measured_between_frames(seconds: float):
    (blink,) = blinks.find(lids(100, (2.0, seconds)), FPS)
    assert blink.milliseconds == pytest.approx(1000 * 2 * 0.7 * seconds, abs=15)


def test_eyes_that_narrow_slowly_do_not_blink():
    assert blinks.find(lids(500, slow=0.05), FPS) == []


def test_tracker_noise_is_no_blink():
    noise = np.random.default_rng(0).normal(0, 0.01, 500)
    assert blinks.find(lids(500, (5.0, 0.15)) + noise, FPS)[0].depth > 0.7
    assert len(blinks.find(lids(500, (5.0, 0.15)) + noise, FPS)) == 1


def test_scale_does_not_matter():
    curve = lids(250, (1.0, 0.12), (4.0, 0.12))
    assert len(blinks.find(17 * curve, FPS)) == len(blinks.find(curve, FPS)) == 2


def test_a_latched_eye_shows_in_the_longest_closure_and_a_blink_does_not():
    latched = lids(250)
    latched[100:140] = 0.02
    assert blinks.latched_seconds(latched, FPS) == pytest.approx(1.6)
    assert blinks.latched_seconds(lids(250, (3.0, 0.15)), FPS) < 0.3


def test_a_blink_cut_by_the_end_is_left_out():
    assert blinks.find(lids(100, (4.0, 0.15)), FPS) == []
