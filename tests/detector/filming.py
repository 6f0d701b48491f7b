"""Films for the verdict's tests: something that moves and speaks, marked or not, written as files."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from detector.watermark.picture import PictureMark
from detector.watermark.sound import SoundMark

FPS = 25
RATE = 16_000
KEY = b"a key of the tests of the verdict"


@dataclass(frozen=True, eq=False)
class Take:
    """Pictures (height, width, 3) RGB at 25 fps, and sound at 16 kHz."""

    frames: list[NDArray[np.uint8]]
    sound: NDArray[np.float32]

    def cut(self, start: float, end: float) -> Take:
        frames = self.frames[round(start * FPS) : round(end * FPS)]
        return Take(frames, self.sound[round(start * RATE) : round(end * RATE)])

    def then(self, other: Take) -> Take:
        return Take(self.frames + other.frames, np.concatenate([self.sound, other.sound]))

    def marked(self, job: int, *, picture: bool = True, sound: bool = True) -> Take:
        take = self
        if picture:
            height, width = self.frames[0].shape[:2]
            embedder = PictureMark(KEY).embedder((width, height), float(FPS), job)
            marked = [embedder.embed(frame, index / FPS) for index, frame in enumerate(self.frames)]
            take = replace(take, frames=marked)
        return replace(take, sound=SoundMark(KEY).embed(self.sound, RATE, job)) if sound else take

    def write(self, path: Path, crf: int = 20, *, picture: bool = True, sound: bool = True) -> Path:
        with av.open(str(path), "w") as container:
            options = {"crf": str(crf), "preset": "veryfast", "threads": "1"}
            video = container.add_stream("libx264", rate=FPS, options=options) if picture else None
            audio = container.add_stream("aac", rate=RATE, options={"b": "96000"}) if sound else None
            if video:
                video.height, video.width = self.frames[0].shape[:2]
                video.pix_fmt = "yuv420p"
                for index, picture_ in enumerate(self.frames):
                    frame = av.VideoFrame.from_ndarray(picture_, "rgb24")
                    frame.pts, frame.time_base = index, Fraction(1, FPS)
                    container.mux(video.encode(frame))
                container.mux(video.encode(None))
            if audio:
                block = av.AudioFrame.from_ndarray(self.sound[None].clip(-1, 1), "fltp", "mono")
                block.sample_rate = RATE
                container.mux(audio.encode(block))
                container.mux(audio.encode(None))
        return path


def take(seconds: float, seed: int = 0, side: int = 256) -> Take:
    """A textured wall before which a face-like disc sways and opens its mouth; noise in syllables."""
    rng = np.random.default_rng(seed)
    wall = cv2.GaussianBlur(rng.uniform(0, 255, (side, side, 3)).astype(np.float32), (0, 0), 6)
    wall = np.clip(120 + 4 * (wall - wall.mean()), 20, 235).astype(np.uint8)
    skin = tuple(int(level) for level in rng.integers(120, 230, 3))
    count = round(seconds * FPS)
    sway = cv2.GaussianBlur(rng.standard_normal((3, count)).astype(np.float32), (0, 0), 6, sigmaY=0.001)
    frames = []
    for x, y, mouth in (sway * np.array([[20.0], [12.0], [30.0]])).T:
        frame = wall.copy()
        middle = (round(side / 2 + x), round(side / 2 + y))
        cv2.circle(frame, middle, side // 4, skin, -1, cv2.LINE_AA)
        opened = (side // 14, 3 + abs(round(mouth)))
        cv2.ellipse(frame, (middle[0], middle[1] + side // 9), opened, 0, 0, 360, (90, 20, 30), -1)
        frames.append(frame)
    return Take(frames, _babble(rng, seconds))


def _babble(rng: np.random.Generator, seconds: float) -> NDArray[np.float32]:
    times = np.arange(round(seconds * RATE)) / RATE
    knots = np.arange(0, seconds + 0.25, 0.2)
    wave = np.zeros_like(times)
    for low, high in ((200, 900), (900, 2200), (2200, 4000), (4000, 7000)):
        noise = np.fft.rfft(rng.standard_normal(len(times)))
        frequencies = np.fft.rfftfreq(len(times), 1 / RATE)
        noise[(frequencies < low) | (frequencies >= high)] = 0
        loudness = np.interp(times, knots, rng.uniform(0.1, 1.0, len(knots)))
        wave += loudness * np.fft.irfft(noise, len(times))
    return (0.1 * wave / wave.std()).astype(np.float32)


def children() -> set[str]:
    """The processes that this one has started and not yet seen the end of; other tests' may be among them."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
