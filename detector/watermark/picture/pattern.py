"""What is drawn: keyed patterns in a band of spatial frequencies, and the square wave that carries them."""

from __future__ import annotations

import hashlib
import math
from functools import cached_property
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.watermark.code import CHIPS, encode

CARRIER_HZ = 0.4
"""The pattern is added for 1.25 s, then taken away for 1.25 s: any two seconds hold enough of both."""

BAND_CYCLES = (3.0, 14.5)
"""Spatial frequencies, in cycles over the longer side: below lies the picture, above what encoders drop."""

PILOT_SHARE = 0.2
"""Part of the power that carries no payload but tells where the pattern lies."""

DRAWN = 256
"""Side of the square in which patterns are drawn; it covers the longer side of the frame, from its corner."""

READ = 128
"""Side of the square in which they are read."""

SOFT = 64
"""Side of the square in which chips are told apart."""

Float32 = NDArray[np.float32]
Complex64 = NDArray[np.complex64]


class Pattern:
    """All patterns of one key."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        cycles = np.arange(DRAWN) / 2.0
        radius = np.hypot(cycles[:, None], cycles[None])
        self._band = (radius >= BAND_CYCLES[0]) & (radius < BAND_CYCLES[1])
        modes = int(self._band.sum())
        seed = hashlib.sha256(b"vernissage picture mark v1" + key).digest()
        rng = np.random.Generator(np.random.Philox(int.from_bytes(seed[:16])))
        draws = rng.standard_normal((modes, CHIPS + 1))
        orthogonal = np.linalg.qr(draws)[0].T.astype(np.float32) * np.float32(np.sqrt(modes))
        self._pilot = orthogonal[0] * np.float32(PILOT_SHARE**0.5)
        self._chips = orthogonal[1:] * np.float32(((1.0 - PILOT_SHARE) / CHIPS) ** 0.5)

    def mark(self, job_id: int) -> Float32:
        """The pattern (DRAWN, DRAWN) that carries `job_id`, of unit variance."""
        return self._draw(self._pilot + encode(job_id, self.key) @ self._chips, DRAWN)

    @cached_property
    def pilot(self) -> Float32:
        """The pilot (READ, READ)."""
        return self._draw(self._pilot, READ)

    def estimate(self, soft: Float32) -> Float32:
        """The mark (READ, READ) as far as soft values (CHIPS,) tell it."""
        likely = np.tanh(soft / (np.sqrt(np.mean(soft**2)) + 1e-12))
        return self._draw(self._pilot + likely @ self._chips, READ)

    @cached_property
    def pilot_spectrum(self) -> Complex64:
        """Conjugate spectrum (2 SOFT, 2 SOFT) of the pilot drawn at SOFT, for correlation."""
        padded = np.zeros((2 * SOFT, 2 * SOFT), np.complex64)
        padded[:SOFT, :SOFT] = self._draw(self._pilot, SOFT)
        return np.conj(np.fft.fft2(padded)).astype(np.complex64)

    @cached_property
    def templates(self) -> Float32:
        """Chips and, last, the pilot as rows (CHIPS + 1, SOFT^2)."""
        return np.stack([self._draw(row, SOFT).ravel() for row in [*self._chips, self._pilot]])

    def gram_of(self, kept: NDArray[np.bool_]) -> Float32:
        """Products (CHIPS + 1, CHIPS + 1) of the templates over the pixels (SOFT^2,) that were received."""
        if 2 * kept.sum() < kept.size:
            rows = self.templates[:, kept]
            return cast(Float32, rows @ rows.T)
        lost = self.templates[:, ~kept]
        return cast(Float32, self._gram - lost @ lost.T)

    @cached_property
    def _gram(self) -> Float32:
        return cast(Float32, self.templates @ self.templates.T)

    def _draw(self, modes: Float32, side: int) -> Float32:
        """The field (side, side) whose DCT-II modes in the band are `modes`."""
        band = self._band[:side, :side]
        spectrum = np.zeros((side, side), np.float32)
        spectrum[band] = modes * (side / band.sum() ** 0.5)
        return cast(Float32, cv2.idct(spectrum))


def carrier(seconds: float) -> int:
    """The square wave: 1 or -1."""
    return 1 - 2 * (math.floor(seconds * 2.0 * CARRIER_HZ + 1e-6) % 2)
