"""What surrounds the cartoon sitter: a garden at dusk, her cardigan and collar, a flower."""

from __future__ import annotations

import cartoon_canvas as paper
import cartoon_face as face
import cv2
import numpy as np
from cartoon_canvas import Painting, bump, mask, shadow, spline

WOOL = ((0.1, "#6e2f1c"), (0.4, "#ab5a1f"), (0.68, "#dc9330"), (1.0, "#ffd483"))
LINEN = ((0.2, "#b39a8c"), (0.5, "#e4d3bd"), (0.8, "#fbf2e2"), (1.0, "#fffaf0"))
SKY = ((0.0, "#2d5f78"), (0.22, "#4f8c99"), (0.40, "#a3c4b0"), (0.52, "#f1d9a0"), (0.58, "#f7c584"))
HILLS = (
    # crest, slope, colour, seed, swell, blur
    (548, -0.05, "#8fb3a8", 61, 16, 3),
    (590, 0.06, "#6d9c90", 62, 20, 4),
    (650, -0.10, "#4f8478", 63, 22, 5),
    (735, 0.08, "#386a60", 64, 24, 6),
)
TREES = (
    # x, foot, height, half width, colour, blur
    (96, 770, 330, 34, "#2f5f58", 5),
    (168, 740, 220, 26, "#3c7066", 4),
    (22, 830, 420, 46, "#244f4c", 7),
    (905, 760, 250, 28, "#3c7066", 4),
    (985, 830, 400, 44, "#264f4b", 7),
)
STRINGS = ((-30, 120, 560), (470, 60, 1060))
"""Strings of lanterns: left end, its height, right end."""


def paint_land(painting: Painting, glow: paper.Image) -> None:
    """Paint hills that fade with distance, and cypresses."""
    x, y = paper.grid()
    for crest, slope, colour, seed, swell, blur in HILLS:
        roll = cv2.GaussianBlur(paper.noise(2.0, seed)[:1], (0, 0), 40)[0]
        line = (crest + slope * (x[0] - 512) + swell * roll / roll.std())[None]
        hill = cv2.GaussianBlur((y > line).astype(np.float32), (0, 0), blur)
        painting.lay(hill, colour)
        painting.glow(hill * np.exp(-np.clip(y - line, 0, None) / 26) * (0.35 + 0.65 * glow), "#f5cf86", 0.5)
    rng = np.random.default_rng(21)
    for px, foot, tall, wide, colour, blur in TREES:
        sway = rng.normal(0, 3, 4)
        outline = [
            (px, foot - tall),
            (px + wide * 0.55 + sway[0], foot - tall * 0.6),
            (px + wide + sway[1], foot - tall * 0.2),
            (px + wide * 0.5, foot),
            (px - wide * 0.5, foot),
            (px - wide + sway[2], foot - tall * 0.2),
            (px - wide * 0.55 + sway[3], foot - tall * 0.6),
        ]
        tree = mask(spline(outline), blur)
        painting.lay(tree, colour, 0.96)
        sunward = np.clip((x - px) * (1 if px < 512 else -1) / wide, 0, 1)
        painting.glow(tree * sunward, "#d9b36a", 0.28)


def paint_lights(painting: Painting) -> None:
    """Paint lanterns out of focus, and fireflies."""
    x, y = paper.grid()
    rng = np.random.default_rng(22)
    for left, top, right in STRINGS:

        def at(u: float, left: int = left, top: int = top, right: int = right) -> tuple[float, float]:
            return left + u * (right - left), top + 600 * u * (1 - u)

        wire = [(px, py - 12) for px, py in map(at, np.linspace(0, 1, 9))]
        painting.lay(mask(spline(wire, False), 1.6, 3), "#1f3f4a", 0.7)
        for u in np.linspace(0.03, 0.97, 9):
            px, py = at(u)
            radius = rng.uniform(10, 16)
            painting.glow(bump(x, y, (px, py), (34, 34), 1), "#ff9d3f", 0.36)
            painting.lay(mask(paper.circle(px, py, radius), 1.6), "#ffdf9c", 0.82)
            painting.glow(mask(paper.circle(px, py, radius * 0.6), 4), "#fff4d6", 0.8)
    for _ in range(26):
        px, py, radius = rng.uniform(0, 1024), rng.uniform(560, 1000), rng.uniform(2, 6)
        painting.glow(bump(x, y, (px, py), (4 * radius, 4 * radius), 1), "#ffb45a", 0.28)
        painting.glow(mask(paper.circle(px, py, radius), 0.35 * radius), "#ffe6a6", rng.uniform(0.4, 0.8))


def garden() -> Painting:
    """Return the garden, brushed and a little out of focus."""
    x, y = paper.grid()
    glow = bump(x, y, (690, 520), (330, 190), 1)
    painting = Painting(paper.ramp(y / 1024 + 0.02 * paper.noise(1.7, 40, 0.4), SKY))
    painting.glow(glow, "#ffb65e", 0.75)
    paint_land(painting, glow)
    painting.dabs(22, 70, 0.014)
    painting.dabs(10, 71, 0.016)
    painting.pixels = cv2.GaussianBlur(painting.pixels, (0, 0), 1.3 * paper.SCALE)
    paint_lights(painting)
    return painting


def paint_cardigan(painting: Painting, key: face.Direction) -> paper.Image:
    """Paint the knitted cardigan; return where it is."""
    x, y = paper.grid()
    half = [(0, 960), (70, 900), (126, 838), (212, 858), (322, 896), (414, 970), (456, 1080)]
    wool = mask(spline(paper.mirrored(half, face.AXIS)))
    height = paper.inflate(wool, 80) + 2.5 * paper.noise(1.9, 50)
    for s in (-1, 1):
        for top, foot in (((214, 876), (262, 1050)), ((150, 890), (160, 1050)), ((300, 905), (370, 1050))):
            bend = (0.5 * (top[0] + foot[0]) + 8, 0.5 * (top[1] + foot[1]))
            height = height - 3.5 * mask(spline(face.side([top, bend, foot], s), False), 9, 10)
    painting.lay(wool, paper.ramp(face.lit(height, key), WOOL))
    stitches = np.sin(2 * np.pi * x / 10) * np.sin(2 * np.pi * (y + 2.5 * np.abs((x % 10) - 5)) / 8)
    painting.glaze(wool * np.clip(stitches, 0, 1), "#b97b3c", 0.32)
    return wool


def paint_collar(painting: Painting, key: face.Direction, dressed: paper.Image) -> None:
    """Paint the round collar and its bow, which throw their shadow on what is ``dressed``."""
    flap = [
        (102, 818), (84, 866), (44, 912), (3, 942), (10, 966), (40, 984), (92, 978), (146, 944), (182, 892),
        (172, 848), (134, 826),
    ]  # fmt: skip
    hem = [(16, 958), (42, 972), (88, 966), (136, 936), (170, 890), (162, 856)]
    for s in (-1, 1):
        cloth = mask(spline(face.side(flap, s)))
        painting.glaze(shadow(cloth, (4, 10), 6) * dressed, "#7a3d20", 0.6)
        painting.lay(cloth, paper.ramp(face.lit(paper.inflate(cloth, 14, 512), key), LINEN))
        painting.lay(mask(spline(face.side(hem, s), False), 0.5, 2.0), "#3f8580", 0.75)
    tail = [(2, 948), (16, 972), (34, 1010), (20, 1014), (12, 1004), (-2, 970)]
    loop = [(2, 946), (24, 926), (50, 924), (54, 946), (44, 966), (20, 958)]
    for s in (-1, 1):
        for cut, tone in ((tail, "#2a6f70"), (loop, "#3a8d89")):
            ribbon = mask(spline(face.side(cut, s)), 0.4)
            painting.glaze(shadow(ribbon, (3, 5), 3), "#6b4630", 0.5)
            silk = ((0.2, "#173f46"), (0.6, tone), (1.0, "#7cc4b8"))
            painting.lay(ribbon, paper.ramp(face.lit(paper.inflate(ribbon, 12, 512), key), silk))
        fold = face.side([(6, 947), (22, 942), (38, 938)], s)
        painting.lay(mask(spline(fold, False), 1, 2.5), "#17444a", 0.6)
    knot = mask(paper.circle(face.AXIS, 948, 10), 0.5)
    silk = ((0.2, "#173f46"), (0.6, "#3a8d89"), (1.0, "#8fd0c2"))
    painting.lay(knot, paper.ramp(face.lit(paper.inflate(knot, 10, 512), key), silk))


def paint_daisy(painting: Painting) -> None:
    """Tuck a daisy behind the ear on the viewer's right."""
    x, y = 742.0, 412.0
    centre = np.array([x, y])

    def spoke(angle: float, steps: list[tuple[float, float]]) -> list[tuple[float, float]]:
        """Place (along, across) steps on a ray from the centre."""
        ray = np.array([np.cos(angle), np.sin(angle)])
        across = np.array([-ray[1], ray[0]])
        return [tuple(centre + a * ray + b * across) for a, b in steps]

    for angle, length in ((0.75, 72.0), (2.3, 58.0)):
        half = 0.5 * length
        painting.lay(
            mask(spline(spoke(angle, [(0, 0), (half, 12), (length, 0), (half, -12)])), 0.5), "#4d8a63"
        )
        vein = spoke(angle, [(0, 0), (half, 0), (length, 0)])
        painting.lay(mask(spline(vein, False), 0.5, 1.5), "#a8cf94", 0.8)
    for k in range(9):
        angle = 2 * np.pi * k / 9 + 0.2
        reach = 36 + 2.5 * np.sin(5 * k)
        petal = mask(spline(spoke(angle, [(6, 0), (21, 9.5), (reach, 4), (reach, -4), (21, -9.5)])), 0.4)
        painting.glaze(shadow(petal, (2, 3), 2), "#5a3020", 0.35)
        painting.lay(petal, "#f6eee0" if k % 2 else "#fffaf0")
        crease = spoke(angle, [(10, 0), (reach - 5, 0)])
        painting.lay(mask(spline(crease, False), 0.6, 1.3), "#c9b7a4", 0.6)
    painting.lay(mask(paper.circle(x, y, 12), 0.6), "#e9a32c")
    painting.lay(mask(paper.circle(x - 3, y - 3, 5), 2), "#ffd765", 0.9)
