"""A similarity that really took one point set onto another is found again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from generator.face.alignment import Similarity, align

angles = st.tuples(*[st.floats(-3, 3)] * 3)
shifts = st.tuples(*[st.floats(-100, 100)] * 3)


@given(scale=st.floats(0.05, 20), angle=angles, shift=shifts, seed=st.integers(0, 1000))
def test_a_known_similarity_is_recovered(
    scale: float, angle: tuple[float, ...], shift: tuple[float, ...], seed: int
) -> None:
    points = np.random.default_rng(seed).normal(size=(20, 3))
    known = Similarity(scale, Rotation.from_rotvec(angle).as_matrix(), np.array(shift))
    found = align(points, known(points))
    assert found.scale == pytest.approx(scale, rel=1e-6)
    assert np.allclose(found.rotation, known.rotation, atol=1e-6)
    assert np.allclose(found.inverse(known(points)), points, atol=1e-6)


def test_a_mirror_image_is_never_answered_with_a_reflection() -> None:
    points = np.random.default_rng(0).normal(size=(20, 3))
    found = align(points, points * [-1, 1, 1])
    assert np.linalg.det(found.rotation) == pytest.approx(1.0)
