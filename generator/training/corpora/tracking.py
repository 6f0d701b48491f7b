"""From tracked landmarks to ``Motion``: head pose, gaze, and expression weights fitted to the landmarks.

A tracker's own blendshape scores are not used: they are not geometric. Every shape is measured against the
speaker at rest (lips together, eyes open), in head coordinates found from the parts of a face that do not
move when it speaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import gaussian_filter1d, median_filter

from generator.arkit import EXPRESSIONS, INDEX
from generator.errors import MotionError
from generator.face import topology
from generator.face.alignment import Similarity, align
from generator.face.decoder import BoundFace, FaceDecoder
from generator.face.fitting import fit
from generator.motion.motion import FPS, GAZE_LIMIT_DEG, WIDTH, Motion
from generator.portrait.pose import landmarks_to_view, rotation_degrees
from generator.render.renderer import PIVOT_CM

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

STILL = (
    10, 67, 109, 338, 297, 21, 54, 103, 251, 284, 332, 127, 356, 234, 454, 162, 389,
    168, 195, 197, 4, 5, 1, 6, 33, 133, 362, 263,
)  # fmt: skip
"""Vertices that speech does not move: forehead, temples, bridge and tip of the nose, eye corners."""
LIPS = tuple(
    sorted(
        {
            *topology.INNER_LIP_UPPER,
            *topology.INNER_LIP_LOWER,
            *topology.OUTER_LIP_UPPER,
            *topology.OUTER_LIP_LOWER,
        }
    )
)

_REST_GAP_PERCENTILES = (5.0, 30.0)
_REST_EYES_PERCENTILE = 35.0
_ROUNDS = 3
_POSE_SMOOTHING_FRAMES = 1.2
_VIEW_DISTANCE_CM = 70.0  # where the renderer's camera stands
_IRIS_TRAVEL = 0.42  # eye widths, at 90 degrees
_BLINK_HIDES_IRIS = 0.35
_BLINK_RANGE = (0.12, 0.8)  # below, lids do other things; above, the tracker cannot tell lids that touch
_REST_PERCENTILE = 20.0
_BISECTIONS = 7
_UPPER_FACE = tuple(
    name for name in EXPRESSIONS if not name.startswith(("eyeLook", "eyeBlink", "jaw", "mouth"))
)


@dataclass(frozen=True)
class Rest:
    """A speaker at rest: the bound ``face``, and ``shape`` (V, 3), the tracked ``vertices`` in head
    coordinates, cm."""

    face: BoundFace
    vertices: Indices
    shape: Array


@dataclass(frozen=True)
class Fitted:
    """``motion`` of one clip; ``lips_mm`` and ``pose_mm``: mean distances of lip and still landmarks from
    where the motion puts them."""

    motion: Motion
    lips_mm: float
    pose_mm: float


def rest(decoder: FaceDecoder, clips: Sequence[Array], vertices: Indices) -> Rest:
    """A speaker's resting shape, from all ``clips``: each (T, K, 3), tracked ``vertices`` (K,) of 478 in
    picture units (x right, y down, z away). Raises ``MotionError`` if too few landmarks are tracked."""
    frames = landmarks_to_view(np.concatenate(list(clips)))
    place = {int(v): i for i, v in enumerate(vertices)}
    still = [v for v in STILL if v in place]
    if len(still) < 12 or not {13, 14, 159, 145, 386, 374, *LIPS[:1]} <= place.keys():
        raise MotionError("Too few landmarks are tracked; lips, lids, nose and forehead are needed.")
    at = [place[v] for v in still]
    height = np.linalg.norm(np.ptp(frames[:, at], axis=1), axis=1)
    gap = np.linalg.norm(frames[:, place[13]] - frames[:, place[14]], axis=1) / height
    eyes = np.linalg.norm(frames[:, place[159]] - frames[:, place[145]], axis=1) / height
    low, high = np.percentile(gap, _REST_GAP_PERCENTILES)
    resting = frames[(gap >= low) & (gap <= high) & (eyes > np.percentile(eyes, _REST_EYES_PERCENTILE))]
    resting = resting[:: max(1, len(resting) // 400)]

    mean = decoder.mean_shape
    shape = mean[still]
    whole = np.zeros(0)
    for _ in range(_ROUNDS):
        placed = np.stack([align(frame[at], shape)(frame) for frame in resting])
        whole = np.median(placed, axis=0)
        shape = whole[at]
    on_mesh = vertices < topology.VERTEX_COUNT
    mesh = vertices[on_mesh]
    to_head = align(whole[on_mesh], mean[mesh])
    whole = to_head(whole)
    moved = RBFInterpolator(mean[mesh], whole[on_mesh] - mean[mesh], smoothing=1e-3)(mean)
    neutral = mean + moved
    neutral[mesh] = whole[on_mesh]
    return Rest(decoder.bind(neutral), vertices, whole)


def motion_of(resting: Rest, landmarks: Array) -> Fitted:
    """The motion, at 25 fps, of one clip's ``landmarks`` (T, K, 3), tracked at 25 fps."""
    frames = landmarks_to_view(landmarks)
    place = {int(v): i for i, v in enumerate(resting.vertices)}
    still = [place[v] for v in STILL if v in place]
    poses = _poses(resting.shape[still], frames[:, still])
    head = np.stack([pose.inverse(frame) for pose, frame in zip(poses, frames, strict=True)])
    on_mesh = resting.vertices < topology.VERTEX_COUNT
    vertices = resting.vertices[on_mesh]
    moved = (head - resting.shape)[:, on_mesh]
    weights = fit(resting.face, moved, vertices)
    _meet_lips(resting, head[:, place[13], 1] - head[:, place[14], 1], weights)
    decoded = np.stack([resting.face(w)[vertices] for w in weights])
    off = np.linalg.norm((decoded - moved)[..., :2], axis=2)
    blinks = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]
    least, most = _BLINK_RANGE
    weights[:, blinks] = np.clip((weights[:, blinks] - least) / (most - least), 0, 1)
    _settle(weights)

    values = np.zeros((len(frames), WIDTH))
    values[:, : len(EXPRESSIONS)] = weights
    values[:, 51:54], values[:, 54:57] = _head_motion(poses)
    values[:, 57:59] = _gaze(head, resting, place, weights[:, blinks].max(1))
    return Fitted(
        motion=Motion(values.astype(np.float32), FPS),
        lips_mm=float(off[:, np.isin(vertices, LIPS)].mean() * 10),
        pose_mm=float(np.linalg.norm((head - resting.shape)[:, still, :2], axis=2).mean() * 10),
    )


def _meet_lips(resting: Rest, gap: Array, weights: NDArray[np.float32]) -> None:
    """Set ``mouthClose`` so that the lips are as far apart as tracked (T,), cm: least squares over the whole
    face would rather be right about cheeks."""
    close, jaw = INDEX["mouthClose"], INDEX["jawOpen"]
    face = resting.face
    for row, tracked in zip(weights, gap, strict=True):
        low, high = 0.0, float(row[jaw])
        for _ in range(_BISECTIONS):
            row[close] = (low + high) / 2
            moved = face.neutral + face(row)
            wider = moved[13, 1] - moved[14, 1] > tracked
            low, high = (row[close], high) if wider else (low, row[close])


def _settle(weights: NDArray[np.float32]) -> None:
    """Quiet what is seen dimly: brows, cheeks and lids move about their own rest, smoothly, and wide eyes
    and a squint do not cancel each other."""
    for side in ("Left", "Right"):
        wide, squint = INDEX[f"eyeWide{side}"], INDEX[f"eyeSquint{side}"]
        shared = np.minimum(weights[:, wide], weights[:, squint])
        weights[:, wide] -= shared
        weights[:, squint] -= shared
    for name in _UPPER_FACE:
        column = gaussian_filter1d(weights[:, INDEX[name]], 1.0)
        weights[:, INDEX[name]] = np.maximum(column - np.percentile(column, _REST_PERCENTILE), 0.0)


def _poses(shape: Array, frames: Array) -> list[Similarity]:
    """Head to view, for each frame of still points, a little smoothed in time."""
    found = [align(shape, frame) for frame in frames]
    turns = np.stack([pose.rotation for pose in found])
    scales = np.log([pose.scale for pose in found])
    turns = gaussian_filter1d(turns, _POSE_SMOOTHING_FRAMES, axis=0)
    u, _, vt = np.linalg.svd(turns)
    turns = u @ vt
    scales = np.exp(gaussian_filter1d(scales, 2 * _POSE_SMOOTHING_FRAMES))
    middle = shape.mean(0)
    return [
        Similarity(float(scale), turn, frame.mean(0) - scale * turn @ middle)
        for scale, turn, frame in zip(scales, turns, frames, strict=True)
    ]


def _head_motion(poses: list[Similarity]) -> tuple[Array, Array]:
    """Rotation (T, 3), degrees, and translation (T, 3), cm, of the renderer's pivot about their medians."""
    angles = np.array([rotation_degrees(pose.rotation) for pose in poses])
    scales = np.array([pose.scale for pose in poses])
    usual = float(np.median(scales))
    places = np.stack([pose(PIVOT_CM[None])[0] for pose in poses]) / usual
    places[:, 2] = _VIEW_DISTANCE_CM * (1 - usual / scales)
    places = gaussian_filter1d(places, _POSE_SMOOTHING_FRAMES, axis=0)
    return angles - np.median(angles, axis=0), places - np.median(places, axis=0)


def _gaze(head: Array, resting: Rest, place: dict[int, int], blink: Array) -> Array:
    """Gaze (T, 2), degrees, about its rest: how far the irises have left their place between the corners."""
    if not {topology.RIGHT_IRIS[0], topology.LEFT_IRIS[0]} <= place.keys():
        return np.zeros((len(head), 2))
    offsets = []
    for iris, outer, inner in (
        (topology.RIGHT_IRIS[0], topology.RIGHT_EYE_UPPER[0], topology.RIGHT_EYE_UPPER[-1]),
        (topology.LEFT_IRIS[0], topology.LEFT_EYE_UPPER[0], topology.LEFT_EYE_UPPER[-1]),
    ):
        centre = (head[:, place[outer]] + head[:, place[inner]]) / 2
        at_rest = resting.shape[place[iris]] - (resting.shape[place[outer]] + resting.shape[place[inner]]) / 2
        width = np.linalg.norm(resting.shape[place[outer]] - resting.shape[place[inner]])
        offsets.append((head[:, place[iris]] - centre - at_rest)[:, :2] / (_IRIS_TRAVEL * width))
    sine = np.clip(np.mean(offsets, axis=0), -0.8, 0.8)
    seen = np.flatnonzero(blink < _BLINK_HIDES_IRIS)
    if len(seen):
        frames = np.arange(len(sine))
        sine = np.stack([np.interp(frames, seen, sine[seen, i]) for i in range(2)], axis=1)
    angles = np.degrees(np.arcsin(median_filter(sine, (3, 1), mode="nearest")))
    gaze: Array = np.clip(angles - np.median(angles, axis=0), -GAZE_LIMIT_DEG, GAZE_LIMIT_DEG)
    return gaze
