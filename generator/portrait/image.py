"""Any picture a person may hand in, as upright sRGB pixels; or one sentence that says why not.

The bytes are untrusted: formats come from a short list, sizes are read from the header before anything is
decoded, and whatever the decoder trips over becomes a ``PortraitError``.
"""

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from generator.errors import PortraitError

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
MIN_SIDE_PX = 64
MAX_SIDE_PX = 4096
JPEG_SIDE_PX = 3000
"""A JPEG is halved while it is decoded, as often as this leaves its longer side at least so long."""

BACKDROP_RGB = (128, 128, 128)

UInt8 = NDArray[np.uint8]

_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    Attributes:
        rgb: (H, W, 3) uint8 sRGB, contiguous, upright; over mid grey where the picture is transparent, which
            is then the backdrop of the film.
        alpha: (H, W) uint8, 0 = transparent; None if the picture is opaque.
        sha256: hex digest of the file as it was handed in.
        mime: media type of the file.
    """

    rgb: UInt8
    alpha: UInt8 | None
    sha256: str
    mime: str


def open_image(source: Path | bytes, max_bytes: int = 64 << 20, max_pixels: int = 64_000_000) -> Picture:
    """Read a picture: JPEG, PNG, WebP, TIFF, BMP, GIF or AVIF, of which the first frame or page counts.

    The EXIF orientation is applied, an embedded colour profile is converted to sRGB, 16-bit greys are scaled,
    and a very large picture is reduced: its longer side becomes at most ``MAX_SIDE_PX``.

    Raises ``PortraitError`` if the source is missing, too large in bytes or pixels, smaller than
    ``MIN_SIDE_PX``, damaged, wholly transparent, or no picture.
    """
    name = "The picture" if isinstance(source, bytes) else str(source)
    content = source if isinstance(source, bytes) else _read(source, max_bytes)
    if not content:
        raise PortraitError(f"{name} is empty: give a picture of a face.")
    if len(content) > max_bytes:
        raise PortraitError(f"{name} is larger than {max_bytes / (1 << 20):.0f} MB: give a smaller file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            rgb, alpha, mime = _decode(content, name, max_pixels)
    except PortraitError:
        raise
    except UnidentifiedImageError as error:
        raise PortraitError(
            f"{name} is not a picture this version reads: save it as JPEG, PNG, WebP, TIFF, BMP, GIF or AVIF."
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PortraitError(_too_many_pixels(name, max_pixels)) from error
    except Exception as error:  # decoders meet untrusted bytes: what they raise is no list one could write
        raise PortraitError(f"{name} is damaged or incomplete: give an intact copy.") from error
    return Picture(rgb, alpha, hashlib.sha256(content).hexdigest(), mime)


def _read(path: Path, max_bytes: int) -> bytes:
    if not path.exists():
        raise PortraitError(f"{path} does not exist: check the name of the picture.")
    if not path.is_file():
        raise PortraitError(f"{path} is not a file: give the picture itself.")
    try:
        with path.open("rb") as file:
            return file.read(max_bytes + 1)
    except OSError as error:
        raise PortraitError(f"{path} cannot be read ({error.strerror}): check its permissions.") from error


def _decode(content: bytes, name: str, max_pixels: int) -> tuple[UInt8, UInt8 | None, str]:
    with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
        _check_size(opened.size, name, max_pixels)
        mime = "image/jpeg" if opened.format == "MPO" else Image.MIME[str(opened.format)]
        profile = opened.info.get("icc_profile")
        opened.draft(None, _fitting(opened.size, JPEG_SIDE_PX))
        opened.load()
        image = _upright(opened)
    image = _plain(image, name)
    size = _fitting(image.size, MAX_SIDE_PX)
    if min(size) < MIN_SIDE_PX:
        raise PortraitError(f"{name} is too narrow: crop it to the face and shoulders.")
    if size != image.size:
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    alpha = np.array(image.getchannel("A")) if image.mode == "RGBA" else None
    rgb = np.array(_to_srgb(image, profile))
    if alpha is None or alpha.min() == 255:
        return rgb, None, mime
    if not alpha.any():
        raise PortraitError(f"{name} is wholly transparent: give a picture in which the face is visible.")
    opacity = alpha[..., None].astype(np.float32) / 255
    over = opacity * rgb + (1 - opacity) * np.array(BACKDROP_RGB, np.float32)
    return np.rint(over).astype(np.uint8), alpha, mime


def _check_size(size: tuple[int, int], name: str, max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise PortraitError(_too_many_pixels(name, max_pixels))
    if min(size) < MIN_SIDE_PX:
        raise PortraitError(
            f"{name} is {width} by {height} pixels: give one of at least {MIN_SIDE_PX} by {MIN_SIDE_PX}."
        )


def _too_many_pixels(name: str, max_pixels: int) -> str:
    return f"{name} has more than {max_pixels / 1e6:.0f} million pixels: give a smaller version."


def _fitting(size: tuple[int, int], longest_px: int) -> tuple[int, int]:
    """``size``, reduced in proportion where its longer side exceeds ``longest_px``."""
    scale = min(1.0, longest_px / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _upright(image: Image.Image) -> Image.Image:
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG)
    except Exception:  # a picture with broken metadata is still a picture
        orientation = None
    turn = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return image.copy() if turn is None else image.transpose(turn)


def _plain(image: Image.Image, name: str) -> Image.Image:
    """The same picture in mode L, RGB, CMYK or RGBA."""
    if image.mode.startswith("I"):
        levels = np.clip(np.asarray(image).astype(np.int64), 0, 65_535)
        return Image.fromarray(np.rint(levels / 257).astype(np.uint8))
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode in ("P", "RGBX", "YCbCr"):
        return image.convert("RGB")
    raise PortraitError(f"{name} stores its colours as {image.mode}: save it as 8-bit RGB.")


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    colours = image.convert("RGB") if image.mode == "RGBA" else image
    if profile:
        try:
            converted = ImageCms.profileToProfile(
                colours,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                _SRGB,
                renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                outputMode="RGB",
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            converted = None  # a profile that is damaged, or of another kind of colour, tells nothing
        if converted is not None:
            return converted
    return colours.convert("RGB")
