"""What is needed to look elsewhere and to close an eye: eyeball, iris and lid as separate small pictures.

Each eye has its own flat coordinates: u runs along the line between the corners towards the image's right,
v down across it, both in eye widths from the middle between the corners.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.face import topology
from generator.portrait.lid_curve import CURVE_SAMPLES, lid_curve

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]

PATCH_U = (-0.85, 0.85)
PATCH_V = (-0.75, 0.60)
"""Extent of the small pictures in eye coordinates."""
_PATCH_PX_PER_EYE = (72, 160)
_LASH_DARKEST_SHARE = 0.15
_SCLERA_LIGHT = 0.8
"""How closely the white of the eye follows the light on the skin around it."""
_WHITE_ENOUGH = 0.95
_SCLERA_AT_LEAST = 0.85
"""The white of a narrow, shaded eye is invented at least this bright against the lid."""
_LASH_AT_MOST = 0.42
"""A lash line is at most this bright against the lid, also where a painter left it out."""


@dataclass(frozen=True)
class EyeRing:
    """Which vertices make one eye. ``upper[i]`` meets ``lower[i]`` when it closes."""

    side: str
    upper: tuple[int, ...]
    lower: tuple[int, ...]
    iris: tuple[int, ...]


EYES = (
    EyeRing("Right", topology.RIGHT_EYE_UPPER, topology.RIGHT_EYE_LOWER, topology.RIGHT_IRIS),
    EyeRing("Left", topology.LEFT_EYE_UPPER[::-1], topology.LEFT_EYE_LOWER[::-1], topology.LEFT_IRIS),
)
"""Both rings from the image's left corner to its right one."""


@dataclass(frozen=True, eq=False)
class EyeLayer:
    """One eye of a portrait.

    Attributes:
        ring: its vertices.
        centre: (2,) px, middle between the corners.
        axis: (2,) unit vector from the image-left to the image-right corner; ``down`` is perpendicular.
        width_px: distance between the corners.
        upper, lower: (65,) float32 lid edges at rest, v by u.
        opening: largest distance between the lids at rest, eye widths.
        ball, iris, lid: float32 pictures over ``PATCH_U`` x ``PATCH_V``: eyeball without its iris (3),
            iris with coverage 0..1 (4), closed lid (3), all 0..255.
        iris_centre: (2,) and ``iris_radius``, in eye widths.
        lash: (3,) float32 colour of the lash line.
        whiteness: (3,) colour of the white of the eye over the brightness of the skin around.
    """

    ring: EyeRing
    centre: Array
    axis: Array
    width_px: float
    upper: Float32
    lower: Float32
    opening: float
    ball: Float32
    iris: Float32
    lid: Float32
    iris_centre: Array
    iris_radius: float
    lash: Float32
    whiteness: Array

    @property
    def to_frame(self) -> Array:
        """(2, 3) affine from (u, v, 1) to source pixels."""
        down = np.array([-self.axis[1], self.axis[0]])
        return np.column_stack([self.axis * self.width_px, down * self.width_px, self.centre])


def build_eyes(frame: NDArray[np.uint8], uv: Array, landmarks: Array, grain: float) -> tuple[EyeLayer, ...]:
    """Take both eyes apart; see ``build_eye``. The white of the darker one takes after that of the other."""
    eyes = [build_eye(frame, uv, landmarks[list(ring.iris), :2], ring, grain) for ring in EYES]
    dark, light = sorted(eyes, key=lambda eye: float(eye.whiteness.mean()))
    if dark.whiteness.mean() < _WHITE_ENOUGH * light.whiteness.mean():
        iris_px = landmarks[list(dark.ring.iris), :2]
        shared = (dark.whiteness + light.whiteness) / 2
        eyes[eyes.index(dark)] = build_eye(frame, uv, iris_px, dark.ring, grain, whiteness=shared)
    return tuple(eyes)


def build_eye(
    frame: NDArray[np.uint8],
    uv: Array,
    iris_px: Array,
    ring: EyeRing,
    grain: float,
    *,
    whiteness: Array | None = None,
) -> EyeLayer:
    """Take one eye apart.

    Args:
        frame: (H, W, 3) the source.
        uv: (468, 2) face vertices in it, px.
        iris_px: (5, 2) iris landmarks: centre and four points of the rim.
        ring: which eye.
        grain: standard deviation of the source's fine texture, 0..255, to be laid over what is invented.
        whiteness: (3,) colour of the white over the brightness of the skin around, if better known than seen.
    """
    left, right = uv[ring.upper[0]], uv[ring.upper[-1]]
    width_px = float(np.linalg.norm(right - left))
    axis = (right - left) / width_px
    centre = (left + right) / 2
    to_eye = np.column_stack([axis, (-axis[1], axis[0])]) / width_px

    def curve(ids: tuple[int, ...]) -> Float32:
        local = (uv[list(ids)] - centre) @ to_eye
        return lid_curve(local[:, 0], local[:, 1])

    upper, lower = curve(ring.upper), curve(ring.lower)
    per_eye = float(np.clip(3 * width_px, *_PATCH_PX_PER_EYE))
    u, v = np.meshgrid(
        np.linspace(*PATCH_U, round((PATCH_U[1] - PATCH_U[0]) * per_eye)),
        np.linspace(*PATCH_V, round((PATCH_V[1] - PATCH_V[0]) * per_eye)),
    )
    source = centre + width_px * (u[..., None] * axis + v[..., None] * np.array([-axis[1], axis[0]]))
    skin = cv2.remap(
        frame.astype(np.float32),
        source.astype(np.float32),
        None,
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    at = np.clip((u + 0.5) * (CURVE_SAMPLES - 1), 0, CURVE_SAMPLES - 1)
    top = np.interp(at, np.arange(CURVE_SAMPLES), upper)
    bottom = np.interp(at, np.arange(CURVE_SAMPLES), lower)
    inside = (np.abs(u) < 0.47) & (v > top + 0.02) & (v < bottom - 0.015)

    iris_centre = (iris_px[0] - centre) @ to_eye
    radius = float(np.linalg.norm(iris_px[1:] - iris_px[0], axis=1).mean()) / width_px
    radius = _refined_radius(skin.mean(2), np.hypot(u - iris_centre[0], v - iris_centre[1]), inside, radius)
    rho = np.hypot(u - iris_centre[0], v - iris_centre[1]) / radius

    lid = _closed_lid(skin, u, v, top, bottom, per_eye, grain)
    ball, whiteness = _eyeball(skin, lid, u, v - top, rho, inside, per_eye, whiteness)
    return EyeLayer(
        ring=ring,
        centre=centre,
        axis=axis,
        width_px=width_px,
        upper=upper,
        lower=lower,
        opening=float((lower - upper).max()),
        ball=ball,
        whiteness=whiteness,
        iris=_whole_iris(skin, rho, inside, per_eye),
        lid=lid,
        iris_centre=iris_centre,
        iris_radius=radius,
        lash=_lash_colour(skin, lid, u, v, top),
    )


def _refined_radius(light: Array, distance: Array, inside: NDArray[np.bool_], guess: float) -> float:
    """The radius near ``guess`` at which brightness rises most from iris to white."""
    best, best_rise = guess, 6.0
    for radius in np.linspace(0.75, 1.55, 33) * guess:
        within = inside & (distance > radius - 0.12 * guess) & (distance <= radius)
        beyond = inside & (distance > radius) & (distance < radius + 0.12 * guess)
        if within.sum() < 30 or beyond.sum() < 30:
            continue
        trust = np.exp(-(((radius / guess - 1.05) / 0.45) ** 2))
        rise = float(np.median(light[beyond]) - np.median(light[within])) * trust
        if rise > best_rise:
            best, best_rise = float(radius), rise
    return best


def _eyeball(
    skin: Float32,
    lid: Float32,
    u: Array,
    depth: Array,
    rho: Array,
    inside: NDArray[np.bool_],
    per_eye: float,
    whiteness: Array | None,
) -> tuple[Float32, Array]:
    """The white of the eye: its visible parts, and elsewhere their colour, lit as the skin around is lit.

    ``depth`` is the distance below the upper lid's edge, in eye widths.
    """
    white = inside & (rho > 1.22)
    if white.sum() < 20:
        white = inside
    light = skin.mean(2)
    bright = white & (light > np.percentile(light[white], 35))
    around = cv2.GaussianBlur(lid.mean(2), (0, 0), 0.12 * per_eye)
    brightness = float(around[bright].mean())
    lit = (around / brightness) ** _SCLERA_LIGHT
    seen = np.median(skin[bright] / lit[bright][:, None], 0)
    fill = np.minimum(seen * lit[..., None], np.percentile(skin[bright], 92, axis=0))
    shadow = _lid_shadow(light / np.maximum(fill.mean(2), 1), depth, white)
    if whiteness is None:
        whiteness = seen / brightness
    else:
        fill = whiteness * brightness * lit[..., None]
    fill *= max(1.0, _SCLERA_AT_LEAST * float(around[inside].mean()) / max(float(fill[inside].mean()), 1.0))
    fill *= shadow[..., None]

    corner = np.abs(u) > 0.44
    like = np.abs(skin - fill).max(2) < 0.12 * np.maximum(fill.mean(2), 1)
    visible = ((white & like) | (corner & (rho > 1.3))).astype(np.float32)
    keep = cv2.GaussianBlur(cv2.erode(visible, np.ones((3, 3), np.uint8)), (0, 0), 0.02 * per_eye) * visible
    ball = skin * keep[..., None] + fill * (1 - keep[..., None])
    return np.ascontiguousarray(np.clip(ball, 0, 255), np.float32), np.asarray(whiteness)


def _lid_shadow(ratio: Array, depth: Array, white: NDArray[np.bool_]) -> Array:
    """Brightness against the fit, as a profile of the distance below the upper lid."""
    edges = np.linspace(0, 0.30, 9)
    profile = [
        np.median(ratio[white & (depth >= low) & (depth < low + 0.05)])
        if (white & (depth >= low) & (depth < low + 0.05)).sum() > 12
        else np.nan
        for low in edges
    ]
    known = np.isfinite(profile)
    if not known.any():
        return np.ones_like(depth)
    shadow = np.interp(depth, edges[known] + 0.025, np.array(profile)[known])
    return np.asarray(np.clip(shadow, 0.55, 1.05))


def _whole_iris(skin: Float32, rho: Array, inside: NDArray[np.bool_], per_eye: float) -> Float32:
    """The iris, with what the lids hide filled in from its profile by radius; last channel is coverage."""
    rings = 24
    ring_of = np.clip((rho * rings).astype(int), 0, rings * 3 // 2)
    profile = np.zeros((rings * 3 // 2 + 1, 3))
    seen = inside & (rho < 1)
    last = skin[seen].mean(0) if seen.any() else np.array([60.0, 45.0, 35.0])
    for ring in range(len(profile)):
        here = inside & (ring_of == ring)
        if here.sum() > 4 and ring / rings < 1.05:
            last = np.median(skin[here], 0)
        profile[ring] = last
    filled = cv2.GaussianBlur(profile[ring_of].astype(np.float32), (0, 0), 1.0)
    keep = (cv2.GaussianBlur(seen.astype(np.float32), (0, 0), 0.02 * per_eye) * seen)[..., None]
    t = np.clip((rho - 0.93) / 0.19, 0, 1)
    coverage = 1 - t * t * (3 - 2 * t)
    iris = np.dstack([np.clip(skin * keep + filled * (1 - keep), 0, 255), coverage])
    return np.ascontiguousarray(iris, np.float32)


def _closed_lid(
    skin: Float32, u: Array, v: Array, top: Array, bottom: Array, per_eye: float, grain: float
) -> Float32:
    """Bare skin over the eye: the surroundings carried smoothly across the opening, lashes and crease."""
    small = 48 / per_eye
    shrunk = cv2.resize(
        np.clip(skin, 0, 255).astype(np.uint8), None, fx=small, fy=small, interpolation=cv2.INTER_AREA
    )
    opening = ((np.abs(u) < 0.60) & (v > top - 0.13) & (v < bottom + 0.09)).astype(np.uint8)
    hole = cv2.resize(opening, shrunk.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    light = shrunk.mean(2)
    dark = ((light < 0.80 * np.median(light[hole == 0])) & (hole == 0)).astype(np.uint8)
    dark = cv2.dilate(dark, np.ones((3, 3), np.uint8))
    if (hole | dark).mean() < 0.85:
        hole |= dark
    bare = cv2.inpaint(cv2.medianBlur(shrunk, 3), hole, 4, cv2.INPAINT_NS)
    bare = cv2.GaussianBlur(bare, (0, 0), 4.0)
    lid = cv2.resize(bare.astype(np.float32), skin.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(0).standard_normal(lid.shape[:2]).astype(np.float32)
    lid += cv2.GaussianBlur(noise, (0, 0), max(per_eye / 90, 0.6))[..., None] * grain * 2
    return np.ascontiguousarray(np.clip(lid, 0, 255), np.float32)


def _lash_colour(skin: Float32, lid: Float32, u: Array, v: Array, top: Array) -> Float32:
    """The darkest tones just along the upper lid's edge."""
    near = (np.abs(u) < 0.5) & (np.abs(v - top) < 0.05)
    tones = skin[near]
    light = tones.mean(1)
    lash = tones[light <= np.quantile(light, _LASH_DARKEST_SHARE)].mean(0)
    ceiling = lid[near].mean() * _LASH_AT_MOST
    return np.asarray(lash * min(1.0, ceiling / max(lash.mean(), 1.0)), np.float32)
