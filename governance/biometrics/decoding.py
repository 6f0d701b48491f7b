"""Opening pictures, films and sound that somebody uploaded, within limits; only ``worker`` may call this.

The format is told from the first bytes and named to the decoder, so that no playlist or other indirection is
ever followed; every limit is checked while decoding, not believed from a header.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from governance.biometrics.limits import (
    MAX_FILM_PIXELS,
    MAX_FRAMES,
    MAX_PICTURE_PIXELS,
    MAX_SECONDS,
    MIN_SIDE,
    SAMPLE_RATE,
)
from governance.errors import MediaRefused

_PICTURES = ("JPEG", "PNG", "WEBP")
_FILMS = {b"ftyp": (4, "mp4"), b"\x1aE\xdf\xa3": (0, "matroska")}
_SOUNDS = _FILMS | {b"WAVE": (8, "wav"), b"fLaC": (0, "flac"), b"OggS": (0, "ogg"), b"ID3": (0, "mp3")}

UInt8 = NDArray[np.uint8]


def picture(data: bytes) -> UInt8:
    """(height, width, 3) RGB, upright. Raises ``MediaRefused``."""
    try:
        with Image.open(io.BytesIO(data), formats=_PICTURES) as image:
            if image.width * image.height > MAX_PICTURE_PIXELS:
                raise Image.DecompressionBombError
            if min(image.size) < MIN_SIDE:
                raise MediaRefused(f"The picture is smaller than {MIN_SIDE} pixels: use a larger one.")
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except Image.DecompressionBombError as error:
        most = MAX_PICTURE_PIXELS // 1_000_000
        raise MediaRefused(f"The picture has more than {most} million pixels: make it smaller.") from error
    except UnidentifiedImageError as error:
        raise MediaRefused("The picture is not a JPEG, PNG or WebP file: export it as one.") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise MediaRefused("The picture is damaged: export it again.") from error


def frames(data: bytes, per_second: float) -> Iterator[tuple[float, UInt8]]:
    """Some frames of a film: when they are shown (s), and (height, width, 3) RGB, upright.

    Not more than ``per_second`` of them. Raises ``MediaRefused``.
    """
    try:
        with av.open(io.BytesIO(data), "r", format=_format(data, _FILMS, "an MP4 or WebM film")) as container:
            if not container.streams.video:
                raise MediaRefused("The file holds no picture: send the film itself.")
            stream = container.streams.video[0]
            stream.codec_context.options = {"max_pixels": str(MAX_FILM_PIXELS)}
            stream.codec_context.thread_count = 1
            _check_size(stream.codec_context.width, stream.codec_context.height)
            due = 0.0
            for count, frame in enumerate(container.decode(stream)):
                at = frame.time
                if at is None:
                    raise MediaRefused("The film does not say when its frames are shown: export it again.")
                if at > MAX_SECONDS or count >= MAX_FRAMES:
                    raise MediaRefused(f"The film is longer than {MAX_SECONDS:.0f} s: film a shorter one.")
                _check_size(frame.width, frame.height)
                if at + 1e-6 >= due:
                    due = max(due + 1 / per_second, at + 0.5 / per_second)
                    yield at, np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90))
    except (av.error.FFmpegError, ValueError) as error:
        raise MediaRefused("The film is damaged: film or export it again.") from error


def sound(data: bytes) -> NDArray[np.float32]:
    """(N,) samples, mono at ``SAMPLE_RATE``, -1..1, of a film or a sound file. Raises ``MediaRefused``."""
    pieces: list[NDArray[np.float32]] = []
    count = 0
    try:
        with av.open(
            io.BytesIO(data),
            "r",
            format=_format(data, _SOUNDS, "an MP4 or WebM film, or a WAV, FLAC, Ogg or MP3 file"),
        ) as container:
            if not container.streams.audio:
                raise MediaRefused("The file holds no sound: switch the microphone on.")
            resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
            for frame in container.decode(audio=0):
                for piece in resampler.resample(frame):
                    pieces.append(piece.to_ndarray().ravel().astype(np.float32))
                    count += len(pieces[-1])
                if count > MAX_SECONDS * SAMPLE_RATE:
                    raise MediaRefused(f"The sound is longer than {MAX_SECONDS:.0f} s: record less.")
    except (av.error.FFmpegError, ValueError) as error:
        raise MediaRefused("The sound is damaged: record or export it again.") from error
    samples = np.concatenate([*pieces, np.zeros(0, np.float32)])
    clean: NDArray[np.float32] = np.nan_to_num(np.clip(samples, -1, 1))
    return clean


def _format(data: bytes, known: dict[bytes, tuple[int, str]], accepted: str) -> str:
    for magic, (offset, name) in known.items():
        if data[offset : offset + len(magic)] == magic:
            return name
    raise MediaRefused(f"This is not {accepted}: export it as one.")


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_FILM_PIXELS or min(width, height) < MIN_SIDE:
        raise MediaRefused(f"The film has {width} by {height} pixels: use {MIN_SIDE} to 1920 by 1080.")
