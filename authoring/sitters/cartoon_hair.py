"""Hair as painted locks: ribbons along interpolated guides, lit by Kajiya and Kay's strand model (1989)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cartoon_canvas as paper
import numpy as np
import skia
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Line = NDArray[np.float64]

STEPS = 56
COVER = np.array([0.0, 1.0, 1.0, 1.0, 1.0, 0.0])
EDGE_PX = 1.1


def resample(points: paper.Points, steps: int = STEPS) -> Line:
    """Return ``steps`` points at equal distances along the smooth curve through ``points``."""
    p = np.asarray(points, float)
    knots = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(p, axis=0), axis=1))])
    dense = np.linspace(0, knots[-1], 400)
    padded = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    segment = np.clip(np.searchsorted(knots, dense, "right") - 1, 0, len(p) - 2)
    u = ((dense - knots[segment]) / (knots[segment + 1] - knots[segment]))[:, None]
    a, b, c, d = (padded[segment + i] for i in range(4))
    curve = 0.5 * (2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u**2 + (3 * b - a - 3 * c + d) * u**3)
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    even = np.linspace(0, along[-1], steps)
    line = np.stack([np.interp(even, along, curve[:, i]) for i in range(2)], 1)
    reflected = np.pad(line, ((8, 8), (0, 0)), "reflect", reflect_type="odd")
    return gaussian_filter1d(reflected, 1.6, axis=0)[8:-8]


Tones = Sequence[tuple[float, str]]


def ribbon(
    canvas: skia.Canvas, line: Line, width: Line, value: Line, opacity: Line, roundness: float, tones: Tones
) -> None:
    """Draw one lock from (n, 2) points and (n,) widths, values and opacities.

    ``tones`` map value (0..1) to colour; ``roundness`` is how much darker its sides are than its middle.
    """
    tangent = np.gradient(line, axis=0)
    side = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-9
    if side[len(side) // 2, 0] < 0:
        side = -side
    half = width[:, None] / 2
    solid = np.maximum(half - EDGE_PX, 0.15 * half)
    across = np.hstack([-half, -solid, -solid * 0.35, solid * 0.4, solid, half])
    vertices = line[:, None] + across[..., None] * side[:, None]
    shaded = np.clip(value[:, None] - roundness * (across / half + 0.25) ** 2, 0, 1)
    tints = paper.ramp(shaded.astype(np.float32), tones)
    argb = (np.clip(opacity[:, None] * COVER, 0, 1) * 255).astype(int) << 24
    for i, shift in enumerate((16, 8, 0)):
        argb |= (tints[..., i] * 255).astype(int) << shift
    n, m = argb.shape
    index = np.arange(n * m).reshape(n, m)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    canvas.drawVertices(
        skia.Vertices(
            skia.Vertices.kTriangles_VertexMode,
            [skia.Point(float(x), float(y)) for x, y in vertices.reshape(-1, 2)],
            None,
            argb.ravel().tolist(),
            np.stack([a, b, c, b, d, c], -1).ravel().tolist(),
        ),
        skia.Paint(AntiAlias=True),
        skia.BlendMode.kDst,
    )


@dataclass(frozen=True)
class Sweep:
    """A fall of hair: guides (inner to outer), each from root to tip, its wave and its clumps."""

    guides: tuple[paper.Points, ...]
    wave_px: float
    waves: float
    phase: float
    clumps: int
    seed: int

    def clump(self, t: float) -> int:
        return int(np.clip(t, 0, 0.999) * self.clumps)

    def character(self, t: float) -> tuple[float, float]:
        """Return what sets the clump at ``t`` apart: the part of the guides it reaches, and its value."""
        own = np.random.default_rng([self.seed, self.clump(t), 1])
        return 1 - float(own.uniform(0, 0.14)), float(own.normal(0, 0.06))

    def at(self, t: float, rng: np.random.Generator, stray: float, gather: float) -> Line:
        """Return the lock that leaves the head at ``t`` (0 innermost, 1 outermost).

        ``gather`` (0..1) draws its tip to the middle of its clump; ``stray`` lets it wander.
        """
        curves = np.stack([resample(guide) for guide in self.guides])
        s = np.linspace(0, 1, STEPS)
        step = np.arange(STEPS)
        own = np.random.default_rng([self.seed, self.clump(t)])
        middle = (self.clump(t) + 0.5) / self.clumps
        place = np.clip(t + (middle - t) * gather * s**2, 0, 1) * (len(curves) - 1)
        low = np.minimum(place.astype(int), len(curves) - 2)
        line = curves[low, step] + (place - low)[:, None] * (curves[low + 1, step] - curves[low, step])
        tangent = np.gradient(line, axis=0)
        side = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
        side /= np.linalg.norm(side, axis=1, keepdims=True)
        swing = own.normal(0, 0.09) + stray * rng.normal(0, 0.02)
        angle = 2 * np.pi * (self.waves * s + self.phase + 0.22 * t + swing)
        amount = self.wave_px * np.clip((s - 0.22) / 0.5, 0, 1) * np.sin(angle) * own.uniform(0.7, 1.2)
        drift = (own.normal(0, 7) + stray * rng.normal(0, 7)) * np.clip(s - 0.2, 0, 1) ** 1.5
        return line + side * (amount + drift)[:, None]


@dataclass(frozen=True)
class Light:
    """What a strand needs to know of its surroundings: (FULL, FULL, 3) normals of the hair's volume."""

    normals: paper.Image
    key: tuple[float, float, float]
    shine: tuple[float, float, float]

    def on(self, line: Line) -> tuple[Line, Line]:
        """Return the (n,) diffuse and specular light along a lock."""
        column, row = (np.clip(line * paper.SCALE, 0, paper.FULL - 1).astype(int)).T
        normal = self.normals[row, column].astype(float)
        flat = np.gradient(line, axis=0)
        depth = -(flat * normal[:, :2]).sum(1) / np.maximum(normal[:, 2], 0.25)
        tangent = np.column_stack([flat, depth])
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
        key = np.array(self.key) / np.linalg.norm(self.key)
        shine = np.array(self.shine) / np.linalg.norm(self.shine)
        diffuse = np.clip(0.35 + 0.65 * normal @ key, 0, 1) * np.sqrt(1 - (tangent @ key) ** 2)
        specular = (
            np.sqrt(np.clip(1 - (tangent @ shine) ** 2, 0, 1)) ** 34 * np.clip(normal @ key, 0, 1) ** 0.7
        )
        return diffuse, specular


@dataclass(frozen=True)
class Pass:
    """One layer of locks, from broad masses to single hairs."""

    count: int
    width_px: tuple[float, float]
    opacity: float
    roundness: float
    spread: float
    """Spread of value from lock to lock."""
    stray: float
    gather: float
    shine: float


def draw(
    canvas: skia.Canvas,
    sweep: Sweep,
    layer: Pass,
    light: Light,
    tones: Tones,
    seed: int,
    gain: float = 1.0,
) -> None:
    """Paint one pass of a sweep; ``tones`` map value to colour."""
    rng = np.random.default_rng(seed)
    order = rng.permutation((np.arange(layer.count) + rng.random(layer.count)) / layer.count)
    for t in order:
        line = sweep.at(t, rng, layer.stray, layer.gather)
        start = rng.uniform(0, 0.3) if layer.stray and rng.random() < 0.6 else 0.0
        reach, own = sweep.character(t)
        stop = reach - layer.stray * abs(rng.normal(0, 0.06))
        s = np.linspace(0, 1, STEPS)
        inside = (s >= start) & (s <= stop)
        line, s = line[inside], (s[inside] - start) / (stop - start)
        if len(line) < 6:
            continue
        width = rng.uniform(*layer.width_px) * (0.35 + 0.65 * np.minimum(1, 5 * s)) * (1 - s**3) + 0.4
        diffuse, specular = light.on(line)
        value = gain * (0.06 + 0.5 * diffuse) + layer.shine * specular + own + rng.normal(0, layer.spread)
        value -= 0.16 * np.exp(-((s / 0.05) ** 2)) + 0.12 * np.clip(s - 0.7, 0, 1)
        fade = layer.opacity * np.minimum(1, 10 * s + 0.3) * np.minimum(1, 7 * (1 - s) + 0.15)
        ribbon(canvas, line, width, value, fade, layer.roundness, tones)
