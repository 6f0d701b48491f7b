"""Faces in a picture, and whether two pictures show the same one: YuNet finds, SFace compares.

faces = Faces.load()
similarity(faces.template(portrait), faces.template(frame)) >= SAME_FACE
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import assets
from governance.biometrics.templates import FaceTemplate
from governance.errors import NoFace, SeveralFaces

DETECTOR = "face_detection_yunet_2023mar_int8bq.onnx"
RECOGNISER = "face_recognition_sface_2021dec_int8bq.onnx"

SAME_FACE = 0.5
"""Cosine from which two faces are one person's; measured by ``python -m benchmarks.biometrics``."""

_SEARCH_SIDES_PX = (320, 640)
_MIN_SCORE = 0.7
_OVERLAP = 0.3
_MOST_FACES = 20
_BYSTANDER = 0.3
"""A second face counts from this part of the first one's height."""

UInt8 = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Face:
    """Where a face is: ``box`` x, y, width, height and ``landmarks`` (5, 2), all in pixels; ``score`` 0..1.

    The landmarks are the sitter's right eye, left eye, nose tip, right and left corner of the mouth.
    """

    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    score: float

    @property
    def height(self) -> float:
        return float(self.box[3])

    def row(self) -> NDArray[np.float32]:
        """(15,) as OpenCV writes a face."""
        return np.concatenate([self.box, self.landmarks.ravel(), [self.score]]).astype(np.float32)


class Faces:
    """The two networks, on the CPU; safe to share between threads."""

    def __init__(self, detector: Any, recogniser: Any) -> None:
        self._detector = detector
        self._recogniser = recogniser
        self._lock = threading.Lock()

    @classmethod
    def load(cls) -> Faces:
        """Both networks, read once a process. Raises ``assets.AssetMissing`` if they were not fetched."""
        return _load()

    def find(self, image: UInt8) -> tuple[Face, ...]:
        """All faces in ``image``, (height, width, 3) RGB, the largest first."""
        for side in _SEARCH_SIDES_PX:
            if found := self._find(image, side):
                return found
        return ()

    def _find(self, image: UInt8, side: int) -> tuple[Face, ...]:
        height, width = image.shape[:2]
        scale = min(1.0, side / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
        with self._lock:
            self._detector.setInputSize(size)
            _, rows = self._detector.detect(small)
        if rows is None:
            return ()
        found = [
            Face(row[:4] / scale, row[4:14].reshape(5, 2) / scale, float(row[14]))
            for row in np.asarray(rows, np.float32)
            if np.isfinite(row).all()
        ]
        return tuple(sorted(found, key=lambda face: -face.height))

    def people(self, image: UInt8) -> tuple[Face, ...]:
        """As ``find``, without faces so small beside the first that they must be pictures on the wall."""
        found = self.find(image)
        return tuple(face for face in found if face.height >= _BYSTANDER * found[0].height)

    def only(self, image: UInt8) -> Face:
        """The face in a picture of one person.

        Raises:
            NoFace: none was found.
            SeveralFaces: more than one was.
        """
        found = self.people(image)
        if not found:
            raise NoFace("No face was found in the picture: use one that shows the face from the front.")
        if len(found) > 1:
            raise SeveralFaces("The picture shows more than one face: use one that shows the sitter alone.")
        return found[0]

    def describe(self, image: UInt8, face: Face) -> FaceTemplate:
        """The template of one ``face`` found in ``image``, (height, width, 3) RGB."""
        with self._lock:
            aligned = self._recogniser.alignCrop(
                cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2BGR), face.row()
            )
            return FaceTemplate.of(np.asarray(self._recogniser.feature(aligned)).ravel())

    def template(self, image: UInt8) -> FaceTemplate:
        """The template of the one face in ``image``, (height, width, 3) RGB. Raises as ``only`` does."""
        return self.describe(image, self.only(image))


@cache
def _load() -> Faces:
    detector = cv2.FaceDetectorYN.create(
        str(assets.path(DETECTOR)), "", (320, 320), _MIN_SCORE, _OVERLAP, _MOST_FACES
    )
    return Faces(detector, cv2.FaceRecognizerSF.create(str(assets.path(RECOGNISER)), ""))
