"""What the classifier is shown: one square in three frames, and only what changed between them."""

import cv2
import numpy as np
import pytest

from detector.classifier.calibration import Sigmoid
from detector.classifier.evidence import CROP_PX, MARGIN, Sampler, crop_of, evidence, square
from detector.classifier.faces import Tracks, overlap


def picture(rng: np.random.Generator, side: int = 300) -> np.ndarray:
    coarse = rng.integers(0, 256, (30, 30, 3), dtype=np.uint8)
    return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)


def test_the_square_is_centred_on_the_box_and_half_as_large_again():
    left, top, side = square(np.array([100.0, 80.0, 40.0, 60.0]))
    assert side == MARGIN * 60
    assert left + side / 2 == pytest.approx(120, abs=1)
    assert top + side / 2 == pytest.approx(110, abs=1)


@pytest.mark.parametrize(
    "box", [(-30.0, -30, 50, 50), (280, 280, 80, 80), (900, 900, 20, 20), (0, 0, 700, 700)]
)
def test_a_square_beyond_the_frame_is_filled(box: tuple[float, ...]):
    cut = crop_of(picture(np.random.default_rng(0)), np.array(box))
    assert cut.shape == (CROP_PX, CROP_PX)
    assert cut.dtype == np.uint8


def test_a_picture_that_does_not_move_shows_no_change_no_flow_and_nothing_unexplained():
    still = crop_of(picture(np.random.default_rng(1)), np.array([60.0, 60, 120, 120]))
    stack = evidence(still, still, still)
    assert (stack[0] == still).all()
    assert (stack[1:] == 128).all()


def test_what_moves_right_flows_right_and_is_explained_by_it():
    frame = picture(np.random.default_rng(2))
    box = np.array([90.0, 90, 75, 75])
    before = crop_of(frame, box)
    now = crop_of(np.roll(frame, 3, axis=1), box)
    stack = evidence(now, before, before).astype(float) - 128
    middle = slice(20, -20), slice(20, -20)
    assert stack[2][middle].mean() == pytest.approx(16 * 3, abs=5)
    assert abs(stack[3][middle].mean()) < 3
    assert np.abs(stack[4][middle]).mean() < 0.3 * np.abs(stack[1][middle]).mean()


def test_a_track_follows_its_face_and_ends_when_it_is_gone():
    tracks = Tracks()
    here, there = np.array([10.0, 10, 50, 50]), np.array([200.0, 10, 50, 50])
    moved = np.array([14.0, 10, 50, 50])
    tracks.update(0.0, [here, there])
    tracks.update(0.4, [there, moved])
    assert [track.number for track in tracks.current] == [0, 1]
    assert overlap(tracks.current[0].box, moved) > 0.9
    tracks.update(2.0, [there])
    assert [track.number for track in tracks.current] == [1]
    assert overlap(here, there) == 0


def test_frames_far_apart_give_no_evidence():
    sampler = Sampler()
    frame = picture(np.random.default_rng(3))
    assert [sampler.see(5.0 * number, frame) for number in range(4)] == [[]] * 4


def test_a_fitted_sigmoid_is_calibrated_and_finite_when_classes_are_apart():
    rng = np.random.default_rng(4)
    scores = rng.normal(0, 2, 4000)
    labels = rng.random(4000) < 1 / (1 + np.exp(-(1.5 * scores - 1)))
    fitted = Sigmoid.fit(scores, labels)
    assert fitted.slope == pytest.approx(1.5, abs=0.15)
    assert fitted.offset == pytest.approx(-1, abs=0.15)
    apart = Sigmoid.fit(np.array([-3.0] * 20 + [3.0] * 20), np.array([False] * 20 + [True] * 20))
    assert 0.9 < apart(3.0) < 0.99
    assert apart(1e9) < 1
