"""``Direction``: how a portrait is to be played, beyond what it says.

As JSON, every key optional, every value either constant or a timeline of ``[seconds, value]``::

    {
      "gaze": [10, -5],
      "distance": 90,
      "pose": [[0, [0, 0, 0]], [2.5, [-8, 0, 3]]],
      "emotion": [[0, {"name": "happy", "strength": 0.6}], [4, {"name": "sad", "strength": 0.4}]],
      "expressiveness": 1.2,
      "blink_rate": 18
    }

A value holds until the next one; the face takes its natural time to get there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generator.errors import MotionError
from generator.motion.emotion import EMOTIONS, Emotion

Signal = NDArray[np.float64]

NATURAL_BLINKS_PER_MINUTE = 24.0


@dataclass(frozen=True)
class Control:
    """What one control takes: per number its name, unit and limits; ``ease_seconds`` to reach a new value."""

    parts: tuple[tuple[str, str, float, float], ...]
    ease_seconds: float


CONTROLS: dict[str, Control] = {
    "gaze": Control((("yaw", " degrees", -30.0, 30.0), ("pitch", " degrees", -25.0, 25.0)), 0.08),
    "distance": Control((("distance", " %", 70.0, 160.0),), 1.0),
    "pose": Control(
        (
            ("yaw", " degrees", -25.0, 25.0),
            ("pitch", " degrees", -20.0, 20.0),
            ("roll", " degrees", -20.0, 20.0),
        ),
        0.8,
    ),
    "emotion": Control((("strength", "", 0.0, 1.0),), 0.6),
    "expressiveness": Control((("expressiveness", "", 0.0, 2.0),), 0.5),
    "blink_rate": Control((("blink rate", " a minute", 0.0, 60.0),), 0.0),
}

Value = tuple[float, ...] | Emotion


@dataclass(frozen=True)
class Timeline:
    """One control over time: ``keys`` are (seconds, value), the first at 0, in order."""

    keys: tuple[tuple[float, Value], ...]

    @classmethod
    def still(cls, *numbers: float) -> Timeline:
        return cls(((0.0, numbers),))

    def at(self, times: Signal, ease_seconds: float) -> Signal:
        """(T, n) values at ``times`` (T,), s; an emotion is (T, 8) strengths in the order of ``EMOTIONS``."""
        vectors = np.array([_vector(value) for _, value in self.keys])
        values = np.repeat(vectors[:1], len(times), axis=0)
        for (seconds, _), step in zip(self.keys[1:], np.diff(vectors, axis=0), strict=True):
            share = np.clip((times - seconds) / max(ease_seconds, 1e-6), 0.0, 1.0)
            values += (share * share * (3 - 2 * share))[:, None] * step
        return values


@dataclass(frozen=True)
class Direction:
    """The default changes nothing. Build with ``constant`` or ``load``.

    Attributes:
        gaze: yaw, pitch in degrees (+ = image right, up) that the eyes keep looking in, relative to the
            gaze in the picture; they keep it while ``pose`` turns the head.
        distance: of the head to the camera, % of that in the picture.
        pose: yaw, pitch, roll in degrees (signs of ``Motion``) about which the head moves.
        emotion: name and strength 0..1.
        expressiveness: 0..2, how widely head, brows and lips move; 1 is natural.
        blink_rate: blinks a minute, 0 for none.
    """

    gaze: Timeline = field(default_factory=lambda: Timeline.still(0.0, 0.0))
    distance: Timeline = field(default_factory=lambda: Timeline.still(100.0))
    pose: Timeline = field(default_factory=lambda: Timeline.still(0.0, 0.0, 0.0))
    emotion: Timeline = field(default_factory=lambda: Timeline(((0.0, Emotion()),)))
    expressiveness: Timeline = field(default_factory=lambda: Timeline.still(1.0))
    blink_rate: Timeline = field(default_factory=lambda: Timeline.still(NATURAL_BLINKS_PER_MINUTE))

    @classmethod
    def constant(
        cls,
        *,
        gaze: Sequence[float] | None = None,
        distance: float | None = None,
        pose: Sequence[float] | None = None,
        emotion: Emotion | None = None,
        expressiveness: float | None = None,
        blink_rate: float | None = None,
    ) -> Direction:
        """The same from beginning to end; ``MotionError`` when a value leaves its limits."""
        stated: dict[str, Any] = {
            "gaze": gaze, "distance": distance, "pose": pose,
            "emotion": emotion and {"name": emotion.name, "strength": emotion.strength},
            "expressiveness": expressiveness, "blink_rate": blink_rate,
        }  # fmt: skip
        return cls.parse({name: value for name, value in stated.items() if value is not None})

    @classmethod
    def parse(cls, document: Any, source: str = "The direction") -> Direction:
        """From decoded JSON; ``MotionError`` says what is wrong with it and where."""
        if not isinstance(document, dict):
            raise MotionError(f'{source} is not a JSON object; write it like {{"gaze": [10, 0]}}.')
        for name in document:
            if name not in CONTROLS:
                raise MotionError(f"{source} has no {name!r} to direct; choose from: {', '.join(CONTROLS)}.")
        return cls(**{name: _timeline(name, value, source) for name, value in document.items()})

    @classmethod
    def load(cls, path: Path | str) -> Direction:
        """Read a JSON file; ``MotionError`` when it is missing, no JSON, or says something impossible."""
        try:
            document = json.loads(Path(path).read_text("utf-8"))
        except OSError as error:
            raise MotionError(f"The direction {path} cannot be read ({error.strerror}).") from error
        except ValueError as error:
            raise MotionError(f"The direction {path} is not JSON: {error}.") from error
        return cls.parse(document, str(path))

    def save(self, path: Path | str) -> None:
        """Write what differs from the default as JSON that ``load`` reads back equal."""
        try:
            Path(path).write_text(json.dumps(self.document(), indent=2) + "\n", "utf-8")
        except OSError as error:
            raise MotionError(f"The direction cannot be written to {path} ({error.strerror}).") from error

    def document(self) -> dict[str, Any]:
        """What differs from the default, as ``parse`` takes it."""
        default = Direction()
        return {
            control.name: _plain_timeline(getattr(self, control.name))
            for control in fields(self)
            if getattr(self, control.name) != getattr(default, control.name)
        }

    def blinking(self, seconds: float) -> float:
        """How many times as often as by nature the eyes blink at ``seconds``."""
        return float(self.at("blink_rate", np.array([seconds]))[0, 0]) / NATURAL_BLINKS_PER_MINUTE

    def at(self, control: str, times: Signal) -> Signal:
        """(T, n) what ``control`` asks for at ``times`` (T,) in seconds; eased."""
        timeline: Timeline = getattr(self, control)
        return timeline.at(times, CONTROLS[control].ease_seconds)


NATURAL_DIRECTION = Direction()


def _vector(value: Value) -> tuple[float, ...]:
    if isinstance(value, Emotion):
        return tuple(value.strength * (name == value.name) for name in EMOTIONS)
    return value


def _timeline(name: str, stated: Any, source: str) -> Timeline:
    where = f"{source}: {name}"
    if not _is_timeline(stated):
        return Timeline(((0.0, _value(name, stated, where)),))
    keys: list[tuple[float, Value]] = []
    for entry in stated:
        if not (isinstance(entry, list | tuple) and len(entry) == 2 and _is_number(entry[0])):
            raise MotionError(f"{where} has {entry!r} in its timeline; each entry is [seconds, value].")
        seconds = float(entry[0])
        if keys and seconds <= keys[-1][0]:
            raise MotionError(f"{where} goes from {keys[-1][0]:g} s to {seconds:g} s; times must rise.")
        keys.append((seconds, _value(name, entry[1], f"{where} at {seconds:g} s")))
    if keys[0][0] != 0:
        raise MotionError(f"{where} begins at {keys[0][0]:g} s; its first entry must be at 0 s.")
    return Timeline(tuple(keys))


def _is_timeline(stated: Any) -> bool:
    return isinstance(stated, list | tuple) and bool(stated) and isinstance(stated[0], list | tuple)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _value(name: str, stated: Any, where: str) -> Value:
    if name == "emotion":
        return _emotion(stated, where)
    parts = CONTROLS[name].parts
    numbers = stated if isinstance(stated, list | tuple) else [stated]
    if len(numbers) != len(parts) or not all(_is_number(number) for number in numbers):
        wanted = "one number" if len(parts) == 1 else f"[{', '.join(part[0] for part in parts)}]"
        raise MotionError(f"{where} is {stated!r}; give {wanted}.")
    for number, (part, unit, low, high) in zip(numbers, parts, strict=True):
        _check_limits(number, part, unit, low, high, where)
    return tuple(float(number) for number in numbers)


def _emotion(stated: Any, where: str) -> Emotion:
    if not (isinstance(stated, dict) and set(stated) == {"name", "strength"}):
        raise MotionError(f'{where} is {stated!r}; write {{"name": "happy", "strength": 0.5}}.')
    if stated["name"] not in EMOTIONS:
        raise MotionError(f"{where} is {stated['name']!r}; choose from: {', '.join(EMOTIONS)}.")
    strength = stated["strength"]
    part, unit, low, high = CONTROLS["emotion"].parts[0]
    if not _is_number(strength):
        raise MotionError(f"{where} has strength {strength!r}; give a number from {low:g} to {high:g}.")
    _check_limits(strength, part, unit, low, high, where)
    return Emotion(stated["name"], float(strength))


def _check_limits(number: float, part: str, unit: str, low: float, high: float, where: str) -> None:
    if not low <= number <= high:
        raise MotionError(f"{where} asks for a {part} of {number:g}{unit}; give {low:g} to {high:g}{unit}.")


def _plain_timeline(timeline: Timeline) -> Any:
    values = [[seconds, _plain(value)] for seconds, value in timeline.keys]
    return values[0][1] if len(values) == 1 else values


def _plain(value: Value) -> Any:
    if isinstance(value, Emotion):
        return {"name": value.name, "strength": value.strength}
    return value[0] if len(value) == 1 else list(value)
