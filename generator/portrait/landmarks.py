"""Faces and their 478 landmarks, by running MediaPipe's Face Landmarker graphs directly.

The ``face_landmarker.task`` bundle holds two TFLite graphs: BlazeFace (Bazarevsky et al. 2019,
arXiv:1907.05047) finds faces in a 128x128 picture, and Attention Mesh (Grishchenko et al. 2020,
arXiv:2006.10962) places the landmarks in a 256x256 crop. Running them with LiteRT costs a few milliseconds
a picture and, unlike the reference package, reports nothing to anyone.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

import assets
from generator.errors import ModelError
from generator.face.canonical import canonical_mesh

MIN_DETECTION_SCORE = 0.35
"""Paintings and cartoons score lower than photographs, for which 0.5 is usual."""
MIN_PRESENCE = 0.5
"""Probability, by the landmark graph itself, that its crop holds a face."""

_DETECTOR_SIDE_PX = 128
_MESH_SIDE_PX = 256
_ROI_SCALE = 1.5
_ROLL_LINE = (33, 263)
_ROI_RINGS = slice(0, 468)
_OVERLAP_IOU = 0.3
_TILE_LEVELS = (1, 2, 4)
_LARGE_SHARE = 0.22
"""Beside a face this high, as a share of the tile, others worth animating are seen at the same scale."""


@dataclass(frozen=True)
class Face:
    """One face in a picture.

    Attributes:
        landmarks: (478, 3) float64; x and y in pixels of the picture (pixel centres at whole numbers),
            z in the same unit, negative towards the camera.
        presence: probability in 0..1 that this is a face.
    """

    landmarks: NDArray[np.float64]
    presence: float

    @property
    def height_px(self) -> float:
        """Distance from the top of the forehead (10) to the chin (152), in pixels."""
        return float(np.linalg.norm(self.landmarks[10, :2] - self.landmarks[152, :2]))

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in pixels."""
        low, high = self.landmarks[:, :2].min(0), self.landmarks[:, :2].max(0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


@dataclass(frozen=True)
class _Region:
    """A square, possibly rotated, region of interest: centre and side in pixels, roll in radians."""

    x: float
    y: float
    side: float
    roll: float

    def to_crop(self, crop_px: int) -> NDArray[np.float64]:
        """(2, 3) affine map from picture pixels to a ``crop_px`` square."""
        k = crop_px / self.side
        c, s = np.cos(-self.roll) * k, np.sin(-self.roll) * k
        half = (crop_px - 1) / 2
        return np.array(
            [[c, -s, half - c * self.x + s * self.y], [s, c, half - s * self.x - c * self.y]], np.float64
        )

    @classmethod
    def around(cls, points: NDArray[np.float64], roll_line: tuple[int, int]) -> _Region:
        """The square that holds ``points`` (N, 2), turned so that ``roll_line`` is level."""
        dx, dy = points[roll_line[1]] - points[roll_line[0]]
        roll = float(np.arctan2(dy, dx))
        turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
        level = points @ turn.T
        low, high = level.min(0), level.max(0)
        centre = turn.T @ ((low + high) / 2)
        return cls(float(centre[0]), float(centre[1]), float((high - low).max()) * _ROI_SCALE, roll)


class FaceLandmarker:
    """Finds faces and places landmarks. One instance serves one thread."""

    def __init__(self, task: Path | None = None) -> None:
        """Load the graphs from ``task`` (default: the pinned third-party file).

        Raises:
            assets.AssetMissing: the file was never fetched.
            ModelError: the bundle lacks a graph.
        """
        self._task = task or assets.path("face_landmarker.task")

    def find(self, rgb: NDArray[np.uint8]) -> list[Face]:
        """The faces in ``rgb`` (H, W, 3), largest first; those much smaller than the largest may be missed.

        An empty list means that no face was found.
        """
        faces: list[Face] = []
        for level in _TILE_LEVELS:
            for region in self._detect(rgb, level):
                face = self._refined(rgb, region)
                if face is not None and not any(_same(face, other) for other in faces):
                    faces.append(face)
            largest = max((face.height_px for face in faces), default=0.0)
            if largest > _LARGE_SHARE * max(rgb.shape[:2]) / level:
                break
        return sorted(faces, key=lambda face: -face.height_px)

    def track(self, rgb: NDArray[np.uint8], previous: NDArray[np.float64]) -> Face | None:
        """The face near where ``previous`` landmarks (478, 3) were, or ``None`` if it is gone."""
        return self._place(rgb, _Region.around(previous[_ROI_RINGS, :2], _ROLL_LINE))

    def _refined(self, rgb: NDArray[np.uint8], region: _Region) -> Face | None:
        """The face in ``region``. To the detector a face that stands on its head is upright: of the two
        ways to read it the landmark graph is far surer of the right one (logits of 22 against 11)."""
        rough = self._place(rgb, region)
        upright = rough and self.track(rgb, rough.landmarks)
        if upright is None:
            return None
        here = _Region.around(upright.landmarks[_ROI_RINGS, :2], _ROLL_LINE)
        rough = self._place(rgb, replace(here, roll=here.roll + np.pi))
        turned = rough and self.track(rgb, rough.landmarks)
        return turned if turned and turned.presence > upright.presence else upright

    def _place(self, rgb: NDArray[np.uint8], region: _Region) -> Face | None:
        to_crop = region.to_crop(_MESH_SIDE_PX)
        flags = cv2.INTER_AREA if region.side > 2 * _MESH_SIDE_PX else cv2.INTER_LINEAR
        source = rgb
        if region.side > 2 * _MESH_SIDE_PX:
            k = _MESH_SIDE_PX / region.side
            source = cv2.GaussianBlur(rgb, (0, 0), 0.35 / k)
        crop = cv2.warpAffine(source, to_crop, (_MESH_SIDE_PX, _MESH_SIDE_PX), flags=flags)
        points, presence = self._run(self._mesh, crop.astype(np.float32) / 255)[:2]
        score = 1 / (1 + np.exp(-float(presence.ravel()[0])))
        if score < MIN_PRESENCE:
            return None
        p = points.reshape(478, 3).astype(np.float64)
        back = cv2.invertAffineTransform(to_crop)
        xy = (p[:, :2] - 0.5) @ back[:, :2].T + back[:, 2]
        return Face(np.column_stack([xy, p[:, 2] * region.side / _MESH_SIDE_PX]), score)

    def _detect(self, rgb: NDArray[np.uint8], level: int) -> list[_Region]:
        height, width = rgb.shape[:2]
        found: list[tuple[float, NDArray[np.float64]]] = []
        for x, y, side in _tiles(width, height, level):
            k = _DETECTOR_SIDE_PX / side
            tile = rgb[max(y, 0) : y + side, max(x, 0) : x + side]
            canvas = np.zeros((_DETECTOR_SIDE_PX, _DETECTOR_SIDE_PX, 3), np.float32)
            small = cv2.resize(tile, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
            small = small[:_DETECTOR_SIDE_PX, :_DETECTOR_SIDE_PX]
            top, left = round(max(-y, 0) * k), round(max(-x, 0) * k)
            small = small[: _DETECTOR_SIDE_PX - top, : _DETECTOR_SIDE_PX - left]
            canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
            boxes, logits = self._run(self._detector, canvas / 127.5 - 1)
            scores = 1 / (1 + np.exp(-np.clip(logits.reshape(-1), -80, 80)))
            for i in np.flatnonzero(scores > MIN_DETECTION_SCORE):
                values = boxes.reshape(-1, 16)[i].astype(np.float64) / _DETECTOR_SIDE_PX
                values[[0, 1]] += _ANCHORS[i]
                values[4:] += np.tile(_ANCHORS[i], 6)
                values *= side
                values[[0, 1]] += (x, y)
                values[4:] += np.tile((x, y), 6)
                found.append((float(scores[i]), values))
        return _regions(found)

    @cached_property
    def canonical(self) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """The canonical face: vertices (468, 3) in head coordinates (cm) and triangles (898, 3)."""
        return canonical_mesh(self._task)

    @cached_property
    def _detector(self) -> Interpreter:
        return self._load("face_detector.tflite")

    @cached_property
    def _mesh(self) -> Interpreter:
        return self._load("face_landmarks_detector.tflite")

    def _load(self, member: str) -> Interpreter:
        try:
            with zipfile.ZipFile(self._task) as bundle:
                content = bundle.read(member)
        except (KeyError, zipfile.BadZipFile) as error:
            raise ModelError(f"{self._task} is not a face landmarker bundle: {member} is missing") from error
        with _quiet_library():
            interpreter = Interpreter(model_content=content, num_threads=1)
            interpreter.allocate_tensors()
        return interpreter

    @staticmethod
    def _run(graph: Interpreter, picture: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        graph.set_tensor(
            graph.get_input_details()[0]["index"], np.ascontiguousarray(picture[None], np.float32)
        )
        graph.invoke()
        return [graph.get_tensor(detail["index"]) for detail in graph.get_output_details()]


@contextmanager
def _quiet_library() -> Iterator[None]:
    """Drop what the library prints to standard error as it starts; it has no switch for that."""
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _anchor_centres() -> NDArray[np.float64]:
    """(896, 2) BlazeFace anchor centres in 0..1: two per cell at stride 8, six at stride 16."""
    centres: list[tuple[float, float]] = []
    for cells, per_cell in ((16, 2), (8, 6)):
        for row in range(cells):
            for column in range(cells):
                centres += [((column + 0.5) / cells, (row + 0.5) / cells)] * per_cell
    return np.array(centres)


_ANCHORS = _anchor_centres()


def _tiles(width: int, height: int, level: int) -> Iterator[tuple[int, int, int]]:
    """Half-overlapping squares (x, y, side); level 1 is one square around the whole picture."""
    longest = max(width, height)
    if level == 1:
        yield (width - longest) // 2, (height - longest) // 2, longest
        return
    side = max(longest // level, _DETECTOR_SIDE_PX)
    step = side // 2
    for y in range(0, max(height - side, 0) + step, step):
        for x in range(0, max(width - side, 0) + step, step):
            yield min(x, max(width - side, 0)), min(y, max(height - side, 0)), side


def _regions(found: list[tuple[float, NDArray[np.float64]]]) -> list[_Region]:
    """Non-maximum suppression, then the landmark graph's region for each face that remains."""
    kept: list[NDArray[np.float64]] = []
    for _, values in sorted(found, key=lambda item: -item[0]):
        if all(_iou(values[:4], other[:4]) < _OVERLAP_IOU for other in kept):
            kept.append(values)
    regions = []
    for values in kept:
        (right_x, right_y), (left_x, left_y) = values[4:6], values[6:8]
        roll = float(np.arctan2(left_y - right_y, left_x - right_x))
        regions.append(_Region(values[0], values[1], float(values[2:4].max()) * _ROI_SCALE, roll))
    return regions


def _iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Overlap of two boxes given as centre x, centre y, width, height."""
    low = np.maximum(a[:2] - a[2:] / 2, b[:2] - b[2:] / 2)
    high = np.minimum(a[:2] + a[2:] / 2, b[:2] + b[2:] / 2)
    shared = np.clip(high - low, 0, None).prod()
    return float(shared / (a[2:].prod() + b[2:].prod() - shared))


def _same(a: Face, b: Face) -> bool:
    distance = np.linalg.norm(a.landmarks[:, :2].mean(0) - b.landmarks[:, :2].mean(0))
    return bool(distance < 0.4 * max(a.height_px, b.height_px))
