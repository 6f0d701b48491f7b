"""The decoder keeps its promises on any portrait: rest is rest, lips never cross, a blink closes."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from generator.arkit import EXPRESSIONS, INDEX
from generator.errors import ModelError
from generator.face import topology
from generator.face.decoder import WEIGHTS, FaceDecoder
from generator.face.shape import mouth_vertical

DECODER = FaceDecoder.load()
MEAN = DECODER.mean_shape
TOLERANCE_CM = 1e-4
CLOSED_CM = 0.03

EYES = {
    "Right": (topology.RIGHT_EYE_UPPER, topology.RIGHT_EYE_LOWER),
    "Left": (topology.LEFT_EYE_UPPER, topology.LEFT_EYE_LOWER),
}

sparse_weights = st.dictionaries(st.sampled_from(EXPRESSIONS), st.floats(0, 1, width=32), max_size=8)
dense_weights = st.lists(st.floats(0, 1, width=32), min_size=51, max_size=51).map(
    lambda values: dict(zip(EXPRESSIONS, values, strict=True))
)
any_weights = sparse_weights | dense_weights


def vector(weights: dict[str, float]) -> NDArray[np.float32]:
    w = np.zeros(len(EXPRESSIONS), np.float32)
    for name, value in weights.items():
        w[INDEX[name]] = value
    return w


def portrait(seed: int) -> NDArray[np.float64]:
    """The mean face as another sitter's landmarks might lie: stretched, mouth and eyes resized, noisy."""
    rng = np.random.default_rng(seed)
    shape = MEAN * rng.uniform(0.9, 1.1, 3)
    for upper, lower in EYES.values():
        shape = with_openings(shape, upper, lower, rng.uniform(0.5, 2.5))
    return shape + rng.normal(0, 0.05, shape.shape)


def with_openings(
    shape: NDArray[np.float64], upper: tuple[int, ...], lower: tuple[int, ...], factor: float
) -> NDArray[np.float64]:
    """The eye between two rings made ``factor`` as tall."""
    scaled = shape.copy()
    ring = list(set(upper + lower))
    middle = shape[[upper[0], upper[-1]], 1].mean()
    scaled[ring, 1] = middle + factor * (shape[ring, 1] - middle)
    return scaled


def lip_gaps(shape: NDArray[np.float64]) -> NDArray[np.float64]:
    upper, lower = list(topology.INNER_LIP_UPPER), list(topology.INNER_LIP_LOWER)
    gaps: NDArray[np.float64] = (shape[upper, :2] - shape[lower, :2]) @ mouth_vertical(shape)
    return gaps


def test_displacements_are_single_precision_vectors_for_every_vertex() -> None:
    moved = DECODER.bind(MEAN)(vector({"jawOpen": 0.5}))
    assert moved.shape == (topology.VERTEX_COUNT, 3)
    assert moved.dtype == np.float32


@pytest.mark.parametrize("seed", range(5))
def test_rest_is_exactly_rest(seed: int) -> None:
    assert not DECODER.bind(portrait(seed))(np.zeros(51)).any()


def test_an_open_jaw_opens_the_lips_as_wide_as_a_face_can() -> None:
    gap = lip_gaps(MEAN + DECODER.bind(MEAN)(vector({"jawOpen": 1.0}))).max()
    assert 3.0 < gap < 4.2


def test_left_is_the_sitters_left() -> None:
    moved = np.linalg.norm(DECODER.bind(MEAN)(vector({"mouthSmileLeft": 1.0})), axis=1)
    assert moved[291] > 4 * moved[61]
    moved = np.linalg.norm(DECODER.bind(MEAN)(vector({"eyeBlinkRight": 1.0})), axis=1)
    assert moved[159] > 0.5
    assert moved[386] < 0.05


def test_mouth_close_closes_the_lips_of_an_open_jaw_and_does_nothing_to_a_closed_one() -> None:
    face = DECODER.bind(MEAN)
    opened = lip_gaps(MEAN + face(vector({"jawOpen": 0.6}))).max()
    closed = lip_gaps(MEAN + face(vector({"jawOpen": 0.6, "mouthClose": 0.6}))).max()
    assert closed < 0.1 * opened
    assert not face(vector({"mouthClose": 1.0})).any()


def test_lips_open_at_rest_close_when_pressed() -> None:
    smiling = MEAN.copy()
    parted = 0.5 * np.sin(np.linspace(0, np.pi, 11))
    smiling[list(topology.INNER_LIP_LOWER), 1] -= parted
    smiling[list(topology.OUTER_LIP_LOWER), 1] -= parted
    rest = lip_gaps(smiling).max()
    pressed = vector({"mouthPressLeft": 0.6, "mouthPressRight": 0.6})
    assert lip_gaps(smiling + DECODER.bind(smiling)(pressed)).max() < 0.4 * rest


@settings(deadline=None, max_examples=100)
@given(weights=any_weights, seed=st.none() | st.integers(0, 30))
def test_the_red_of_the_lips_never_folds(weights: dict[str, float], seed: int | None) -> None:
    shape = MEAN if seed is None else portrait(seed)
    moved = shape + DECODER.bind(shape)(vector(weights))
    vertical = mouth_vertical(shape)
    for sign, inner, outer in (
        (1, topology.INNER_LIP_UPPER, topology.OUTER_LIP_UPPER),
        (-1, topology.INNER_LIP_LOWER, topology.OUTER_LIP_LOWER),
    ):
        at_rest, now = (
            sign * (points[list(outer[1:-1]), :2] - points[list(inner[1:-1]), :2]) @ vertical
            for points in (shape, moved)
        )
        assert (now >= np.minimum(at_rest, 0) - 0.05).all()


@settings(deadline=None, max_examples=150)
@given(weights=any_weights, seed=st.none() | st.integers(0, 30))
def test_lips_never_cross(weights: dict[str, float], seed: int | None) -> None:
    shape = MEAN if seed is None else portrait(seed)
    vertical = mouth_vertical(shape)
    upper, lower = list(topology.INNER_LIP_UPPER), list(topology.INNER_LIP_LOWER)
    rest = (shape[upper, :2] - shape[lower, :2]) @ vertical
    moved = shape + DECODER.bind(shape)(vector(weights))
    gaps = (moved[upper, :2] - moved[lower, :2]) @ vertical
    assert (gaps >= np.minimum(rest, 0) - TOLERANCE_CM).all()


@settings(deadline=None, max_examples=150)
@given(weights=any_weights, factor=st.floats(0.5, 2.5), side=st.sampled_from(sorted(EYES)))
def test_a_full_blink_closes_an_eye_of_any_height_whatever_else_the_face_does(
    weights: dict[str, float], factor: float, side: str
) -> None:
    upper, lower = EYES[side]
    shape = with_openings(MEAN, upper, lower, factor)
    moved = shape + DECODER.bind(shape)(vector(weights | {f"eyeBlink{side}": 1.0}))
    gaps = (moved[list(upper), 1] - moved[list(lower), 1])[1:-1]
    assert (gaps <= CLOSED_CM).all()
    assert (gaps >= -0.25).all()


@pytest.mark.parametrize(
    "other", [{}, {"eyeSquintRight": 0.8}, {"eyeWideRight": 1.0}, {"eyeLookDownRight": 0.6}]
)
def test_a_blink_closes_steadily(other: dict[str, float]) -> None:
    face = DECODER.bind(MEAN)
    upper, lower = EYES["Right"]
    openings = []
    for blink in np.linspace(0, 1, 21):
        moved = MEAN + face(vector(other | {"eyeBlinkRight": float(blink)}))
        openings.append(moved[upper[4], 1] - moved[lower[4], 1])
    assert (np.diff(openings) < 0).all()


@settings(deadline=None, max_examples=100)
@given(weights=any_weights, name=st.sampled_from(EXPRESSIONS), seed=st.integers(0, 5))
def test_motion_is_continuous_in_the_weights(weights: dict[str, float], name: str, seed: int) -> None:
    face = DECODER.bind(portrait(seed))
    step = 1e-3
    here = vector(weights)
    there = here.copy()
    there[INDEX[name]] += step if there[INDEX[name]] < 0.5 else -step
    assert np.abs(face(there) - face(here)).max() < 15.0 * step


def test_weights_outside_their_range_are_held_to_it() -> None:
    face = DECODER.bind(MEAN)
    assert np.array_equal(face(vector({"jawOpen": 1.7})), face(vector({"jawOpen": 1.0})))
    assert not face(vector({"jawOpen": -0.4})).any()


def test_a_wrong_number_of_weights_is_refused() -> None:
    with pytest.raises(ModelError, match="51"):
        DECODER.bind(MEAN)(np.zeros(52))


@pytest.mark.parametrize("shape", [np.zeros((478, 3)), np.full((468, 3), np.nan)])
def test_a_shape_that_is_no_face_is_refused(shape: NDArray[np.float64]) -> None:
    with pytest.raises(ModelError, match="468"):
        DECODER.bind(shape)


def test_a_changed_byte_is_refused(tmp_path: Path) -> None:
    copy = tmp_path / WEIGHTS.name
    shutil.copy(WEIGHTS.with_suffix(".json"), tmp_path)
    data = bytearray(WEIGHTS.read_bytes())
    data[-1] ^= 1
    copy.write_bytes(data)
    with pytest.raises(ModelError, match="released"):
        FaceDecoder.load(copy)


@pytest.mark.parametrize("missing", [WEIGHTS.name, WEIGHTS.with_suffix(".json").name])
def test_missing_weights_or_statement_are_refused(tmp_path: Path, missing: str) -> None:
    for path in (WEIGHTS, WEIGHTS.with_suffix(".json")):
        if path.name != missing:
            shutil.copy(path, tmp_path)
    with pytest.raises(ModelError, match="reinstall"):
        FaceDecoder.load(tmp_path / WEIGHTS.name)
