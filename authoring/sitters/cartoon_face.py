"""A drawn face: a relief lit like a sculpture, with eyes, brows, nose and lips drawn over it."""

from __future__ import annotations

from dataclasses import dataclass

import cartoon_canvas as paper
import numpy as np
import skia
from cartoon_canvas import Painting, Points, bump, mask, spline

AXIS = 512.0
Stops = tuple[tuple[float, str], ...]
Direction = tuple[float, float, float]


@dataclass(frozen=True)
class Palette:
    """The colours of one face; the stops run from dark to light."""

    skin: Stops
    iris: Stops
    brow: tuple[str, str]
    lips: tuple[str, str]
    """Upper and lower lip."""
    seam: str
    line: str
    shade: str
    nostril: str
    blush: str
    shine: str
    freckles: str | None


@dataclass(frozen=True)
class Face:
    """The shape of one face.

    Points are (dx, y): dx outwards from the axis, or for lids and brows from the eye's middle, and y down
    from the top of the picture, the eye, the nose's base or the lips' seam.
    """

    palette: Palette
    half_outline: Points
    ear: Points
    eye: tuple[float, float]
    upper_lid: Points
    lower_lid: Points
    lash: Points
    crease: Points
    iris_radius: float
    brow_top: Points
    brow_foot: Points
    brow_lift: tuple[float, float]
    """How far the left and the right brow are raised."""
    nose_y: float
    nose_width: float
    mouth_y: float
    seam: Points
    lip_top: Points
    lip_foot: Points

    @property
    def outline(self) -> list[tuple[float, float]]:
        return paper.mirrored(self.half_outline, AXIS)


def side(points: Points, s: int, y: float = 0.0, dx: float = 0.0) -> list[tuple[float, float]]:
    """Place points given outwards from the axis (or from ``dx``, ``y``) on the left (-1) or right (1)."""
    return [(AXIS + s * (dx + px), y + py) for px, py in points]


def relief(face: Face, shape: paper.Image) -> paper.Image:
    """Return the height of the face over the paper, in pixels."""
    x, y = paper.grid()
    height = paper.inflate(shape, 105)
    eye_dx, eye_y = face.eye
    nose, mouth, wide = face.nose_y, face.mouth_y, face.nose_width
    middle = [
        (nose - 62, (16, 40), 13), (nose - 20, (21 * wide, 16), 24), (mouth + 4, (62, 34), 13),
        (mouth + 76, (36, 20), 14), (325, (120, 60), 8), (eye_y, (26, 22), -4),
        (mouth + 42, (34, 8), -6), (nose + 14, (10, 14), -3),
    ]  # fmt: skip
    paired = [
        ((25 * wide, nose - 13), (11, 10), 9), ((106, nose - 26), (50, 42), 18),
        ((eye_dx, eye_y + 2), (60, 33), -17), ((eye_dx, eye_y), (42, 25), 13),
        ((74, mouth + 2), (16, 18), -4),
    ]  # fmt: skip
    for row, sigma, lift in middle:
        height = height + bump(x, y, (AXIS, row), sigma, lift)
    for (dx, row), sigma, lift in paired:
        height = (
            height + bump(x, y, (AXIS - dx, row), sigma, lift) + bump(x, y, (AXIS + dx, row), sigma, lift)
        )
    return height


def lit(height: paper.Image, key: Direction) -> paper.Image:
    """Return how light a relief is, 0..1, with the light wrapping round as it does in flesh."""
    n = paper.normals(height)
    light = np.array(key, np.float32) / np.linalg.norm(key).astype(np.float32)
    lambert = n @ light
    return np.clip(0.08 + 0.64 * (lambert + 0.35) / 1.35 + 0.26 * n[..., 2] ** 2, 0, 1).astype(np.float32)


def paint_skin(painting: Painting, face: Face, key: Direction) -> None:
    """Paint light and shade, warm cheeks and nose, and freckles."""
    x, y = paper.grid()
    p = face.palette
    eye_dx, eye_y = face.eye
    shape = mask(spline(face.outline))
    painting.lay(shape, paper.ramp(lit(relief(face, shape), key), p.skin))
    for s, strength in ((-1, 0.36), (1, 0.32)):
        painting.lay(bump(x, y, (AXIS + s * 114, face.nose_y - 14), (44, 30), 1) * shape, p.blush, strength)
        painting.lay(bump(x, y, (AXIS + s * eye_dx, eye_y - 24), (50, 18), 1) * shape, p.shade, 0.28)
        painting.lay(bump(x, y, (AXIS + s * eye_dx, eye_y + 32), (40, 11), 1) * shape, p.shade, 0.15)
    painting.lay(bump(x, y, (AXIS, face.nose_y - 18), (26, 18), 1), p.blush, 0.24)
    painting.lay(bump(x, y, (AXIS, face.mouth_y + 88), (34, 14), 1) * shape, p.blush, 0.14)
    rim = np.clip(shape - mask(spline([(px - 8, py - 3) for px, py in face.outline]), 6), 0, 1)
    painting.lay(rim * np.clip((x - AXIS - 40) / 90, 0, 1), p.shine, 0.3)
    painting.lay(mask(spline(face.outline[3:-3], False), 0.6, 1.8), p.line, 0.42)
    if p.freckles is None:
        return
    rng = np.random.default_rng(8)
    for opacity in (0.22, 0.34, 0.46):
        spots = skia.Path()
        for _ in range(18):
            dx = rng.choice([-1, 1]) * abs(rng.normal(84, 38))
            spots.addCircle(AXIS + dx, rng.normal(face.nose_y - 34, 13), rng.uniform(0.9, 2.0))
        painting.lay(mask(spots, 0.5), p.freckles, opacity)


def paint_neck(painting: Painting, face: Face, half_neck: Points, key: Direction) -> paper.Image:
    """Paint the neck and the chin's shadow on it; return where it is."""
    neck = mask(spline(paper.mirrored(half_neck, AXIS)))
    painting.lay(neck, paper.ramp(0.92 * lit(paper.inflate(neck, 60), key), face.palette.skin))
    chin = [(430, 660), (450, 742), (520, 790), (594, 778), (640, 660)]
    painting.glaze(mask(spline(chin), 12) * neck, face.palette.shade, 0.95)
    return neck


def paint_ears(painting: Painting, face: Face, key: Direction, hair: paper.Image) -> None:
    """Paint the ears, and their shadow on the ``hair`` behind them."""
    p = face.palette
    beside = 1 - mask(spline(face.outline))
    top = face.ear[1][1]
    for s, light in ((-1, 0.9), (1, 0.74)):
        outline = spline(side(face.ear, s))
        ear = mask(outline) * beside
        painting.glaze(np.roll(mask(outline, 6), (16, s * 10), (0, 1)) * beside * hair, "#5a2620", 0.55)
        painting.lay(ear, paper.ramp(light * lit(paper.inflate(ear, 24, 512), key), p.skin))
        hollow = side([(192, 18), (202, 7), (211, 16), (210, 48), (200, 80), (194, 64), (201, 36)], s, top)
        painting.lay(mask(spline(hollow), 2.5) * ear, p.nostril, 0.55)
        helix = side([(193, 8), (204, -1), (215, 8), (217, 36)], s, top)
        painting.lay(mask(spline(helix, False), 1.4, 3) * ear, p.shine, 0.45 * light)
        painting.glow(ear, "#d8452e", 0.18)
        painting.lay(mask(spline(side(face.ear[:7], s), False), 0.5, 1.6) * beside, p.line, 0.6)


def paint_nose(painting: Painting, face: Face) -> None:
    """Draw nostrils, wings and the light on the bridge and tip."""
    p = face.palette
    wide, foot = face.nose_width, face.nose_y
    for s in (-1, 1):
        nostril = [(dx * wide, py) for dx, py in ((9, 0), (17, -6), (25, -3), (22, 2), (14, 3))]
        painting.lay(mask(spline(side(nostril, s, foot)), 1.2), p.nostril, 0.72)
        wing = [(dx * wide, py) for dx, py in ((29, -26), (36, -15), (34, -4), (26, 1))]
        painting.lay(mask(spline(side(wing, s, foot), False), 1.4, 2.4), p.line, 0.5)
    under = side([(-13, 4), (0, 9), (13, 4)], 1, foot)
    painting.lay(mask(spline(under, False), 1.8, 3), p.line, 0.45)
    bridge = side([(-9, -104), (-3, -104), (-2, -56), (-6, -32), (-12, -56)], 1, foot)
    painting.glow(mask(spline(bridge), 6), p.shine, 0.4)
    tip = side([(-13, -27), (-5, -33), (2, -27), (-6, -19)], 1, foot)
    painting.glow(mask(spline(tip), 3.2), p.shine, 0.75)


def paint_eye(painting: Painting, face: Face, s: int) -> None:
    """Draw one eye; ``s`` is -1 for the viewer's left."""
    p = face.palette
    eye_dx, eye_y = face.eye
    upper, lower = face.upper_lid, face.lower_lid

    def at(points: Points) -> list[tuple[float, float]]:
        return side(points, s, eye_y, eye_dx)

    x, y = paper.grid()
    white = mask(spline(at([*upper, upper[-1], *lower[1:], lower[-1]])))
    lid = [(px, py - 11 - 5 * np.exp(-((px / 30) ** 2))) for px, py in upper]
    painting.lay(mask(spline(at([*upper, *lid[::-1]])), 2.5), p.shade, 0.42)

    radius = face.iris_radius
    cx, cy = AXIS + s * (eye_dx + 0.3), eye_y - 3.5
    globe = np.clip(1.03 - ((x - cx) / 84) ** 2 - ((y - cy - 4) / 72) ** 2, 0, 1)
    painting.lay(white, paper.ramp(globe, ((0.3, "#b98f86"), (0.72, "#e9d9cc"), (0.95, "#fffaf2"))))
    inner_corner = at([(upper[0][0] + 3, upper[0][1])])[0]
    painting.lay(mask(paper.circle(*inner_corner, 5), 1.5) * white, "#d98272", 0.85)

    r = np.hypot(x - cx, y - cy)
    angle = np.arctan2(y - cy, x - cx)
    fibre = 0.05 * np.sin(angle * 31 + 2 * np.sin(angle * 5)) + 0.04 * np.sin(angle * 57 + 1)
    value = np.clip(0.55 + 0.42 * (y - cy) / radius + fibre, 0, 1)
    value *= np.clip(1.25 - (r / radius) ** 6 * 1.1, 0, 1)
    painting.lay(np.clip((radius - r) * paper.SCALE + 0.5, 0, 1) * white, paper.ramp(value, p.iris))
    painting.lay(np.clip(1 - np.abs(r - radius + 1) / 2.0, 0, 1) * white, "#26100f", 0.85)
    painting.lay(np.clip((0.43 * radius - r) * paper.SCALE + 0.5, 0, 1) * white, "#120808")
    under_lid = spline(at([(px, py + 3) for px, py in upper]), False)
    painting.glaze(mask(under_lid, 4, 11) * white, "#7a4a52", 0.7)
    painting.lay(mask(paper.circle(cx - 8, cy - 8.5, 6.4), 0.5) * white, "#ffffff", 0.97)
    painting.lay(mask(paper.circle(cx + 8.5, cy + 9.5, 2.8), 0.8) * white, "#ffe9bd", 0.75)

    wet_rim = at([(px, py + 3.2) for px, py in lower[1:-1]])
    painting.lay(mask(spline(wet_rim, False), 0.8, 2.2), p.shine, 0.45)
    painting.lay(mask(spline(at(lower), False), 0.5, 1.9), p.line, 0.8)
    painting.lay(mask(spline(at(face.lash)), 0.3), "#2a1418")
    painting.lay(mask(spline(at(face.crease), False), 0.9, 2.4), p.line, 0.75)


def paint_brow(painting: Painting, face: Face, s: int) -> None:
    """Draw one eyebrow: a soft mass with hairs that follow its arch."""
    mass, hair = face.palette.brow
    y = face.eye[1] - face.brow_lift[s > 0]
    outline = side([*face.brow_top, *face.brow_foot[::-1]], s, y, face.eye[0])
    painting.lay(mask(spline(outline), 1.5), mass, 0.8)
    rng = np.random.default_rng(12 + s)
    top_x, top_y = np.transpose(face.brow_top)
    foot_x, foot_y = np.transpose(face.brow_foot)
    hairs = skia.Path()
    for u in np.linspace(top_x[0] + 1, top_x[-1] - 16, 40):
        v = u + rng.uniform(9, 15)
        foot = np.interp(u, foot_x, foot_y) + rng.uniform(-2, 1)
        tip = np.interp(v, top_x, top_y) + rng.uniform(-0.5, 1.5)
        strand = [(u, foot), (0.5 * (u + v), 0.45 * foot + 0.55 * tip), (v, tip)]
        hairs.addPath(spline(side(strand, s, y, face.eye[0]), False))
    painting.lay(mask(hairs, 0.4, 1.3), hair, 0.5)


def paint_lips(painting: Painting, face: Face) -> None:
    """Draw closed lips."""
    p = face.palette
    seam, top, foot = face.seam, face.lip_top, face.lip_foot

    def at(points: Points) -> list[tuple[float, float]]:
        return [(AXIS + px, face.mouth_y + py - 0.02 * px) for px, py in points]

    x, y = paper.grid()
    below = max(py for _, py in foot)
    painting.lay(bump(x, y, (AXIS, face.mouth_y + below + 10), (30, 6), 1), p.shade, 0.5)
    painting.lay(mask(spline(at([*seam[1:-1], *foot])), 0.8), p.lips[1])
    painting.lay(mask(spline(at([*top, *seam[-2:0:-1]])), 0.8), p.lips[0])
    painting.glow(bump(x, y, (AXIS - 8, face.mouth_y + 0.55 * below), (22, 4.5), 1), "#ffd2c0", 0.5)
    painting.glow(bump(x, y, (AXIS - 15, face.mouth_y - 10), (8, 2.5), 1), "#ffc0b0", 0.3)
    for edge in (foot, top):
        painting.lay(mask(spline(at(edge), False), 0.8, 1.7), p.seam, 0.42)
    painting.lay(mask(spline(at(seam), False), 0.5, 3.0), p.seam, 0.95)
    for end in (at(seam[:1])[0], at(seam[-1:])[0]):
        away = (end[0] + 6 * np.sign(end[0] - AXIS), end[1] - 1)
        painting.lay(bump(x, y, away, (4.5, 6.5), 1), p.line, 0.25)
    painting.lay(bump(x, y, (AXIS, face.mouth_y - 32), (6, 14), 1), p.shade, 0.2)


def paint(painting: Painting, face: Face, key: Direction) -> None:
    """Paint everything but the ears, which come after the hair."""
    paint_skin(painting, face, key)
    paint_nose(painting, face)
    paint_lips(painting, face)
    for s in (-1, 1):
        paint_eye(painting, face, s)
        paint_brow(painting, face, s)
