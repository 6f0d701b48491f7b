"""What surrounds the drawn sitter's face: an evening garden, shoulders and collar, a flower."""

from __future__ import annotations

import cartoon_canvas as paper
import cartoon_face as face
import cv2
import numpy as np
import skia
from cartoon_canvas import Painting, bump, mask, spline


def shadow(shape: paper.Image, offset: tuple[float, float], blur: float) -> paper.Image:
    """Return the soft shadow a shape throws, moved by ``offset`` pixels right and down."""
    dx, dy = (round(o * paper.SCALE) for o in offset)
    moved = np.roll(shape, (dy, dx), (0, 1))
    return cv2.GaussianBlur(moved, (0, 0), blur * paper.SCALE)


def dabs(pixels: paper.Image, size_px: float, seed: int, spread: float) -> paper.Image:
    """Repaint a picture in short overlapping brush strokes, each of one slightly different colour."""
    rng = np.random.default_rng(seed)
    flow = cv2.resize(paper.noise(1.9, seed), (64, 64), interpolation=cv2.INTER_AREA)
    soft = cv2.resize(pixels, (256, 256), interpolation=cv2.INTER_AREA)
    surface = skia.Surface(paper.FULL, paper.FULL)
    step = size_px * 0.55
    places = np.stack(
        np.meshgrid(np.arange(-step, paper.SIZE + step, step), np.arange(-step, paper.SIZE + step, step)), -1
    )
    places = places.reshape(-1, 2) + rng.uniform(-0.6, 0.6, (places.size // 2, 2)) * step
    paint = skia.Paint(AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeCap=skia.Paint.kRound_Cap)
    with surface as canvas:
        canvas.scale(paper.SCALE, paper.SCALE)
        for px, py in rng.permutation(places):
            u, v = np.clip([px / 4, py / 4], 0, 255).astype(int)
            colour = np.clip(soft[v, u] + rng.normal(0, spread) + rng.normal(0, spread / 3, 3), 0, 1)
            angle = 0.5 * flow[v // 4, u // 4] + rng.normal(0, 0.25)
            reach = size_px * rng.uniform(0.5, 1.2)
            paint.setStrokeWidth(size_px * rng.uniform(0.35, 0.75))
            paint.setColor4f(skia.Color4f(*map(float, colour), float(rng.uniform(0.45, 0.9))))
            dx, dy = reach * np.cos(angle), reach * np.sin(angle)
            canvas.drawLine(px - dx, py - dy, px + dx, py + dy, paint)
    painting = Painting(pixels.copy())
    painting.overlay(surface)
    return painting.pixels


def background() -> paper.Image:
    """Paint the garden at dusk: sky, hills and trees fading with distance, a string of lanterns."""
    x, y = paper.grid()
    glow = bump(x, y, (690, 520), (330, 190), 1)
    sky = ((0, "#2d5f78"), (0.22, "#4f8c99"), (0.40, "#a3c4b0"), (0.52, "#f1d9a0"), (0.58, "#f7c584"))
    painting = Painting(paper.ramp(y / 1024 + 0.02 * paper.noise(1.7, 40, 0.4), sky))
    painting.glow(glow, "#ffb65e", 0.75)
    column = x[0]
    for base, tilt, colour, seed, swell, blur in (
        (548, -0.05, "#8fb3a8", 61, 16, 3), (590, 0.06, "#6d9c90", 62, 20, 4),
        (650, -0.10, "#4f8478", 63, 22, 5), (735, 0.08, "#386a60", 64, 24, 6),
    ):  # fmt: skip
        roll = cv2.GaussianBlur(paper.noise(2.0, seed)[:1], (0, 0), 40)[0]
        line = base + tilt * (column - 512) + swell * roll / roll.std()
        hill = cv2.GaussianBlur((y > line[None]).astype(np.float32), (0, 0), blur)
        painting.lay(hill, colour)
        lip = hill * np.exp(-np.clip(y - line[None], 0, None) / 26)
        painting.glow((lip * (0.35 + 0.65 * glow)).astype(np.float32), "#f5cf86", 0.5)
    rng = np.random.default_rng(21)
    for px, foot, tall, wide, colour, blur in (
        (96, 770, 330, 34, "#2f5f58", 5), (168, 740, 220, 26, "#3c7066", 4), (22, 830, 420, 46, "#244f4c", 7),
        (905, 760, 250, 28, "#3c7066", 4), (985, 830, 400, 44, "#264f4b", 7),
    ):  # fmt: skip
        sway = rng.normal(0, 3, 5)
        trunk = [
            (px, foot - tall),
            (px + wide * 0.55 + sway[0], foot - tall * 0.6),
            (px + wide + sway[1], foot - tall * 0.2),
            (px + wide * 0.5, foot),
            (px - wide * 0.5, foot),
            (px - wide + sway[2], foot - tall * 0.2),
            (px - wide * 0.55 + sway[3], foot - tall * 0.6),
        ]
        tree = mask(spline(trunk), blur)
        painting.lay(tree, colour, 0.96)
        painting.glow(tree * np.clip((x - px) * (1 if px < 512 else -1) / wide, 0, 1), "#d9b36a", 0.28)
    painting.pixels = dabs(painting.pixels, 22, 70, 0.014)
    painting.pixels = dabs(painting.pixels, 10, 71, 0.016)
    painting.pixels = cv2.GaussianBlur(painting.pixels, (0, 0), 1.3 * paper.SCALE)
    for start, sag, end in (((-30, 120), 150, 560), ((470, 60), 150, 1060)):
        wire = [
            (start[0] + u * (end - start[0]), start[1] + sag * 4 * u * (1 - u) - 12)
            for u in np.linspace(0, 1, 9)
        ]
        painting.lay(mask(spline(wire, False), 1.6, 3), "#1f3f4a", 0.7)
        for u in np.linspace(0.03, 0.97, 9):
            px = start[0] + u * (end - start[0])
            py = start[1] + sag * 4 * u * (1 - u) + rng.normal(0, 4)
            radius = rng.uniform(10, 16)
            painting.glow(bump(x, y, (px, py), (34, 34), 1), "#ff9d3f", 0.36)
            painting.lay(mask(paper.circle(px, py, radius), 1.6), "#ffdf9c", 0.82)
            painting.glow(mask(paper.circle(px, py, radius * 0.6), 4), "#fff4d6", 0.8)
    return painting.pixels


def body(painting: Painting, key: tuple[float, float, float]) -> None:
    """Paint neck, shoulders, cardigan and collar."""
    x, y = paper.grid()
    half_neck = [(64, 640), (60, 760), (76, 806), (116, 838), (156, 872), (0, 1000)]
    neck = mask(spline(paper.mirrored(half_neck, 512)))
    value = face.lit(paper.inflate(neck, 60), key)
    painting.lay(neck, paper.ramp(value * 0.92, face.SKIN))
    under = [(430, 660), (450, 742), (520, 790), (594, 778), (640, 660)]
    painting.glaze(mask(spline(under), 12) * neck, "#a3503f", 0.85)
    for s in (-1, 1):
        bone = [(512 + s * 20, 876), (512 + s * 54, 866), (512 + s * 90, 856)]
        painting.lay(mask(spline(bone, False), 4, 6) * neck, "#b3644a", 0.22)

    half_wool = [(0, 960), (70, 900), (126, 838), (212, 858), (322, 896), (414, 970), (456, 1080)]
    wool = mask(spline(paper.mirrored(half_wool, 512)))
    height = paper.inflate(wool, 80) + 2.5 * paper.noise(1.9, 50)
    for s in (-1, 1):
        for top, foot in (((214, 876), (262, 1050)), ((150, 890), (160, 1050)), ((300, 905), (370, 1050))):
            bend = (0.5 * (top[0] + foot[0]) + 8, 0.5 * (top[1] + foot[1]))
            height = height - 3.5 * mask(spline(face.side([top, bend, foot], s), False), 9, 10)
    value = face.lit(height, key)
    painting.lay(
        wool, paper.ramp(value, ((0.1, "#6e2f1c"), (0.4, "#ab5a1f"), (0.68, "#dc9330"), (1.0, "#ffd483")))
    )
    wales = np.sin(2 * np.pi * x / 10) * np.sin(2 * np.pi * (y + 2.5 * np.abs((x % 10) - 5)) / 8)
    painting.glaze(wool * np.clip(wales, 0, 1), "#b97b3c", 0.32)

    for s in (-1, 1):
        flap = face.side(
            [
                (102, 818),
                (84, 866),
                (44, 912),
                (3, 942),
                (10, 966),
                (40, 984),
                (92, 978),
                (146, 944),
                (182, 892),
                (172, 848),
                (134, 826),
            ],
            s,
        )
        cloth = mask(spline(flap))
        painting.glaze(shadow(cloth, (4, 10), 6) * np.maximum(wool, neck), "#7a3d20", 0.6)
        value = face.lit(paper.inflate(cloth, 14, 512), key)
        painting.lay(
            cloth, paper.ramp(value, ((0.2, "#b39a8c"), (0.5, "#e4d3bd"), (0.8, "#fbf2e2"), (1.0, "#fffaf0")))
        )
        hem = face.side([(16, 958), (42, 972), (88, 966), (136, 936), (170, 890), (162, 856)], s)
        painting.lay(mask(spline(hem, False), 0.5, 2.0), "#3f8580", 0.75)
    for s in (-1, 1):
        tail = face.side([(2, 948), (16, 972), (34, 1010), (20, 1014), (12, 1004), (-2, 970)], s)
        loop = face.side([(2, 946), (24, 926), (50, 924), (54, 946), (44, 966), (20, 958)], s)
        for cut, tone in ((tail, "#2a6f70"), (loop, "#3a8d89")):
            ribbon = mask(spline(cut), 0.4)
            painting.glaze(shadow(ribbon, (3, 5), 3), "#6b4630", 0.5)
            painting.lay(
                ribbon,
                paper.ramp(
                    face.lit(paper.inflate(ribbon, 12, 512), key),
                    ((0.2, "#173f46"), (0.6, tone), (1.0, "#7cc4b8")),
                ),
            )
        painting.lay(
            mask(spline(face.side([(6, 947), (22, 942), (38, 938)], s), False), 1, 2.5), "#17444a", 0.6
        )
    knot = mask(paper.circle(512, 948, 10), 0.5)
    painting.lay(
        knot,
        paper.ramp(
            face.lit(paper.inflate(knot, 10, 512), key),
            ((0.2, "#173f46"), (0.6, "#3a8d89"), (1.0, "#8fd0c2")),
        ),
    )


def flower(painting: Painting) -> None:
    """Tuck a daisy behind the ear on the viewer's right."""
    cx, cy = 742.0, 412.0
    for angle, length in ((0.75, 72), (2.3, 58)):
        tip = (cx + length * np.cos(angle), cy + length * np.sin(angle))
        side = (-np.sin(angle) * 12, np.cos(angle) * 12)
        half = ((cx + tip[0]) / 2, (cy + tip[1]) / 2)
        leaf = [(cx, cy), (half[0] + side[0], half[1] + side[1]), tip, (half[0] - side[0], half[1] - side[1])]
        painting.lay(mask(spline(leaf), 0.5), "#4d8a63")
        painting.lay(mask(spline([(cx, cy), half, tip], False), 0.5, 1.5), "#a8cf94", 0.8)
    petals = np.zeros_like(painting.pixels[..., 0])
    for k in range(9):
        angle = 2 * np.pi * k / 9 + 0.2
        d = np.array([np.cos(angle), np.sin(angle)])
        n = np.array([-d[1], d[0]])
        centre = np.array([cx, cy])
        reach = 36 + 2.5 * np.sin(5 * k)
        outline = [
            centre + d * 6,
            centre + d * 21 + n * 9.5,
            centre + d * reach + n * 4,
            centre + d * reach - n * 4,
            centre + d * 21 - n * 9.5,
        ]
        petal = mask(spline([tuple(p) for p in outline]), 0.4)
        painting.glaze(shadow(petal, (2, 3), 2), "#5a3020", 0.35)
        painting.lay(petal, "#f6eee0" if k % 2 else "#fffaf0")
        painting.lay(
            mask(spline([tuple(centre + d * 10), tuple(centre + d * (reach - 5))], False), 0.6, 1.3),
            "#c9b7a4",
            0.6,
        )
        petals = np.maximum(petals, petal)
    painting.lay(mask(paper.circle(cx, cy, 12), 0.6), "#e9a32c")
    painting.lay(mask(paper.circle(cx - 3, cy - 3, 5), 2), "#ffd765", 0.9)
