"""From frames to one complex field: what turned with the carrier, freed from the picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.watermark.picture.pattern import CARRIER_HZ, READ, Complex64, Float32

PIECE_SECONDS = 1.0
SHORTEST_PIECE_SECONDS = 0.5
FEWEST_FRAMES = 8
MOST_FRAMES = 250
"""In a piece, whatever its times say: what bounds memory on a file whose clock stands still."""

_YCC = np.array([[-0.1687, -0.3313, 0.5], [0.299, 0.587, 0.114], [0.5, -0.4187, -0.0813]], np.float32)
"""ITU-R BT.601 Cb, Y and Cr from RGB."""


@dataclass(frozen=True)
class Moments:
    """Sums over the frames from `start` to `end` (seconds) that a regression on 1, t, cos and sin needs.

    `gram` (4, 4) and `planes` (4, 3, height, width) take t from `start`; the carrier's phase is the film's.
    """

    start: float
    end: float
    frames: int
    gram: NDArray[np.float64]
    planes: Float32

    def __add__(self, later: Moments) -> Moments:
        shift = np.eye(4)
        shift[1, 0] = later.start - self.start
        gram = self.gram + shift @ later.gram @ shift.T
        planes = self.planes + later.planes
        planes[1] += np.float32(shift[1, 0]) * later.planes[0]
        return Moments(self.start, later.end, self.frames + later.frames, gram, planes)

    def field(self) -> Complex64:
        """Amplitude of the carrier in Cb (height, width), less what Y and Cr explain, whitened."""
        inverse = np.linalg.inv(self.gram + 1e-9 * np.trace(self.gram) * np.eye(4))[2:].astype(np.float32)
        cosine, sine = np.tensordot(inverse, self.planes, 1)
        return _whiten(_less_explained((cosine + 1j * sine).astype(np.complex64)))


def pieces(frames: Iterable[tuple[float, NDArray[np.uint8]]]) -> Iterator[Moments]:
    """Moments of each second of the film, one at a time; a short rest joins the second before it.

    A change of the frame's shape ends a piece.
    """
    held: Moments | None = None
    for piece in _seconds(frames):
        if (
            held is not None
            and piece.planes.shape == held.planes.shape
            and (
                piece.end - piece.start < SHORTEST_PIECE_SECONDS
                or held.end - held.start < SHORTEST_PIECE_SECONDS
            )
        ):
            held = held + piece
            continue
        if held is not None and held.frames >= FEWEST_FRAMES:
            yield held
        held = piece
    if held is not None and held.frames >= FEWEST_FRAMES:
        yield held


def _seconds(frames: Iterable[tuple[float, NDArray[np.uint8]]]) -> Iterator[Moments]:
    open_piece: list[tuple[float, Float32]] = []
    for seconds, frame in frames:
        plane = _planes(frame)
        if open_piece and (
            seconds - open_piece[0][0] >= PIECE_SECONDS - 1e-6
            or len(open_piece) == MOST_FRAMES
            or plane.shape != open_piece[0][1].shape
        ):
            yield _moments(open_piece, seconds)
            open_piece = []
        open_piece.append((seconds, plane))
    if open_piece:
        times = [seconds for seconds, _ in open_piece]
        yield _moments(open_piece, times[-1] + (times[-1] - times[0]) / max(1, len(times) - 1))


def _moments(piece: list[tuple[float, Float32]], end: float) -> Moments:
    times = np.array([seconds for seconds, _ in piece])
    angle = 2.0 * math.pi * CARRIER_HZ * times
    basis = np.stack([np.ones_like(times), times - times[0], np.cos(angle), np.sin(angle)])
    planes = np.tensordot(basis.astype(np.float32), np.stack([plane for _, plane in piece]), 1)
    return Moments(float(times[0]), float(end), len(piece), basis @ basis.T, planes)


def _planes(frame: NDArray[np.uint8]) -> Float32:
    """Cb, Y and Cr (3, height, width) of a frame whose longer side becomes READ pixels."""
    height, width = frame.shape[:2]
    scale = READ / max(height, width)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = cv2.resize(
        frame.astype(np.float32), size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    return np.ascontiguousarray(np.moveaxis(small @ _YCC.T, 2, 0))


def _less_explained(fields: Complex64) -> Complex64:
    """Cb less its local real regression on Y and Cr, which hold the picture's motion but no mark."""

    def local(left: Complex64, right: Complex64) -> Float32:
        product = np.ascontiguousarray((left * np.conj(right)).real, dtype=np.float32)
        return cast(Float32, cv2.boxFilter(product, -1, (21, 21), borderType=cv2.BORDER_REFLECT))

    blue, luma, red = fields
    floor = np.float32(0.02)
    luma_luma, red_red, luma_red = local(luma, luma) + floor, local(red, red) + floor, local(luma, red)
    blue_luma, blue_red = local(blue, luma), local(blue, red)
    determinant = luma_luma * red_red - luma_red**2
    of_luma = (blue_luma * red_red - blue_red * luma_red) / determinant
    of_red = (blue_red * luma_luma - blue_luma * luma_red) / determinant
    unexplained: Complex64 = blue - of_luma * luma - of_red * red
    return unexplained


def _whiten(field: Complex64) -> Complex64:
    """Flat spectrum over rings from 2 to 30 cycles, then inverse to local power; zero stays zero."""
    height, width = field.shape
    mirrored = np.concatenate([field, field[::-1]])
    mirrored = np.concatenate([mirrored, mirrored[:, ::-1]], axis=1)
    spectrum = np.fft.fft2(mirrored)
    radius = np.hypot(np.fft.fftfreq(2 * height)[:, None] * READ, np.fft.fftfreq(2 * width)[None] * READ)
    ring = np.rint(radius).astype(np.intp)
    power = np.bincount(ring.ravel(), np.abs(spectrum.ravel()) ** 2) / np.maximum(
        1, np.bincount(ring.ravel())
    )
    power = np.convolve(np.pad(power, 2, "edge"), np.full(5, 0.2), "valid")
    spectrum *= ((radius > 2.0) & (radius < 30.0)) / np.sqrt(power[ring] + 1e-9)
    white = np.fft.ifft2(spectrum)[:height, :width]
    local = cv2.GaussianBlur((np.abs(white) ** 2).astype(np.float32), (0, 0), READ / 18)
    weighted: Complex64 = (white / (local + 0.3 * np.median(local) + 1e-9)).astype(np.complex64)
    return weighted
