"""Films decoded for training, and encoded again as badly as the world does it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]
Clip = list[tuple[float, UInt8]]
"""When each frame is shown (s, from 0) and the frame, (H, W, 3) RGB."""


def read(path: Path, seconds: float, rng: np.random.Generator) -> Clip:
    """A random passage of at most ``seconds`` of a trusted film."""
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        stream.codec_context.thread_count = 1
        length = float((stream.duration or 0) * (stream.time_base or 0))
        begin = float(rng.uniform(0, max(0.0, length - seconds)))
        frames: Clip = []
        for frame in film.decode(stream):
            at = float(frame.time or 0.0)
            if at >= begin + seconds:
                break
            if at >= begin:
                frames.append((at - begin, np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)))
    start = frames[0][0]
    return [(at - start, frame) for at, frame in frames]


def encoded(clip: Clip, rng: np.random.Generator) -> Clip:
    """Through a random encoder at a random quality, and back; the frames' distance in time is constant."""
    codec, options = _encoder(rng)
    buffer = io.BytesIO()
    height, width = (side // 2 * 2 for side in clip[0][1].shape[:2])
    with av.open(buffer, "w", format="mp4") as film:
        fps = round(1 / float(np.median(np.diff([at for at, _ in clip]))))
        stream: Any = film.add_stream(codec, rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1
        if codec == "mpeg4":
            stream.codec_context.bit_rate = int(width * height * rng.uniform(1.0, 8.0))
        for number, (_, frame) in enumerate(clip):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame[:height, :width]), "rgb24")
            picture.pts, picture.time_base = number, Fraction(1, fps)
            film.mux(stream.encode(picture))
        film.mux(stream.encode(None))
    buffer.seek(0)
    return list(_decoded(buffer))


def _encoder(rng: np.random.Generator) -> tuple[str, dict[str, str]]:
    if rng.random() < 0.1:
        return "mpeg4", {}
    preset = ("ultrafast", "superfast", "veryfast", "faster", "medium")[
        int(rng.choice(5, p=[0.1, 0.2, 0.4, 0.2, 0.1]))
    ]
    return "libx264", {"crf": f"{18 + 24 * rng.beta(1.0, 1.5):.0f}", "preset": preset}


def _decoded(buffer: io.BytesIO) -> Iterator[tuple[float, UInt8]]:
    with av.open(buffer, "r") as film:
        stream = film.streams.video[0]
        stream.codec_context.thread_count = 1
        for frame in film.decode(stream):
            yield float(frame.time or 0.0), np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
