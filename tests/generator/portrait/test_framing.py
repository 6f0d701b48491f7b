"""Which part of a picture becomes the frame, and that the landmarks go along with it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from generator.errors import PortraitError
from generator.face import topology
from generator.portrait.framing import (
    FACE_CENTRE_SHARE,
    FACE_SHARE,
    MAX_SIZE_PX,
    MIN_SIZE_PX,
    WHOLE_PICTURE_SHARE,
    Aspect,
    frame_portrait,
)
from generator.portrait.landmarks import Face

MARKER = 4
"""A landmark that does not decide the crop."""


def face_at(x: float, y: float, height: float) -> Face:
    """A face whose middle is at (x, y), px."""
    landmarks = np.zeros((478, 3))
    landmarks[:, :2] = x, y
    landmarks[topology.FOREHEAD_TOP, 1] -= height / 2
    landmarks[topology.CHIN, 1] += height / 2
    landmarks[topology.RIGHT_CHEEK, 0] -= 0.37 * height
    landmarks[topology.LEFT_CHEEK, 0] += 0.37 * height
    landmarks[:, 2] = -0.1 * height
    return Face(landmarks, 1.0)


def slopes(width: int, height: int) -> NDArray[np.uint8]:
    """Red rises to the right, green downwards: where either stands still, the picture has ended."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([x, y, np.full_like(x, 128)], -1).astype(np.uint8)


def height_of(landmarks: NDArray[np.float64]) -> float:
    return float(landmarks[topology.CHIN, 1] - landmarks[topology.FOREHEAD_TOP, 1])


def standing_still(frame: NDArray[np.uint8]) -> tuple[int, int]:
    """Columns and rows that merely repeat the picture's edge."""
    red, green = frame[..., 0].astype(int).mean(0), frame[..., 1].astype(int).mean(1)
    ends = [int((np.abs(line - end) < 0.5).sum()) for line in (red, green) for end in (line[0], line[-1])]
    return max(ends[:2]), max(ends[2:])


def test_a_square_frame_puts_the_face_where_portraits_have_it():
    frame, landmarks = frame_portrait(slopes(900, 1200), face_at(430, 560, 300), 512, Aspect.SQUARE)
    assert frame.shape == (512, 512, 3)
    assert height_of(landmarks) == pytest.approx(FACE_SHARE * 512, rel=0.01)
    assert landmarks[MARKER, 0] == pytest.approx(0.5 * 512, abs=2)
    assert landmarks[MARKER, 1] == pytest.approx(FACE_CENTRE_SHARE * 512, abs=2)
    assert landmarks[MARKER, 2] == pytest.approx(-0.1 * height_of(landmarks), rel=0.01)


@pytest.mark.parametrize("at", [(220, 240), (700, 240), (220, 960), (700, 960)])
def test_a_face_near_the_pictures_edge_still_fills_the_frame_with_picture(at: tuple[int, int]):
    frame, landmarks = frame_portrait(slopes(900, 1200), face_at(*at, 300), 512, Aspect.SQUARE)
    assert height_of(landmarks) == pytest.approx(FACE_SHARE * 512, rel=0.01)
    assert max(standing_still(frame)) < 8


def test_a_close_picture_is_taken_whole_rather_than_extended():
    height = 900 / (WHOLE_PICTURE_SHARE + 0.2)
    frame, landmarks = frame_portrait(slopes(900, 1200), face_at(450, 600, height), 512, Aspect.SQUARE)
    assert height_of(landmarks) == pytest.approx(512 * height / 900, rel=0.01)
    assert max(standing_still(frame)) < 8


def test_a_tight_picture_is_extended_so_that_the_face_keeps_its_share():
    frame, landmarks = frame_portrait(slopes(400, 400), face_at(200, 200, 360), 512, Aspect.SQUARE)
    assert height_of(landmarks) == pytest.approx(FACE_SHARE * 512, rel=0.01)
    columns, rows = standing_still(frame)
    assert columns > 100
    assert rows > 100


@settings(max_examples=50)
@given(
    st.integers(100, 500),
    st.integers(100, 500),
    st.integers(MIN_SIZE_PX // 2, 200).map(lambda half: 2 * half),
    st.sampled_from(Aspect),
)
def test_every_frame_has_even_sides_and_the_longer_as_asked(
    width: int, height: int, size: int, aspect: Aspect
):
    face = face_at(width / 2, height / 2, 0.6 * height)
    frame, _ = frame_portrait(slopes(width, height), face, size, aspect)
    out_height, out_width = frame.shape[:2]
    assert max(out_width, out_height) == size
    assert out_width % 2 == out_height % 2 == 0
    assert frame.flags.c_contiguous
    assert frame.dtype == np.uint8


@settings(max_examples=50)
@given(st.integers(100, 500), st.integers(100, 500), st.integers(MIN_SIZE_PX // 2, 200).map(lambda k: 2 * k))
def test_own_aspect_keeps_the_whole_picture_and_its_ratio_within_a_pixel(width: int, height: int, size: int):
    frame, landmarks = frame_portrait(slopes(width, height), face_at(0, height - 1, 50), size, Aspect.OWN)
    scale = size / max(width, height)
    out_height, out_width = frame.shape[:2]
    assert abs(out_width - width * scale) <= 1
    assert abs(out_height - height * scale) <= 1
    corner = landmarks[MARKER, :2]
    expected = 0.5 * out_width / width - 0.5, out_height - 0.5 * out_height / height - 0.5
    np.testing.assert_allclose(corner, expected, atol=1e-9)


@settings(max_examples=30)
@given(
    st.tuples(st.floats(0.2, 0.8), st.floats(0.2, 0.8)),
    st.floats(0.15, 0.9),
    st.sampled_from([256, 512, 900]),
    st.sampled_from(Aspect),
)
def test_a_marker_painted_on_a_landmark_stays_on_it(
    at: tuple[float, float], share: float, size: int, aspect: Aspect
):
    width, height = 420, 560
    face = face_at(at[0] * width, at[1] * height, share * height)
    x, y = face.landmarks[MARKER, :2]
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    spot = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 6.0**2))
    frame, landmarks = frame_portrait(np.repeat(spot[..., None], 3, 2).astype(np.uint8), face, size, aspect)
    light = np.where(frame[..., 0] > 40, frame[..., 0], 0).astype(float)
    rows_out, columns_out = np.indices(light.shape)
    seen = np.array([(light * columns_out).sum(), (light * rows_out).sum()]) / light.sum()
    np.testing.assert_allclose(seen, landmarks[MARKER, :2], atol=0.35)


@pytest.mark.parametrize("size", [0, -512, MIN_SIZE_PX - 2, MIN_SIZE_PX + 1, 513, MAX_SIZE_PX + 2])
@pytest.mark.parametrize("aspect", Aspect)
def test_odd_and_extreme_sizes_are_refused(size: int, aspect: Aspect):
    with pytest.raises(PortraitError, match=rf"{size} px .* even size from 128 to 1024"):
        frame_portrait(slopes(300, 300), face_at(150, 150, 100), size, aspect)
