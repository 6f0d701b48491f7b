"""How well lips follow speech of speakers who are for testing only, measured on the decoded face."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from generator.arkit import EXPRESSIONS
from generator.face.decoder import FaceDecoder
from generator.motion.lips import MOUTH, LipNetwork
from generator.speech.acoustics import hear
from generator.speech.audio import Speech
from generator.speech.encoder import SpeechEncoder
from generator.training.corpus import Clip, Corpus

Array = NDArray[np.float64]

MEASURES = ("opening", "chin", "width")
BILABIALS = {"P", "B", "M"}
CLOSED_CM = 0.12
"""Inner lips less apart than this touch, as far as anybody sees."""
_OFFSETS = range(-4, 5)


def measure(
    tensors: Mapping[str, NDArray[np.float32]], corpora: Sequence[Corpus], encoder: SpeechEncoder
) -> dict[str, float]:
    """Metrics of exported weights on the test clips of ``corpora``, to three decimals."""
    network = LipNetwork({name.removeprefix("lips."): value for name, value in tensors.items()})

    def drive(speech: Speech) -> NDArray[np.float32]:
        made = network(hear(speech.samples, encoder))
        weights = np.zeros((len(made), len(EXPRESSIONS)), np.float32)
        weights[:, MOUTH] = np.clip(made, 0.0, 1.0)
        return weights

    return evaluate(drive, [clip for corpus in corpora for clip in corpus.clips("test") if clip.has_motion])


def evaluate(drive: Callable[[Speech], NDArray[np.float32]], clips: Sequence[Clip]) -> dict[str, float]:
    """``drive`` gives (T, 51) expression weights for speech; see ``MEASURES``.

    Truth is normalised by speaker. ``offset_frames``: by how many frames the made opening must be delayed to
    fit best. ``bilabial_closed``: share of /p b m/ during which the lips come within ``CLOSED_CM``.
    """
    face = _Face()
    made, true, speakers = [], [], []
    closed: list[bool] = []
    for clip in clips:
        weights, motion = drive(clip.speech()), clip.motion()
        frames = min(len(weights), len(motion))
        shape = face(weights[:frames])
        made.append(shape)
        true.append(face(motion.expressions[:frames]))
        speakers += [clip.speaker] * frames
        closed += _closures(shape[:, 0], clip)
    prediction, truth = np.concatenate(made), np.concatenate(true)
    names = np.array(speakers)
    for speaker in set(speakers):
        rows = names == speaker
        truth[rows] = (truth[rows] - truth[rows].mean(0)) / truth[rows].std(0)
    metrics = {
        f"{name}_correlation": float(np.corrcoef(prediction[:, i], truth[:, i])[0, 1])
        for i, name in enumerate(MEASURES)
    }
    by_offset = [float(np.corrcoef(np.roll(prediction[:, 0], k), truth[:, 0])[0, 1]) for k in _OFFSETS]
    metrics["offset_frames"] = -float(_OFFSETS[int(np.argmax(by_offset))])
    metrics["bilabial_closed"] = float(np.mean(closed)) if closed else float("nan")
    return {name: round(value, 3) for name, value in metrics.items()}


class _Face:
    """Decodes weights on the mean shape and measures opening, chin drop and mouth width, cm."""

    def __init__(self) -> None:
        decoder = FaceDecoder.load()
        self._neutral = decoder.mean_shape
        self._bound = decoder.bind(self._neutral)

    def __call__(self, weights: NDArray[np.float32]) -> Array:
        points = self._neutral + np.stack([self._bound(row) for row in weights])
        pairs = ((13, 14), (4, 152), (61, 291))
        return np.stack([np.linalg.norm(points[:, a] - points[:, b], axis=1) for a, b in pairs], axis=1)


def _closures(opening: Array, clip: Clip) -> list[bool]:
    """For each bilabial of the clip, whether the lips meet at any frame shown during it (one to spare)."""
    met = []
    for phone in clip.phones or ():
        if phone.name in BILABIALS:
            first, last = int(phone.start * 25 - 1), int(np.ceil(phone.end * 25 + 1))
            part = opening[max(first, 0) : last]
            if len(part):
                met.append(bool(part.min() < CLOSED_CM))
    return met
