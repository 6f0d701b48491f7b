"""Control-response curves: what a ``Direction`` asks for against what is seen in the frames.

A driver plays the same speech with the same seed twice, once directed and once not; some frames of both are
rendered and tracked like any film, and the median difference is the response. Nothing is read back from the
motion itself. Trackers see a turn of the eyes up or down about a third too small; the errors contain that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.errors import PortraitError
from generator.evaluation.iris import IrisMatcher
from generator.evaluation.track import FaceTrack, rigid_shapes, track_landmarks
from generator.face import topology
from generator.face.decoder import BoundFace, FaceDecoder
from generator.motion.direction import NATURAL_DIRECTION, Direction
from generator.motion.driver import Driver
from generator.motion.emotion import APPEARANCES, EMOTIONS, Emotion
from generator.motion.motion import Motion
from generator.portrait.landmarks import FaceLandmarker
from generator.portrait.portrait import Portrait
from generator.render.renderer import Renderer
from generator.speech.audio import Speech

Array = NDArray[np.float64]

FRAMES_SEEN = 8
"""Frames of each performance that are rendered and tracked, evenly spread over its middle."""
REQUESTS: dict[str, tuple[float, ...]] = {
    "gaze yaw": (-20.0, -10.0, 10.0, 20.0),
    "gaze pitch": (-15.0, -8.0, 8.0, 15.0),
    "distance": (80.0, 90.0, 115.0, 140.0),
    "pose yaw": (-15.0, -8.0, 8.0, 15.0),
    "pose pitch": (-12.0, -6.0, 6.0, 12.0),
    "pose roll": (-12.0, -6.0, 6.0, 12.0),
}
STRENGTHS = (0.33, 0.67, 1.0)
FELT = tuple(name for name in EMOTIONS if name != "neutral")

_OPEN_SHARE = 0.75


@dataclass(frozen=True)
class Response:
    """``measured`` for each ``requested``, in rising order, what is undirected included; % for distance,
    degrees for gaze and pose, strength for an emotion."""

    requested: tuple[float, ...]
    measured: tuple[float, ...]

    @property
    def errors(self) -> Array:
        """(n,) measured less requested."""
        return np.subtract(self.measured, self.requested)

    @property
    def monotonic(self) -> bool:
        return bool((np.diff(self.measured) > 0).all())


@dataclass(frozen=True)
class Responses:
    """``controls`` by the names of ``REQUESTS``; ``emotions`` by name; ``seen_as``: for each emotion at full
    strength the one whose action units the change of the face resembles most."""

    controls: dict[str, Response]
    emotions: dict[str, Response]
    seen_as: dict[str, str]


@dataclass(frozen=True, eq=False)
class _Seen:
    """Frames (H, W, 3) with their landmarks (n, 478, 3), px; the same as ``shapes`` (n, 468, 3) in head
    coordinates, cm, and as a track."""

    frames: Sequence[NDArray[np.uint8]]
    landmarks: Array
    shapes: Array
    track: FaceTrack


class Rehearsed:
    """``driver``, remembering what it played: several stages ask for the same."""

    def __init__(self, driver: Driver) -> None:
        self.name = driver.name
        self._driver = driver
        self._played: dict[tuple[str, int, Direction], Motion] = {}

    def __call__(self, speech: Speech, *, seed: int = 0, direction: Direction = NATURAL_DIRECTION) -> Motion:
        key = speech.sha256, seed, direction
        if key not in self._played:
            self._played[key] = self._driver(speech, seed=seed, direction=direction)
        return self._played[key]


class Stage:
    """One sitter in front of one tracker, to try directions on."""

    def __init__(self, portrait: Portrait, landmarker: FaceLandmarker, decoder: FaceDecoder) -> None:
        self._portrait = portrait
        self._landmarker = landmarker
        self._decoder = decoder
        self._renderer = Renderer(portrait)
        rest = self._see(Motion.rest(1))
        self._face: BoundFace = decoder.bind(rest.shapes[0])

    def responses(self, driver: Driver, speech: Speech, *, seed: int = 0) -> Responses:
        """All curves. ``speech`` of two or three seconds is enough."""

        def played(direction: Direction) -> _Seen:
            return self._see(driver(speech, seed=seed, direction=direction))

        natural = played(NATURAL_DIRECTION)
        controls = {name: _response(name, requests, natural, played) for name, requests in REQUESTS.items()}
        emotions, seen_as = {}, {}
        for name in FELT:
            moved = [
                np.median(
                    played(Direction.constant(emotion=Emotion(name, s))).shapes - natural.shapes, axis=0
                )
                for s in STRENGTHS
            ]
            own = [self._resemblance(change, name)[0] for change in moved]
            emotions[name] = Response((0.0, *STRENGTHS), (0.0, *own))
            seen_as[name] = max(FELT, key=lambda other: self._resemblance(moved[-1], other)[1])
        return Responses(controls, emotions, seen_as)

    def _see(self, motion: Motion) -> _Seen:
        """Raises ``PortraitError`` if the tracker loses the face."""
        count = len(motion)
        chosen = np.unique(np.linspace(0.15 * count, 0.85 * (count - 1), FRAMES_SEEN).astype(int))
        frames = [self._renderer.frame(row) for row in motion.values[chosen]]
        found = []
        for frame in frames:
            face = self._landmarker.track(frame, self._portrait.landmarks)
            face = face or next(iter(self._landmarker.find(frame)), None)
            if face is None:
                raise PortraitError("The tracker loses this face when it moves; evaluate with another one.")
            found.append(face.landmarks)
        landmarks = np.stack(found)
        return _Seen(
            frames,
            landmarks,
            rigid_shapes(landmarks, self._decoder.mean_shape)[:, : topology.VERTEX_COUNT],
            track_landmarks(landmarks, self._decoder.mean_shape, motion.fps),
        )

    def _resemblance(self, change: Array, emotion: str) -> tuple[float, float]:
        """How strongly, and (cosine) how purely, ``change`` (468, 3), cm, shows ``emotion``: its projection
        on what the emotion's action units do to this face at full strength."""
        pattern = self._face(APPEARANCES[emotion].weights())[:, :2].astype(np.float64).ravel()
        seen = change[:, :2].ravel()
        along = float(seen @ pattern)
        lengths = float(np.linalg.norm(seen) * np.linalg.norm(pattern))
        return along / float(pattern @ pattern), along / max(lengths, 1e-9)


def gaze_error_deg(responses: Responses) -> float:
    """Mean absolute error over all gaze requests."""
    errors = [responses.controls[name].errors for name in ("gaze yaw", "gaze pitch")]
    return float(np.abs(np.concatenate(errors)).mean())


def control_figures(found: Sequence[Responses]) -> dict[str, float]:
    """Over all stages: errors of gaze and pose (degrees), of distance (%), and whether curves rise.

    ``emotions_monotonic`` and ``emotions_recognised`` are shares of the emotions tried.
    """

    def errors(prefix: str) -> Array:
        each = [r.errors for one in found for name, r in one.controls.items() if name.startswith(prefix)]
        return np.abs(np.concatenate(each))

    distance = [np.divide(r.errors, r.requested) for r in (one.controls["distance"] for one in found)]
    rises = [response.monotonic for one in found for response in one.controls.values()]
    felt = [response.monotonic for one in found for response in one.emotions.values()]
    known = [name == seen for one in found for name, seen in one.seen_as.items()]
    return {
        "gaze_error_deg": float(np.mean([gaze_error_deg(one) for one in found])),
        "gaze_error_max_deg": float(errors("gaze").max()),
        "distance_error_max_percent": float(100 * np.abs(np.concatenate(distance)).max()),
        "pose_error_deg": float(errors("pose").mean()),
        "controls_monotonic": float(np.mean(rises)),
        "emotions_monotonic": float(np.mean(felt)),
        "emotions_recognised": float(np.mean(known)),
    }


def _response(
    name: str, requests: Sequence[float], natural: _Seen, play: Callable[[Direction], _Seen]
) -> Response:
    still = 100.0 if name == "distance" else 0.0
    found = {still: still}
    for request in requests:
        found[request] = _measured(name, play(_direction(name, request)), natural)
    requested = sorted(found)
    return Response(tuple(requested), tuple(found[request] for request in requested))


def _direction(name: str, request: float) -> Direction:
    what, _, part = name.partition(" ")
    if what == "distance":
        return Direction.constant(distance=request)
    axis = ("yaw", "pitch", "roll").index(part)
    if what == "gaze":
        return Direction.constant(gaze=[request * (axis == i) for i in range(2)])
    return Direction.constant(pose=[request * (axis == i) for i in range(3)])


def _measured(name: str, directed: _Seen, natural: _Seen) -> float:
    what, _, part = name.partition(" ")
    if what == "distance":
        return float(100 * np.median(natural.track.scale / directed.track.scale))
    axis = ("yaw", "pitch", "roll").index(part)
    if what == "gaze":
        return float(np.median(_turns(directed, natural)[:, axis]))
    return float(np.median(directed.track.rotation[:, axis] - natural.track.rotation[:, axis]))


def _turns(directed: _Seen, natural: _Seen) -> Array:
    """(n, 2) by how much further the eyes are turned, degrees, in frames where they are open."""
    lids = natural.track.lids
    return np.stack(
        [
            IrisMatcher(natural.frames[i], natural.landmarks[i]).turn(
                directed.frames[i], directed.landmarks[i]
            )
            for i in np.flatnonzero(lids >= _OPEN_SHARE * np.median(lids)).tolist()
        ]
    )
