"""Any picture of a face becomes a portrait; any other is refused in a sentence that says what to do."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from generator.errors import PortraitError
from generator.portrait.framing import FACE_SHARE, MAX_SIZE_PX, MIN_SIZE_PX, Aspect
from generator.portrait.image import open_image
from generator.portrait.landmarks import FaceLandmarker
from generator.portrait.portrait import MAX_TURN_DEG, MIN_FACE_PX, Portrait, _require_frontal
from generator.portrait.pose import Pose, rotation_matrix
from generator.sitters import Sitter, sitters

ORIENTATION_TAG = 0x0112
NEUTRAL_GREY = (150, 150, 150)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def image() -> Image.Image:
    """The first sitter at 512 px."""
    with Image.open(sitters()[0].path) as opened:
        return ImageOps.contain(opened.convert("RGB"), (640, 640))


@pytest.fixture(scope="module")
def plain(image: Image.Image, landmarker: FaceLandmarker) -> Portrait:
    """The portrait of ``image`` itself."""
    return Portrait.open(encoded(image), size=256, landmarker=landmarker)


def couple(image: Image.Image, left_scale: float, right_scale: float) -> bytes:
    """The same sitter twice, side by side at different sizes."""
    canvas = Image.new("RGB", (2 * image.width, image.height), NEUTRAL_GREY)
    for k, scale in enumerate((left_scale, right_scale)):
        small = ImageOps.scale(image, scale)
        canvas.paste(small, (k * image.width + (image.width - small.width) // 2, image.height - small.height))
    return encoded(canvas)


# what a portrait holds


def test_a_portrait_is_ready_to_be_moved(sitter: Sitter, portraits: dict[str, Portrait]):
    portrait = portraits[sitter.name]
    assert portrait.size == (512, 512)
    assert portrait.frame.shape == (512, 512, 3)
    assert portrait.frame.dtype == np.uint8
    assert portrait.sha256 == sitter.sha256
    assert portrait.mime == "image/jpeg"
    assert portrait.faces_found == 1
    assert [eye.ring.side for eye in portrait.eyes] == ["Right", "Left"]
    assert portrait.landmarks[10, 1] < portrait.landmarks[152, 1]
    assert max(abs(angle) for angle in portrait.pose.degrees[:2]) < MAX_TURN_DEG


def test_the_landmark_model_sees_the_face_where_the_portrait_says(sitting: Portrait, landmarker):
    (face,) = landmarker.find(sitting.frame)
    error = np.linalg.norm(face.landmarks[:, :2] - sitting.landmarks[:, :2], axis=1) / face.height_px
    assert error.mean() < 0.015
    height = face.height_px / 512
    assert height == pytest.approx(FACE_SHARE, rel=0.06) or height > FACE_SHARE


def test_a_face_at_rest_lies_on_its_landmarks(sitting: Portrait):
    """But for the lips and the lower lids, which settle on what is painted there."""
    places = sitting.pose.to_view(sitting.mesh.neutral)[:, :2] * (1, -1)
    assert np.median(np.linalg.norm(places - sitting.landmarks[:468, :2], axis=1)) < 1e-6
    lower = [7, 163, 144, 145, 153, 154, 155, 249, 390, 373, 374, 380, 381, 382]
    dropped = places[lower, 1] - sitting.landmarks[lower, 1]
    assert (dropped > 0).all()
    assert dropped.max() < 0.04 * max(eye.width_px for eye in sitting.eyes)


def test_a_portrait_comes_out_the_same_every_time(image: Image.Image, plain: Portrait, landmarker):
    again = Portrait.open(encoded(image), size=256, landmarker=landmarker)
    np.testing.assert_array_equal(again.frame, plain.frame)
    np.testing.assert_array_equal(again.mesh.points, plain.mesh.points)
    np.testing.assert_array_equal(again.eyes[0].lid, plain.eyes[0].lid)
    assert again.gain == plain.gain


def test_a_file_and_its_bytes_make_the_same_portrait(tmp_path: Path, image, plain: Portrait, landmarker):
    (tmp_path / "face.png").write_bytes(encoded(image))
    from_file = Portrait.open(tmp_path / "face.png", size=256, landmarker=landmarker)
    np.testing.assert_array_equal(from_file.landmarks, plain.landmarks)
    assert (from_file.sha256, from_file.mime) == (plain.sha256, plain.mime)


# sizes


@pytest.mark.slow
@pytest.mark.parametrize("aspect", Aspect)
@pytest.mark.parametrize("size", [*range(MIN_SIZE_PX, MAX_SIZE_PX, 128), MAX_SIZE_PX])
def test_every_size_works(portrait: Portrait, landmarker, size: int, aspect: Aspect):
    sized = Portrait.open(sitters()[0].path, size=size, aspect=aspect, landmarker=landmarker)
    assert max(sized.size) == size
    assert all(side % 2 == 0 for side in sized.size)
    if aspect is Aspect.SQUARE:
        expected = (portrait.landmarks[:, :2] + 0.5) * size / 512 - 0.5
        face_height = np.ptp(expected[:, 1])
        error = np.linalg.norm(sized.landmarks[:, :2] - expected, axis=1) / face_height
        assert error.mean() < 0.02


def test_own_aspect_shows_the_whole_picture(image: Image.Image, landmarker):
    tall = ImageOps.pad(image, (480, 640), color=NEUTRAL_GREY)
    portrait = Portrait.open(encoded(tall), size=320, aspect=Aspect.OWN, landmarker=landmarker)
    assert portrait.size == (240, 320)
    whole = np.asarray(tall.resize((240, 320), Image.Resampling.BOX), float)
    assert np.abs(portrait.frame - whole).mean() < 3


# kinds of pictures


def grey(image: Image.Image) -> bytes:
    return encoded(image.convert("L"))


def cmyk(image: Image.Image) -> bytes:
    return encoded(image.convert("CMYK"), "JPEG", quality=92)


def transparent(image: Image.Image) -> bytes:
    alpha = Image.new("L", image.size, 0)
    width, height = image.size
    alpha.paste(255, (width // 20, height // 20, width - width // 20, height))
    return encoded(Image.merge("RGBA", (*image.split(), alpha)))


def lying(image: Image.Image) -> bytes:
    """Stored on its side, with the EXIF note to stand it up."""
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = 6
    return encoded(image.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=92)


def palette(image: Image.Image) -> bytes:
    return encoded(image.quantize(256))


@pytest.mark.parametrize("kind", [grey, cmyk, transparent, lying, palette], ids=lambda kind: kind.__name__)
def test_however_a_picture_is_stored_the_face_is_the_same(image, plain: Portrait, landmarker, kind):
    portrait = Portrait.open(kind(image), size=256, landmarker=landmarker)
    face_height = np.linalg.norm(plain.landmarks[10] - plain.landmarks[152])
    error = np.linalg.norm(portrait.landmarks[:, :2] - plain.landmarks[:, :2], axis=1) / face_height
    assert error.mean() < 0.02


# several faces


@pytest.mark.parametrize(("left", "right"), [(0.95, 0.7), (0.7, 0.95)])
def test_of_several_faces_the_largest_is_taken_and_the_others_counted(image, landmarker, left, right):
    content = couple(image, left, right)
    portrait = Portrait.open(content, size=256, aspect=Aspect.OWN, landmarker=landmarker)
    assert portrait.faces_found == 2
    middle = portrait.landmarks[:, 0].mean()
    assert (middle < 128) == (left > right)


def test_another_face_can_be_chosen(image, landmarker):
    content = couple(image, 0.95, 0.7)
    first, second = (
        Portrait.open(content, size=256, aspect=Aspect.OWN, face=k, landmarker=landmarker) for k in (0, 1)
    )
    assert first.landmarks[:, 0].mean() < 128 < second.landmarks[:, 0].mean()
    assert second.pose.scale / first.pose.scale == pytest.approx(0.7 / 0.95, rel=0.1)
    assert first.faces_found == second.faces_found == 2


@pytest.mark.parametrize("face", [-1, 1, 7])
def test_a_face_that_is_not_there_cannot_be_chosen(image, landmarker, face: int):
    with pytest.raises(PortraitError, match=r"holds 1 face\(s\); choose --face from 0 to 0"):
        Portrait.open(encoded(image), face=face, landmarker=landmarker)


# refusals


@pytest.mark.parametrize(
    "rgb",
    [
        np.full((300, 300, 3), 200, np.uint8),
        np.random.default_rng(1).integers(0, 256, (300, 300, 3), np.uint8),
    ],
    ids=["blank", "noise"],
)
def test_a_picture_without_a_face_is_refused(landmarker, rgb: NDArray[np.uint8]):
    with pytest.raises(PortraitError, match=r"No face was found .* Choose one in which"):
        Portrait.open(encoded(Image.fromarray(rgb)), landmarker=landmarker)


def test_a_face_of_too_few_pixels_is_refused(landmarker):
    rgb = open_image(sitters()[0].path).rgb
    (face,) = landmarker.find(rgb)
    scale = 0.85 * MIN_FACE_PX / face.height_px
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    with pytest.raises(
        PortraitError, match=rf"only 5\d px high; at least {MIN_FACE_PX} px .* larger picture"
    ):
        Portrait.open(encoded(Image.fromarray(small)), landmarker=landmarker)


@pytest.mark.parametrize("degrees", [(50, 0, 0), (-50, 10, 0), (0, 48, 0), (10, -60, 30)])
def test_a_head_turned_too_far_is_refused(degrees: tuple[float, float, float]):
    with pytest.raises(PortraitError, match=r"turned by (50|48|60) degrees; up to 45 can be animated"):
        _require_frontal(Pose(10.0, rotation_matrix(*degrees), np.zeros(3)))


@pytest.mark.parametrize("degrees", [(44, 0, 0), (-44, 44, 0), (0, -44, 90), (0, 0, 180)])
def test_a_head_turned_less_is_not_refused_however_it_is_rolled(degrees: tuple[float, float, float]):
    _require_frontal(Pose(10.0, rotation_matrix(*degrees), np.zeros(3)))


@pytest.mark.parametrize("size", [MIN_SIZE_PX - 2, 255, MAX_SIZE_PX + 2])
def test_a_size_that_cannot_be_made_is_refused(image, landmarker, size: int):
    with pytest.raises(PortraitError, match=f"A frame of {size} px cannot be made"):
        Portrait.open(encoded(image), size=size, landmarker=landmarker)
