"""Head poses: which way the angles turn, and that a similarity is recovered exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.portrait.pose import (
    Pose,
    fit_pose,
    landmarks_to_view,
    rotation_degrees,
    rotation_matrix,
)

NOSE = np.array([0.0, 0.0, 1.0])
HEAD_TOP = np.array([0.0, 1.0, 0.0])
RIGHT, UP = 0, 1

turns = st.tuples(st.floats(-179, 179), st.floats(-89, 89), st.floats(-179, 179))


@st.composite
def poses(draw: st.DrawFn) -> Pose:
    shift = np.array([draw(st.floats(-600, 600)) for _ in range(3)])
    return Pose(draw(st.floats(0.5, 60)), rotation_matrix(*draw(turns)), shift)


def cloud(seed: int, count: int = 30) -> np.ndarray:
    """Points spread like a face's, cm."""
    return np.random.default_rng(seed).normal(size=(count, 3)) * (5, 6, 3)


@given(turns)
def test_degrees_survive_the_matrix(degrees: tuple[float, float, float]):
    assert rotation_degrees(rotation_matrix(*degrees)) == pytest.approx(degrees, abs=1e-4)


@given(turns)
def test_a_rotation_keeps_lengths_and_handedness(degrees: tuple[float, float, float]):
    rotation = rotation_matrix(*degrees)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_positive_yaw_turns_the_nose_to_the_images_right():
    angle = np.radians(20)
    np.testing.assert_allclose(
        rotation_matrix(20, 0, 0) @ NOSE, (np.sin(angle), 0, np.cos(angle)), atol=1e-12
    )


def test_positive_pitch_lifts_the_nose():
    angle = np.radians(20)
    np.testing.assert_allclose(
        rotation_matrix(0, 20, 0) @ NOSE, (0, np.sin(angle), np.cos(angle)), atol=1e-12
    )


def test_positive_roll_tips_the_top_of_the_head_to_the_images_right():
    angle = np.radians(20)
    np.testing.assert_allclose(
        rotation_matrix(0, 0, 20) @ HEAD_TOP, (np.sin(angle), np.cos(angle), 0), atol=1e-12
    )


@given(turns)
def test_roll_is_about_the_nose(degrees: tuple[float, float, float]):
    yaw, pitch, roll = degrees
    nose = rotation_matrix(yaw, pitch, 0) @ NOSE
    np.testing.assert_allclose(rotation_matrix(yaw, pitch, roll) @ NOSE, nose, atol=1e-12)


@given(poses(), st.integers(0, 2**16))
def test_a_similarity_is_recovered_from_its_points(pose: Pose, seed: int):
    head = cloud(seed)
    found = fit_pose(head, pose.to_view(head))
    assert found.scale == pytest.approx(pose.scale, rel=1e-9)
    np.testing.assert_allclose(found.rotation, pose.rotation, atol=1e-9)
    np.testing.assert_allclose(found.translation, pose.translation, atol=1e-6)


@given(poses(), st.integers(0, 2**16))
def test_no_pose_fits_noisy_points_better_than_the_one_found(pose: Pose, seed: int):
    head = cloud(seed)
    noisy = pose.to_view(head + np.random.default_rng(seed + 1).normal(size=head.shape))
    found = fit_pose(head, noisy)
    error = ((found.to_view(head) - noisy) ** 2).sum()
    assert error <= ((pose.to_view(head) - noisy) ** 2).sum()
    for factor in (0.99, 1.01):
        other = Pose(found.scale * factor, found.rotation, found.translation)
        assert error < ((other.to_view(head) - noisy) ** 2).sum()


@given(st.integers(0, 2**16))
def test_mirrored_points_are_fitted_by_a_turn_never_by_a_mirror(seed: int):
    head = cloud(seed)
    assert np.linalg.det(fit_pose(head, head * (-1, 1, 1)).rotation) == pytest.approx(1)


@given(poses(), st.integers(0, 2**16))
def test_view_and_head_coordinates_are_each_others_inverse(pose: Pose, seed: int):
    head = cloud(seed)
    np.testing.assert_allclose(pose.to_head(pose.to_view(head)), head, atol=1e-8)


def test_a_pose_tells_its_angles():
    assert Pose(3.0, rotation_matrix(12, -7, 4), np.zeros(3)).degrees == pytest.approx((12, -7, 4))


def test_view_coordinates_point_up_and_towards_the_camera():
    lower_and_further = np.array([[3.0, 20.0, 5.0]])
    view = landmarks_to_view(lower_and_further)
    np.testing.assert_array_equal(view, [[3, -20, -5]])
