"""Small films of invented moving shapes and sounds: each number is another film, and the same every time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

FPS = 25
RATE = 16_000


@dataclass(frozen=True)
class Shown:
    """A film in memory: pictures (height, width, 3) at 25 fps, and sound at 16 kHz."""

    frames: list[NDArray[np.uint8]]
    sound: NDArray[np.float32]

    def cut(self, start: float, end: float) -> Shown:
        return Shown(
            self.frames[round(start * FPS) : round(end * FPS)],
            self.sound[round(start * RATE) : round(end * RATE)],
        )


def shown(scene: int, talk: int, seconds: float = 6.0, size: int = 160) -> Shown:
    """A background and a face-like blob (``scene``); how it moves and sounds (``talk``)."""
    rng, voice = np.random.default_rng(scene), np.random.default_rng(1000 + talk)
    background = cv2.resize(
        rng.integers(0, 255, (6, 6, 3), dtype=np.uint8), (size, size), interpolation=cv2.INTER_CUBIC
    )
    skin = tuple(int(level) for level in rng.integers(60, 200, 3))
    count = round(seconds * FPS)
    path = (
        cv2.GaussianBlur(voice.standard_normal((3, count)).astype(np.float32), (0, 0), 5, sigmaY=0.001) * 16
    )
    frames = []
    for x, y, mouth in path.T:
        frame = background.copy()
        centre = (round(size / 2 + x), round(size / 2 + y))
        cv2.ellipse(frame, centre, (size // 4, size // 3), 0, 0, 360, skin, -1)
        opened = (size // 8, max(1, round(size / 16 + mouth)))
        cv2.ellipse(frame, (centre[0], centre[1] + size // 6), opened, 0, 0, 360, (40, 10, 20), -1)
        frames.append(frame)
    return Shown(frames, _voice(voice, seconds))


def _voice(rng: np.random.Generator, seconds: float) -> NDArray[np.float32]:
    times = np.arange(round(seconds * RATE)) / RATE
    wave = np.zeros_like(times)
    knots = np.linspace(0, seconds, round(seconds * 5) + 1)
    for centre in np.geomspace(280, 2100, 8):
        pitch = np.interp(times, knots, centre * rng.uniform(0.8, 1.25, len(knots)))
        loudness = np.interp(times, knots, rng.uniform(0, 1, len(knots)))
        wave += loudness * np.sin(2 * np.pi * np.cumsum(pitch) / RATE)
    return (0.08 * wave + 0.003 * rng.standard_normal(len(times))).astype(np.float32)


def write(film: Shown, path: Path, crf: int = 23) -> Path:
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": str(crf), "preset": "ultrafast"})
        video.height, video.width = film.frames[0].shape[:2]
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=RATE)
        for index, picture in enumerate(film.frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if len(film.sound):
            block = av.AudioFrame.from_ndarray(film.sound[None], "fltp", "mono")
            block.sample_rate = RATE
            container.mux(audio.encode(block))
            container.mux(audio.encode(None))
    return path


@pytest.fixture(scope="session")
def make() -> Callable[..., Shown]:
    return shown


@pytest.fixture(scope="session")
def save() -> Callable[..., Path]:
    return write
