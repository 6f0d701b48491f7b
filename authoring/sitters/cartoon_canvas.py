"""Paper, masks, soft volumes and noise: what the drawn sitters are painted with.

Coordinates are pixels of the finished picture (``SIZE`` square, y down); everything is held at ``SCALE``
times that and reduced at the end. Colours are "#rrggbb", blended in sRGB as gouache is mixed by eye.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import skia
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

SIZE = 1024
SCALE = 2
FULL = SIZE * SCALE

Image = NDArray[np.floating[Any]]
Points = Sequence[tuple[float, float]]


def rgb(colour: str) -> Image:
    """Return "#rrggbb" as (3,) in 0..1."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255


def ramp(value: Image, stops: Sequence[tuple[float, str]]) -> Image:
    """Map (...,) values through colour stops (position, colour), smoothly, to (..., 3)."""
    positions = [position for position, _ in stops]
    colours = np.array([rgb(colour) for _, colour in stops])
    return np.stack([np.interp(value, positions, colours[:, i]) for i in range(3)], -1).astype(np.float32)


def spline(points: Points, closed: bool = True) -> skia.Path:
    """Return the Catmull-Rom curve through the points."""
    p = np.asarray(points, float)
    n = len(p)

    def at(i: int) -> NDArray[np.float64]:
        return p[i % n] if closed else p[min(max(i, 0), n - 1)]

    path = skia.Path()
    path.moveTo(*p[0])
    for i in range(n if closed else n - 1):
        a, b, c, d = at(i - 1), at(i), at(i + 1), at(i + 2)
        path.cubicTo(*(b + (c - a) / 6), *(c - (d - b) / 6), *c)
    if closed:
        path.close()
    return path


def mirrored(half: Points, axis: float) -> list[tuple[float, float]]:
    """Close a right half (offset from the axis, y), given from top to bottom, into a whole outline."""
    return [(axis + x, y) for x, y in half] + [(axis - x, y) for x, y in half[::-1] if x]


def circle(x: float, y: float, radius: float) -> skia.Path:
    path = skia.Path()
    path.addCircle(x, y, radius)
    return path


def mask(path: skia.Path, blur: float = 0, stroke: float = 0) -> Image:
    """Return the coverage of a filled or stroked path, (FULL, FULL) in 0..1, blurred by a sigma in pixels."""
    surface = skia.Surface(FULL, FULL)
    paint = skia.Paint(AntiAlias=True, Color=skia.ColorWHITE)
    if blur:
        paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, blur))
    if stroke:
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(stroke)
        paint.setStrokeCap(skia.Paint.kRound_Cap)
        paint.setStrokeJoin(skia.Paint.kRound_Join)
    with surface as canvas:
        canvas.scale(SCALE, SCALE)
        canvas.drawPath(path, paint)
    return np.ascontiguousarray(surface.toarray()[..., 3]).astype(np.float32) / 255


def grid() -> tuple[Image, Image]:
    """Return x and y of every held pixel, in finished pixels."""
    y, x = np.mgrid[0:FULL, 0:FULL].astype(np.float32)
    return (x + 0.5) / SCALE, (y + 0.5) / SCALE


def bump(x: Image, y: Image, at: tuple[float, float], sigma: tuple[float, float], height: float) -> Image:
    """Return a Gaussian hill (or hollow, for a negative height)."""
    return (height * np.exp(-0.5 * (((x - at[0]) / sigma[0]) ** 2 + ((y - at[1]) / sigma[1]) ** 2))).astype(
        np.float32
    )


def inflate(shape: Image, height: float, cells: int = 256) -> Image:
    """Blow a flat shape up like a cushion: the square root of a Poisson solution, at most ``height`` pixels.

    Where the shape leaves the picture it goes on, unrounded.
    """
    small = cv2.resize(shape, (cells, cells), interpolation=cv2.INTER_AREA) > 0.5
    index = -np.ones(small.shape, int)
    index[small] = np.arange(small.sum())
    rows, columns, values = [], [], []
    open_sides = np.zeros(small.shape)
    bordered = np.pad(index, 1, constant_values=-2)
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        neighbour = bordered[1 + dy : cells + 1 + dy, 1 + dx : cells + 1 + dx]
        open_sides += neighbour > -2
        inside = small & (neighbour >= 0)
        rows.append(index[inside])
        columns.append(neighbour[inside])
        values.append(np.full(inside.sum(), -1.0))
    values.append(open_sides[small])
    rows.append(index[small])
    columns.append(index[small])
    system = coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))).tocsc()
    solution = np.zeros(small.shape, np.float32)
    solution[small] = np.sqrt(np.maximum(spsolve(system, np.ones(system.shape[0])), 0))
    solution *= height / solution.max()
    full = cv2.resize(solution, (FULL, FULL), interpolation=cv2.INTER_CUBIC)
    return cv2.GaussianBlur(full, (0, 0), 1.2 * FULL / cells)


def normals(height: Image) -> Image:
    """Return unit normals (..., 3) of a relief in pixels: x right, y down, z towards the viewer."""
    dy, dx = np.gradient(height, 1 / SCALE)
    n = np.stack([-dx, -dy, np.ones_like(dx)], -1)
    return (n / np.linalg.norm(n, axis=-1, keepdims=True)).astype(np.float32)


def noise(beta: float, seed: int, stretch: float = 1.0) -> Image:
    """Return unit-variance 1/f**beta noise, (FULL, FULL); ``stretch`` > 1 draws it out horizontally."""
    fy = np.fft.fftfreq(FULL)[:, None]
    fx = np.fft.rfftfreq(FULL)[None] * stretch
    frequency = np.hypot(fx, fy)
    frequency[0, 0] = 1
    white = np.fft.rfft2(np.random.default_rng(seed).normal(size=(FULL, FULL)))
    field = np.fft.irfft2(white / frequency**beta, s=(FULL, FULL))
    return ((field - field.mean()) / field.std()).astype(np.float32)


def shadow(shape: Image, offset: tuple[float, float], blur: float) -> Image:
    """Return the soft shadow a shape throws, moved by ``offset`` pixels right and down."""
    dx, dy = (round(o * SCALE) for o in offset)
    moved = np.roll(shape, (dy, dx), (0, 1))
    return cv2.GaussianBlur(moved, (0, 0), blur * SCALE)


@dataclass
class Painting:
    """The picture while it is being painted: ``pixels`` is (FULL, FULL, 3) in 0..1."""

    pixels: Image

    def lay(self, coverage: Image, colour: str | Image, opacity: float = 1.0) -> None:
        """Put a colour, or a picture of colours, over what is there."""
        paint = rgb(colour) if isinstance(colour, str) else colour
        alpha = (coverage * opacity)[..., None]
        self.pixels += alpha * (paint - self.pixels)

    def glaze(self, coverage: Image, colour: str, opacity: float = 1.0) -> None:
        """Darken by multiplying with a colour."""
        self.pixels *= 1 - (coverage * opacity)[..., None] * (1 - rgb(colour))

    def glow(self, coverage: Image, colour: str, opacity: float = 1.0) -> None:
        """Lighten by screening with a colour."""
        light = (coverage * opacity)[..., None] * rgb(colour)
        self.pixels += light * (1 - self.pixels)

    def overlay(self, surface: skia.Surface) -> None:
        """Composite a FULL-sized surface (premultiplied RGBA) over what is there."""
        layer = surface.toarray(colorType=skia.kRGBA_8888_ColorType).astype(np.float32) / 255
        self.pixels *= 1 - layer[..., 3:]
        self.pixels += layer[..., :3] * layer[..., 3:]

    def dabs(self, size_px: float, seed: int, spread: float) -> None:
        """Repaint in short overlapping brush strokes, each of one slightly different colour."""
        rng = np.random.default_rng(seed)
        flow = cv2.resize(noise(1.9, seed), (64, 64), interpolation=cv2.INTER_AREA)
        soft = cv2.resize(self.pixels, (256, 256), interpolation=cv2.INTER_AREA)
        surface = skia.Surface(FULL, FULL)
        step = size_px * 0.55
        places = np.stack(
            np.meshgrid(np.arange(-step, SIZE + step, step), np.arange(-step, SIZE + step, step)), -1
        )
        places = places.reshape(-1, 2) + rng.uniform(-0.6, 0.6, (places.size // 2, 2)) * step
        paint = skia.Paint(AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeCap=skia.Paint.kRound_Cap)
        with surface as canvas:
            canvas.scale(SCALE, SCALE)
            for px, py in rng.permutation(places):
                u, v = np.clip([px / 4, py / 4], 0, 255).astype(int)
                colour = np.clip(soft[v, u] + rng.normal(0, spread) + rng.normal(0, spread / 3, 3), 0, 1)
                angle = 0.5 * flow[v // 4, u // 4] + rng.normal(0, 0.25)
                reach = size_px * rng.uniform(0.5, 1.2)
                paint.setStrokeWidth(size_px * rng.uniform(0.35, 0.75))
                paint.setColor4f(skia.Color4f(*map(float, colour), float(rng.uniform(0.45, 0.9))))
                dx, dy = reach * np.cos(angle), reach * np.sin(angle)
                canvas.drawLine(px - dx, py - dy, px + dx, py + dy, paint)
        self.overlay(surface)

    def finished(self, frame: tuple[int, int, int], seed: int) -> NDArray[np.uint8]:
        """Return the (SIZE, SIZE, 3) RGB picture on gouache paper: wavering edges, mottled pigment, grain.

        ``frame`` is the part to show: left, top and side of a square.
        """
        left, top, across = (edge * SCALE for edge in frame)
        y, x = np.mgrid[0:FULL, 0:FULL].astype(np.float32)
        waver = 0.35 * SCALE
        wet = cv2.remap(
            self.pixels,
            x + waver * noise(1.5, seed),
            y + waver * noise(1.5, seed + 1),
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REFLECT,
        )
        pigment = 0.008 * noise(1.2, seed + 2, 2.0) + 0.007 * noise(0.5, seed + 3)
        shown = (wet + pigment[..., None])[top : top + across, left : left + across]
        small = cv2.resize(shown, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        return np.clip(small * 255 + 0.5, 0, 255).astype(np.uint8)
