"""How well lips follow speech of speakers who are for testing only, measured on the decoded face."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.face.decoder import FaceDecoder
from generator.motion.model import MotionModel
from generator.motion.motion import FPS
from generator.speech.acoustics import hear
from generator.speech.audio import Speech
from generator.speech.encoder import SpeechEncoder
from generator.training.corpus import Clip, Corpus
from generator.training.synchrony import in_sync

Array = NDArray[np.float64]

MEASURES = ("opening", "chin", "width")
BILABIALS = {"P", "B", "M"}
CLOSED_CM = 0.06
"""Inner lips no further apart than this beyond where they rest touch, as far as anybody sees."""
_OFFSETS = range(-4, 5)


def measure(model: MotionModel, corpora: Sequence[Corpus], encoder: SpeechEncoder) -> dict[str, float]:
    """Metrics of a model on the test clips of ``corpora``, to three decimals."""

    def drive(speech: Speech) -> NDArray[np.float32]:
        return model.mouth(hear(speech.samples, encoder))

    return evaluate(drive, [clip for corpus in corpora for clip in corpus.clips("test") if clip.has_motion])


def evaluate(drive: Callable[[Speech], NDArray[np.float32]], clips: Sequence[Clip]) -> dict[str, float]:
    """``drive`` gives (T, 51) expression weights for speech. Truth is normalised by speaker.

    Everything is measured on all clips; ``*_in_sync`` on those alone whose picture fits their sound.
    ``offset_frames``: by how many frames the made opening comes early. ``bilabial_closed``: share of
    /p b m/ during which the lips come within ``CLOSED_CM`` of where they rest.
    """
    face = _Face()
    takes = []
    for clip in clips:
        weights, motion = drive(clip.speech()), clip.motion()
        frames = min(len(weights), len(motion))
        takes.append(_Take(clip, face(weights[:frames]), face(motion.expressions[:frames])))
    metrics = _follow(takes)
    synchronous = [
        take for take in takes if in_sync(take.clip.speech().samples, take.clip.phones, take.clip.motion())
    ]
    if synchronous:
        metrics |= {f"{name}_in_sync": value for name, value in _follow(synchronous).items()}
    closed = [met for take in takes for met in _closures(take)]
    metrics["bilabial_closed"] = float(np.mean(closed)) if closed else float("nan")
    counts = {"clips": len(takes), "clips_in_sync": len(synchronous), "bilabials": len(closed)}
    return {name: round(value, 3) for name, value in metrics.items()} | counts


@dataclass(frozen=True, eq=False)
class _Take:
    """``made`` and ``true`` (T, 3) ``MEASURES`` of a clip."""

    clip: Clip
    made: Array
    true: Array


def _follow(takes: Sequence[_Take]) -> dict[str, float]:
    made = np.concatenate([take.made for take in takes])
    truth = np.concatenate([take.true for take in takes])
    speakers = np.array([take.clip.speaker for take in takes for _ in take.true])
    for speaker in set(speakers.tolist()):
        rows = speakers == speaker
        truth[rows] = (truth[rows] - truth[rows].mean(0)) / truth[rows].std(0)
    metrics = {
        f"{name}_correlation": float(np.corrcoef(made[:, i], truth[:, i])[0, 1])
        for i, name in enumerate(MEASURES)
    }
    by_offset = [float(np.corrcoef(np.roll(made[:, 0], k), truth[:, 0])[0, 1]) for k in _OFFSETS]
    metrics["offset_frames"] = float(_OFFSETS[int(np.argmax(by_offset))])
    return metrics


class _Face:
    """Decodes weights on the mean shape; ``MEASURES`` of it, in cm beyond rest."""

    def __init__(self) -> None:
        decoder = FaceDecoder.load()
        self._neutral = decoder.mean_shape
        self._bound = decoder.bind(self._neutral)

    def __call__(self, weights: NDArray[np.float32]) -> Array:
        moved = self._neutral + np.stack([self._bound(row) for row in weights])
        return _spans(moved) - _spans(self._neutral[None])


def _spans(points: Array) -> Array:
    pairs = ((13, 14), (4, 152), (61, 291))
    return np.stack([np.linalg.norm(points[:, a] - points[:, b], axis=1) for a, b in pairs], axis=1)


def _closures(take: _Take) -> list[bool]:
    """For each bilabial of the clip, whether the lips meet at any frame shown during it (one to spare)."""
    met = []
    for phone in take.clip.phones or ():
        if phone.name in BILABIALS:
            first, last = int(phone.start * FPS - 1), int(np.ceil(phone.end * FPS + 1))
            part = take.made[max(first, 0) : last, 0]
            if len(part):
                met.append(bool(part.min() < CLOSED_CM))
    return met
