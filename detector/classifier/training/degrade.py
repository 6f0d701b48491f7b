"""The same random treatment for films of every class, so that only the face's movement tells them apart.

Size of the face, framing, a shaking camera, light, colour, background, noise, frame rate and codec are drawn
from one distribution, whatever the film's own were.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.classifier.faces import Box, Finder
from detector.classifier.training.films import Clip, UInt8, encoded

FACE_PX = (60.0, 200.0)
"""Height of the face's box in the treated film, drawn uniformly in its logarithm."""
FRAMING = (1.7, 2.9)
"""Side of the picture over the height of the face."""
LARGEST_GROWTH = 1.7

Floats = NDArray[np.float64]


def treated(clip: Clip, finder: Finder, rng: np.random.Generator) -> Clip | None:
    """The film as somebody else might hand it on; ``None`` if no face is found in it."""
    faces = finder.find(clip[len(clip) // 2][1])
    if not faces:
        return None
    times = np.array([at for at, _ in clip])
    frames, box = _framed([frame for _, frame in clip], faces[0], rng)
    if rng.random() < 0.3:
        path = camera_path(times, float(rng.uniform(0.002, 0.02)), rng)
        frames = [moved(frame, path[index]) for index, frame in enumerate(frames)]
    if rng.random() < 0.25:
        frames = other_background(frames, box, rng)
    frames = _lit(frames, rng)
    if rng.random() < 0.15:
        sigma = float(rng.uniform(0.4, 1.4))
        frames = [cv2.GaussianBlur(frame, (0, 0), sigma) for frame in frames]
    if rng.random() < 0.3:
        level = float(rng.uniform(1, 8))
        frames = [_noisy(frame, level, rng) for frame in frames]
    treated_clip = _retimed(list(zip(times.tolist(), frames, strict=True)), rng)
    for _ in range(1 + (rng.random() < 0.2)):
        treated_clip = encoded(treated_clip, rng)
    return treated_clip


def held(clip: Clip, rng: np.random.Generator) -> Clip:
    """One of its frames, all the time."""
    frame = clip[int(rng.integers(len(clip)))][1]
    return [(at, frame) for at, _ in clip]


def filmed(clip: Clip, rng: np.random.Generator) -> Clip:
    """One of its frames, a picture before a camera that moves, zooms and turns."""
    still = held(clip, rng)
    path = camera_path(np.array([at for at, _ in still]), float(rng.uniform(0.01, 0.06)), rng)
    return [(at, moved(frame, path[index])) for index, (at, frame) in enumerate(still)]


def warped(clip: Clip, finder: Finder, rng: np.random.Generator) -> Clip:
    """One of its frames, bent smoothly and at random about the face: made to move, but not by us."""
    still = held(clip, rng)
    frame = still[0][1]
    height, width = frame.shape[:2]
    faces = finder.find(frame)
    x, y, w, h = faces[0] if faces else (width / 4, height / 4, width / 2, height / 2)
    times = np.array([at for at, _ in still])
    nodes = int(rng.integers(4, 8))
    waves = np.stack([_wander(times, 2.5, rng) for _ in range(2 * nodes * nodes)], axis=-1)
    fields = waves.reshape(len(times), nodes, nodes, 2) * float(rng.uniform(0.01, 0.035)) * h
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    reach = np.exp(-(((columns - x - w / 2) / (0.7 * w)) ** 2 + ((rows - y - h / 2) / (0.7 * h)) ** 2))
    grid = np.stack([columns, rows], axis=-1).astype(np.float32)
    path = camera_path(times, float(rng.uniform(0.0, 0.02)), rng)
    result: Clip = []
    for index, (at, _) in enumerate(still):
        field = cv2.resize(fields[index].astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        shift = grid + field * reach[..., None].astype(np.float32)
        bent = cv2.remap(frame, shift, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        result.append((at, moved(bent, path[index])))
    return result


def camera_path(times: Floats, strength: float, rng: np.random.Generator) -> Floats:
    """(T, 4) smooth shift right and down (shares of the width), turn (radians) and growth at ``times``."""
    path = np.stack([_wander(times, 1.5, rng) for _ in range(4)], axis=-1) * strength
    drift = rng.normal(0, strength, 4) * (times / max(times[-1], 1e-6))[:, None]
    return np.asarray(path + drift) * (1.0, 1.0, 0.8, 1.0)


def moved(frame: UInt8, step: Floats) -> UInt8:
    """``frame`` shifted, turned and grown about its middle; its edge goes on."""
    height, width = frame.shape[:2]
    centre = (width / 2, height / 2)
    matrix = cv2.getRotationMatrix2D(centre, float(np.degrees(step[2])), float(1 + step[3]))
    matrix[:, 2] += step[:2] * width
    shifted = cv2.warpAffine(
        frame, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(shifted, np.uint8)


def _wander(times: Floats, fastest_hz: float, rng: np.random.Generator) -> Floats:
    """(T,) a smooth random movement of about unit size."""
    rates = rng.uniform(0.1, fastest_hz, 4)
    sizes = rng.uniform(0.2, 1.0, 4) / (0.5 + rates)
    waves = np.sin(2 * np.pi * rates * times[:, None] + rng.uniform(0, 2 * np.pi, 4))
    return np.asarray((waves * sizes).sum(-1) / np.linalg.norm(sizes))


def _framed(frames: list[UInt8], box: Box, rng: np.random.Generator) -> tuple[list[UInt8], Box]:
    """Cut about the face and brought to a random size; the face's box in it."""
    height, width = frames[0].shape[:2]
    x, y, w, h = box
    wanted = float(np.exp(rng.uniform(*np.log(FACE_PX))))
    scale = min(wanted / h, LARGEST_GROWTH)
    side = h * float(rng.uniform(*FRAMING))
    middle = np.array([x + w / 2, y + h / 2]) + rng.normal(0, 0.08, 2) * h
    left, top = (int(max(0, edge)) for edge in middle - side / 2)
    right, bottom = (
        int(min(edge, limit)) for edge, limit in zip(middle + side / 2, (width, height), strict=True)
    )
    size = max(32, round((right - left) * scale / 2) * 2), max(32, round((bottom - top) * scale / 2) * 2)
    how = cv2.INTER_AREA if scale < 1 else (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[int(rng.integers(2))]
    flip = rng.random() < 0.5
    framed: list[UInt8] = []
    for frame in frames:
        small = cv2.resize(frame[top:bottom, left:right], size, interpolation=how)
        framed.append(np.ascontiguousarray(small[:, ::-1] if flip else small))
    there = np.array([(x - left) * scale, (y - top) * scale, w * scale, h * scale])
    if flip:
        there[0] = size[0] - there[0] - there[2]
    return framed, there


def other_background(frames: list[UInt8], box: Box, rng: np.random.Generator) -> list[UInt8]:
    """Something else beside the head: flat, a gradient, noise, or a blurred piece of the film; or moving."""
    height, width = frames[0].shape[:2]
    x, y, w, h = box
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    reach_x, reach_y = 0.78 * w * rng.uniform(0.9, 1.15), 0.78 * h * rng.uniform(0.9, 1.15)
    inside = 1.0 - np.hypot((columns - x - w / 2) / reach_x, (rows - y - h / 2 + 0.05 * h) / reach_y)
    mask = np.clip(inside * rng.uniform(3, 15) + 0.5, 0, 1)[..., None].astype(np.float32)
    grown = 48
    coarse = int(rng.integers(1, 24))
    texture = (
        rng.uniform(0, 255, (coarse, coarse, 3)) if rng.random() < 0.8 else rng.uniform(0, 255, (1, 1, 3))
    )
    if rng.random() < 0.25:
        texture = cv2.GaussianBlur(frames[0], (0, 0), 6)[:, ::-1].astype(np.float64)
    background = cv2.resize(
        np.asarray(texture, np.float32), (width + grown, height + grown), interpolation=cv2.INTER_CUBIC
    )
    background = np.clip(background, 0, 255)
    walk = np.zeros((len(frames), 2))
    if rng.random() < 0.4:
        walk = np.stack([_wander(np.arange(len(frames)) / 25, 1.0, rng) for _ in range(2)], -1) * 10
    changed: list[UInt8] = []
    for frame, step in zip(frames, walk, strict=True):
        left, top = (int(np.clip(grown / 2 + move, 0, grown)) for move in step)
        behind = background[top : top + height, left : left + width]
        changed.append((frame * mask + behind * (1 - mask)).astype(np.uint8))
    return changed


def _lit(frames: list[UInt8], rng: np.random.Generator) -> list[UInt8]:
    """Brightness, contrast, gamma, saturation, tint; sometimes grey, sometimes flickering."""
    gamma = float(np.exp(rng.normal(0, 0.2)))
    gain, lift = float(np.exp(rng.normal(0, 0.18))), float(rng.normal(0, 14))
    saturation = 0.0 if rng.random() < 0.1 else float(np.exp(rng.normal(0, 0.3)))
    tint = rng.normal(0, 6, 3)
    flicker = float(rng.uniform(0, 0.02)) if rng.random() < 0.2 else 0.0
    levels = 255 * (np.arange(256) / 255) ** gamma * gain + lift
    luma = np.array([0.299, 0.587, 0.114])
    matrix = (saturation * np.eye(3) + (1 - saturation) * luma[None, :]).astype(np.float32)
    lit: list[UInt8] = []
    for frame in frames:
        table = np.clip(levels * (1 + rng.normal(0, flicker)), 0, 255).astype(np.uint8)
        coloured = cv2.transform(cv2.LUT(frame, table).astype(np.float32), matrix) + tint.astype(np.float32)
        lit.append(np.clip(coloured, 0, 255).astype(np.uint8))
    return lit


def _noisy(frame: UInt8, level: float, rng: np.random.Generator) -> UInt8:
    noise = rng.standard_normal(frame.shape[:2], np.float32)[..., None] * level
    return np.clip(frame + noise, 0, 255).astype(np.uint8)


def _retimed(clip: Clip, rng: np.random.Generator) -> Clip:
    """At another frame rate a quarter of the time: frames are repeated or left out."""
    if rng.random() > 0.25:
        return clip
    rate = float(rng.choice([15.0, 20.0, 24.0, 30.0]))
    times = np.array([at for at, _ in clip])
    shown = np.arange(0, times[-1], 1 / rate)
    return [(float(at), clip[int(np.searchsorted(times, at + 1e-6, "right")) - 1][1]) for at in shown]
