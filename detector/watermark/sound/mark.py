"""The sound mark of one key: what the rest of the project uses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.errors import WatermarkError
from detector.watermark.code import encode
from detector.watermark.sound.embed import SoundEmbedder
from detector.watermark.sound.layout import Layout
from detector.watermark.sound.read import Reading, SoundReader


class SoundMark:
    """Marks and reads sounds with one secret key (at least 16 bytes). Whoever has the key can do both."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise WatermarkError("The key of the sound mark must have at least 16 bytes.")
        self._key = key
        self._layout = Layout.of(key)

    def embedder(self, rate: int, job_id: int) -> SoundEmbedder:
        """For sound that arrives block by block: ``push`` samples, take what is marked, ``finish``.

        ``rate`` in Hz, 8,000 to 192,000; ``job_id`` 0 .. 2^40 - 1. Raises ``WatermarkError`` otherwise.
        """
        try:
            chips = encode(job_id, self._key)
        except ValueError as error:
            raise WatermarkError(f"The sound cannot be marked: {error}.") from error
        return SoundEmbedder(rate, self._layout.pattern(chips))

    def embed(self, samples: NDArray[np.floating], rate: int, job_id: int) -> NDArray[np.float32]:
        """``samples``, (N,) or (N, channels) floating-point in -1..1, with the mark; as long as they were.

        Samples near full scale may exceed it by the mark. Raises ``WatermarkError`` as ``embedder`` does.
        """
        embedder = self.embedder(rate, job_id)
        marked = embedder.push(samples)
        return np.concatenate([marked, embedder.finish()])

    def reader(self, rate: int) -> SoundReader:
        """For long sound: ``push`` samples block by block, then ``finish`` for the reading."""
        return SoundReader(rate, self._key, self._layout)

    def read(self, samples: NDArray[np.floating], rate: int) -> Reading:
        """What ``samples``, (N,) or (N, channels), say. Raises ``WatermarkError`` if they cannot be read."""
        reader = self.reader(rate)
        reader.push(samples)
        return reader.finish()
