"""Skin follows what is moved, stays where it is held, and parts by no more than it must."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from generator.face import topology
from generator.face.decoder import FaceDecoder
from generator.training.elastic import ElasticSheet

UPPER = np.array(topology.INNER_LIP_UPPER[1:-1])
LOWER = np.array(topology.INNER_LIP_LOWER[1:-1])
SEAM = np.array([topology.INNER_LIP_UPPER[0], topology.INNER_LIP_UPPER[-1]])


@pytest.fixture(scope="module")
def sheet() -> ElasticSheet:
    shape = FaceDecoder.load().mean_shape
    triangles = Delaunay(shape[:, :2]).simplices.astype(np.int32)
    return ElasticSheet(triangles, np.zeros(topology.VERTEX_COUNT, bool))


def test_moved_points_arrive_and_held_points_stay(sheet: ElasticSheet) -> None:
    response = sheet.carry(UPPER, SEAM)
    assert np.allclose(response[UPPER], np.eye(len(UPPER)), atol=1e-9)
    assert np.allclose(response[SEAM], 0, atol=1e-9)


def test_skin_near_a_moved_point_follows_more_than_skin_far_away(sheet: ElasticSheet) -> None:
    follow = sheet.carry(np.array([topology.CHIN]), SEAM)[:, 0]
    assert follow[175] > 0.3
    assert abs(follow[topology.FOREHEAD_TOP]) < 0.01


@pytest.fixture
def lacking() -> NDArray[np.float64]:
    return np.random.default_rng(3).normal(0, 0.3, (40, len(UPPER)))


def test_crossed_lips_are_parted_as_far_as_they_cross(
    sheet: ElasticSheet, lacking: NDArray[np.float64]
) -> None:
    moved = sheet.part(UPPER, LOWER, SEAM, lacking)
    parted = moved[:, UPPER] - moved[:, LOWER]
    assert (parted >= lacking - 1e-3).all()
    assert np.allclose(moved[:, SEAM], 0, atol=1e-9)


def test_contact_pushes_only_where_lips_touch(sheet: ElasticSheet, lacking: NDArray[np.float64]) -> None:
    assert not sheet.part(UPPER, LOWER, SEAM, -np.abs(lacking)).any()
