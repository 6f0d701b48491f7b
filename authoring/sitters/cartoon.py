"""Paint the cartoon sitter: ``python authoring/sitters/cartoon.py generator/sitters/cartoon.jpg``.

A person who does not exist, drawn from nothing but this code. Author's tool, not part of the installed
project: needs ``skia-python``, ``opencv-python-headless``, ``scipy`` and ``pillow``.
"""

from __future__ import annotations

import sys

import cartoon_canvas as paper
import cartoon_face as face
import cartoon_hair as hair
import cartoon_scene as scene
import numpy as np
import skia
from cartoon_canvas import mask, shadow, spline
from PIL import Image

KEY = (-0.55, -0.55, 0.62)
SHINE = (-0.32, -0.55, 0.76)

SITTER = face.Face(
    palette=face.Palette(
        skin=(
            (0.0, "#7c3a34"),
            (0.22, "#b0614a"),
            (0.42, "#d58b62"),
            (0.62, "#ecb084"),
            (0.82, "#f8cda4"),
            (1.0, "#ffe6c9"),
        ),
        iris=((0.0, "#2c1512"), (0.35, "#6e3714"), (0.68, "#c47a26"), (1.0, "#f6c25a")),
        brow=("#6a3623", "#4a2216"),
        lips=("#b94e4b", "#d4685f"),
        seam="#5e1d26",
        line="#8d4538",
        shade="#b8644c",
        nostril="#7a332d",
        blush="#e2634e",
        shine="#ffe6cc",
        freckles="#b0573a",
    ),
    half_outline=(
        (0, 232), (70, 236), (128, 264), (168, 316), (187, 384), (192, 450), (190, 512), (179, 574),
        (154, 635), (115, 686), (67, 723), (27, 738), (0, 741),
    ),
    ear=((184, 462), (198, 448), (213, 451), (220, 476), (213, 512), (201, 540), (186, 546), (180, 520)),
    eye=(91, 454),
    upper_lid=((-45, 9), (-39, -6), (-24, -23), (-1, -31), (21, -27.5), (36, -13), (42, 1)),
    lower_lid=((42, 1), (35, 9.5), (18, 15), (-4, 17), (-27, 14.5), (-45, 9)),
    lash=(
        (-47, 11), (-40, -8), (-24, -26), (-1, -35), (22, -31.5), (38, -18), (48, -9), (56, -8), (49, 0),
        (43, 3), (36, -9), (20, -24), (-1, -28.5), (-22, -20.5), (-38, -4),
    ),
    crease=((-40, -18), (-23, -37), (0, -45), (22, -42), (40, -30)),
    iris_radius=24,
    brow_top=((-44, -49), (-20, -60), (10, -67), (38, -63), (62, -47)),
    brow_foot=((-42, -44), (-18, -52), (10, -58.5), (38, -56), (62, -47)),
    brow_lift=(7, 11),
    nose_y=561,
    nose_width=1.0,
    mouth_y=624,
    seam=((-64, -11.5), (-53, -5), (-35, 0), (-13, 1.5), (0, 3.5), (13, 1.5), (35, 0), (53, -5), (64, -11.5)),
    lip_top=((-62, -10.5), (-37, -11), (-15, -15), (0, -11), (15, -15), (37, -11), (62, -10.5)),
    lip_foot=((60, -8.5), (44, 12), (18, 24), (-18, 24), (-44, 12), (-60, -8.5)),
)  # fmt: skip
NECK = ((64, 640), (60, 760), (76, 806), (116, 838), (156, 872), (0, 1000))

CHESTNUT = (
    (0.0, "#1d0c12"),
    (0.18, "#3a171a"),
    (0.36, "#642b20"),
    (0.56, "#96502c"),
    (0.78, "#cd8444"),
    (1.0, "#f7cf8c"),
)
RIGHT = hair.Sweep(
    guides=(
        ((472, 273), (530, 259), (598, 279), (654, 324), (690, 376), (704, 440), (706, 510), (704, 590),
         (708, 680), (704, 770), (680, 850)),
        ((478, 190), (556, 166), (644, 204), (708, 286), (738, 376), (748, 466), (748, 556), (752, 650),
         (760, 740), (752, 830), (716, 905)),
        ((440, 119), (556, 112), (656, 142), (736, 232), (772, 346), (784, 466), (790, 570), (806, 660),
         (816, 750), (806, 850), (762, 930)),
    ),
    wave_px=27, waves=2.9, phase=0.05, clumps=10, seed=3,
)  # fmt: skip
LEFT = hair.Sweep(
    guides=(
        ((474, 273), (430, 275), (380, 303), (340, 352), (313, 400), (305, 455), (302, 525), (306, 600),
         (308, 690), (318, 780), (344, 850)),
        ((478, 190), (416, 184), (346, 226), (298, 306), (280, 396), (274, 480), (272, 560), (264, 650),
         (258, 740), (268, 830), (306, 902)),
        ((530, 116), (430, 116), (338, 150), (272, 232), (244, 346), (236, 466), (230, 570), (214, 660),
         (206, 750), (216, 850), (258, 926)),
    ),
    wave_px=27, waves=2.9, phase=0.55, clumps=10, seed=4,
)  # fmt: skip
BACK = hair.Sweep(
    guides=(
        ((318, 470), (312, 570), (318, 680), (330, 780), (352, 960)),
        ((512, 470), (512, 560), (512, 660), (512, 780), (512, 960)),
        ((706, 470), (712, 570), (706, 680), (694, 780), (672, 960)),
    ),
    wave_px=16, waves=1.8, phase=0.3, clumps=16, seed=5,
)  # fmt: skip
PARTING = ((474, 268), (478, 190), (484, 128))
PASSES = (
    hair.Pass(46, (30, 44), 1.0, 0.16, 0.03, 0.0, 0.5, 0.18),
    hair.Pass(70, (14, 24), 0.95, 0.15, 0.05, 0.3, 0.7, 0.30),
    hair.Pass(120, (5, 11), 0.8, 0.12, 0.08, 0.7, 0.8, 0.40),
    hair.Pass(150, (1.6, 3.6), 0.6, 0.0, 0.11, 1.3, 0.6, 0.45),
    hair.Pass(36, (1.0, 1.8), 0.7, 0.0, 0.12, 3.0, 0.0, 0.5),
)
FRAME = (27, 42, 972)


def comb(
    sweeps: tuple[hair.Sweep, ...], passes: tuple[hair.Pass, ...], gain: float, seed: int
) -> skia.Surface:
    """Return the locks of some sweeps on a clear sheet."""
    crown = np.vstack([hair.resample(LEFT.guides[-1])[::-1], hair.resample(RIGHT.guides[-1])])[::3]
    whole = spline([(float(px), float(py)) for px, py in crown])
    volume = paper.inflate(np.maximum(mask(whole), mask(whole, 0, 50)), 150)
    light = hair.Light(paper.normals(volume), KEY, SHINE)
    sheet = skia.Surface(paper.FULL, paper.FULL)
    with sheet as canvas:
        canvas.scale(paper.SCALE, paper.SCALE)
        for number, layer in enumerate(passes):
            for sweep in sweeps:
                hair.draw(canvas, sweep, layer, light, CHESTNUT, seed + number, gain)
    return sheet


def main() -> None:
    painting = scene.garden()
    painting.overlay(comb((BACK,), PASSES[:3], 0.5, 20))
    neck = face.paint_neck(painting, SITTER, NECK, KEY)
    dressed = np.maximum(neck, scene.paint_cardigan(painting, KEY))
    scene.paint_collar(painting, KEY, dressed)
    face.paint(painting, SITTER, KEY)

    fall = comb((LEFT, RIGHT), PASSES, 1.2, 7)
    covered = fall.toarray()[..., 3].astype(np.float32) / 255
    under = np.maximum(dressed, mask(spline(SITTER.outline)))
    painting.glaze(shadow(covered, (7, 12), 9) * under, "#8a3f35", 0.6)
    painting.lay(mask(spline(PARTING, False), 2, 16), "#4a2019")
    painting.overlay(fall)
    edge = covered * (1 - shadow(covered, (-3, 1.5), 1.6))
    painting.glow(edge * np.clip((paper.grid()[0] - 600) / 150, 0, 1), "#ffb866", 0.55)
    face.paint_ears(painting, SITTER, KEY, covered)
    scene.paint_daisy(painting)
    Image.fromarray(painting.finished(FRAME, 3)).save(sys.argv[1], quality=93, subsampling=0)


if __name__ == "__main__":
    main()
