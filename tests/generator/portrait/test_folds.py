"""An expression is held back exactly where, in this view, the skin would fold over itself."""

from collections.abc import Callable
from functools import cache, partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from generator.arkit import EXPRESSIONS, INDEX
from generator.face.decoder import BoundFace, FaceDecoder
from generator.portrait.folds import LEAST_GIVE, PROBES, hold_back, measure_give
from generator.portrait.portrait import Portrait
from generator.portrait.pose import Pose, rotation_matrix

Array = NDArray[np.float64]
Row = NDArray[np.float32]
Give = NDArray[np.float32]

HELD = {
    "mouthLeft",
    "mouthRight",
    "mouthPucker",
    "mouthFunnel",
    *(f"mouth{name}{side}" for name in ("Smile", "Stretch", "Dimple", "Frown") for side in ("Left", "Right")),
}
FREE = [name for name in EXPRESSIONS if name not in HELD]


@pytest.fixture(scope="module")
def face(landmarker) -> BoundFace:
    return FaceDecoder.load().bind(landmarker.canonical[0])


@pytest.fixture(scope="module")
def give_at(face: BoundFace, landmarker) -> Callable[[float], Give]:
    """How much the canonical face gives when the head is turned by some yaw."""

    @cache
    def build(yaw: float) -> Give:
        return measure_give(face, turned(yaw), landmarker.canonical[1])

    return build


def turned(yaw: float) -> Pose:
    return Pose(12.0, rotation_matrix(yaw, 0, 0), np.array([256.0, -256.0, 0.0]))


def weights(**named: float) -> Row:
    row = np.zeros(len(EXPRESSIONS), np.float32)
    for name, weight in named.items():
        row[INDEX[name]] = weight
    return row


def folded_cm2(
    move: Callable[[Row], NDArray[np.float32]], neutral: Array, pose: Pose, triangles: NDArray[np.int32]
) -> float:
    """Area in the picture of the triangles that turn over, summed over the probe expressions, cm2."""

    def area(points: Array) -> Array:
        a, b, c = (pose.to_view(points)[triangles[:, k], :2] for k in range(3))
        return np.asarray(np.linalg.det(np.stack([b - a, c - a], 1)) / 2 / pose.scale**2)

    at_rest = area(neutral) > 0
    moved = [area(neutral + move(weights(**probe)))[at_rest] for probe in PROBES]
    return float(sum(-areas[areas < 0].sum() for areas in moved))


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(FREE), st.floats(0, 1, width=32), max_size=12))
def test_all_but_widening_and_rounding_of_the_mouth_is_the_decoders_exactly(face, named):
    least = np.full((468, 1), LEAST_GIVE, np.float32)
    row = weights(**named)
    np.testing.assert_array_equal(hold_back(face, least, row), face(row))


@pytest.mark.parametrize("name", sorted(HELD))
def test_each_widening_and_rounding_of_the_mouth_can_be_held_back(face, name: str):
    row = weights(**{name: 0.8})
    halved = hold_back(face, np.full((468, 1), 0.5, np.float32), row)
    np.testing.assert_allclose(halved, 0.5 * face(row), atol=1e-5)


def test_what_is_held_back_is_a_share_of_that_expression_and_of_nothing_else(give_at, face):
    give = give_at(35)
    opened = weights(jawOpen=0.6, eyeBlinkLeft=1)
    smiling = weights(jawOpen=0.6, eyeBlinkLeft=1, mouthSmileLeft=0.9)
    np.testing.assert_allclose(
        hold_back(face, give, smiling) - face(opened), give * (face(smiling) - face(opened)), atol=1e-5
    )


@pytest.mark.parametrize("yaw", [-40, -20, 0, 20, 40])
def test_every_vertex_gives_between_the_least_share_and_everything(give_at, yaw: float):
    give = give_at(yaw)
    assert give.shape == (468, 1)
    assert give.min() >= np.float32(LEAST_GIVE)
    assert give.max() <= 1


def test_seen_from_the_front_nothing_is_held_back(give_at):
    assert (give_at(0) == 1).all()


def test_in_a_three_quarter_view_the_mouth_is_held_back_and_the_eyes_are_not(give_at, face):
    give = give_at(35)[:, 0]
    mouth = np.linalg.norm(face.neutral[:, :2] - face.neutral[13, :2], axis=1) < 4.5
    assert give[mouth].min() < 0.6
    assert give[[33, 133, 362, 263, 10]].min() > 0.9


@pytest.mark.parametrize("yaw", [-15, -5, 5, 15])
def test_folds_too_small_to_be_seen_hold_no_smile_back(give_at, yaw: float):
    assert give_at(yaw)[[61, 291]].min() > 0.9


@pytest.mark.parametrize("yaw", [-40, -30, -20, 20, 30, 40])
def test_less_skin_turns_over_in_a_three_quarter_view(give_at, face, landmarker, yaw: float):
    triangles = landmarker.canonical[1]
    held = folded_cm2(partial(hold_back, face, give_at(yaw)), face.neutral, turned(yaw), triangles)
    assert held < 0.6 * folded_cm2(face, face.neutral, turned(yaw), triangles)


def test_a_sitters_face_folds_no_more_than_the_decoder_alone(sitting: Portrait, landmarker):
    face, give, triangles = sitting.skin.face, sitting.skin.give, landmarker.canonical[1]
    assert give.min() >= np.float32(LEAST_GIVE)
    held = folded_cm2(partial(hold_back, face, give), face.neutral, sitting.pose, triangles)
    assert held <= folded_cm2(face, face.neutral, sitting.pose, triangles) + 1e-9
