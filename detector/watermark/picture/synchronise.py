"""Finding where the pattern lies in a frame that was scaled, cropped, shifted or flipped."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import cv2
import numba
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from detector.watermark.picture.pattern import READ, SOFT, Complex64, Float32, Pattern

SCALES = np.exp(np.arange(np.log(0.55), np.log(1.75), 0.02))
"""Longer side of the marked film over that of what was received, at equal magnification."""

CANDIDATES = 4
"""Places where the pilot may lie that are looked at."""

STEPS = {"scale": 0.007, "right": 0.5, "down": 0.5, "turn": 0.007, "aspect": 0.005}
"""First steps of refinement: ratios, pixels of the READ square, radians."""

STRAIGHT = ("scale", "right", "down")
"""What a weak pilot can tell; turn and aspect need the rest of the mark."""

ROUNDS = 4


@dataclass(frozen=True)
class Placement:
    """`matrix` (2, 3) takes (x, y) of the field, mirrored first if `flipped`, to the READ square."""

    flipped: bool
    matrix: NDArray[np.float64]

    def aligned(self, field: Complex64) -> Complex64:
        """The field as the pattern sees it, (READ, READ), zero where nothing was received."""
        mirrored = field[:, ::-1] if self.flipped else field
        return _warp(np.ascontiguousarray(mirrored), self.matrix)


def upright(field: Complex64, flipped: bool) -> Placement:
    """The whole frame, as it was written or mirrored."""
    return Placement(flipped, np.eye(2, 3))


def search(field: Complex64, pattern: Pattern) -> list[Placement]:
    """The likeliest placements of the pilot in a whitened field, best first, refined."""
    found: list[tuple[float, Placement]] = []
    half = (np.array(field.shape) * SOFT / READ).round().astype(int)
    for flipped in (False, True):
        mirrored = np.ascontiguousarray(field[:, ::-1] if flipped else field)
        small = _shrunk(mirrored, int(half[1]), int(half[0]))
        found.extend(_correlate(small, 1.0 / scale, flipped, pattern) for scale in SCALES)
    found.sort(key=lambda one: -one[0])
    distinct: list[Placement] = []
    for _, placement in found:
        if all(_apart(placement, other) for other in distinct):
            distinct.append(placement)
        if len(distinct) == CANDIDATES:
            break
    return [refine(field, placement, pattern.pilot, STRAIGHT) for placement in distinct]


def _correlate(small: Complex64, scale: float, flipped: bool, pattern: Pattern) -> tuple[float, Placement]:
    """Height of the best peak over the rms of the plane, and where it lies."""
    side = 2 * SOFT
    width, height = round(small.shape[1] * scale), round(small.shape[0] * scale)
    padded = np.zeros((side, side), np.complex64)
    padded[:height, :width] = _shrunk(small, width, height)
    plane = np.abs(scipy.fft.ifft2(scipy.fft.fft2(padded) * pattern.pilot_spectrum))
    peak = int(np.argmax(plane))
    top, left = divmod(peak, side)
    down, right = (top + SOFT) % side - SOFT, (left + SOFT) % side - SOFT
    ratio_x, ratio_y = width / small.shape[1], height / small.shape[0]
    matrix = np.array(
        [
            [ratio_x, 0.0, (ratio_x - 1.0) / 2.0 - right * READ / SOFT],
            [0.0, ratio_y, (ratio_y - 1.0) / 2.0 - down * READ / SOFT],
        ]
    )
    height_over_rms = float(plane.flat[peak] / np.sqrt(np.mean(plane**2) + 1e-12))
    return height_over_rms, Placement(flipped, matrix)


def refine(
    field: Complex64, placement: Placement, template: Float32, axes: tuple[str, ...] = tuple(STEPS)
) -> Placement:
    """Coordinate ascent for the greatest normalised correlation with a template (READ, READ)."""
    mirrored = np.ascontiguousarray(field[:, ::-1] if placement.flipped else field)
    centre = placement.matrix @ [(field.shape[1] - 1) / 2, (field.shape[0] - 1) / 2, 1.0]

    def moved(change: dict[str, float]) -> NDArray[np.float64]:
        turn = change["turn"]
        wide, high = np.exp(change["scale"] + change["aspect"]), np.exp(change["scale"] - change["aspect"])
        linear = np.array([[wide * np.cos(turn), -np.sin(turn)], [np.sin(turn), high * np.cos(turn)]])
        matrix = linear @ placement.matrix
        matrix[:, 2] += centre - linear @ centre + [change["right"], change["down"]]
        return matrix

    def score(change: dict[str, float]) -> float:
        return float(_agreement(template, mirrored, cv2.invertAffineTransform(moved(change))))

    change = dict.fromkeys(STEPS, 0.0)
    best = score(change)
    for fraction in (1.0, 0.5, 0.25):
        for _ in range(ROUNDS):
            before = best
            for axis in axes:
                for sign in (1.0, -1.0):
                    trial = change | {axis: change[axis] + sign * fraction * STEPS[axis]}
                    value = score(trial)
                    if value > best:
                        best, change = value, trial
                        break
            if best == before:
                break
    return Placement(placement.flipped, moved(change))


@numba.njit(cache=True)
def _agreement(template: Float32, field: Complex64, back: NDArray[np.float64]) -> float:
    """|<template, warped field>| over the norm of the warped field; `back` takes places to the field's."""
    height, width = field.shape
    real = imaginary = energy = 0.0
    for row in range(template.shape[0]):
        for column in range(template.shape[1]):
            x = back[0, 0] * column + back[0, 1] * row + back[0, 2]
            y = back[1, 0] * column + back[1, 1] * row + back[1, 2]
            if x < 0.0 or y < 0.0 or x >= width - 1 or y >= height - 1:
                continue
            left, top = int(x), int(y)
            right, low = np.float32(x - left), np.float32(y - top)
            above = field[top, left] + right * (field[top, left + 1] - field[top, left])
            below = field[top + 1, left] + right * (field[top + 1, left + 1] - field[top + 1, left])
            seen = above + low * (below - above)
            real += template[row, column] * seen.real
            imaginary += template[row, column] * seen.imag
            energy += seen.real**2 + seen.imag**2
    return math.hypot(real, imaginary) / math.sqrt(energy + 1e-9)


def _apart(one: Placement, other: Placement) -> bool:
    if one.flipped != other.flipped:
        return True
    difference = one.matrix - other.matrix
    return bool(np.abs(difference[:, :2]).max() > 0.05 or np.abs(difference[:, 2]).max() > 8.0)


def _warp(field: Complex64, matrix: NDArray[np.float64]) -> Complex64:
    packed = np.stack([field.real, field.imag], axis=2)
    moved = cast(Float32, cv2.warpAffine(packed, matrix, (READ, READ), flags=cv2.INTER_LINEAR))
    return moved.view(np.complex64)[..., 0]


def _shrunk(field: Complex64, width: int, height: int) -> Complex64:
    packed = np.stack([field.real, field.imag], axis=2)
    shrinks = width < field.shape[1]
    small = cv2.resize(packed, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.ascontiguousarray(small, np.float32).view(np.complex64)[..., 0]
