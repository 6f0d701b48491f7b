"""Whether a film shows a face that we moved, by how the face moves.

    classifier = Classifier.load()
    watch = classifier.watcher()
    for seconds, frame in frames(path):
        watch.see(seconds, frame)
    watch.done().ours

Needs neither manifest nor mark nor fingerprint, and proves nothing: it gives a probability.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load as load_tensors

from detector.classifier.calibration import Calibration, OperatingPoint
from detector.classifier.evidence import (
    LONG_SECONDS,
    SHORT_SECONDS,
    Sampler,
    Sight,
    crop_of,
    evidence,
    square,
)
from detector.classifier.model import CLASSES, Network
from detector.errors import ClassifierError

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Box = tuple[float, float, float, float]
"""x, y, width, height as shares of the frame."""

_HERE = Path(__file__).parent
WEIGHTS = _HERE / "weights.safetensors"
STATEMENT = _HERE / "weights.json"
CALIBRATION = _HERE / "calibration.json"

FEWEST_SIGHTS = 6
"""A face seen less often (five times a second) is not judged."""
WINDOW = 8
"""Sights that are judged together."""
_BATCH = 16
_OURS = CLASSES.index("ours")
_REAL = CLASSES.index("real")
_SLACK_SECONDS = 0.015


@dataclass(frozen=True)
class Moment:
    """A face at one time: ``at`` s; calibrated probabilities that it is ours, and synthetic at all."""

    at: float
    ours: float
    synthetic: float
    box: Box


@dataclass(frozen=True)
class FaceTrack:
    """One face from ``start`` to ``end`` (s); ``box`` at its middle."""

    start: float
    end: float
    box: Box
    ours: float
    synthetic: float


@dataclass(frozen=True)
class Classification:
    """What was seen. ``ours`` and ``synthetic`` are calibrated probabilities for the film, that of the face
    most likely to be so; ``None`` when no face was seen for long enough. ``unfamiliar`` 0..1: how little
    the film's faces resemble anything that the classifier was shown; its probabilities then mean little."""

    faces: tuple[FaceTrack, ...]
    moments: tuple[Moment, ...]
    ours: float | None
    synthetic: float | None
    unfamiliar: float
    is_unfamiliar: bool


@dataclass(frozen=True)
class Scores:
    """Before calibration: log-odds of ours, of synthetic; distance from all that was seen."""

    ours: float
    synthetic: float
    distance: float


class Classifier:
    """The released network, on the CPU."""

    def __init__(self, network: Network, calibration: Calibration) -> None:
        self.network = network.eval()
        self.calibration = calibration

    @classmethod
    def load(cls) -> Classifier:
        """Raises ``ClassifierError`` when the weights are missing or not those that were released."""
        return cls(load_network(WEIGHTS, STATEMENT), Calibration.load(CALIBRATION))

    @property
    def operating_points(self) -> Mapping[str, OperatingPoint]:
        """Thresholds of ``ours`` with their measured rate of false alarms, by name."""
        return self.calibration.operating_points

    def watcher(self) -> Watcher:
        """To be shown one film from its beginning. Raises ``assets.AssetMissing`` without a face detector."""
        return Watcher(self)

    def features(self, stacks: UInt8) -> Float32:
        """(N, 5, 112, 112) evidence to (N, 96)."""
        with torch.inference_mode():
            shown = torch.from_numpy(stacks).float().contiguous(memory_format=torch.channels_last)
            return np.asarray(self.network.features(self.network.maps(shown)).numpy(), np.float32)

    def judge(self, features: Float32) -> tuple[list[Scores], Scores]:
        """(T, 96) features of one face, 0.2 s apart: scores about each moment, and of all together."""
        with torch.inference_mode():
            odds, attention, mixed = self.network.judge(torch.from_numpy(features)[None])
            odds, attention, mixed = odds[0], attention[0].exp(), mixed[0]
            distances = self.network.distance(mixed)
            around = [self._weighted(odds, attention, distances, middle) for middle in range(len(features))]
            windows = [around[middle] for middle in _middles(len(features))]
        moments = [_scores(*found) for found in around]
        odds_of_all = torch.stack([found[0] for found in windows]).mean(0)
        distance = torch.stack([found[1] for found in windows]).mean()
        return moments, _scores(odds_of_all, distance)

    @staticmethod
    def _weighted(
        odds: torch.Tensor, attention: torch.Tensor, distances: torch.Tensor, middle: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        near = slice(max(0, middle - WINDOW // 2), middle + WINDOW // 2)
        share = attention[near] / attention[near].sum()
        return (share[:, None] * odds[near]).sum(0), (share * distances[near]).sum()

    def heatmap(self, frames: Sequence[tuple[float, UInt8]], box: Box) -> Float32:
        """Where in the picture the evidence for "ours" lies: (H, W) 0..1, of the last of ``frames``.

        ``frames``: times (s) and (H, W, 3) RGB pictures that lead to the moment, 0.24 s of them or more;
        ``box``: the face then, as a ``Moment`` states it. Grad-CAM (Selvaraju et al. 2017) at stride 16.
        Raises ``ClassifierError`` when the frames are too few.
        """
        at, frame = frames[-1]
        height, width = frame.shape[:2]
        pixels = np.array(box) * (width, height, width, height)
        shown = [frame, *(_ago(frames, at - gap) for gap in (SHORT_SECONDS, LONG_SECONDS))]
        stack = torch.from_numpy(evidence(*(crop_of(picture, pixels) for picture in shown)))[None].float()
        with torch.enable_grad():
            maps = self.network.maps(stack).detach().requires_grad_()
            odds = self.network.judge(self.network.features(maps)[None])[0][0, 0]
            (odds[_OURS] - odds[_REAL]).backward()  # type: ignore[no-untyped-call]
            assert maps.grad is not None
            weighted = (maps.grad.mean((2, 3), keepdim=True) * maps).sum(1).relu()[0].detach().numpy()
        heat = weighted / max(float(weighted.max()), 1e-9)
        return _placed(heat.astype(np.float32), pixels, height, width)


class Watcher:
    """Looks at one film as it passes. What it keeps grows by 200 bytes for each face and 0.2 s."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._sampler = Sampler()
        self._waiting: list[Sight] = []
        self._seen: dict[int, list[tuple[float, Box]]] = defaultdict(list)
        self._features: dict[int, list[NDArray[np.float16]]] = defaultdict(list)

    def see(self, seconds: float, frame: UInt8) -> None:
        """Every frame of the film in turn: (H, W, 3) RGB, shown at ``seconds``. Most cost next to nothing."""
        self._waiting += self._sampler.see(seconds, frame)
        if len(self._waiting) >= _BATCH:
            self._look()

    def done(self) -> Classification:
        """What all that was seen amounts to."""
        if self._waiting:
            self._look()
        calibration = self._classifier.calibration
        faces: list[FaceTrack] = []
        moments: list[Moment] = []
        distances: list[float] = []
        for number, seen in self._seen.items():
            if len(seen) < FEWEST_SIGHTS:
                continue
            features = np.stack(self._features[number]).astype(np.float32)
            each, whole = self._classifier.judge(features)
            for (at, box), scores in zip(seen, each, strict=True):
                moments.append(
                    Moment(at, calibration.ours(scores.ours), calibration.synthetic(scores.synthetic), box)
                )
            middle = seen[len(seen) // 2][1]
            ours, synthetic = calibration.ours(whole.ours), calibration.synthetic(whole.synthetic)
            faces.append(FaceTrack(seen[0][0], seen[-1][0], middle, ours, max(ours, synthetic)))
            distances.append(whole.distance)
        farthest = max(distances, default=0.0)
        return Classification(
            faces=tuple(faces),
            moments=tuple(sorted(moments, key=lambda moment: moment.at)),
            ours=max((face.ours for face in faces), default=None),
            synthetic=max((face.synthetic for face in faces), default=None),
            unfamiliar=calibration.unfamiliar(farthest) if faces else 0.0,
            is_unfamiliar=bool(faces) and farthest > calibration.odd,
        )

    def _look(self) -> None:
        features = self._classifier.features(np.stack([sight.stack for sight in self._waiting]))
        for sight, found in zip(self._waiting, features, strict=True):
            self._seen[sight.track].append((sight.at, sight.box))
            self._features[sight.track].append(found.astype(np.float16))
        self._waiting = []


def load_network(weights: Path, statement: Path) -> Network:
    """The network in a file of weights whose hash its statement gives. Raises ``ClassifierError``."""
    try:
        data = weights.read_bytes()
        stated = str(json.loads(statement.read_text("utf-8"))["sha256"])
    except (OSError, ValueError, KeyError) as error:
        raise ClassifierError(f"{weights.name} is not installed: install the package again.") from error
    if hashlib.sha256(data).hexdigest() != stated:
        raise ClassifierError(f"{weights.name} is not the file that was released: install the package again.")
    network = Network()
    state = {name: tensor.float() for name, tensor in load_tensors(data).items()}
    missing, unknown = network.load_state_dict(state, strict=False)
    if unknown or [name for name in missing if not name.endswith("num_batches_tracked")]:
        raise ClassifierError(f"{weights.name} belongs to another version: install the package again.")
    return network


def _scores(odds: torch.Tensor, distance: torch.Tensor) -> Scores:
    others = [index for index in range(len(CLASSES)) if index != _OURS]
    made = [index for index in range(len(CLASSES)) if index != _REAL]
    return Scores(
        float(odds[_OURS] - odds[others].logsumexp(0)),
        float(odds[made].logsumexp(0) - odds[_REAL]),
        float(distance),
    )


def _middles(count: int) -> list[int]:
    """The middles of windows that lie side by side."""
    return list(range(WINDOW // 2, count, WINDOW)) if count > WINDOW // 2 else [count // 2]


def _ago(frames: Sequence[tuple[float, UInt8]], at: float) -> UInt8:
    for seconds, frame in reversed(frames):
        if seconds <= at + _SLACK_SECONDS:
            return frame
    raise ClassifierError(f"A heatmap needs the frames of the last {LONG_SECONDS} s: give more.")


def _placed(heat: Float32, box: NDArray[np.float64], height: int, width: int) -> Float32:
    """The square about ``box`` (pixels) back in its place in the frame."""
    left, top, side = square(box)
    large = cv2.resize(heat, (side, side), interpolation=cv2.INTER_CUBIC)
    placed = np.zeros((height, width), np.float32)
    inside = slice(max(0, top), min(height, top + side)), slice(max(0, left), min(width, left + side))
    placed[inside] = large[
        inside[0].start - top : inside[0].stop - top, inside[1].start - left : inside[1].stop - left
    ]
    return np.clip(placed, 0.0, 1.0)
