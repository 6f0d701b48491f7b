"""The classifier sees a face that we move, and knows it from the same picture held still."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from detector.classifier import Classification, Classifier, classifier
from detector.classifier.classifier import CALIBRATION, STATEMENT, WEIGHTS, load_network
from detector.classifier.evidence import square
from detector.classifier.training import degrade
from detector.errors import ClassifierError
from generator.motion import driver
from generator.portrait.portrait import Portrait
from generator.render.renderer import Renderer
from generator.sitters import sitters
from generator.speech.audio import Speech

FPS = 25.0
FRAMES = 75
FRAME_PX = 512
SITTER = "cartoon_keeper"
"""None of its films was learnt from."""


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads, cv_threads = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    yield
    torch.set_num_threads(threads)
    cv2.setNumThreads(cv_threads)


@pytest.fixture(scope="module")
def released() -> Classifier:
    return Classifier.load()


@pytest.fixture(scope="module")
def speaking(portraits: dict[str, Portrait]) -> list[np.ndarray]:
    clip = next(sitter.clip for sitter in sitters() if sitter.name == SITTER)
    motion = driver.get("learned")(Speech.open(clip.path), seed=4)
    renderer = Renderer(portraits[SITTER])
    return [renderer.frame(row) for row in motion.values[10 : 10 + FRAMES]]


def look(released: Classifier, frames: list[np.ndarray]) -> Classification:
    watch = released.watcher()
    for number, frame in enumerate(frames):
        watch.see(number / FPS, frame)
    return watch.done()


@pytest.fixture(scope="module")
def seen(released: Classifier, speaking: list[np.ndarray]) -> Classification:
    return look(released, speaking)


def test_a_sitter_who_speaks_is_told_from_the_same_picture_held_still_and_before_a_moving_camera(
    released: Classifier, speaking: list[np.ndarray], seen: Classification
):
    still = [(number / FPS, speaking[0]) for number in range(FRAMES)]
    filmed = degrade.filmed(still, np.random.default_rng(2))
    assert seen.ours is not None
    for clip in (still, filmed):
        not_speaking = look(released, [frame for _, frame in clip]).ours
        assert not_speaking is not None
        assert seen.ours > not_speaking + 0.1


def test_what_is_ours_is_synthetic_too(seen: Classification):
    assert seen.ours is not None
    assert seen.synthetic is not None
    assert seen.synthetic >= seen.ours


def test_the_face_is_followed_through_the_film_in_shares_of_the_frame(seen: Classification):
    (face,) = seen.faces
    assert face.start < 0.5
    assert face.end > FRAMES / FPS - 0.5
    x, y, width, height = face.box
    assert 0 < x < x + width < 1
    assert 0 < y < y + height < 1
    assert all(0 <= moment.ours <= 1 and 0 <= moment.synthetic <= 1 for moment in seen.moments)
    assert [moment.at for moment in seen.moments] == sorted(moment.at for moment in seen.moments)


def test_the_same_frames_at_any_size_hold_the_same_face(released: Classifier, speaking: list[np.ndarray]):
    small = [cv2.resize(frame, (256, 256), interpolation=cv2.INTER_AREA) for frame in speaking]
    (there,), (here,) = look(released, small).faces, look(released, speaking).faces
    assert there.box == pytest.approx(here.box, abs=0.05)


def test_nothing_is_said_of_a_film_without_a_face_or_of_one_too_short(
    released: Classifier, speaking: list[np.ndarray]
):
    rng = np.random.default_rng(1)
    noise = [rng.integers(0, 256, (120, 160, 3), dtype=np.uint8) for _ in range(20)]
    for frames in ([], noise, speaking[:12]):
        found = look(released, frames)
        assert found.ours is None
        assert found.synthetic is None
        assert found.faces == found.moments == ()
        assert not found.is_unfamiliar


def test_frames_may_change_their_size_and_come_as_fast_as_they_like(
    released: Classifier, speaking: list[np.ndarray]
):
    watch = released.watcher()
    for number, frame in enumerate(speaking):
        shown = frame if number < 40 else frame[::2, ::2].copy()
        watch.see(number / 100, shown)
    assert all(np.isfinite([moment.ours, moment.synthetic]).all() for moment in watch.done().moments)


def test_the_heatmap_lies_on_the_face_it_was_asked_about(
    released: Classifier, speaking: list[np.ndarray], seen: Classification
):
    moment = seen.moments[len(seen.moments) // 2]
    until = round(moment.at * FPS)
    frames = [(number / FPS, speaking[number]) for number in range(until - 8, until + 1)]
    heat = released.heatmap(frames, moment.box)
    assert heat.shape == speaking[0].shape[:2]
    assert heat.dtype == np.float32
    assert heat.min() >= 0
    assert heat.max() <= 1
    left, top, side = square(np.array(moment.box) * FRAME_PX)
    beside = heat.copy()
    beside[max(0, top) : top + side, max(0, left) : left + side] = 0
    assert beside.sum() == 0 < heat.max()
    with pytest.raises(ClassifierError, match=r"0\.24 s"):
        released.heatmap(frames[-2:], moment.box)


def test_the_operating_points_state_what_their_sample_supports(released: Classifier):
    strict, common = released.operating_points["fpr_0.1"], released.operating_points["fpr_1"]
    assert 0 < common.threshold <= strict.threshold <= 1
    for point in released.operating_points.values():
        assert point.n > 0
        assert point.fpr < point.fpr_upper_95
        assert point.fpr_upper_95 >= 1 - 0.05 ** (1 / point.n) - 1e-3


def test_the_weights_fit_and_only_those_released_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert WEIGHTS.stat().st_size <= 8_000_000
    load_network(WEIGHTS, STATEMENT)
    changed = tmp_path / WEIGHTS.name
    changed.write_bytes(WEIGHTS.read_bytes()[:-1] + b"\0")
    with pytest.raises(ClassifierError, match="not the file that was released"):
        load_network(changed, STATEMENT)
    with pytest.raises(ClassifierError, match="not installed"):
        load_network(tmp_path / "none.safetensors", STATEMENT)
    monkeypatch.setattr(classifier, "CALIBRATION", tmp_path / CALIBRATION.name)
    with pytest.raises(ClassifierError, match=r"calibration\.json"):
        Classifier.load()


def test_what_lies_far_from_all_that_was_learnt_is_called_unfamiliar(released: Classifier):
    calibration = released.calibration
    assert calibration.unfamiliar(calibration.odd) == pytest.approx(0.5)
    assert calibration.unfamiliar(calibration.usual) < 0.1
    assert calibration.unfamiliar(10 * calibration.odd) > 0.99
    assert replace(calibration, odd=calibration.usual).unfamiliar(calibration.usual) == pytest.approx(0.5)
