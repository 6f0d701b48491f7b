"""Turn a rendered plate into an oil painting: layered strokes, bristle relief, weave, varnish.

Strokes follow the smoothed structure tensor of the picture (Haeberli 1990, Hertzmann 1998). A detail
map from the sitter's landmarks keeps eyes, lips and brows finely drawn and the far parts broad.
All images are float RGB 0..255, square, `SIZE` pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from ground import SIZE, Image, cloud
from numpy.typing import NDArray

SUPERSAMPLING = 2


@dataclass(frozen=True)
class Layer:
    """One pass of the brush; lengths in pixels of the final picture."""

    radius: float
    steps: int
    jitter: float  # colour variation between strokes, 0..255
    error: float  # repaint only where the canvas is this far from the picture
    most_detail: float  # skip where the detail map exceeds this


LAYERS = (
    Layer(14.0, 7, 6.0, 0.0, 0.25),
    Layer(7.5, 7, 4.5, 3.5, 0.50),
    Layer(4.0, 7, 3.2, 3.5, 0.80),
    Layer(2.2, 7, 2.0, 3.5, 0.95),
    Layer(1.2, 6, 1.1, 3.5, 1.01),
)


def read_plate(path: Path) -> tuple[Image, Image]:
    """A 16-bit RGBA render as RGB 0..255 and alpha 0..1, brought to `SIZE`."""
    rgba = cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(np.float32) / 257
    if len(rgba) != SIZE:
        rgba = cv2.resize(rgba, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    rgba = np.clip(rgba, 0, 255)
    return np.ascontiguousarray(rgba[..., 2::-1]), rgba[..., 3] / 255


def save(path: Path, picture: Image) -> None:
    cv2.imwrite(
        str(path),
        np.clip(np.rint(picture[..., ::-1]), 0, 255).astype(np.uint8),
        [cv2.IMWRITE_JPEG_QUALITY, 93],
    )


def blur(image: Image, sigma: float) -> Image:
    return cv2.GaussianBlur(image, (0, 0), sigma)


def grade(rgb: Image, warmth: tuple[float, float, float], saturation: float, contrast: float) -> Image:
    grey = rgb.mean(2, keepdims=True)
    rgb = (grey + (rgb - grey) * saturation) * np.array(warmth, np.float32)
    unit = np.clip(rgb / 255, 0, 1)
    curved = unit + contrast * (unit - 0.42) * unit * (1 - unit) * 4
    return np.clip(curved * 255, 0, 255).astype(np.float32)


def compose(rgb: Image, alpha: Image, ground: Image) -> Image:
    """The figure over its ground, with edges lost a little more on the shadow side."""
    x = np.linspace(0, 1, SIZE, dtype=np.float32)[None]
    lost = np.clip((x - 0.45) / 0.3, 0, 1)
    soft = blur(alpha, 1.0) * (1 - lost) + blur(alpha, 2.2) * lost
    soft = np.minimum(soft, np.clip(alpha * 1.6 + 0.25 * soft, 0, 1))[..., None]
    filled = blur(rgb * alpha[..., None], 3) / (blur(alpha, 3)[..., None] + 1e-3)
    colour = np.where(alpha[..., None] > 0.6, rgb, filled)
    return np.clip(colour * soft + ground * (1 - soft), 0, 255).astype(np.float32)


def detail_map(landmarks: NDArray[np.float64]) -> Image:
    """0 (broad) .. 1 (drawn) from 68 landmarks (x, y) px."""
    detail = np.zeros((SIZE, SIZE), np.float32)

    def region(points: NDArray[np.float64], grow: int, soft: float, weight: float) -> None:
        mask = np.zeros((SIZE, SIZE), np.uint8)
        cv2.fillPoly(mask, [cv2.convexHull(points.astype(np.int32))], 255)
        mask = cv2.dilate(mask, np.ones((grow, grow), np.uint8))
        np.maximum(detail, weight * blur(mask.astype(np.float32) / 255, soft), out=detail)

    brow_height = landmarks[36:48, 1].mean() - landmarks[17:27, 1].mean()
    forehead = landmarks[17:27] - [0, 2.2 * brow_height]
    region(np.concatenate([landmarks[:27], forehead]), 3, 20.0, 0.50)
    for first, last, grow in (
        (36, 42, 31),
        (42, 48, 31),
        (48, 60, 25),
        (17, 22, 25),
        (22, 27, 25),
        (30, 36, 21),
    ):
        region(landmarks[first:last], grow, 8.0, 1.0)
    return detail


def stroke_field(picture: Image) -> tuple[Image, Image]:
    """Unit tangents along edges; where the picture is flat they drift with a slow noise."""
    grey = blur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), 1.5)
    dx, dy = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    xx, xy, yy = (blur(product, 5.0) for product in (dx * dx, dx * dy, dy * dy))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
    certainty = np.sqrt((xx - yy) ** 2 + 4 * xy**2) / (xx + yy + 40)
    drift = 0.9 + 0.45 * cloud(1.8, 77)
    cosine = certainty * np.cos(2 * angle) + (1 - certainty) * 0.25 * np.cos(2 * drift)
    sine = certainty * np.sin(2 * angle) + (1 - certainty) * 0.25 * np.sin(2 * drift)
    angle = 0.5 * np.arctan2(sine, cosine)
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def lay_strokes(
    picture: Image, detail: Image, field: tuple[Image, Image], rng: np.random.Generator
) -> tuple[Image, Image]:
    """The painted canvas and the thickness of the paint (0..1)."""
    big = SIZE * SUPERSAMPLING
    canvas = cv2.resize(blur(picture, 14) * 0.96 + np.array([70, 52, 34], np.float32) * 0.04, (big, big))
    thickness = np.zeros((big, big), np.float32)
    for layer in LAYERS:
        target = blur(picture, max(0.4, 0.42 * layer.radius))
        shown = cv2.resize(canvas, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        error = blur(np.abs(shown - target).mean(2), 0.6 * layer.radius)
        spacing = max(1.5, 0.88 * layer.radius)
        grid = np.stack(np.meshgrid(*[np.arange(0, SIZE, spacing)] * 2), -1).reshape(-1, 2)
        starts = np.clip(grid + rng.uniform(-0.6, 0.6, grid.shape) * spacing, 0, SIZE - 1.01)
        columns, rows = starts.astype(int).T
        wanted = (error[rows, columns] >= layer.error * (1 - 0.75 * detail[rows, columns])) & (
            detail[rows, columns] <= layer.most_detail
        )
        for start in rng.permutation(starts[wanted]):
            _stroke(canvas, thickness, target, detail, field, layer, start, rng)
        canvas = blur(canvas, 0.8)
    small = (SIZE, SIZE)
    return (
        cv2.resize(canvas, small, interpolation=cv2.INTER_AREA),
        cv2.resize(thickness, small, interpolation=cv2.INTER_AREA),
    )


def _stroke(
    canvas: Image,
    thickness: Image,
    target: Image,
    detail: Image,
    field: tuple[Image, Image],
    layer: Layer,
    start: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    x, y = start
    first = target[int(y), int(x)]
    drawn = float(detail[int(y), int(x)])
    path, dx, dy = [(x, y)], 0.0, 0.0
    for step in range(int(layer.steps * (1 - 0.35 * drawn))):
        u, v = float(field[0][int(y), int(x)]), float(field[1][int(y), int(x)])
        if u * dx + v * dy < 0:
            u, v = -u, -v
        dx, dy = u, v
        x, y = x + 0.9 * layer.radius * u, y + 0.9 * layer.radius * v
        if not (0 <= x < SIZE - 1 and 0 <= y < SIZE - 1):
            break
        if step > 0 and np.abs(target[int(y), int(x)] - first).mean() > (13 if layer.radius > 3 else 8):
            break
        path.append((x, y))
    if len(path) < 2:
        return
    x, y = path[len(path) // 2]
    calm = layer.jitter * (1 - 0.8 * drawn)
    colour = (
        0.5 * (first + target[int(y), int(x)])
        + rng.normal(0, calm) * np.array([1, 0.95, 0.8])
        + rng.normal(0, 0.25 * calm, 3)
    )
    line = [np.round(np.array(path) * SUPERSAMPLING * 16).astype(np.int32)]
    width = max(1, round(layer.radius * SUPERSAMPLING * rng.uniform(0.7, 1.2)))
    cv2.polylines(canvas, line, False, np.clip(colour, 0, 255).tolist(), width, cv2.LINE_8, 4)
    load = float(rng.uniform(0.2, 1) * min(1.0, layer.radius / 5 + 0.25))
    cv2.polylines(thickness, line, False, load, width, cv2.LINE_8, 4)


def bristles(field: tuple[Image, Image], rng: np.random.Generator, length: int = 12) -> Image:
    """Noise smeared along the strokes (line integral convolution), zero mean, unit variance."""
    noise = rng.normal(size=(SIZE, SIZE)).astype(np.float32)
    total = noise.copy()
    for sense in (1.0, -1.0):
        y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
        before_u, before_v = field[0] * sense, field[1] * sense
        for _ in range(length):
            u, v = (cv2.remap(f, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for f in field)
            turn = np.where(u * before_u + v * before_v < 0, -1, 1).astype(np.float32)
            before_u, before_v = u * turn, v * turn
            x, y = x + before_u, y + before_v
            total += cv2.remap(noise, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return (total - total.mean()) / total.std()


def surface_relief(
    thickness: Image, detail: Image, field: tuple[Image, Image], rng: np.random.Generator
) -> Image:
    """Light raking over paint and canvas, as an offset of about -8..8 before scaling."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    weave = np.sin(2 * np.pi * x / 3.6 + 0.18 * cloud(1.3, 1)) * np.sin(
        2 * np.pi * y / 3.6 + 0.18 * cloud(1.3, 2)
    )
    height = 2.0 * blur(thickness, 0.7) + 0.20 * bristles(field, rng) * (1 - 0.65 * detail) + 0.15 * weave
    height = height.astype(np.float32)
    slope = cv2.Sobel(height, cv2.CV_32F, 1, 0) + cv2.Sobel(height, cv2.CV_32F, 0, 1)
    return np.clip(-0.7 * slope, -8, 8).astype(np.float32)


def paint(
    picture: Image, landmarks: NDArray[np.float64], seed: int = 5, keep: float = 0.78, relief: float = 1.2
) -> Image:
    """The finished painting; `keep` is how much of the drawn picture survives where detail is 1."""
    rng = np.random.default_rng(seed)
    detail = detail_map(landmarks)
    field = stroke_field(picture)
    canvas, thickness = lay_strokes(picture, detail, field, rng)
    drawn = cv2.bilateralFilter(picture, 7, 12, 3)
    share = np.clip(detail * keep, 0, 1)[..., None]
    painted = canvas * (1 - share) + drawn * share
    raking = surface_relief(thickness, detail, field, rng) * relief * (1 - 0.70 * detail)
    painted = painted + (raking * (0.35 + 0.65 * painted.mean(2) / 140))[..., None]
    return varnish(painted)


def varnish(painted: Image) -> Image:
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    vignette = 1 - 0.44 * np.clip(np.hypot(x - 0.49, 0.95 * (y - 0.43)) - 0.30, 0, 1) ** 1.1
    aged = painted * np.array([1.015, 0.99, 0.925]) * vignette[..., None] + np.array([4, 3.2, 1.5])
    return np.clip(aged + 0.8 * cloud(0.4, 31)[..., None], 0, 255).astype(np.float32)
