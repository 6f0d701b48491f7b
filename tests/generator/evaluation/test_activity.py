"""Head activity, drift and jitter of motions whose answers are known."""

import numpy as np
import pytest

from generator.evaluation import head, jitter
from generator.evaluation.track import FaceTrack, track_motion
from generator.face.decoder import FaceDecoder
from generator.motion.motion import Motion

FPS = 25.0


def track(frames: int = 500, **curves: np.ndarray) -> FaceTrack:
    still = {name: np.zeros(frames) for name in ("opening", "width", "lids", "brows")}
    flat = {"rotation": np.zeros((frames, 3)), "translation": np.zeros((frames, 3))}
    return FaceTrack(
        FPS, **(still | flat | {"gaze": np.zeros((frames, 2)), "scale": np.ones(frames)} | curves)
    )


def test_spread_and_speed_of_a_head_that_swings():
    times = np.arange(500) / FPS
    rotation = np.zeros((500, 3))
    rotation[:, 1] = 5 * np.sin(2 * np.pi * 0.5 * times)
    found = head.activity(track(rotation=rotation))
    assert found.spread_deg == pytest.approx((0, 5 / np.sqrt(2), 0), abs=0.02)
    assert found.speed_deg_per_s[1] == pytest.approx(5 * np.pi, rel=0.02)


def test_drift_is_what_remains_after_swaying():
    minutes = 10 * 60 * 25
    sway = 4 * np.random.default_rng(0).standard_normal((minutes, 2))
    wander = np.linspace(0, 3, minutes)[:, None] * (1, 0)
    moved = head.drift(sway + wander, FPS)
    assert moved[0] == pytest.approx(2.7, abs=0.5)
    assert abs(moved[1]) < 0.5


def test_roughness_is_that_of_known_curves():
    times = np.arange(5000) / FPS
    assert jitter.roughness(times) == pytest.approx(0, abs=1e-9)
    assert jitter.roughness(np.sin(2 * np.pi * times)) == pytest.approx(2 * np.pi / FPS, rel=0.02)
    noise = np.random.default_rng(0).standard_normal(5000)
    assert jitter.roughness(noise) == pytest.approx(np.sqrt(3), rel=0.03)
    assert jitter.roughness(np.full(100, 3.0)) == 0


def test_a_trembling_face_is_rougher_than_real_ones_and_a_calm_one_is_not():
    times = np.arange(500) / FPS
    noise = np.random.default_rng(0).standard_normal((500, 5))
    calm = np.sin(2 * np.pi * np.outer(times, np.ones(5)) * 0.5)

    def faces(curves: np.ndarray) -> list[FaceTrack]:
        return [track(opening=curves[:, 0], width=curves[:, 1], rotation=curves[:, 2:])]

    assert jitter.ratio(faces(noise)) > 1.5
    assert jitter.ratio(faces(calm)) < 0.5


def test_a_decoded_motion_opens_closes_and_blinks():
    motion = np.zeros((4, 59), np.float32)
    from generator.arkit import INDEX

    motion[1, INDEX["jawOpen"]] = 0.3
    motion[2, [INDEX["jawOpen"], INDEX["mouthClose"]]] = 0.3
    motion[3, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = 1.0
    motion[3, 51:59] = 10, -5, 2, 1, 0, 7, 4, -3
    found = track_motion(Motion(motion), FaceDecoder.load())
    assert found.opening[0] == 0
    assert found.opening[1] > 0.7
    assert found.opening[2] < 0.05
    assert found.lids[3] < 0.1 * found.lids[0]
    assert found.rotation[3] == pytest.approx((10, -5, 2))
    assert found.gaze[3] == pytest.approx((4, -3))
    assert found.scale[3] == pytest.approx(1.1)
