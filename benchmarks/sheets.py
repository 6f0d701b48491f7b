"""Contact sheets to look at: ``python -m benchmarks.sheets PORTRAIT… -o DIR``.

For each portrait: expressions, poses, gazes, a talking strip and emotions, the face enlarged.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from generator.arkit import INDEX
from generator.motion import driver
from generator.motion.direction import Direction
from generator.motion.emotion import EMOTIONS, Emotion
from generator.portrait.landmarks import FaceLandmarker
from generator.portrait.portrait import Portrait
from generator.render.renderer import Renderer
from generator.sitters import clips
from generator.speech.audio import Speech

CELL_PX = 300
COLUMNS = 6
DRIVER = "learned"
EMOTION_FRAMES = (45, 62)
STRIP_FRAMES = 17
STRIP_FROM = 20

Row = NDArray[np.float32]


def both(name: str, weight: float) -> dict[str, float]:
    """The same weight on the left and the right."""
    return {f"{name}Left": weight, f"{name}Right": weight}


EXPRESSIONS: dict[str, dict[str, float]] = {
    "rest": {},
    "jawOpen .15": {"jawOpen": 0.15},
    "jawOpen .3": {"jawOpen": 0.3},
    "jawOpen .6": {"jawOpen": 0.6},
    "jawOpen 1": {"jawOpen": 1.0},
    "smile .8": both("mouthSmile", 0.8),
    "smile .6 jaw .2": both("mouthSmile", 0.6) | {"jawOpen": 0.2},
    "pucker .8": {"mouthPucker": 0.8},
    "funnel .7 jaw .2": {"mouthFunnel": 0.7, "jawOpen": 0.2},
    "stretch .7": both("mouthStretch", 0.7) | {"jawOpen": 0.1},
    "lower lip down .7": both("mouthLowerDown", 0.7),
    "upper lip up .7": both("mouthUpperUp", 0.7),
    "press .8": both("mouthPress", 0.8),
    "frown .8": both("mouthFrown", 0.8),
    "blink .3": both("eyeBlink", 0.3),
    "blink .6": both("eyeBlink", 0.6),
    "blink 1": both("eyeBlink", 1.0),
    "wink": {"eyeBlinkLeft": 1.0},
    "squint 1": both("eyeSquint", 1.0),
    "wide 1": both("eyeWide", 1.0),
    "brow inner up 1": {"browInnerUp": 1.0},
    "brow down 1": both("browDown", 1.0),
    "cheek puff .8": {"cheekPuff": 0.8},
}
POSES = {
    f"{axis} {turn:+d}": (axis, turn)
    for axis, turns in (
        ("yaw", (-20, -15, -10, 10, 15, 20)),
        ("pitch", (-15, -10, -5, 5, 10, 15)),
        ("roll", (-15, -8, 8, 15)),
        ("near", (6,)),
    )
    for turn in turns
}
GAZES = {
    f"{yaw:+d} {pitch:+d}": (yaw, pitch) for pitch in (15, 0, -15) for yaw in (-30, -20, -10, 10, 20, 30)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("portraits", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    landmarker = FaceLandmarker()
    speech = Speech.open(clips()[0].path)
    motion = driver.get(DRIVER)(speech, seed=0)
    emotions = {
        f"{name} {i / motion.fps:.1f} s": driver.get(DRIVER)(
            speech, seed=0, direction=Direction.constant(emotion=Emotion(name))
        ).values[i]
        for name in EMOTIONS
        for i in EMOTION_FRAMES
    }
    strip = {
        f"{i / motion.fps:.2f} s": motion.values[i] for i in range(STRIP_FROM, STRIP_FROM + STRIP_FRAMES)
    }
    for picture in arguments.portraits:
        portrait = Portrait.open(picture, landmarker=landmarker)
        sheets = {
            "expressions": {name: _expression(weights) for name, weights in EXPRESSIONS.items()},
            "poses": {name: _pose(*pose) for name, pose in POSES.items()},
            "gazes": {name: _gaze(*gaze) for name, gaze in GAZES.items()},
            "talking": strip,
            "emotions": emotions,
        }
        for name, rows in sheets.items():
            path = arguments.output / f"{picture.stem}_{name}.png"
            _sheet(portrait, rows, whole=name == "poses").save(path)
            print(path)


def _expression(weights: dict[str, float]) -> Row:
    row = np.zeros(59, np.float32)
    for name, weight in weights.items():
        row[INDEX[name]] = weight
    return row


def _pose(axis: str, amount: int) -> Row:
    row = np.zeros(59, np.float32)
    row[{"yaw": 51, "pitch": 52, "roll": 53, "near": 56}[axis]] = amount
    return row


def _gaze(yaw: int, pitch: int) -> Row:
    row = np.zeros(59, np.float32)
    row[57:59] = yaw, pitch
    return row


def _sheet(portrait: Portrait, rows: dict[str, Row], whole: bool) -> Image.Image:
    """A labelled grid of frames; the face enlarged unless the ``whole`` frame is wanted."""
    renderer = Renderer(portrait)
    box = (0, 0, *portrait.size) if whole else _face_box(portrait)
    cells = {"source": portrait.frame} | {name: renderer.frame(row) for name, row in rows.items()}
    lines = -(-len(cells) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * CELL_PX, lines * CELL_PX), "white")
    for place, (name, frame) in enumerate(cells.items()):
        cell = Image.fromarray(frame).crop(box).resize((CELL_PX, CELL_PX), Image.Resampling.LANCZOS)
        ImageDraw.Draw(cell).text((6, 4), name, fill="yellow", stroke_width=2, stroke_fill="black")
        sheet.paste(cell, (place % COLUMNS * CELL_PX, place // COLUMNS * CELL_PX))
    return sheet


def _face_box(portrait: Portrait) -> tuple[int, int, int, int]:
    points = portrait.landmarks[:468, :2]
    centre, half = points.mean(0), 0.62 * float(np.ptp(points[:, 1]))
    width, height = portrait.size
    left, top = np.clip(centre - half, 0, None).astype(int)
    return int(left), int(top), min(int(centre[0] + half), width), min(int(centre[1] + half), height)


if __name__ == "__main__":
    main()
