"""What is measured of a face over time, whether it was decoded from a ``Motion`` or seen in a film."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from generator.errors import VideoError
from generator.face import topology
from generator.face.alignment import Similarity, align
from generator.face.decoder import FaceDecoder
from generator.motion.motion import FPS, Motion
from generator.portrait.landmarks import FaceLandmarker
from generator.portrait.pose import landmarks_to_view, rotation_degrees

Array = NDArray[np.float64]

RIGID = (
    10, 67, 109, 338, 297, 21, 54, 103, 251, 284, 332, 127, 356, 234, 454, 162, 389,
    168, 195, 197, 6, 33, 133, 362, 263,
)  # fmt: skip
"""Vertices that neither speech nor expression moves: forehead, temples, bridge of the nose, eye corners."""
CAMERA_CM = 70.0
"""Distance of the camera that a film is taken to have; the renderer's."""
IRIS_TRAVEL = 0.42
"""How far an iris moves, in widths of the eye opening, for a turn of 90 degrees: 12.2 mm from the centre of
rotation to the iris (Fry and Hill 1962) over an opening of 29 mm."""
MAX_SECONDS = 1800.0

_LIP_PAIRS = ((82, 87), (13, 14), (312, 317))
_BROWS = (70, 63, 105, 66, 107, 300, 293, 334, 296, 336)
_EYE_CORNERS = (33, 133, 362, 263)
_EYES = (
    (topology.RIGHT_EYE_UPPER, topology.RIGHT_EYE_LOWER, topology.RIGHT_IRIS[0]),
    (topology.LEFT_EYE_UPPER, topology.LEFT_EYE_LOWER, topology.LEFT_IRIS[0]),
)


@dataclass(frozen=True, eq=False)
class FaceTrack:
    """Curves over T frames at ``fps``; head coordinates, centimetres of an average face.

    Attributes:
        opening: (T,) gap between the inner lips, mean of the three middle pairs; of a ``Motion`` beyond that
            at rest, where lips touch.
        width: (T,) distance of the mouth corners.
        lids: (T,) eye opening over eye width, mean of both eyes.
        brows: (T,) height of the brows above the eye corners.
        rotation: (T, 3) head yaw, pitch, roll in degrees, signs of ``Motion``.
        translation: (T, 3) head x, y, z in cm.
        gaze: (T, 2) yaw, pitch in degrees relative to the head.
        scale: (T,) how large the head appears, in picture units a centimetre; of a ``Motion`` 1 at rest.
    """

    fps: float
    opening: Array
    width: Array
    lids: Array
    brows: Array
    rotation: Array
    translation: Array
    gaze: Array
    scale: Array

    def __len__(self) -> int:
        return len(self.opening)

    @property
    def seconds(self) -> float:
        return len(self) / self.fps


def track_motion(motion: Motion, decoder: FaceDecoder) -> FaceTrack:
    """What ``motion`` does to the decoder's mean face."""
    face = decoder.bind(decoder.mean_shape)
    shapes = np.stack([face.neutral + face(weights) for weights in motion.expressions])
    return FaceTrack(
        motion.fps,
        _lip_gap(shapes) - _lip_gap(face.neutral[None]),
        *_lengths(shapes),
        motion.rotation.astype(np.float64),
        motion.translation.astype(np.float64),
        motion.gaze.astype(np.float64),
        1 + motion.translation[:, 2].astype(np.float64) / CAMERA_CM,
    )


def track_landmarks(landmarks: Array, mean_shape: Array, fps: float = FPS) -> FaceTrack:
    """From landmarks (T, 478, 3): picture units, y down, z away from the camera.

    Every frame is laid onto ``mean_shape`` (468, 3), cm, by the vertices that do not move, so that lengths
    are those of an average face. Translation is about the first frame's distance, taken as ``CAMERA_CM``.
    """
    poses, heads = _laid_on(landmarks, mean_shape)
    scales = np.array([pose.scale for pose in poses])
    places = np.stack([pose.translation for pose in poses]) / scales[0]
    places[:, 2] = CAMERA_CM * (1 - scales[0] / scales)
    return FaceTrack(
        fps,
        _lip_gap(heads),
        *_lengths(heads),
        np.array([rotation_degrees(pose.rotation) for pose in poses]),
        places - places[0] * (1, 1, 0),
        _gaze(heads),
        scales,
    )


def rigid_shapes(landmarks: Array, mean_shape: Array) -> Array:
    """``landmarks`` as for ``track_landmarks``, in head coordinates (T, 478, 3), cm of an average face."""
    return _laid_on(landmarks, mean_shape)[1]


def film_landmarks(path: Path, landmarker: FaceLandmarker) -> tuple[Array, float]:
    """Landmarks (T, 478, 3), px, of the largest face in every frame of a film, and its frame rate.

    A face lost for a few frames is interpolated. Raises ``VideoError`` if the film cannot be read, is longer
    than ``MAX_SECONDS``, or shows a face in less than half of its frames.
    """
    found: list[Array | None] = []
    previous: Array | None = None
    try:
        with av.open(str(path)) as film:
            if not film.streams.video:
                raise VideoError(f"{path} has no picture: give a film.")
            fps = float(film.streams.video[0].average_rate or FPS)
            for frame in film.decode(video=0):
                rgb = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                face = None if previous is None else landmarker.track(rgb, previous)
                if face is None:
                    face = next(iter(landmarker.find(rgb)), None)
                previous = None if face is None else face.landmarks
                found.append(previous)
                if len(found) > MAX_SECONDS * fps:
                    raise VideoError(f"{path} is longer than {MAX_SECONDS:.0f} s: cut it shorter.")
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"{path} cannot be read as a film ({error.strerror or error}).") from error
    seen = [i for i, landmarks in enumerate(found) if landmarks is not None]
    if 2 * len(seen) < len(found) or not seen:
        raise VideoError(f"{path} shows a face in {len(seen)} of {len(found)} frames: give a film of a face.")
    known = np.stack([landmarks for landmarks in found if landmarks is not None])
    return _between(known, np.array(seen), len(found)), fps


def _laid_on(landmarks: Array, mean_shape: Array) -> tuple[list[Similarity], Array]:
    rigid = list(RIGID)
    frames = landmarks_to_view(np.asarray(landmarks, np.float64))
    poses = [align(mean_shape[rigid], frame[rigid]) for frame in frames]
    return poses, np.stack([pose.inverse(frame) for pose, frame in zip(poses, frames, strict=True)])


def _between(known: Array, at: NDArray[np.int64], count: int) -> Array:
    """(T, K, 3) ``known`` at frames ``at``, linear in between, held beyond."""
    frames = np.arange(count)
    after = np.clip(np.searchsorted(at, frames), 0, len(at) - 1)
    before = np.clip(np.searchsorted(at, frames, side="right") - 1, 0, len(at) - 1)
    span = np.maximum(at[after] - at[before], 1)
    share = np.clip((frames - at[before]) / span, 0, 1)[:, None, None]
    filled: Array = known[before] * (1 - share) + known[after] * share
    return filled


def _lip_gap(shapes: Array) -> Array:
    """(T,) cm, of shapes (T, >= 468, 3) in head coordinates."""
    gap: Array = np.mean([shapes[:, upper, 1] - shapes[:, lower, 1] for upper, lower in _LIP_PAIRS], axis=0)
    return gap


def _lengths(shapes: Array) -> tuple[Array, Array, Array]:
    """Mouth width, lid opening and brow height, each (T,)."""
    width = np.linalg.norm(shapes[:, 61] - shapes[:, 291], axis=1)
    lids = []
    for upper, lower, _ in _EYES:
        gap = np.mean([shapes[:, upper[k], 1] - shapes[:, lower[k], 1] for k in (3, 4, 5)], axis=0)
        lids.append(gap / np.linalg.norm(shapes[:, upper[0]] - shapes[:, upper[-1]], axis=1))
    brows = shapes[:, _BROWS, 1].mean(1) - shapes[:, _EYE_CORNERS, 1].mean(1)
    return width, np.mean(lids, axis=0), brows


def _gaze(heads: Array) -> Array:
    """(T, 2) degrees from the place of the irises between the eye corners; (T, 478, 3) in."""
    offsets = []
    for upper, _, iris in _EYES:
        corners = heads[:, upper[0]], heads[:, upper[-1]]
        span = np.linalg.norm(corners[0] - corners[1], axis=1)[:, None]
        offsets.append((heads[:, iris] - (corners[0] + corners[1]) / 2)[:, :2] / (IRIS_TRAVEL * span))
    sine = np.clip(np.mean(offsets, axis=0), -0.95, 0.95)
    gaze: Array = np.degrees(np.arcsin(sine))
    return gaze
