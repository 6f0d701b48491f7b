"""Live: sound in, frames out, for as long as wanted.

live = stream(portrait)
while listening:
    live.push(microphone.read())
    for frame in live:
        show(frame.image)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.errors import SpeechError
from generator.motion.direction import NATURAL_DIRECTION, Direction
from generator.motion.live import LiveMotion
from generator.motion.model import MotionModel
from generator.motion.motion import FPS
from generator.portrait.portrait import Portrait
from generator.render.renderer import Renderer
from generator.speech.encoder import SpeechEncoder

WAITING_SECONDS = 4.0
"""How much motion may wait to be drawn before the oldest is skipped."""


@dataclass(frozen=True, eq=False)
class LiveFrame:
    """``image`` (H, W, 3) uint8 RGB, to be shown ``seconds`` after the first sample pushed; ``motion`` (59,)
    is its row of ``Motion``."""

    seconds: float
    motion: NDArray[np.float32]
    image: NDArray[np.uint8]


class LiveStream:
    """Push sound, iterate over the frames it completes. Not safe to share between threads.

    A frame comes ``delay_seconds`` of sound after its own moment. Who is slower than real time sees frames
    skipped (``skipped`` counts them), never a growing delay. In silence, push silence: the face idles.
    """

    def __init__(self, portrait: Portrait, motion: LiveMotion) -> None:
        self._renderer = Renderer(portrait)
        self._motion = motion
        self._waiting: deque[tuple[int, NDArray[np.float32]]] = deque()
        self._made = 0
        self.skipped = 0
        self.delay_seconds = motion.delay_seconds

    def push(self, samples: NDArray[np.float32]) -> None:
        """Take (N,) samples, mono at 16 kHz, -1..1; raises ``SpeechError`` for anything else."""
        sound = np.asarray(samples)
        if sound.ndim != 1 or not np.issubdtype(sound.dtype, np.floating) or not np.isfinite(sound).all():
            raise SpeechError("Live sound is one channel of finite floats from -1 to 1, 16000 a second.")
        while len(self._waiting) > WAITING_SECONDS * FPS:
            self._waiting.popleft()
            self.skipped += 1
        self._await(self._motion.push(np.clip(sound, -1, 1).astype(np.float32)))

    def finish(self) -> None:
        """The sound has ended: iterate once more for the frames that were waiting for what would follow."""
        self._await(self._motion.finish())

    def _await(self, rows: NDArray[np.float32]) -> None:
        for row in rows:
            self._waiting.append((self._made, row))
            self._made += 1

    def __iter__(self) -> Iterator[LiveFrame]:
        """Draw what is due; ends when more sound is needed."""
        while self._waiting:
            number, row = self._waiting.popleft()
            yield LiveFrame(number / FPS, row, self._renderer.frame(row))


def stream(portrait: Portrait, *, seed: int = 0, direction: Direction = NATURAL_DIRECTION) -> LiveStream:
    """Bring ``portrait`` to life. The same sound, seed and direction give the same frames.

    Raises ``ModelError`` if the speech encoder or the motion model is missing or not the one released.
    """
    motion = LiveMotion(SpeechEncoder.load(), MotionModel.load(), seed=seed, direction=direction)
    return LiveStream(portrait, motion)
