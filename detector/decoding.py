"""The process in which files from anywhere are decoded: ``python -m detector.decoding JOB``.

The file comes on standard input, arrays leave on standard output (``media.MESSAGE``). ``detector.media``
starts it, distrusts it and kills it. The container is told from the first bytes and named to the demuxer, so
that no playlist or other indirection is ever followed; only codecs in common use are opened.
"""

from __future__ import annotations

import json
import math
import os
import resource
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from detector.errors import MediaDamaged, MediaError, MediaRefused, NoPicture, NoSound
from detector.media import MAX_BLOCK, MAX_RATE, MESSAGE, Limits

if TYPE_CHECKING:
    import av
    import av.container
    import numpy as np
    from numpy.typing import NDArray

OPEN_FILES = 32
MAX_BAD_PACKETS = 200
_CONTAINERS: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftyp", "mp4"),
    (4, b"moov", "mp4"),
    (4, b"mdat", "mp4"),
    (4, b"wide", "mp4"),
    (4, b"free", "mp4"),
    (4, b"skip", "mp4"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (8, b"AVI ", "avi"),
    (8, b"WAVE", "wav"),
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (0, b"ID3", "mp3"),
    (0, b"\xff\xfb", "mp3"),
    (0, b"\xff\xf3", "mp3"),
    (0, b"\xff\xfa", "mp3"),
    (0, b"\xff\xf1", "aac"),
    (0, b"\xff\xf9", "aac"),
    (0, b"FLV", "flv"),
    (0, b"GIF8", "gif"),
)
_TRANSPORT_STREAM = 188
_PICTURE_CODECS = (
    "h264 hevc libdav1d av1 vp8 vp9 mpeg4 mpeg2video mpeg1video mjpeg prores theora h263 flv ffv1 gif png"
)
_SOUND_CODECS = (
    "aac mp3float mp3 opus libopus vorbis flac alac ac3 eac3 mp2 mp2float pcm_s16le pcm_s16be pcm_s24le "
    "pcm_s32le pcm_f32le pcm_u8 pcm_mulaw pcm_alaw adpcm_ima_wav adpcm_ms"
)


def main() -> None:
    job = json.loads(sys.argv[1])
    limits = Limits(**job.pop("limits"))
    _limit(limits)
    works: dict[str, Callable[..., None]] = {"facts": _facts, "frames": _frames, "sound": _sound}
    work = works[job.pop("work")]
    try:
        work(limits, **job)
    except MediaError as error:
        _send(b"FAIL", 0.0, f"{type(error).__name__}:{error}".encode())
    except MemoryError:
        _send(b"FAIL", 0.0, b"MediaRefused:The file takes too much memory to decode: send a smaller one.")
    else:
        _send(b"DONE")


def _limit(limits: Limits) -> None:
    for what, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, math.ceil(limits.wall_seconds)),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _send(kind: bytes, at: float = 0.0, body: Any = b"", second: int = 0, first: int | None = None) -> None:
    head = MESSAGE.pack(kind, at, len(body) if first is None else first, second)
    for piece in (head, body):
        rest = memoryview(piece).cast("B")
        while rest:
            rest = rest[os.write(1, rest) :]


def _open() -> av.container.InputContainer:
    import av

    file = os.fdopen(0, "rb", buffering=0)
    head = file.read(2 * _TRANSPORT_STREAM)
    file.seek(0)
    try:
        return av.open(
            file,
            "r",
            format=_format(head),
            metadata_errors="replace",
            buffer_size=1 << 18,
            container_options={"codec_whitelist": ",".join(f"{_PICTURE_CODECS} {_SOUND_CODECS}".split())},
        )
    except (av.error.FFmpegError, ValueError) as error:
        raise MediaDamaged("The file cannot be decoded: export it again.") from error


def _format(head: bytes) -> str:
    for offset, magic, name in _CONTAINERS:
        if head[offset : offset + len(magic)] == magic:
            return name
    if head[:1] == head[_TRANSPORT_STREAM : _TRANSPORT_STREAM + 1] == b"G":
        return "mpegts"
    raise MediaRefused("This is no video or sound file of a kind that is opened: send MP4 or WebM.")


def _facts(limits: Limits) -> None:
    import av

    with _open() as container:
        picture = next(iter(container.streams.video), None)
        voice = next(iter(container.streams.audio), None)
        found = {
            "seconds": (container.duration or 0) / av.time_base,
            "width": picture.codec_context.width if picture else 0,
            "height": picture.codec_context.height if picture else 0,
            "fps": float(picture.average_rate or 0) if picture else 0.0,
            "picture_codec": picture.codec_context.name if picture else "",
            "rate": voice.codec_context.sample_rate if voice else 0,
            "sound_codec": voice.codec_context.name if voice else "",
        }
    _send(b"FACT", body=json.dumps(found).encode())


def _frames(limits: Limits, per_second: float | None, longest_side: int | None) -> None:
    with _open() as container:
        stream = next(iter(container.streams.video), None)
        if stream is None:
            raise NoPicture("The file holds no moving picture: send the video itself.")
        if stream.codec_context is None:
            raise MediaRefused("The video is coded in a way that is not opened: send H.264 or VP9.")
        stream.codec_context.options = {"max_pixels": str(limits.pixels)}
        stream.codec_context.thread_count = 1
        _check_size(stream.codec_context.width, stream.codec_context.height, limits)
        due, start, last, count = 0.0, None, -math.inf, 0
        for frame in cast("Iterator[av.VideoFrame]", _decoded(container, stream)):
            count += 1
            if count > limits.seconds * limits.frames_per_second:
                raise MediaRefused("The video has more pictures than are decoded: send a part of it.")
            _check_size(frame.width, frame.height, limits)
            if frame.time is None:
                continue
            start = frame.time if start is None else start
            at = frame.time - start
            if at > limits.seconds:
                raise MediaRefused(f"The video is longer than {limits.seconds:.0f} s: send a part of it.")
            if at <= last or (per_second is not None and at + 1e-6 < due):
                continue
            if per_second is not None:
                due = (math.floor((at + 1e-6) * per_second) + 1) / per_second
            last = at
            picture = _upright(frame, longest_side)
            _send(b"FRAM", at, picture.reshape(-1), picture.shape[1], picture.shape[0])
    if count == 0:
        raise MediaDamaged("No picture of the video can be decoded: export it again.")


def _upright(frame: av.VideoFrame, longest_side: int | None) -> NDArray[np.uint8]:
    import numpy as np

    width, height = frame.width, frame.height
    if longest_side is not None and max(width, height) > longest_side:
        scale = longest_side / max(width, height)
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
    picture = frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="AREA")
    return np.ascontiguousarray(np.rot90(picture, round(frame.rotation / 90)))


def _sound(limits: Limits, rates: list[int | None]) -> None:
    import av
    import numpy as np

    with _open() as container:
        stream = next(iter(container.streams.audio), None)
        if stream is None:
            raise NoSound("The file holds no sound.")
        if stream.codec_context is None:
            raise MediaRefused("The sound is coded in a way that is not opened: send AAC or Opus.")
        own = stream.codec_context.sample_rate
        if not 0 < own <= MAX_RATE:
            raise MediaDamaged("The sound says nothing usable of its sample rate: export it again.")
        wanted = [own if rate is None else rate for rate in rates]
        resamplers = [av.AudioResampler(format="flt", layout="mono", rate=rate) for rate in wanted]
        counts = [0] * len(rates)
        for frame in cast("Iterator[av.AudioFrame | None]", _with_end(_decoded(container, stream))):
            for which, resampler in enumerate(resamplers):
                for piece in resampler.resample(frame):
                    samples = np.nan_to_num(piece.to_ndarray().reshape(-1)).clip(-1, 1).astype(np.float32)
                    counts[which] += len(samples)
                    if counts[which] > limits.seconds * wanted[which]:
                        raise MediaRefused(
                            f"The sound is longer than {limits.seconds:.0f} s: send a part of it."
                        )
                    for first in range(0, len(samples), MAX_BLOCK):
                        block = samples[first : first + MAX_BLOCK]
                        _send(b"SOUN", float(which), block, wanted[which], len(block))
    if not any(counts):
        raise MediaDamaged("None of the sound can be decoded: export it again.")


def _with_end(frames: Iterator[Any]) -> Iterator[Any]:
    yield from frames
    yield None


def _decoded(container: av.container.InputContainer, stream: Any) -> Iterator[Any]:
    """What can be decoded of a track; single bad packets are skipped, as players do."""
    import av

    bad = 0
    try:
        for packet in container.demux(stream):
            try:
                yield from packet.decode()
            except (av.error.InvalidDataError, av.error.PatchWelcomeError) as error:
                bad += 1
                if bad > MAX_BAD_PACKETS:
                    raise MediaDamaged("Most of the file cannot be decoded: export it again.") from error
    except (av.error.FFmpegError, ValueError) as error:
        raise MediaDamaged("The rest of the file cannot be decoded: export it again.") from error


def _check_size(width: int, height: int, limits: Limits) -> None:
    if width * height > limits.pixels:
        raise MediaRefused(f"The video has {width} by {height} pixels: make it smaller.")


if __name__ == "__main__":
    main()
