"""Line charts as pictures, drawn with Pillow: enough for curves over time and over a request."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageDraw, ImageFont

SIZE_PX = (720, 400)
COLOURS = ("#1b5e8c", "#c8553d", "#3d7a4f", "#8a5fa8", "#c79a2b", "#4a4a4a", "#2aa0a0", "#d46a9f")
INK, GRID, PAPER = "#222222", "#e3e0da", "#fdfcf9"

_SHARP = 2  # drawn this much larger, then reduced: Pillow does not smooth lines
_MARGINS = (70, 46, 22, 54)  # left, top, right, bottom
_TICKS = 6


@dataclass(frozen=True)
class Line:
    """A named curve: ``x`` and ``y`` of equal length; ``dashed`` for what is only to compare with."""

    name: str
    x: ArrayLike
    y: ArrayLike
    dashed: bool = False
    marked: bool = False


def chart(title: str, x_label: str, y_label: str, lines: Sequence[Line]) -> Image.Image:
    """One chart, axes fitted to all ``lines``, each in a colour of its own."""
    canvas = _Canvas(lines)
    canvas.axes(title, x_label, y_label)
    for line, colour in zip(lines, _colours(lines), strict=True):
        canvas.draw(line, colour)
    canvas.legend([line.name for line in lines], _colours(lines))
    return canvas.picture()


def sheet(charts: Sequence[Image.Image], columns: int = 2) -> Image.Image:
    """Charts side by side, row by row."""
    width, height = SIZE_PX
    rows = -(-len(charts) // columns)
    page = Image.new("RGB", (min(columns, len(charts)) * width, rows * height), PAPER)
    for place, picture in enumerate(charts):
        page.paste(picture, (place % columns * width, place // columns * height))
    return page


def ticks(low: float, high: float, count: int = _TICKS) -> list[float]:
    """Round numbers from ``low`` to ``high``, about ``count`` of them."""
    step = 10 ** math.floor(math.log10(max(high - low, 1e-9) / count))
    step *= next(k for k in (1, 2, 5, 10) if (high - low) / (k * step) <= count)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _colours(lines: Sequence[Line]) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(len(lines))]


class _Canvas:
    def __init__(self, lines: Sequence[Line]) -> None:
        self._image = Image.new("RGB", (SIZE_PX[0] * _SHARP, SIZE_PX[1] * _SHARP), PAPER)
        self._pen = ImageDraw.Draw(self._image)
        self._x = _range([line.x for line in lines], 0.0)
        self._y = _range([line.y for line in lines], 0.06)

    def axes(self, title: str, x_label: str, y_label: str) -> None:
        left, top, right, bottom = self._frame()
        for value in ticks(*self._x):
            x = self._place(value, 0)[0]
            self._line([(x, top), (x, bottom)], GRID, 1)
            self._text((x, bottom + 6), f"{value:g}", 12, "mt")
        for value in ticks(*self._y):
            y = self._place(0, value)[1]
            self._line([(left, y), (right, y)], GRID, 1)
            self._text((left - 8, y), f"{value:g}", 12, "rm")
        self._line([(left, top), (left, bottom), (right, bottom)], INK, 1)
        self._text((left, 16), title, 16, "lm")
        self._text(((left + right) / 2, SIZE_PX[1] - 12), x_label, 13, "mm")
        self._text((8, top - 14), y_label, 12, "lm")

    def draw(self, line: Line, colour: str) -> None:
        points = [self._place(x, y) for x, y in zip(np.ravel(line.x), np.ravel(line.y), strict=True)]
        if line.dashed:
            for start, end in _dashes(points):
                self._line([start, end], colour, 1.4)
        else:
            self._line(points, colour, 1.8)
        for x, y in points if line.marked else ():
            box = [(x - 3.5) * _SHARP, (y - 3.5) * _SHARP, (x + 3.5) * _SHARP, (y + 3.5) * _SHARP]
            self._pen.ellipse(box, fill=colour)

    def legend(self, names: Sequence[str], colours: Sequence[str]) -> None:
        x = float(SIZE_PX[0] - _MARGINS[2])
        for name, colour in reversed(list(zip(names, colours, strict=True))):
            self._text((x, 32), name, 12, "rm", colour)
            x -= self._pen.textlength(name, font=_font(12)) / _SHARP + 14

    def picture(self) -> Image.Image:
        return self._image.resize(SIZE_PX, Image.Resampling.LANCZOS)

    def _frame(self) -> tuple[int, int, int, int]:
        left, top, right, bottom = _MARGINS
        return left, top, SIZE_PX[0] - right, SIZE_PX[1] - bottom

    def _place(self, x: float, y: float) -> tuple[float, float]:
        left, top, right, bottom = self._frame()
        across = (x - self._x[0]) / (self._x[1] - self._x[0])
        up = (y - self._y[0]) / (self._y[1] - self._y[0])
        return left + across * (right - left), bottom - up * (bottom - top)

    def _line(self, points: Sequence[tuple[float, float]], colour: str, width: float) -> None:
        scaled = [(x * _SHARP, y * _SHARP) for x, y in points]
        self._pen.line(scaled, fill=colour, width=round(width * _SHARP), joint="curve")

    def _text(self, at: tuple[float, float], text: str, size: int, anchor: str, colour: str = INK) -> None:
        place = at[0] * _SHARP, at[1] * _SHARP
        self._pen.text(place, text, fill=colour, font=_font(size), anchor=anchor)


def _font(size: int) -> Any:
    return ImageFont.load_default(size * _SHARP)


def _range(values: Sequence[ArrayLike], margin: float) -> tuple[float, float]:
    every = np.concatenate([np.ravel(value) for value in values]).astype(np.float64)
    every = every[np.isfinite(every)]
    low, high = (float(every.min()), float(every.max())) if len(every) else (0.0, 1.0)
    room = margin * (high - low) or 0.5 * (high == low)
    return low - room, high + room


def _dashes(
    points: Sequence[tuple[float, float]], length: float = 5.0
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    found = []
    at = 0.0
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        span = math.hypot(x1 - x0, y1 - y0)
        pieces = max(math.ceil(span / length), 1)
        for k in range(pieces):
            if int((at + k * span / pieces) / length) % 2 == 0:
                a, b = k / pieces, (k + 1) / pieces
                found.append(
                    ((x0 + a * (x1 - x0), y0 + a * (y1 - y0)), (x0 + b * (x1 - x0), y0 + b * (y1 - y0)))
                )
        at += span
    return found
