"""Fitting reads back the expressions that moved a face."""

import numpy as np
import pytest

from generator.arkit import EXPRESSIONS, INDEX
from generator.errors import MotionError
from generator.face.decoder import BoundFace, FaceDecoder
from generator.face.fitting import fit

ALL = np.arange(468)


@pytest.fixture(scope="module")
def face() -> BoundFace:
    decoder = FaceDecoder.load()
    return decoder.bind(decoder.mean_shape * [0.97, 1.04, 1.0])


def performed(**weights: float) -> np.ndarray:
    w = np.zeros(len(EXPRESSIONS))
    for name, value in weights.items():
        w[INDEX[name]] = value
    return w


@pytest.mark.parametrize(
    "weights",
    [
        performed(),
        performed(jawOpen=0.4, mouthFunnel=0.5),
        performed(jawOpen=0.3, mouthClose=0.3),
        performed(mouthSmileLeft=0.7, mouthSmileRight=0.5, jawOpen=0.2),
        performed(eyeBlinkLeft=1.0, eyeBlinkRight=0.4, browInnerUp=0.6),
        performed(mouthPucker=0.8, eyeSquintLeft=0.5, eyeSquintRight=0.5),
    ],
    ids=["rest", "oh", "em", "crooked smile", "wink", "kiss"],
)
def test_a_performance_is_read_back(face: BoundFace, weights: np.ndarray) -> None:
    moved = face(weights)
    fitted = fit(face, moved[None], ALL)[0]
    assert np.linalg.norm(face(fitted) - moved, axis=1).mean() < 0.05
    assert np.abs(fitted - weights).mean() < 0.04
    named = weights > 0.3
    assert np.abs(fitted - weights)[named].max(initial=0.0) < 0.2


def test_noisy_landmarks_still_give_admissible_weights(face: BoundFace) -> None:
    noise = np.random.default_rng(0).normal(0, 0.2, (5, 468, 3))
    fitted = fit(face, noise, ALL)
    assert fitted.shape == (5, 51)
    assert ((fitted >= 0) & (fitted <= 1)).all()


def test_a_subset_of_landmarks_is_enough(face: BoundFace) -> None:
    weights = performed(jawOpen=0.5)
    some = np.unique(np.r_[ALL[::4], 13, 14, 152, 159, 145, 386, 374])
    fitted = fit(face, face(weights)[None, some], some)[0]
    assert fitted[INDEX["jawOpen"]] == pytest.approx(0.5, abs=0.1)


def test_landmarks_without_vertices_are_refused(face: BoundFace) -> None:
    with pytest.raises(MotionError, match="landmark"):
        fit(face, np.zeros((3, 10, 3)), ALL)
