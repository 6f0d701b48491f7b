"""The drawn sitter's face: a relief lit like a sculpture, with eyes, brows, nose and lips drawn over it."""

from __future__ import annotations

import cartoon_canvas as paper
import numpy as np
import skia
from cartoon_canvas import Painting, bump, mask, spline

AXIS = 512.0
EYE_Y = 454.0
EYE_DX = 91.0
NOSE_Y = 560.0
MOUTH_Y = 624.0
IRIS_RADIUS = 23.5

OUTLINE = paper.mirrored(
    [
        (0, 232), (70, 236), (128, 264), (168, 316), (187, 384), (192, 450), (190, 512), (179, 574),
        (154, 635), (115, 686), (67, 723), (27, 738), (0, 741),
    ],
    AXIS,
)  # fmt: skip
EAR = [(184, 462), (198, 448), (213, 451), (220, 476), (213, 512), (201, 540), (186, 546), (180, 520)]
UPPER_LID = [(-43, 9), (-37, -6), (-22, -22), (0, -29), (20, -25.5), (34, -12), (40, 1)]
LOWER_LID = [(40, 1), (33, 11), (17, 18), (-4, 20), (-26, 16), (-43, 9)]
SKIN = (
    (0.0, "#7c3a34"),
    (0.22, "#b0614a"),
    (0.42, "#d58b62"),
    (0.62, "#ecb084"),
    (0.82, "#f8cda4"),
    (1.0, "#ffe6c9"),
)
IRIS = ((0.0, "#2c1512"), (0.35, "#6e3714"), (0.68, "#c47a26"), (1.0, "#f6c25a"))
INK = "#2a1418"
LINE = "#8a4436"


def relief(shape: paper.Image) -> paper.Image:
    """Return the height of the face over the paper, in pixels."""
    x, y = paper.grid()
    height = paper.inflate(shape, 105)
    nose, mouth = NOSE_Y, MOUTH_Y
    middle = [
        ((nose - 62, 0), (16, 40), 13), ((nose - 20, 0), (21, 16), 24), ((mouth + 4, 0), (62, 34), 13),
        ((mouth + 76, 0), (36, 20), 14), ((325, 0), (120, 60), 8), ((EYE_Y, 0), (26, 22), -4),
        ((mouth + 42, 0), (34, 8), -6), ((nose + 14, 0), (10, 14), -3),
    ]  # fmt: skip
    paired = [
        ((nose - 13, 25), (11, 10), 9), ((nose - 26, 106), (50, 42), 18), ((EYE_Y + 2, EYE_DX), (60, 33), -17),
        ((EYE_Y, EYE_DX), (42, 25), 13), ((mouth + 2, 74), (16, 18), -4),
    ]  # fmt: skip
    for (row, _), sigma, lift in middle:
        height = height + bump(x, y, (AXIS, row), sigma, lift)
    for (row, dx), sigma, lift in paired:
        height = (
            height + bump(x, y, (AXIS - dx, row), sigma, lift) + bump(x, y, (AXIS + dx, row), sigma, lift)
        )
    return height


def lit(height: paper.Image, key: tuple[float, float, float]) -> paper.Image:
    """Return how light the skin is, 0..1, with the light wrapping round as it does in flesh."""
    n = paper.normals(height)
    light = np.array(key, np.float32) / np.linalg.norm(key).astype(np.float32)
    lambert = n @ light
    return np.clip(0.08 + 0.64 * (lambert + 0.35) / 1.35 + 0.26 * n[..., 2] ** 2, 0, 1).astype(np.float32)


def side(points: paper.Points, s: int, y: float = 0.0, dx: float = 0.0) -> list[tuple[float, float]]:
    """Place points given outwards from the axis (or from ``dx``, ``y``) on the left (-1) or right (1)."""
    return [(AXIS + s * (dx + px), y + py) for px, py in points]


def paint_skin(painting: Painting, key: tuple[float, float, float]) -> None:
    """Paint the face's skin: light and shade, warm cheeks and nose, freckles."""
    x, y = paper.grid()
    face = mask(spline(OUTLINE))
    painting.lay(face, paper.ramp(lit(relief(face), key), SKIN))
    for s, strength in ((-1, 0.36), (1, 0.32)):
        painting.lay(bump(x, y, (AXIS + s * 114, NOSE_Y - 14), (44, 30), 1) * face, "#e2634e", strength)
        painting.lay(bump(x, y, (AXIS + s * EYE_DX, EYE_Y - 24), (50, 18), 1) * face, "#c0684f", 0.30)
        painting.lay(bump(x, y, (AXIS + s * EYE_DX, EYE_Y + 32), (40, 11), 1) * face, "#cf7c5c", 0.20)
    painting.lay(bump(x, y, (AXIS, NOSE_Y - 18), (26, 18), 1), "#e0694e", 0.24)
    painting.lay(bump(x, y, (AXIS, MOUTH_Y + 88), (34, 14), 1) * face, "#e0775a", 0.14)
    rim = np.clip(face - mask(spline([(px - 8, py - 3) for px, py in OUTLINE]), 6), 0, 1)
    rim *= np.clip((x - AXIS - 40) / 90, 0, 1)
    painting.lay(rim, "#f2c3a6", 0.42)
    painting.lay(mask(spline(OUTLINE[3:-3], False), 0.6, 1.8), LINE, 0.42)
    rng = np.random.default_rng(8)
    for tint in (0.22, 0.34, 0.46):
        freckles = skia.Path()
        for _ in range(18):
            s = rng.choice([-1, 1])
            freckles.addCircle(
                AXIS + s * abs(rng.normal(84, 38)), rng.normal(NOSE_Y - 34, 13), rng.uniform(0.9, 2.0)
            )
        painting.lay(mask(freckles, 0.5), "#b0573a", tint)


def paint_ears(painting: Painting, key: tuple[float, float, float]) -> None:
    """Paint the ears over hair that is tucked behind them."""
    behind = 1 - mask(spline(OUTLINE))
    for s, light in ((-1, 0.9), (1, 0.74)):
        ear = mask(spline(side(EAR, s))) * behind
        shade = np.roll(mask(spline(side(EAR, s)), 6), (16, s * 10), (0, 1)) * behind
        painting.glaze(shade, "#5a2620", 0.55)
        painting.lay(ear, paper.ramp(light * lit(paper.inflate(ear, 24, 512), key), SKIN))
        hollow = side([(192, 466), (202, 455), (211, 464), (210, 496), (200, 528), (194, 512), (201, 484)], s)
        painting.lay(mask(spline(hollow), 2.5) * ear, "#8f4034", 0.7)
        helix = side([(193, 456), (204, 447), (215, 456), (217, 484)], s)
        painting.lay(mask(spline(helix, False), 1.4, 3) * ear, "#ffd9b0", 0.5 * light)
        painting.glow(ear, "#d8452e", 0.18)
        painting.lay(mask(spline(side(EAR[:7], s), False), 0.5, 1.6), LINE, 0.6)


def paint_nose(painting: Painting) -> None:
    """Draw nostrils, wings and the light on the bridge and tip."""
    for s in (-1, 1):
        nostril = side([(9, 0), (17, -6), (25, -3), (22, 2), (14, 3)], s, NOSE_Y)
        painting.lay(mask(spline(nostril), 1.2), "#7a332d", 0.72)
        wing = side([(29, -26), (36, -15), (34, -4), (26, 1)], s, NOSE_Y)
        painting.lay(mask(spline(wing, False), 1.4, 2.4), "#a04f3d", 0.5)
    under = side([(-13, 4), (0, 9), (13, 4)], 1, NOSE_Y)
    painting.lay(mask(spline(under, False), 1.8, 3), "#a04f3d", 0.45)
    bridge = side([(-9, -104), (-3, -104), (-2, -56), (-6, -32), (-12, -56)], 1, NOSE_Y)
    painting.glow(mask(spline(bridge), 6), "#ffe2c0", 0.45)
    tip = side([(-13, -27), (-5, -33), (2, -27), (-6, -19)], 1, NOSE_Y)
    painting.glow(mask(spline(tip), 3.2), "#fff0dc", 0.7)


def paint_eye(painting: Painting, s: int) -> None:
    """Draw one eye; ``s`` is -1 for the viewer's left."""

    def at(points: paper.Points) -> list[tuple[float, float]]:
        return side(points, s, EYE_Y, EYE_DX)

    x, y = paper.grid()
    white = mask(spline(at([*UPPER_LID, UPPER_LID[-1], *LOWER_LID[1:], LOWER_LID[-1]])))
    cx, cy = AXIS + s * (EYE_DX + 0.3), EYE_Y - 3.5
    r = np.hypot(x - cx, y - cy)
    lid = [(px, py - 11 - 5 * np.exp(-((px / 30) ** 2))) for px, py in UPPER_LID]
    painting.lay(mask(spline(at([*UPPER_LID, *lid[::-1]])), 2.5), "#b4604a", 0.42)

    globe = np.clip(1.03 - ((x - cx) / 84) ** 2 - ((y - cy - 4) / 72) ** 2, 0, 1)
    painting.lay(white, paper.ramp(globe, ((0.3, "#b98f86"), (0.72, "#e9d9cc"), (0.95, "#fffaf2"))))
    painting.lay(mask(paper.circle(*at([(-40, 9)])[0], 5), 1.5) * white, "#d98272", 0.85)

    iris = np.clip((IRIS_RADIUS - r) * paper.SCALE + 0.5, 0, 1) * white
    angle = np.arctan2(y - cy, x - cx)
    fibre = 0.05 * np.sin(angle * 31 + 2 * np.sin(angle * 5)) + 0.04 * np.sin(angle * 57 + 1)
    depth = np.clip(0.55 + 0.42 * (y - cy) / IRIS_RADIUS + fibre, 0, 1)
    depth *= np.clip(1.25 - (r / IRIS_RADIUS) ** 6 * 1.1, 0, 1)
    painting.lay(iris, paper.ramp(depth.astype(np.float32), IRIS))
    painting.lay(np.clip(1 - np.abs(r - IRIS_RADIUS + 1) / 2.0, 0, 1) * white, "#26100f", 0.85)
    painting.lay(np.clip((0.43 * IRIS_RADIUS - r) * paper.SCALE + 0.5, 0, 1) * white, "#120808")
    shade = spline(at([(px, py + 3) for px, py in UPPER_LID]), False)
    painting.glaze(mask(shade, 4, 11) * white, "#7a4a52", 0.7)
    painting.lay(mask(paper.circle(cx - 8, cy - 8.5, 6.4), 0.5) * white, "#ffffff", 0.97)
    painting.lay(mask(paper.circle(cx + 8.5, cy + 9.5, 2.8), 0.8) * white, "#ffe9bd", 0.75)

    rim = at([(-36, 14), (-24, 18), (-4, 23), (19, 21), (37, 13)])
    painting.lay(mask(spline(rim, False), 0.8, 2.4), "#f3b795", 0.75)
    painting.lay(mask(spline(at(LOWER_LID), False), 0.5, 1.9), "#8b4238", 0.8)
    lash = [(-45, 11), (-38, -8), (-22, -25), (0, -33), (21, -29.5), (36, -17), (46, -8), (54, -7), (47, 0), (41, 3),
            (34, -8), (19, -22), (0, -26.5), (-20, -19.5), (-36, -4)]  # fmt: skip
    painting.lay(mask(spline(at(lash)), 0.3), INK)
    crease = at([(-38, -17), (-21, -35), (1, -43), (22, -40), (38, -29)])
    painting.lay(mask(spline(crease, False), 0.9, 2.4), "#8d4538", 0.75)


def paint_brow(painting: Painting, s: int, lift: float) -> None:
    """Draw one eyebrow: a soft mass with hairs that follow its arch."""
    y = EYE_Y - 5 - lift
    mass = [
        (-44, -49),
        (-20, -60),
        (10, -67),
        (38, -63),
        (62, -47),
        (38, -56),
        (10, -58.5),
        (-18, -52),
        (-42, -44),
    ]
    painting.lay(mask(spline(side(mass, s, y, EYE_DX)), 1.6), "#5f2f20", 0.72)
    rng = np.random.default_rng(12 + s)
    hairs = skia.Path()
    for u in np.linspace(-44, 48, 34):
        base = np.interp(u, [-44, -18, 12, 40, 66], [-44, -54, -62, -59, -48]) + rng.uniform(-2, 2)
        slope = np.interp(u, [-44, -10, 20, 60], [-12, -8, -2, 6])
        hairs.addPath(
            spline(
                side([(u, base), (u + 7, base + 0.75 * slope), (u + 15, base + slope)], s, y, EYE_DX), False
            )
        )
    painting.lay(mask(hairs, 0.4, 1.5), "#3f1d13", 0.5)


def paint_lips(painting: Painting) -> None:
    """Draw closed lips with a slight smile."""

    def at(points: paper.Points) -> list[tuple[float, float]]:
        return [(AXIS + px, MOUTH_Y + py - 0.02 * px) for px, py in points]

    x, y = paper.grid()
    line = [(-63, -10), (-52, -4), (-35, 1), (-13, 2), (0, 4), (13, 2), (35, 1), (52, -4), (63, -10)]
    top = [(-61, -9), (-37, -10), (-15, -15), (0, -11), (15, -15), (37, -10), (61, -9)]
    bottom = [(59, -7), (43, 13), (18, 24), (-18, 24), (-43, 13), (-59, -7)]
    painting.lay(bump(x, y, (AXIS, MOUTH_Y + 34), (30, 6), 1), "#a9543f", 0.42)
    painting.lay(mask(spline(at([*line[1:-1], *bottom])), 0.8), "#d4685f")
    painting.lay(mask(spline(at([*top, *line[-2:0:-1]])), 0.8), "#b94e4b")
    painting.glow(bump(x, y, (AXIS - 8, MOUTH_Y + 13), (22, 4.5), 1), "#ffd2c0", 0.6)
    painting.glow(bump(x, y, (AXIS - 15, MOUTH_Y - 10), (8, 2.5), 1), "#ffc0b0", 0.35)
    for edge in (bottom, top):
        painting.lay(mask(spline(at(edge), False), 0.8, 1.7), "#96403c", 0.6)
    painting.lay(mask(spline(at(line), False), 0.5, 3.0), "#5e1d26", 0.95)
    for s in (-1, 1):
        painting.lay(bump(x, y, (AXIS + s * 69, MOUTH_Y - 11), (4.5, 6.5), 1), "#a9553f", 0.32)
    painting.lay(bump(x, y, (AXIS, MOUTH_Y - 32), (6, 14), 1), "#c5775a", 0.25)


def paint(painting: Painting, key: tuple[float, float, float]) -> None:
    """Paint everything but the ears, which come after the hair."""
    paint_skin(painting, key)
    paint_nose(painting)
    paint_lips(painting)
    for s, lift in ((-1, 0.0), (1, 3.0)):
        paint_eye(painting, s)
        paint_brow(painting, s, lift)
