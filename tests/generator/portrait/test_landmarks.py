"""Every face in a picture is found, where it is, whatever its size and roll; and nothing else is."""

from pathlib import Path
from zipfile import ZipFile

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from generator.errors import ModelError
from generator.portrait.landmarks import _ANCHORS, Face, FaceLandmarker, _anchor_centres
from generator.sitters import Sitter, sitters

GREY = 150

Array = NDArray[np.float64]
UInt8 = NDArray[np.uint8]


def moved(rgb: UInt8, affine: Array, width: int | None = None, height: int | None = None) -> UInt8:
    """The picture carried by a (2, 3) affine, smoothed first where it shrinks."""
    scale = np.sqrt(abs(np.linalg.det(affine[:, :2])))
    if scale < 1:
        rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.4 / scale), np.uint8)
    size = width or rgb.shape[1], height or rgb.shape[0]
    return np.asarray(cv2.warpAffine(rgb, affine, size, borderValue=(GREY,) * 3), np.uint8)


def carried(landmarks: Array, affine: Array) -> Array:
    """(478, 2) places of the landmarks after the affine."""
    return np.asarray(landmarks[:, :2] @ affine[:, :2].T + affine[:, 2])


def miss(face: Face, places: Array) -> Array:
    """(478,) distance of each landmark from where it should be, in face heights."""
    return np.asarray(np.linalg.norm(face.landmarks[:, :2] - places, axis=1) / face.height_px)


def placing(face: Face, height_px: float, x: float, y: float, roll_deg: float = 0) -> Array:
    """(2, 3) affine that brings a face to a height and its middle to (x, y)."""
    left, top, right, bottom = face.box
    affine = cv2.getRotationMatrix2D(
        ((left + right) / 2, (top + bottom) / 2), -roll_deg, height_px / face.height_px
    )
    affine[:, 2] += (x - (left + right) / 2, y - (top + bottom) / 2)
    return np.asarray(affine)


@pytest.fixture(scope="module")
def faces(landmarker: FaceLandmarker, pictures: dict[str, UInt8]) -> dict[str, list[Face]]:
    return {name: landmarker.find(rgb) for name, rgb in pictures.items()}


def test_each_sitter_has_exactly_one_face(sitter: Sitter, faces: dict[str, list[Face]], pictures):
    (face,) = faces[sitter.name]
    height, width = pictures[sitter.name].shape[:2]
    left, top, right, bottom = face.box
    assert face.landmarks.shape == (478, 3)
    assert face.presence > 0.95
    assert 0 < left < right < width
    assert 0 < top < bottom < height
    assert face.height_px > 0.15 * height


@pytest.mark.parametrize(
    "rgb",
    [
        np.zeros((300, 400, 3), np.uint8),
        np.full((400, 300, 3), GREY, np.uint8),
        np.random.default_rng(0).integers(0, 256, (400, 300, 3), dtype=np.uint8),
    ],
    ids=["black", "grey", "noise"],
)
def test_nothing_is_found_where_nobody_is(landmarker: FaceLandmarker, rgb: UInt8):
    assert landmarker.find(rgb) == []


@pytest.mark.parametrize("roll_deg", [-25, 25, 180])
def test_a_rolled_face_is_found_with_its_landmarks_rolled(
    sitter: Sitter, landmarker: FaceLandmarker, faces, pictures, roll_deg: float
):
    (upright,) = faces[sitter.name]
    affine = placing(upright, 240, 400, 380, roll_deg)
    (rolled,) = landmarker.find(moved(pictures[sitter.name], affine, 800, 800))
    error = miss(rolled, carried(upright.landmarks, affine))
    assert error.mean() < 0.015
    assert error.max() < 0.05


def test_landmarks_do_not_depend_on_the_pictures_resolution(
    sitter: Sitter, landmarker: FaceLandmarker, faces, pictures
):
    (face,) = faces[sitter.name]
    half = cv2.resize(pictures[sitter.name], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    (smaller,) = landmarker.find(half)
    error = miss(smaller, (face.landmarks[:, :2] + 0.5) / 2 - 0.5)
    assert error.mean() < 0.015


@pytest.mark.parametrize("at", [(250, 250), (2000, 900), (1100, 1000)])
def test_a_small_face_on_a_large_canvas_is_found_by_tiles(
    landmarker: FaceLandmarker, faces, pictures, at: tuple[int, int]
):
    name = sitters()[0].name
    (face,) = faces[name]
    affine = placing(face, 90, *at)
    canvas = moved(pictures[name], affine, 2400, 1300)
    seen_whole = [landmarker._refined(canvas, region) for region in landmarker._detect(canvas, 1)]
    assert not any(seen_whole), "the canvas is too small for this test: one tile finds the face"
    (small,) = landmarker.find(canvas)
    assert small.height_px == pytest.approx(90, rel=0.05)
    assert miss(small, carried(face.landmarks, affine)).mean() < 0.03


@pytest.mark.parametrize("larger_is_right", [False, True])
def test_two_faces_come_largest_first(landmarker: FaceLandmarker, faces, pictures, larger_is_right: bool):
    """Also when the smaller one is too small to be seen together with the larger."""
    name = sitters()[0].name
    (face,) = faces[name]
    heights = (150, 220) if larger_is_right else (220, 150)
    canvas = np.hstack(
        [moved(pictures[name], placing(face, height, 400, 450), 800, 900) for height in heights]
    )
    largest, other = landmarker.find(canvas)
    assert largest.height_px == pytest.approx(220, rel=0.04)
    assert other.height_px == pytest.approx(150, rel=0.04)
    assert (largest.box[0] > 800) == larger_is_right
    assert (other.box[0] > 800) != larger_is_right


def test_tracking_follows_a_small_shift(sitter: Sitter, landmarker: FaceLandmarker, faces, pictures):
    (face,) = faces[sitter.name]
    affine = np.array([[1, 0, 0.06 * face.height_px], [0, 1, -0.04 * face.height_px]])
    tracked = landmarker.track(moved(pictures[sitter.name], affine), face.landmarks)
    assert tracked is not None
    error = miss(tracked, carried(face.landmarks, affine))
    assert error.mean() < 0.015


def test_tracking_ends_when_the_face_is_gone(sitter: Sitter, landmarker: FaceLandmarker, faces, pictures):
    (face,) = faces[sitter.name]
    assert landmarker.track(np.full_like(pictures[sitter.name], GREY), face.landmarks) is None


def test_a_mirrored_face_is_found_in_the_mirrored_place(sitter: Sitter, landmarker, faces, pictures):
    rgb = pictures[sitter.name]
    (face,) = faces[sitter.name]
    (mirrored,) = landmarker.find(np.ascontiguousarray(rgb[:, ::-1]))
    left, top, right, bottom = mirrored.box
    expected = face.box
    edges = rgb.shape[1] - 1 - right, top, rgb.shape[1] - 1 - left, bottom
    np.testing.assert_allclose(edges, expected, atol=0.04 * face.height_px)


def test_the_anchors_are_those_of_the_detector(landmarker: FaceLandmarker):
    """BlazeFace's short-range model: 16 x 16 cells with two anchors, then 8 x 8 with six."""
    assert _ANCHORS.shape == (896, 2)
    assert [tuple(d["shape"]) for d in landmarker._detector.get_output_details()] == [
        (1, 896, 16),
        (1, 896, 1),
    ]
    np.testing.assert_array_equal(_anchor_centres()[[0, 1, 2, 511]] * 32, [[1, 1], [1, 1], [3, 1], [31, 31]])
    np.testing.assert_array_equal(
        _anchor_centres()[[512, 517, 518, 895]] * 16, [[1, 1], [1, 1], [3, 1], [15, 15]]
    )


def test_a_bundle_without_the_graphs_is_refused(tmp_path: Path):
    with ZipFile(tmp_path / "empty.task", "w") as bundle:
        bundle.writestr("face_detector.txt", "")
    with pytest.raises(ModelError, match=r"empty.task is not a face landmarker bundle"):
        FaceLandmarker(tmp_path / "empty.task").find(np.zeros((128, 128, 3), np.uint8))
