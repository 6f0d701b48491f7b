"""Whatever picture a person hands in becomes upright sRGB pixels, or one sentence that says why not."""

import hashlib
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms, features

from generator.errors import PortraitError
from generator.portrait.image import BACKDROP_RGB, MAX_SIDE_PX, Picture, open_image

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
needs_avif = pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")


def scene(width: int = 96, height: int = 80) -> Image.Image:
    """Soft colours, brightest and reddest at the top left."""
    x, y = np.meshgrid(np.linspace(1, 0, width), np.linspace(1, 0, height))
    return Image.fromarray((255 * np.stack([(x + y) / 2, x * 0.8, y * 0.6], axis=-1)).astype(np.uint8))


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def mean_error(rgb: NDArray[np.uint8], image: Image.Image) -> float:
    return float(np.abs(rgb.astype(float) - np.asarray(image, float)).mean())


# formats


@pytest.mark.parametrize(
    ("kind", "mime", "tolerance"),
    [
        ("PNG", "image/png", 0),
        ("BMP", "image/bmp", 0),
        ("TIFF", "image/tiff", 0),
        ("JPEG", "image/jpeg", 3),
        ("WEBP", "image/webp", 3),
        ("GIF", "image/gif", 6),
        pytest.param("AVIF", "image/avif", 3, marks=needs_avif),
    ],
)
def test_every_common_format_is_read(kind: str, mime: str, tolerance: float):
    content = encoded(scene(), kind)
    picture = open_image(content)
    assert mean_error(picture.rgb, scene()) <= tolerance
    assert picture.rgb.dtype == np.uint8
    assert picture.rgb.flags.c_contiguous
    assert picture.alpha is None
    assert picture.mime == mime
    assert picture.sha256 == hashlib.sha256(content).hexdigest()


def test_a_file_and_its_bytes_are_the_same_picture(tmp_path: Path):
    file = tmp_path / "face.png"
    file.write_bytes(encoded(scene(), "PNG"))
    np.testing.assert_array_equal(open_image(file).rgb, open_image(file.read_bytes()).rgb)


def test_a_phones_jpeg_with_a_second_picture_inside_is_a_jpeg():
    content = encoded(scene(), "MPO", save_all=True, append_images=[scene(64, 64)])
    picture = open_image(content)
    assert picture.mime == "image/jpeg"
    assert picture.rgb.shape == (80, 96, 3)


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP"])
def test_of_several_frames_the_first_counts(kind: str):
    content = encoded(scene(), kind, save_all=True, append_images=[Image.new("RGB", (96, 80), "blue")])
    assert mean_error(open_image(content).rgb, scene()) < 6


# colours


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG"])
def test_every_way_to_store_colour_is_read(mode: str, kind: str):
    stored = scene().convert(mode)
    try:
        content = encoded(stored, kind)
    except OSError:
        pytest.skip(f"{kind} cannot store {mode}")
    assert mean_error(open_image(content).rgb, stored.convert("RGB")) < 4


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_not_clipped(kind: str):
    levels = np.linspace(0, 65_535, 96 * 80).reshape(80, 96).astype(np.uint16)
    rgb = open_image(encoded(Image.fromarray(levels), kind)).rgb
    assert np.abs(rgb[..., 1] - levels / 257).max() <= 0.5
    assert (rgb[..., 0] == rgb[..., 2]).all()


def test_colours_nobody_can_interpret_are_refused():
    content = encoded(Image.fromarray(np.zeros((80, 96), np.float32)), "TIFF")
    with pytest.raises(PortraitError, match="save it as 8-bit RGB"):
        open_image(content)


def swapped_channels_profile() -> bytes:
    """An RGB profile whose red and blue primaries are exchanged."""
    profile = bytearray(SRGB.tobytes())
    tags = {}
    for entry in range(struct.unpack(">I", profile[128:132])[0]):
        start = 132 + 12 * entry
        name, offset, size = struct.unpack(">4sII", profile[start : start + 12])
        tags[name] = (start, offset, size)
    for name, other in ((b"rXYZ", b"bXYZ"), (b"bXYZ", b"rXYZ")):
        start, _, _ = tags[name]
        profile[start + 4 : start + 12] = struct.pack(">II", *tags[other][1:])
    return bytes(profile)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_colour_profile_is_converted_to_srgb(kind: str):
    rgb = open_image(encoded(scene(), kind, icc_profile=swapped_channels_profile())).rgb
    assert mean_error(rgb[..., ::-1], scene()) < 1


def test_a_colour_profile_holds_for_a_transparent_picture_too():
    image = scene()
    image.putalpha(200)
    picture = open_image(encoded(image, "PNG", icc_profile=swapped_channels_profile()))
    over = np.asarray(scene(), float)[..., ::-1] * 200 / 255 + np.array(BACKDROP_RGB) * 55 / 255
    assert np.abs(picture.rgb - over).mean() < 1


def test_the_srgb_profile_changes_nothing():
    rgb = open_image(encoded(scene(), "PNG", icc_profile=SRGB.tobytes())).rgb
    assert mean_error(rgb, scene()) < 0.5


@pytest.mark.parametrize("profile", [b"no profile", SRGB.tobytes()[:200], b"\0" * 500])
def test_a_damaged_profile_is_passed_over(profile: bytes):
    assert mean_error(open_image(encoded(scene(), "JPEG", icc_profile=profile)).rgb, scene()) < 3


def test_a_profile_for_another_kind_of_colour_is_passed_over():
    grey = scene().convert("L")
    rgb = open_image(encoded(grey, "PNG", icc_profile=SRGB.tobytes())).rgb
    assert mean_error(rgb, grey.convert("RGB")) == 0


# transparency


def cutout(mode: str = "RGBA") -> Image.Image:
    """``scene`` whose left half is transparent."""
    image = scene().convert("RGBA")
    alpha = np.full((80, 96), 255, np.uint8)
    alpha[:, :48] = 0
    image.putalpha(Image.fromarray(alpha))
    return image.convert(mode)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", pytest.param("AVIF", marks=needs_avif)])
def test_what_is_transparent_shows_the_backdrop_and_is_reported(kind: str):
    picture = open_image(encoded(cutout(), kind))
    assert picture.alpha is not None
    assert np.abs(picture.alpha[:, :44].astype(int)).max() <= 4
    assert picture.alpha[:, 52:].min() >= 250
    assert np.abs(picture.rgb[:, :44].astype(int) - BACKDROP_RGB).max() <= 4
    assert mean_error(picture.rgb[:, 52:], scene().crop((52, 0, 96, 80))) < 3


def test_grey_with_transparency_is_read():
    picture = open_image(encoded(cutout("LA"), "PNG"))
    assert picture.alpha is not None
    assert mean_error(picture.rgb[:, 48:], scene().convert("L").convert("RGB").crop((48, 0, 96, 80))) == 0


def test_a_palette_with_a_transparent_colour_is_read():
    image = Image.new("P", (96, 80), 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.paste(1, (48, 0, 96, 80))
    picture = open_image(encoded(image, "GIF", transparency=0))
    assert picture.alpha is not None
    assert (picture.rgb[:, :48] == BACKDROP_RGB).all()
    assert (picture.rgb[:, 48:] == (200, 100, 50)).all()


def test_an_opaque_alpha_channel_is_dropped():
    assert open_image(encoded(scene().convert("RGBA"), "PNG")).alpha is None


def test_a_wholly_transparent_picture_is_refused():
    image = scene()
    image.putalpha(0)
    with pytest.raises(PortraitError, match="wholly transparent"):
        open_image(encoded(image, "PNG"))


# orientation


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_picture_is_turned_upright(kind: str, orientation: int):
    stored_from_upright = {
        1: lambda image: image,
        2: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
        4: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
        6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
        7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
        8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(stored_from_upright(scene()), kind, exif=exif)
    assert mean_error(open_image(content).rgb, scene()) < 3


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0" + b"\xff" * 40])
def test_broken_metadata_does_not_spoil_a_picture(exif: bytes):
    assert mean_error(open_image(encoded(scene(), "JPEG", exif=exif)).rgb, scene()) < 3


# size


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_very_large_photograph_is_reduced_in_proportion(kind: str):
    picture = open_image(encoded(scene(9_000, 1_800), kind))
    assert picture.rgb.shape == (819, MAX_SIDE_PX, 3)
    assert mean_error(picture.rgb, scene(MAX_SIDE_PX, 819)) < 2


@pytest.mark.parametrize("size", [(63, 200), (200, 63), (1, 1)])
def test_a_picture_too_small_for_a_face_is_refused(size: tuple[int, int]):
    with pytest.raises(PortraitError, match="at least 64 by 64"):
        open_image(encoded(scene(*size), "PNG"))


def test_a_strip_is_refused():
    with pytest.raises(PortraitError, match="too narrow"):
        open_image(encoded(scene(6_000, 64), "PNG"))


def test_the_smallest_picture_is_accepted():
    assert open_image(encoded(scene(64, 64), "PNG")).rgb.shape == (64, 64, 3)


def claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its body does not have."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 10_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(8_001, 8_000), (12_000, 8_000), (50_000, 50_000), (2**31 - 1, 2**31 - 1)])
@pytest.mark.filterwarnings("error")
def test_a_decompression_bomb_is_refused_from_its_header(size: tuple[int, int]):
    with pytest.raises(PortraitError, match="more than 64 million pixels"):
        open_image(claiming(*size))


def test_a_size_the_body_does_not_have_is_damage():
    with pytest.raises(PortraitError, match="damaged or incomplete"):
        open_image(claiming(1_000, 1_000))


def test_no_pixels_at_all_is_refused():
    with pytest.raises(PortraitError):
        open_image(claiming(0, 0))


@pytest.mark.parametrize("as_file", [True, False])
def test_a_file_of_too_many_bytes_is_refused(tmp_path: Path, as_file: bool):
    content = encoded(scene(), "BMP")
    file = tmp_path / "face.bmp"
    file.write_bytes(content)
    assert open_image(content, max_bytes=len(content))
    with pytest.raises(PortraitError, match="is larger than"):
        open_image(file if as_file else content, max_bytes=len(content) - 1)


# what is no picture


@pytest.mark.parametrize(
    "content", [b"not a picture", b"\0" * 1000, b"%PDF-1.7", b"<svg/>", b"%!PS-Adobe-3.0 EPSF"]
)
def test_what_is_no_picture_is_refused_with_the_formats_that_are(content: bytes):
    with pytest.raises(PortraitError, match="save it as JPEG, PNG"):
        open_image(content)


@pytest.mark.parametrize("kind", ["PPM", "ICO", "TGA", "PCX", "EPS"])
def test_a_format_that_is_not_on_the_list_is_refused(kind: str):
    with pytest.raises(PortraitError, match="save it as JPEG, PNG"):
        open_image(encoded(scene(), kind))


def test_a_missing_file_an_empty_one_and_a_folder_are_named(tmp_path: Path):
    (tmp_path / "empty.png").touch()
    with pytest.raises(PortraitError, match=r"nowhere\.png does not exist"):
        open_image(tmp_path / "nowhere.png")
    with pytest.raises(PortraitError, match=r"empty\.png is empty"):
        open_image(tmp_path / "empty.png")
    with pytest.raises(PortraitError, match="is not a file"):
        open_image(tmp_path)
    with pytest.raises(PortraitError, match="The picture is empty"):
        open_image(b"")


@pytest.mark.parametrize(
    "kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", pytest.param("AVIF", marks=needs_avif)]
)
def test_a_picture_cut_in_half_is_refused(kind: str):
    content = encoded(scene(), kind)
    with pytest.raises(PortraitError, match=r"^The picture is .*: .*\.$"):
        open_image(content[: len(content) // 2])


KINDS = ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", *(["AVIF"] if features.check("avif") else [])]
WHOLE = [encoded(scene(), kind) for kind in KINDS] + [encoded(cutout(), kind) for kind in ("PNG", "WEBP")]


def attempt(content: bytes) -> Picture | PortraitError:
    try:
        return open_image(content)
    except PortraitError as error:
        return error


@settings(max_examples=300, deadline=None)
@given(content=st.sampled_from(WHOLE), keep=st.floats(0, 1))
def test_any_truncation_is_read_or_refused_but_never_crashes(content: bytes, keep: float):
    outcome = attempt(content[: int(keep * len(content))])
    assert isinstance(outcome, PortraitError) or outcome.rgb.shape == (80, 96, 3)


@settings(max_examples=300, deadline=None)
@given(
    content=st.sampled_from(WHOLE),
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8
    ),
)
def test_any_corruption_is_read_or_refused_but_never_crashes(
    content: bytes, changes: list[tuple[float, int]]
):
    corrupt = bytearray(content)
    for place, value in changes:
        corrupt[int(place * len(corrupt))] = value
    outcome = attempt(bytes(corrupt))
    assert isinstance(outcome, PortraitError) or outcome.rgb.dtype == np.uint8
