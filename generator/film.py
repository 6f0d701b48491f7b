"""Portrait and motion in, film out: renders and encodes side by side, in constant memory."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from generator.motion import Motion
from generator.portrait.portrait import Portrait
from generator.render.renderer import Renderer
from generator.video import SoundTreatment, UInt8, VideoWriter

FRAMES_IN_FLIGHT = 8
"""Rendered frames that may wait for the encoder."""


class Treatment(Protocol):
    """What is done to a film's pictures and sound before they are encoded, such as marking them."""

    def picture(self, frame: UInt8, seconds: float) -> UInt8:
        """The frame (height, width, 3) shown at ``seconds``, changed; frames come in order."""

    def sound(self, rate: int) -> SoundTreatment:
        """What changes the sound, at ``rate`` (Hz)."""


@dataclass(frozen=True)
class FilmStats:
    """How a film was made: its frames, its length and the wall time taken (s)."""

    frames: int
    seconds: float
    wall_seconds: float

    @property
    def frames_per_second(self) -> float:
        """Frames rendered and encoded per second of wall time."""
        return self.frames / max(self.wall_seconds, 1e-9)


def render_film(
    portrait: Portrait,
    motion: Motion,
    path: Path,
    *,
    audio: Path | None = None,
    treatment: Treatment | None = None,
    on_frame: Callable[[], None] = lambda: None,
) -> FilmStats:
    """Render ``motion`` on ``portrait`` to an MP4 at ``path``.

    Args:
        portrait: whom to move.
        motion: how, at its own frame rate.
        path: the film; it takes this name only when complete.
        audio: the sound that goes with it.
        treatment: what is done to both first.
        on_frame: called after each rendered frame, for progress.

    Raises:
        VideoError: the film cannot be written; nothing is left behind.
    """
    began = time.perf_counter()
    renderer = Renderer(portrait)
    treat = treatment.sound if treatment else None
    waiting: deque[Future[None]] = deque()
    with (
        VideoWriter(path, size=portrait.size, fps=motion.fps, audio=audio, treat=treat) as film,
        ThreadPoolExecutor(1, thread_name_prefix="encoder") as encoder,
    ):

        def write(number: int, frame: UInt8) -> None:
            film.write(treatment.picture(frame, number / motion.fps) if treatment else frame)

        for number, row in enumerate(motion.values):
            waiting.append(encoder.submit(write, number, renderer.frame(row)))
            if len(waiting) > FRAMES_IN_FLIGHT:
                waiting.popleft().result()
            on_frame()
        while waiting:
            waiting.popleft().result()
    frames = len(motion.values)
    return FilmStats(frames, frames / motion.fps, time.perf_counter() - began)
