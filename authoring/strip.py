"""Make the README's picture: our sitters speaking, one row each.

python authoring/strip.py docs/images/speaking.jpg
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from generator.motion import driver
from generator.portrait.portrait import Portrait
from generator.render.renderer import Renderer
from generator.sitters import sitters
from generator.speech.audio import Speech

CELL_PX = 256
COLUMNS = 6


def main(path: Path) -> None:
    rows = []
    for sitter in sitters():
        portrait = Portrait.open(sitter.path)
        renderer = Renderer(portrait)
        motion = driver.get("learned")(Speech.open(sitter.clip.path), seed=0)
        moments = np.linspace(12, len(motion.values) - 20, COLUMNS).astype(int)
        cells = [portrait.frame, *(renderer.frame(motion.values[i]) for i in moments[1:])]
        rows.append(np.hstack([_small(cell) for cell in cells]))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.vstack(rows)).save(path, quality=90)


def _small(frame: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(frame).resize((CELL_PX, CELL_PX), Image.Resampling.LANCZOS))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
