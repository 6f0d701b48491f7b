"""Where in time and frequency each chip lies: the keyed layout that the embedder and the reader share."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.watermark.code import CHIPS

HOP_SECONDS = 0.016
"""Between frames of the embedder; a frame is two hops long."""
HALF_FRAMES = 2
"""Frames in each half of a tile."""
TILE_SECONDS = 2 * HALF_FRAMES * HOP_SECONDS
LOW_HZ = 1000.0
BAND_HZ = 125.0
BANDS = 40
PERIOD = 32
"""Tiles in time after which the pattern returns: 2.048 s."""
PERIOD_SECONDS = PERIOD * TILE_SECONDS
PILOTS = 8
"""Of the bands of each tile time, how many carry no chip but show where the pattern begins."""

_NAME = b"vernissage sound mark v1"


@dataclass(frozen=True, eq=False)
class Layout:
    """The keyed pattern of one period.

    ``signs``: (PERIOD, BANDS) float32 of +-1. ``pilot``: same shape, the signs where a pilot lies, else 0.
    ``chip``: same shape, which of the CHIPS of a code word lies there, -1 at pilots.
    """

    signs: NDArray[np.float32]
    pilot: NDArray[np.float32]
    chip: NDArray[np.int64]

    @classmethod
    def of(cls, key: bytes) -> Layout:
        """The layout of ``key``, the same on every machine and with every library."""
        tiles = PERIOD * BANDS
        stream = hashlib.shake_256(hmac.digest(key, _NAME, hashlib.sha256)).digest(17 * tiles)
        signs = (1.0 - 2.0 * (np.frombuffer(stream, np.uint8, tiles) & 1)).astype(np.float32)
        ranks = np.frombuffer(stream, "<u8", 2 * tiles, offset=tiles).reshape(2, PERIOD, BANDS)
        is_pilot = np.argsort(np.argsort(ranks[0], axis=1), axis=1) < PILOTS
        chip = np.full(tiles, -1)
        data = np.flatnonzero(~is_pilot.ravel())
        chip[data[np.argsort(ranks[1].ravel()[data], kind="stable")]] = np.arange(len(data)) % CHIPS
        signs = signs.reshape(PERIOD, BANDS)
        return cls(signs, signs * is_pilot, chip.reshape(PERIOD, BANDS))

    def pattern(self, chips: NDArray[np.int8]) -> NDArray[np.float32]:
        """Signs (PERIOD, BANDS) of one period that carries the code word ``chips`` (CHIPS,) of +-1."""
        carried = np.where(self.chip < 0, 1, chips[np.maximum(self.chip, 0)])
        return (self.signs * carried).astype(np.float32)
