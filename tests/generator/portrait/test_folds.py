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


def flipped(
    move: Callable[[Row], NDArray[np.float32]], neutral: Array, pose: Pose, triangles: NDArray[np.int32]
) -> int:
    """How many triangles that face the camera at rest turn over, summed over the probe expressions."""

    def towards(points: Array) -> NDArray[np.bool_]:
        a, b, c = (pose.to_view(points)[triangles[:, k], :2] for k in range(3))
        return np.asarray(np.linalg.det(np.stack([b - a, c - a], 1)) > 0)

    at_rest = towards(neutral)
    return sum(int((at_rest & ~towards(neutral + move(weights(**probe)))).sum()) for probe in PROBES)


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


def test_in_a_three_quarter_view_the_mouth_is_held_back_and_the_eyes_are_not(give_at):
    give = give_at(35)[:, 0]
    assert give[[61, 291]].min() < 0.9
    assert give[[33, 133, 362, 263, 10]].min() > 0.9


@pytest.mark.parametrize("yaw", [-40, -30, -20, 20, 30, 40])
def test_fewer_triangles_turn_over_in_a_three_quarter_view(give_at, face, landmarker, yaw: float):
    triangles = landmarker.canonical[1]
    held = flipped(partial(hold_back, face, give_at(yaw)), face.neutral, turned(yaw), triangles)
    assert held < 0.85 * flipped(face, face.neutral, turned(yaw), triangles)


def test_a_sitters_face_folds_no_more_than_the_decoder_alone(sitting: Portrait, landmarker):
    face, give, triangles = sitting.skin.face, sitting.skin.give, landmarker.canonical[1]
    assert give.min() >= np.float32(LEAST_GIVE)
    held = flipped(partial(hold_back, face, give), face.neutral, sitting.pose, triangles)
    assert held <= flipped(face, face.neutral, sitting.pose, triangles)
