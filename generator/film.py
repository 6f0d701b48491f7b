"""Portrait and motion in, film out: renders and encodes side by side, in constant memory."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from generator.motion import Motion
from generator.portrait.portrait import Portrait
from generator.render.renderer import Renderer
from generator.video import VideoWriter

FRAMES_IN_FLIGHT = 8
"""Rendered frames that may wait for the encoder."""


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
    on_frame: Callable[[], None] = lambda: None,
) -> FilmStats:
    """Render ``motion`` on ``portrait`` to an MP4 at ``path``.

    Args:
        portrait: whom to move.
        motion: how, at its own frame rate.
        path: the film; it takes this name only when complete.
        audio: the sound that goes with it.
        on_frame: called after each rendered frame, for progress.

    Raises:
        VideoError: the film cannot be written; nothing is left behind.
    """
    began = time.perf_counter()
    renderer = Renderer(portrait)
    waiting: deque[Future[None]] = deque()
    with (
        VideoWriter(path, size=portrait.size, fps=motion.fps, audio=audio) as film,
        ThreadPoolExecutor(1, thread_name_prefix="encoder") as encoder,
    ):
        for row in motion.values:
            waiting.append(encoder.submit(film.write, renderer.frame(row)))
            if len(waiting) > FRAMES_IN_FLIGHT:
                waiting.popleft().result()
            on_frame()
        while waiting:
            waiting.popleft().result()
    frames = len(motion.values)
    return FilmStats(frames, frames / motion.fps, time.perf_counter() - began)
