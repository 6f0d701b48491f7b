"""Frames and sound in, MP4 out: H.264 and AAC at a constant frame rate, in constant memory.

    with VideoWriter(Path("film.mp4"), size=(512, 512), audio=Path("speech.wav")) as film:
        for frame in frames:
            film.write(frame)

Picture and sound both begin at presentation time zero and end within one frame of each other. The film takes
its name only when it is complete; until then, and whatever happens, nothing else is left in the folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, cast

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.container import InputContainer, OutputContainer
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numba import njit
from numpy.typing import NDArray

from generator.errors import VideoError

AUDIO_RATE_HZ = 48_000
AUDIO_BITS_PER_SECOND = 128_000
X264 = {"preset": "superfast", "x264-params": "mbtree=1:rc-lookahead=10"}
"""Superfast leaves macroblock-tree rate control out; with it a film of equal PSNR is a sixth smaller."""

UInt8 = NDArray[np.uint8]
Samples = NDArray[np.float32]


class SoundTreatment(Protocol):
    """What changes a sound before it is encoded; as long as it was when all is given back."""

    def push(self, samples: Samples) -> Samples:
        """Take the next samples, (N, channels) in -1..1, and give back what is ready of all so far."""

    def finish(self) -> Samples:
        """The rest."""


class VideoWriter:
    """Writes one film; use it as a context manager.

    Args:
        path: where the film goes. An existing file is replaced when the film is complete, not before.
        size: width and height in pixels, both even.
        fps: frames per second.
        audio: any sound file; its first sample is heard with the first frame. Mono stays mono, all else
            becomes stereo. It is cut, or continued in silence, to the length of the picture.
        crf: x264's constant rate factor, 0 (lossless) to 51; 20 is visually transparent for a face.
        treat: makes what changes the sound on its way, from its rate (Hz).

    Raises ``VideoError`` on anything that keeps the film from being written. Leaving the block by any
    exception discards the film.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        fps: float | Fraction = 25.0,
        audio: Path | None = None,
        crf: int = 20,
        treat: Callable[[int], SoundTreatment] | None = None,
    ) -> None:
        self.path = path
        self.width, self.height = size
        self.fps = Fraction(fps).limit_denominator(1001)
        self.frames = 0
        self._check()
        self._part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        self._container: OutputContainer | None = None
        self._sound: _Sound | None = None
        with self._discarding_on_error():
            self._container = av.open(str(self._part), "w", format="mp4", options={"movflags": "+faststart"})
            self._video = self._container.add_stream(
                "libx264", rate=self.fps, options=X264 | {"crf": str(crf)}
            )
            self._video.width, self._video.height = size
            self._video.pix_fmt = "yuv420p"
            context = self._video.codec_context
            context.thread_count = 1
            context.colorspace = Colorspace.ITU709
            context.color_primaries = ColorPrimaries.BT709
            context.color_trc = ColorTrc.BT709
            context.color_range = ColorRange.MPEG
            if audio is not None:
                self._sound = _Sound(audio, self._container, treat(AUDIO_RATE_HZ) if treat else None)
            self._container.start_encoding()

    def _check(self) -> None:
        if self.width % 2 or self.height % 2 or self.width <= 0 or self.height <= 0:
            raise VideoError(
                f"A film cannot be {self.width} by {self.height} pixels: use an even width and height."
            )
        if self.fps <= 0:
            raise VideoError(f"A film cannot have {self.fps} frames a second: use a positive rate.")
        if not self.path.parent.is_dir():
            raise VideoError(f"The folder {self.path.parent} does not exist: create it first.")
        if self.path.is_dir():
            raise VideoError(f"{self.path} is a folder: give the name of a file in it.")

    def write(self, frame: UInt8) -> None:
        """Append one frame: (height, width, 3) uint8 sRGB, in any memory layout."""
        if frame.shape != (self.height, self.width, 3) or frame.dtype != np.uint8:
            raise VideoError(
                f"A frame of this film must be uint8 of shape {(self.height, self.width, 3)}, "
                f"not {frame.dtype} of shape {frame.shape}."
            )
        with self._discarding_on_error():
            picture = av.VideoFrame(self.width, self.height, "yuv420p")
            luma, blue, red = (
                np.frombuffer(cast(bytes, plane), np.uint8).reshape(plane.height, plane.line_size)
                for plane in picture.planes
            )
            rgb_to_yuv420(np.ascontiguousarray(frame), luma, blue, red)
            picture.pts = self.frames
            picture.time_base = 1 / self.fps
            container = self._open_container()
            container.mux(self._video.encode(picture))
            self.frames += 1
            if self._sound:
                self._sound.advance(self.frames / self.fps)

    def close(self) -> None:
        """Finish the film and give it its name."""
        with self._discarding_on_error():
            if not self.frames:
                raise VideoError(f"No frame was written to {self.path}: a film needs at least one.")
            container = self._open_container()
            container.mux(self._video.encode(None))
            if self._sound:
                self._sound.finish()
            container.close()
            self._container = None
            self._part.replace(self.path)

    def discard(self) -> None:
        """Give the film up and leave nothing behind."""
        self._part.unlink(missing_ok=True)
        if self._sound:
            self._sound.close()
        if self._container is not None:
            container, self._container = self._container, None
            with contextlib.suppress(av.FFmpegError, OSError):
                container.close()
            self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _open_container(self) -> OutputContainer:
        if self._container is None:
            raise VideoError(f"{self.path} is finished: open a new film to write more frames.")
        return self._container

    @contextlib.contextmanager
    def _discarding_on_error(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            self.discard()
            raise VideoError(
                f"{self.path} cannot be written ({error.strerror or error}): "
                "check that its folder may be written and has space left."
            ) from error
        except BaseException:
            self.discard()
            raise


class _Sound:
    """One sound file, decoded, resampled and encoded only as far as the picture has come."""

    def __init__(self, path: Path, film: OutputContainer, treatment: SoundTreatment | None) -> None:
        self.path = path
        self.film = film
        self.sent = 0
        with self._reading():
            self.source: InputContainer = av.open(
                str(path), metadata_errors="replace", options={"protocol_whitelist": "file"}
            )
            if not self.source.streams.audio:
                raise VideoError(f"{path} has no sound: give an audio file.")
            layout = "mono" if self.source.streams.audio[0].channels == 1 else "stereo"
        self.resampler = AudioResampler(format="fltp", layout=layout, rate=AUDIO_RATE_HZ)
        self.stream = film.add_stream("aac", rate=AUDIO_RATE_HZ, layout=layout)
        self.stream.bit_rate = AUDIO_BITS_PER_SECOND
        self.layout = layout
        self.waiting = np.zeros((1 if layout == "mono" else 2, 0), np.float32)
        self.chunks = self._decode() if treatment is None else _treated(self._decode(), treatment)

    def _decode(self) -> Iterator[Samples]:
        for frame in self.source.decode(audio=0):
            frame.pts = None
            for resampled in self.resampler.resample(frame):
                yield cast(Samples, resampled.to_ndarray())
        for resampled in self.resampler.resample(None):
            yield cast(Samples, resampled.to_ndarray())

    def advance(self, seconds: Fraction) -> None:
        """Encode up to ``seconds`` of film."""
        needed = round(seconds * AUDIO_RATE_HZ) - self.sent
        while self.waiting.shape[1] < needed:
            with self._reading():
                chunk = next(self.chunks, None)
            if chunk is None:
                chunk = np.zeros((self.waiting.shape[0], needed - self.waiting.shape[1]), np.float32)
            self.waiting = np.concatenate([self.waiting, chunk], axis=1)
        now, self.waiting = self.waiting[:, :needed], self.waiting[:, needed:]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(now), format="fltp", layout=self.layout)
        frame.sample_rate = AUDIO_RATE_HZ
        frame.time_base = Fraction(1, AUDIO_RATE_HZ)
        frame.pts = self.sent
        self.film.mux(self.stream.encode(frame))
        self.sent += needed

    def finish(self) -> None:
        self.film.mux(self.stream.encode(None))
        self.close()

    def close(self) -> None:
        self.source.close()

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise VideoError(
                f"The sound {self.path} cannot be read ({reason}): give another file."
            ) from error


def _treated(chunks: Iterator[Samples], treatment: SoundTreatment) -> Iterator[Samples]:
    for chunk in chunks:
        yield treatment.push(chunk.T).T
    yield treatment.finish().T


@njit(cache=True)
def rgb_to_yuv420(rgb: UInt8, luma: UInt8, blue: UInt8, red: UInt8) -> None:
    """BT.709 limited-range Y'CbCr 4:2:0 in 16-bit fixed point, within half a level of the exact values.

    Chroma is sited as H.264 assumes by default: between two rows, on the left of two columns.

    Args:
        rgb: (H, W, 3) source, H and W even.
        luma: (H, >= W) receives Y'.
        blue, red: (H / 2, >= W / 2) receive Cb and Cr.
    """
    height, width, _ = rgb.shape
    for y in range(height):
        for x in range(width):
            r, g, b = np.int32(rgb[y, x, 0]), np.int32(rgb[y, x, 1]), np.int32(rgb[y, x, 2])
            luma[y, x] = (11966 * r + 40254 * g + 4064 * b + 1081344) >> 16
    for j in range(height // 2):
        upper, lower = rgb[2 * j], rgb[2 * j + 1]
        for i in range(width // 2):
            left, x, right = max(2 * i - 1, 0), 2 * i, 2 * i + 1
            r = np.int32(upper[left, 0]) + lower[left, 0] + upper[right, 0] + lower[right, 0]
            g = np.int32(upper[left, 1]) + lower[left, 1] + upper[right, 1] + lower[right, 1]
            b = np.int32(upper[left, 2]) + lower[left, 2] + upper[right, 2] + lower[right, 2]
            r += 2 * (np.int32(upper[x, 0]) + lower[x, 0])
            g += 2 * (np.int32(upper[x, 1]) + lower[x, 1])
            b += 2 * (np.int32(upper[x, 2]) + lower[x, 2])
            blue[j, i] = (-6596 * r - 22189 * g + 28785 * b + 67371008) >> 19
            red[j, i] = (28785 * r - 26145 * g - 2640 * b + 67371008) >> 19


@dataclass(frozen=True)
class VideoInfo:
    """What a film's header says. Times in seconds; the ``audio_`` fields are None for a silent film."""

    frames: int
    fps: float
    width: int
    height: int
    start: float
    seconds: float
    audio_start: float | None
    audio_seconds: float | None
    audio_rate_hz: int | None
    audio_channels: int | None


def packets_sha256(path: Path) -> str:
    """Of all that is shown and heard of a film, as it is encoded, whatever else the file holds: hexadecimal.
    Raises ``VideoError`` if it is no film."""
    digest = hashlib.sha256()
    try:
        with av.open(str(path)) as film:
            for packet in film.demux():
                digest.update(f"{packet.stream_index} {packet.pts} {packet.size}\n".encode())
                digest.update(bytes(packet))
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"{path} cannot be read as a film ({error.strerror or error}).") from error
    return digest.hexdigest()


def probe(path: Path) -> VideoInfo:
    """Read a film's header. Raises ``VideoError`` if it has no picture or is no film."""
    try:
        with av.open(str(path)) as film:
            if not film.streams.video:
                raise VideoError(f"{path} has no picture: give a film.")
            video = film.streams.video[0]
            audio = film.streams.audio[0] if film.streams.audio else None
            return VideoInfo(
                frames=video.frames,
                fps=float(video.average_rate or 0),
                width=video.width,
                height=video.height,
                start=_seconds(video.start_time, video.time_base),
                seconds=_seconds(video.duration, video.time_base),
                audio_start=_seconds(audio.start_time, audio.time_base) if audio else None,
                audio_seconds=_seconds(audio.duration, audio.time_base) if audio else None,
                audio_rate_hz=audio.rate if audio else None,
                audio_channels=audio.channels if audio else None,
            )
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"{path} cannot be read as a film ({error.strerror or error}).") from error


def _seconds(ticks: int | None, time_base: Fraction | None) -> float:
    return float((ticks or 0) * (time_base or 0))
