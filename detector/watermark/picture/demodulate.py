"""From frames to one complex field: what turned with the carrier, freed from the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.watermark.picture.pattern import CARRIER_HZ, READ, Complex64, Float32

WINDOW_SECONDS = 2.0
SHORTEST_WINDOW_SECONDS = 1.5
FEWEST_FRAMES = 8
MOST_FRAMES = 500
"""In a window, whatever its times say."""

_YCC = np.array([[-0.1687, -0.3313, 0.5], [0.299, 0.587, 0.114], [0.5, -0.4187, -0.0813]], np.float32)
"""ITU-R BT.601 Cb, Y and Cr from RGB."""


@dataclass(frozen=True)
class Moments:
    """Sums over the frames from `start` to `end` (seconds) that a regression on 1, cos and sin needs.

    `gram` is (3, 3), `planes` (3, 3, height, width): the function, then Cb, Y, Cr. The carrier's phase is the
    film's. A slope is not taken out: over two seconds it would take most of the carrier with it.
    """

    start: float
    end: float
    frames: int
    gram: NDArray[np.float64]
    planes: Float32

    @property
    def seconds(self) -> float:
        return self.end - self.start

    def __add__(self, later: Moments) -> Moments:
        gram, planes = self.gram + later.gram, self.planes + later.planes
        return Moments(self.start, later.end, self.frames + later.frames, gram, planes)

    def field(self) -> Complex64:
        """Amplitude of the carrier in Cb (height, width), less what Y and Cr explain, whitened."""
        inverse = np.linalg.inv(self.gram + 1e-9 * np.trace(self.gram) * np.eye(3))[1:].astype(np.float32)
        cosine, sine = np.tensordot(inverse, self.planes, 1)
        return _whiten(_less_explained((cosine + 1j * sine).astype(np.complex64)))


class Gatherer:
    """Makes windows of about two seconds from frames that come one by one, in constant memory.

    A shorter rest joins the window before it. A change of the frame's shape ends a window; of fewer than
    eight frames nothing is made.
    """

    def __init__(self) -> None:
        self._held: Moments | None = None
        self._open: _Sums | None = None

    def see(self, seconds: float, frame: NDArray[np.uint8]) -> Moments | None:
        """Take the next RGB frame (height, width, 3); the window that it completed, if it did."""
        planes = _planes(frame)
        complete = None
        if self._open is not None and self._open.is_full(seconds, planes):
            complete = self._close(seconds)
        if self._open is None:
            self._open = _Sums(seconds, planes.shape)
        self._open.add(seconds, planes)
        return complete

    def done(self) -> list[Moments]:
        """The windows that were still waiting, two at most."""
        earlier = None
        if self._open is not None:
            earlier = self._close(self._open.likely_end())
        return [window for window in (earlier, self._held) if window is not None]

    def _close(self, end: float) -> Moments | None:
        """End the open window; the one before it, unless the two were joined."""
        assert self._open is not None
        new, self._open = self._open.moments(end), None
        before = self._held
        if (
            before is not None
            and before.planes.shape == new.planes.shape
            and min(before.seconds, new.seconds) < SHORTEST_WINDOW_SECONDS
        ):
            self._held = before + new
            return None
        self._held = new if new.frames >= FEWEST_FRAMES else None
        return before


class _Sums:
    """A window while it grows."""

    def __init__(self, start: float, shape: tuple[int, ...]) -> None:
        self.start, self.last, self.frames = start, start, 0
        self.gram = np.zeros((3, 3))
        self.planes = np.zeros((3, *shape), np.float32)

    def is_full(self, seconds: float, planes: Float32) -> bool:
        return (
            seconds - self.start >= WINDOW_SECONDS - 1e-6
            or self.frames == MOST_FRAMES
            or planes.shape != self.planes.shape[1:]
        )

    def add(self, seconds: float, planes: Float32) -> None:
        angle = 2.0 * math.pi * CARRIER_HZ * seconds
        basis = np.array([1.0, math.cos(angle), math.sin(angle)])
        self.gram += np.outer(basis, basis)
        for total, factor in zip(self.planes, basis, strict=True):
            cv2.scaleAdd(planes, factor, total, total)
        self.last, self.frames = seconds, self.frames + 1

    def likely_end(self) -> float:
        return self.last + (self.last - self.start) / max(1, self.frames - 1)

    def moments(self, end: float) -> Moments:
        return Moments(self.start, end, self.frames, self.gram, self.planes)


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
