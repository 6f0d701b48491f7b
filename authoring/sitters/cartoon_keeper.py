"""Paint the lighthouse keeper: ``python authoring/sitters/cartoon_keeper.py PICTURE.jpg``.

A person who does not exist, drawn like the cartoon sitter and with the same tools.
"""

from __future__ import annotations

import sys

import cartoon_canvas as paper
import cartoon_face as face
import cartoon_hair as hair
import cv2
import numpy as np
import skia
from cartoon_canvas import Painting, bump, mask, shadow, spline
from PIL import Image

KEY = (-0.55, -0.55, 0.62)

KEEPER = face.Face(
    palette=face.Palette(
        skin=(
            (0.0, "#2d1516"),
            (0.22, "#5a2c20"),
            (0.42, "#86492c"),
            (0.62, "#ad6c41"),
            (0.82, "#cf935d"),
            (1.0, "#efc08a"),
        ),
        iris=((0.0, "#180a08"), (0.35, "#432010"), (0.68, "#85491f"), (1.0, "#cf8d48")),
        brow=("#26120e", "#120807"),
        lips=("#8a4237", "#ab5a4b"),
        seam="#3a1416",
        line="#4a2017",
        shade="#70351f",
        nostril="#3a170f",
        blush="#bb4a30",
        shine="#e9bd8e",
        freckles=None,
    ),
    half_outline=(
        (0, 232), (74, 236), (132, 264), (169, 316), (186, 384), (190, 450), (188, 512), (180, 576),
        (161, 636), (125, 688), (76, 727), (32, 744), (0, 747),
    ),
    ear=((180, 462), (196, 446), (213, 449), (221, 476), (214, 514), (201, 544), (184, 550), (178, 520)),
    eye=(89, 452),
    upper_lid=((-44, 8), (-37, -6), (-22, -21), (-1, -28), (20, -25), (35, -12), (42, 2)),
    lower_lid=((42, 2), (35, 10), (18, 15.5), (-4, 17), (-27, 14), (-44, 8)),
    lash=(
        (-46, 9), (-38, -8), (-22, -24), (-1, -32), (21, -29), (37, -16), (47, 0), (43, 3),
        (34, -9), (19, -22), (-1, -26), (-20, -19), (-36, -4),
    ),
    crease=((-40, -17), (-23, -34), (0, -41), (22, -38), (40, -26)),
    iris_radius=23,
    brow_top=((-46, -48), (-20, -62), (10, -70), (40, -65), (66, -44)),
    brow_foot=((-45, -38), (-18, -48), (10, -55), (40, -53), (66, -44)),
    brow_lift=(8, 4),
    nose_y=562,
    nose_width=1.28,
    mouth_y=628,
    seam=((-66, -10), (-54, -4), (-35, 0.5), (-13, 1.5), (0, 4), (13, 1.5), (35, 0.5), (54, -4), (66, -10)),
    lip_top=((-64, -9), (-38, -13), (-15, -19), (0, -15), (15, -19), (38, -13), (64, -9)),
    lip_foot=((62, -7), (46, 15), (19, 28), (-19, 28), (-46, 15), (-62, -7)),
)  # fmt: skip
NECK = ((92, 640), (90, 760), (100, 800), (120, 850), (0, 960))
HAIRLINE = ((0, 278), (70, 274), (128, 288), (158, 318), (172, 360), (184, 400))
CROWN = ((0, 122), (70, 126), (132, 150), (174, 200), (190, 268), (188, 340), (185, 404))
CURL = (
    (0.0, "#0c0608"),
    (0.25, "#201012"),
    (0.45, "#3b2019"),
    (0.65, "#653a25"),
    (0.85, "#9c663e"),
    (1.0, "#d9a671"),
)
WOOL = ((0.1, "#8d7868"), (0.4, "#cdb9a0"), (0.7, "#efe2cb"), (1.0, "#fffaf0"))
DAWN = ((0.0, "#4d76a3"), (0.2, "#86a7c4"), (0.36, "#d9c3c0"), (0.47, "#f7bf9c"), (0.55, "#f79c7c"))
HORIZON = 590


def sea() -> Painting:
    """Return the sea at dawn, with clouds and a lighthouse, brushed and a little out of focus."""
    x, y = paper.grid()
    painting = Painting(paper.ramp(y / 1024 + 0.012 * paper.noise(1.7, 80, 2.5), DAWN))
    sun = bump(x, y, (250, HORIZON - 30), (260, 130), 1)
    painting.glow(sun, "#ffd08c", 0.6)
    banks = paper.noise(1.75, 81, 1.8) + 1.1 * np.sin(y / 70) - 0.5
    cloud = cv2.GaussianBlur(np.clip(banks, 0, 1), (0, 0), 4) * (y < HORIZON)
    painting.lay(cloud * np.clip(1.25 - y / 560, 0, 1), "#fff0e4", 0.75)
    water = cv2.GaussianBlur((y > HORIZON).astype(np.float32), (0, 0), 2)
    depth = np.clip((y - HORIZON) / 420, 0, 1)
    painting.lay(
        water, paper.ramp(depth, ((0.0, "#c99a92"), (0.12, "#7f97a6"), (0.5, "#3f7088"), (1.0, "#234c66")))
    )
    rock = [(640, 640), (760, 596), (850, 540), (930, 512), (1060, 500), (1060, 760), (900, 720), (760, 670)]
    painting.lay(mask(spline(rock), 4), "#4f6a72")
    painting.glow(mask(spline(rock), 4) * np.clip((580 - y) / 70, 0, 1), "#f7bf9c", 0.45)
    painting.dabs(20, 83, 0.012)
    painting.dabs(9, 84, 0.014)
    glitter = np.clip(paper.noise(0.8, 82, 16.0) - 0.5, 0, 1) * (y > HORIZON + 6)
    path = np.exp(-(((x - 250) / (50 + 0.4 * np.clip(y - HORIZON, 0, None))) ** 2))
    painting.glow((glitter * (0.06 + path)).astype(np.float32), "#ffd9b0", 0.55)
    paint_lighthouse(painting)
    painting.pixels = cv2.GaussianBlur(painting.pixels, (0, 0), 1.5 * paper.SCALE)
    painting.glow(bump(x, y, (904, 234), (26, 22), 1), "#fff2c8", 0.7)
    return painting


def paint_lighthouse(painting: Painting) -> None:
    """Paint the tower on the headland, its bands and its lamp."""
    x, y = paper.grid()

    def block(corners: list[tuple[float, float]]) -> paper.Image:
        path = skia.Path()
        path.addPoly([skia.Point(*corner) for corner in corners], True)
        return mask(path, 1.2)

    tower = block([(866, 540), (882, 262), (926, 262), (942, 540)])
    stone = ((0.0, "#fff3e2"), (0.5, "#ecd2c2"), (1.0, "#a58d93"))
    painting.lay(tower, paper.ramp((x - 868) / 72, stone))
    for top in (312, 416):
        painting.glaze(tower * ((y > top) & (y < top + 54)), "#cf4a3b", 0.9)
    painting.lay(block([(888, 216), (920, 216), (920, 256), (888, 256)]), "#ffe9b0")
    painting.lay(block([(872, 254), (936, 254), (936, 264), (872, 264)]), "#4a3a44")
    painting.lay(block([(878, 218), (904, 184), (930, 218)]), "#b8483c")
    painting.glow(bump(x, y, (904, 234), (70, 60), 1), "#ffdf9a", 0.7)


def paint_jersey(painting: Painting) -> paper.Image:
    """Paint the fisherman's jersey and its rolled neck; return where it is."""
    x, y = paper.grid()
    half = [(0, 850), (110, 846), (220, 868), (330, 905), (420, 975), (470, 1090)]
    wool = mask(spline(paper.mirrored(half, face.AXIS)))
    height = paper.inflate(wool, 80) + 2 * paper.noise(1.9, 90)
    dx = x - face.AXIS
    for centre in (-285, -175, -65, 65, 175, 285):
        lane = dx - centre - 0.06 * centre * (y - 900) / 100
        swing = 11 * np.sin(2 * np.pi * y / 60)
        strands = np.maximum(np.exp(-(((lane - swing) / 7) ** 2)), np.exp(-(((lane + swing) / 7) ** 2)))
        height = height + 6 * strands - 3 * np.exp(-(((np.abs(lane) - 28) / 5) ** 2))
    height = height + 0.8 * np.sin(2 * np.pi * x / 9) * np.sin(2 * np.pi * y / 8)
    height = cv2.GaussianBlur(height.astype(np.float32), (0, 0), 1.2 * paper.SCALE)
    painting.lay(wool, paper.ramp(face.lit(height, KEY), WOOL))

    rim = [(0, 834), (58, 826), (92, 808), (108, 788)]
    roll = [(116, 788), (123, 804), (127, 850), (112, 890), (60, 912), (0, 918)]
    outline = [*face.side([*rim, *roll], 1), *face.side([*rim[1:], *roll[:-1]], -1)[::-1]]
    neck = mask(spline(outline))
    painting.glaze(shadow(neck, (4, 12), 8) * wool, "#6b5648", 0.6)
    ribs = np.sin(2 * np.pi * np.arcsin(np.clip(dx / 140, -1, 1)) * 13)
    height = paper.inflate(neck, 40) + 1.6 * ribs
    painting.lay(neck, paper.ramp(face.lit(height, KEY), WOOL))
    opening = [*face.side(rim[:0:-1], -1), *face.side(rim, 1)]
    painting.glaze(mask(spline(opening, False), 5, 8) * (1 - neck), "#5a2f22", 0.6)
    return np.maximum(wool, neck)


def curls() -> tuple[skia.Surface, paper.Image]:
    """Return close curls on a clear sheet, and where the hair beneath them is."""
    rim = [*face.side(CROWN, 1), *face.side(HAIRLINE[::-1], 1)]
    cap = mask(spline([*rim, *face.side(HAIRLINE[1:], -1), *face.side(CROWN[:0:-1], -1)]))
    n = paper.normals(paper.inflate(np.maximum(cap, mask(spline(KEEPER.outline))), 130))
    value = n @ (np.array(KEY, np.float32) / np.linalg.norm(KEY).astype(np.float32))
    rng = np.random.default_rng(6)
    spots = rng.uniform((290, 110), (734, 420), (5200, 2))
    columns, rows = (spots * paper.SCALE).astype(int).T
    spots = spots[(cap[rows, columns] > 0.5) & (spots[:, 1] < 330 + 30 * rng.random(len(spots)))]
    spots = spots[
        np.argsort(np.hypot(spots[:, 0] - 480, spots[:, 1] - 210) + rng.normal(0, 40, len(spots)))[::-1]
    ]
    sheet = skia.Surface(paper.FULL, paper.FULL)
    with sheet as canvas:
        canvas.scale(paper.SCALE, paper.SCALE)
        for px, py in spots:
            light = value[int(py * paper.SCALE), int(px * paper.SCALE)]
            small = np.clip((340 - py) / 120, 0.35, 1)
            radius = rng.uniform(6, 12) * small
            turn = np.linspace(0, rng.uniform(1.1, 1.7) * np.pi, 18) + rng.uniform(0, 2 * np.pi)
            shrink = np.linspace(1, 0.45, 18)
            arc = np.stack(
                [px + radius * shrink * np.cos(turn), py + radius * shrink * np.sin(turn) * 0.9], 1
            )
            lit = 0.4 * np.cos(turn) + np.sin(turn)
            shade = 0.04 + 0.5 * light - 0.2 * lit * (0.3 + light) + rng.normal(0, 0.05)
            width = np.full(18, rng.uniform(3.5, 6) * small) * np.sin(np.linspace(0.25, np.pi - 0.2, 18))
            hair.ribbon(canvas, arc, width, shade, np.full(18, 0.95), 0.1, CURL)
    return sheet, cap


def main() -> None:
    painting = sea()
    nape = mask(spline([(398, 790), (430, 766), (512, 757), (594, 766), (626, 790), (594, 830), (430, 830)]))
    painting.lay(nape, "#a08b78")
    painting.glaze(nape * mask(spline([(410, 800), (512, 772), (614, 800)], False), 5, 14), "#7a5f50", 0.6)
    face.paint_neck(painting, KEEPER, NECK, KEY)
    paint_jersey(painting)
    face.paint(painting, KEEPER, KEY)
    y = paper.grid()[1]
    sheet, cap = curls()
    skin = mask(spline(KEEPER.outline))
    painting.glaze(shadow(cap, (3, 7), 7) * skin * (1 - cap), "#6a3020", 0.6)
    root = np.maximum(cap * (y < 270), cv2.GaussianBlur(cap, (0, 0), 2 * paper.SCALE))
    fade = np.clip((410 - y) / 110 + 0.12 * paper.noise(0.3, 91), 0, 1)
    painting.lay(cap * (y > 240), "#5f3322")
    painting.lay(root * fade, "#160b0c")
    painting.overlay(sheet)
    face.paint_ears(painting, KEEPER, KEY, cap)
    Image.fromarray(painting.finished((27, 42, 972), 5)).save(sys.argv[1], quality=93, subsampling=0)


if __name__ == "__main__":
    main()
