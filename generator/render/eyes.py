"""Draws the eyes of a frame: gaze, lids, crease and lashes, pixel by pixel in each eye's own coordinates."""

from __future__ import annotations

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from generator.portrait.eyes import PATCH_U, PATCH_V, EyeLayer
from generator.portrait.lid_curve import lid_curve

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]

EYEBALL_REACH = 0.42
"""Sideways travel of the iris at 90 degrees of gaze, in eye widths: the eyeball's radius."""
_MARGIN = 0.16


def draw_eye(
    frame: NDArray[np.uint8], eye: EyeLayer, to_frame: Array, rims: tuple[Array, Array], gaze: Array
) -> None:
    """Draw one eye over the warped skin, in place.

    Args:
        frame: (H, W, 3).
        to_frame: (2, 3) affine from the source's pixels to this frame's around the eye: the head's motion.
        rims: upper and lower lid edge, (9, 2) each, in frame pixels, image left to right.
        gaze: (2,) yaw and pitch in degrees, + to the image's right and up.
    """
    height, width = frame.shape[:2]
    eye_to_frame = to_frame[:, :2] @ eye.to_frame
    eye_to_frame[:, 2] += to_frame[:, 2]
    to_eye = cv2.invertAffineTransform(eye_to_frame)
    upper, lower = (lid_curve(*(rim @ to_eye[:, :2].T + to_eye[:, 2]).T) for rim in rims)
    opening = float((lower - upper).max())
    shut = 1 - opening / eye.opening
    shift = EYEBALL_REACH * np.sin(np.radians(gaze)) * (1, -1)
    changed = np.hypot(*shift) / (0.22 * eye.iris_radius) + abs(shut) / 0.18
    presence = _ramp(0.25, 1.0, changed)
    if presence <= 0:
        return
    reach = np.array(
        [[u, v] for u in (-0.5 - _MARGIN, 0.5 + _MARGIN)
         for v in (min(eye.upper.min(), upper.min()) - 2 * _MARGIN, max(upper.max(), lower.max()) + _MARGIN)]
    )  # fmt: skip
    corners = reach @ eye_to_frame[:, :2].T + eye_to_frame[:, 2]
    x0, y0 = np.maximum(np.floor(corners.min(0)), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(corners.max(0)) + 1, (width, height)).astype(int)
    if x1 <= x0 or y1 <= y0:
        return
    _paint(
        frame[y0:y1, x0:x1],
        np.float32(x0),
        np.float32(y0),
        to_eye.astype(np.float32),
        upper,
        lower,
        eye.upper,
        eye.ball,
        eye.iris,
        eye.lid,
        eye.lash,
        shift.astype(np.float32),
        np.float32(eye.iris_centre[0]),
        np.float32(np.cos(np.radians(gaze[0]))),
        np.float32(presence),
        np.float32(_ramp(0.12, 0.60, shut)),
    )


@njit(cache=True, fastmath=True, nogil=True)
def _ramp(low: float, high: float, x: float) -> float:
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3 - 2 * t)


@njit(cache=True, fastmath=True, nogil=True)
def _lid_shadow(below: float) -> float:
    """Light left at a distance (eye widths) below the upper lid's edge."""
    return 0.70 + 0.30 * _ramp(0.0, 0.17, below)


@njit(cache=True, fastmath=True, nogil=True)
def _sample(picture: Float32, u: float, v: float, channel: int) -> float:
    """Bilinear look-up in a picture over PATCH_U x PATCH_V."""
    height, width = picture.shape[0], picture.shape[1]
    x = (u - PATCH_U[0]) / (PATCH_U[1] - PATCH_U[0]) * (width - 1)
    y = (v - PATCH_V[0]) / (PATCH_V[1] - PATCH_V[0]) * (height - 1)
    x = min(max(x, 0.0), width - 1.001)
    y = min(max(y, 0.0), height - 1.001)
    i, j = int(x), int(y)
    fx, fy = x - i, y - j
    top = picture[j, i, channel] * (1 - fx) + picture[j, i + 1, channel] * fx
    low = picture[j + 1, i, channel] * (1 - fx) + picture[j + 1, i + 1, channel] * fx
    return float(top * (1 - fy) + low * fy)


@njit(cache=True, fastmath=True, nogil=True)
def _paint(
    out: NDArray[np.uint8],
    left: np.float32,
    top: np.float32,
    to_eye: Float32,
    upper: Float32,
    lower: Float32,
    rest_upper: Float32,
    ball: Float32,
    iris: Float32,
    lid: Float32,
    lash: Float32,
    shift: Float32,
    iris_u: np.float32,
    squeeze: np.float32,
    presence: np.float32,
    closure: np.float32,
) -> None:
    pixel = np.sqrt(abs(to_eye[0, 0] * to_eye[1, 1] - to_eye[0, 1] * to_eye[1, 0]))
    last = upper.shape[0] - 1
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            px, py = left + x, top + y
            u = to_eye[0, 0] * px + to_eye[0, 1] * py + to_eye[0, 2]
            v = to_eye[1, 0] * px + to_eye[1, 1] * py + to_eye[1, 2]
            at = min(max((u + 0.5) * last, 0.0), last - 1e-3)
            i = int(at)
            f = at - i
            v_upper = upper[i] * (1 - f) + upper[i + 1] * f
            v_lower = lower[i] * (1 - f) + lower[i + 1] * f
            v_rest = rest_upper[i] * (1 - f) + rest_upper[i + 1] * f
            across = min(abs(u) * 2, 1.0)
            arch = 1 - across * across
            v_edge = min(v_upper, v_lower)

            lid_alpha = 0.0
            if closure > 0 and v < v_edge + 0.02:
                lid_alpha = float(
                    0.92 * closure
                    * _ramp(v_rest - 0.15, v_rest - 0.03, v)
                    * (1 - _ramp(v_edge - 0.055, v_edge - 0.005, v))
                    * (1 - _ramp(0.46, 0.56, abs(u)))
                )  # fmt: skip
            crease = 0.0
            lash_alpha = 0.0
            shade = 1.0
            if closure > 0:
                fold = v - (v_rest - 0.075 - 0.02 * arch)
                fold /= 0.060 if fold > 0 else 0.020
                crease = 0.17 * closure * np.exp(-fold * fold) * arch
                t = min(max((v - v_rest + 0.06) / max(v_edge - v_rest + 0.06, 0.02), 0.0), 1.0)
                bulge = 4 * t * (1 - t) * arch
                shade = 1 + closure * (0.07 * bulge - 0.10 * t * t - 0.12 * across * across)
                line = (v - v_edge) / (0.020 + 0.012 * arch)
                soft = (v - v_edge - 0.015) / 0.06
                lash_alpha = (
                    closure * (1 - _ramp(0.49, 0.56, abs(u)))
                    * (0.78 * np.exp(-line * line) + 0.16 * np.exp(-soft * soft))
                )  # fmt: skip

            cover = min(max((v - v_upper) / pixel + 0.5, 0.0), 1.0)
            cover *= min(max((v_lower - v) / pixel + 0.5, 0.0), 1.0)
            if abs(u) >= 0.5:
                cover = 0.0
            eye_alpha = cover * presence
            if lid_alpha <= 0.002 and crease <= 0.002 and lash_alpha <= 0.002 and eye_alpha <= 0.002:
                continue
            iu = iris_u + (u - shift[0] - iris_u) / squeeze
            iv = v - shift[1]
            iris_alpha = _sample(iris, iu, iv, 3)
            if iu < PATCH_U[0] or iu > PATCH_U[1] or iv < PATCH_V[0] or iv > PATCH_V[1]:
                iris_alpha = 0.0
            shadow = _lid_shadow(v - v_upper) / _lid_shadow(v - v_rest)
            for channel in range(3):
                c = np.float64(out[y, x, channel])
                c += (_sample(lid, u, v, channel) * shade - c) * lid_alpha
                c *= 1 - crease
                if eye_alpha > 0:
                    white = _sample(ball, u, v, channel)
                    white += (_sample(iris, iu, iv, channel) - white) * iris_alpha
                    c += (white * shadow - c) * eye_alpha
                c += (lash[channel] - c) * lash_alpha
                out[y, x, channel] = np.uint8(min(max(c + 0.5, 0.0), 255.0))
