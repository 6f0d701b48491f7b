"""Paint the cartoon sitter: ``python authoring/sitters/cartoon.py generator/sitters/cartoon.jpg``.

Drawn from nothing but this code. Author's tool: needs ``skia-python``, ``opencv-python-headless``, ``scipy``
and ``pillow``.
"""

from __future__ import annotations

import sys

import cartoon_canvas as paper
import cartoon_face as face
import cartoon_hair as hair
import cartoon_scene as scene
import numpy as np
import skia
from cartoon_canvas import Painting, mask, spline
from PIL import Image

KEY = (-0.55, -0.55, 0.62)
SHINE = (-0.32, -0.55, 0.76)
TONES = (
    (0.0, "#1d0c12"), (0.18, "#3a171a"), (0.36, "#642b20"), (0.56, "#96502c"), (0.78, "#cd8444"), (1.0, "#f7cf8c"),
)  # fmt: skip
RIGHT = hair.Sweep(
    (
        [(472, 258), (530, 246), (598, 268), (654, 316), (690, 376), (704, 440), (706, 510), (704, 590), (708, 680), (704, 770), (680, 850)],
        [(478, 190), (556, 166), (644, 204), (708, 286), (738, 376), (748, 466), (748, 556), (752, 650), (760, 740), (752, 830), (716, 905)],
        [(462, 122), (560, 112), (656, 142), (736, 232), (772, 346), (784, 466), (790, 570), (806, 660), (816, 750), (806, 850), (762, 930)],
    ),
    27, 2.9, 0.05, 10, 3,
)  # fmt: skip
LEFT = hair.Sweep(
    (
        [(474, 258), (430, 262), (380, 292), (340, 344), (322, 400), (318, 455), (316, 525), (318, 600), (312, 690), (318, 780), (344, 850)],
        [(478, 190), (416, 184), (346, 226), (298, 306), (280, 396), (274, 480), (272, 560), (264, 650), (258, 740), (268, 830), (306, 902)],
        [(506, 122), (424, 117), (338, 150), (272, 232), (244, 346), (236, 466), (230, 570), (214, 660), (206, 750), (216, 850), (258, 926)],
    ),
    27, 2.9, 0.55, 10, 4,
)  # fmt: skip
BACK = hair.Sweep(
    (
        [(318, 470), (312, 570), (318, 680), (330, 780), (360, 890)],
        [(512, 470), (512, 560), (512, 660), (512, 760), (512, 890)],
        [(706, 470), (712, 570), (706, 680), (694, 780), (664, 890)],
    ),
    16, 1.8, 0.3, 16, 5,
)  # fmt: skip
PASSES = (
    hair.Pass(46, (30, 44), 1.0, 0.30, 0.03, 0.0, 0.5, 0.20),
    hair.Pass(70, (14, 24), 0.95, 0.30, 0.06, 0.3, 0.7, 0.34),
    hair.Pass(130, (5, 11), 0.8, 0.25, 0.09, 0.7, 0.8, 0.45),
    hair.Pass(170, (1.6, 3.6), 0.65, 0.0, 0.12, 1.3, 0.6, 0.5),
    hair.Pass(36, (1.0, 1.8), 0.7, 0.0, 0.12, 3.0, 0.0, 0.5),
)


def sheet() -> skia.Surface:
    """Return a clear surface the size of the held picture."""
    return skia.Surface(paper.FULL, paper.FULL)


def main() -> None:
    painting = Painting(scene.background())
    outline = np.vstack([hair.resample(LEFT.guides[2])[::-1], hair.resample(RIGHT.guides[2])])
    whole = spline([(float(px), float(py)) for px, py in outline[::3]])
    volume = paper.inflate(np.maximum(mask(whole), mask(whole, 0, 50)), 150)
    light = hair.Light(paper.normals(volume), KEY, SHINE)

    behind, before = sheet(), sheet()
    with behind as canvas:
        canvas.scale(paper.SCALE, paper.SCALE)
        for number, layer in enumerate(PASSES[:3]):
            hair.draw(canvas, BACK, layer, light, TONES, 20 + number, gain=0.5)
    with before as canvas:
        canvas.scale(paper.SCALE, paper.SCALE)
        for number, layer in enumerate(PASSES):
            for sweep in (LEFT, RIGHT):
                hair.draw(canvas, sweep, layer, light, TONES, 7 + number, gain=1.2)

    painting.overlay(behind)
    scene.body(painting, KEY)
    face.paint(painting, KEY)
    fallen = before.toarray()[..., 3].astype(np.float32) / 255
    skin = mask(spline(face.OUTLINE))
    painting.glaze(scene.shadow(fallen, (7, 12), 9) * skin, "#8a3f35", 0.6)
    painting.overlay(before)
    edge = fallen * (1 - scene.shadow(fallen, (-4, 2), 3))
    painting.glow(edge * np.clip((paper.grid()[0] - 600) / 150, 0, 1), "#ffc67c", 0.6)
    face.paint_ears(painting, KEY)
    scene.flower(painting)
    Image.fromarray(painting.finished(3)).save(sys.argv[1], quality=93, subsampling=0)


if __name__ == "__main__":
    main()
