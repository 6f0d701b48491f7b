"""The GRID corpus (Cooke et al. 2006, CC BY 4.0), tracked: six-word sentences by consenting volunteers.

Expects a folder with ``clips.json``, ``audio/<clip>.opus``, ``landmarks.npy.xz`` (K, 3, frames) in 1/8192
image heights and ``tracks.npz`` with their ``landmark_index`` (K,).
"""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import numpy as np

from generator.errors import SpeechError
from generator.face.decoder import FaceDecoder
from generator.speech.audio import SAMPLE_RATE, Speech
from generator.training.corpora import tracking
from generator.training.corpora.align import Aligner
from generator.training.corpus import TEST_ONLY, CorpusError, CorpusWriter, Description, Split

DESCRIPTION = Description(
    name="grid",
    licence="CC BY 4.0",
    source="GRID audiovisual sentence corpus, Cooke, Barker, Cunningham and Shao 2006",
    used_for="Training and testing of speech and motion models; consenting volunteers.",
)
VALIDATION_SPEAKERS = frozenset({"s32"})

_COMMAND = {"b": "bin", "l": "lay", "p": "place", "s": "set"}
_COLOUR = {"b": "blue", "g": "green", "r": "red", "w": "white"}
_PREPOSITION = {"a": "at", "b": "by", "i": "in", "w": "with"}
_DIGIT = {
    "z": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven",
    "8": "eight", "9": "nine",
}  # fmt: skip
_ADVERB = {"a": "again", "n": "now", "p": "please", "s": "soon"}
_LETTERS = {
    "a": "EY", "b": "B IY", "c": "S IY", "d": "D IY", "e": "IY", "f": "EH F", "g": "JH IY", "h": "EY CH",
    "i": "AY", "j": "JH EY", "k": "K EY", "l": "EH L", "m": "EH M", "n": "EH N", "o": "OW", "p": "P IY",
    "q": "K Y UW", "r": "AA", "s": "EH S", "t": "T IY", "u": "Y UW", "v": "V IY", "x": "EH K S", "y": "W AY",
    "z": "Z EH D",
}  # fmt: skip

_LIPS_MM_MAX = 2.0
_POSE_MM_MAX = 1.5
_SCORE_MIN = -45.0
_UNITS_PER_HEIGHT = 8192


def sentence(code: str) -> tuple[str, ...]:
    """The six words that a clip's code spells: ``bbac3n`` is bin blue at C three now."""
    tables = (
        _COMMAND,
        _COLOUR,
        _PREPOSITION,
        {letter: letter.upper() for letter in _LETTERS},
        _DIGIT,
        _ADVERB,
    )
    try:
        return tuple(table[key] for table, key in zip(tables, code, strict=True))
    except (KeyError, ValueError) as error:
        raise CorpusError(f"{code!r} does not spell a sentence of the GRID corpus.") from error


def build(data: Path, out: Path, limit: int | None = None) -> CorpusWriter:
    """Fit and align every clip, at most ``limit`` of each speaker. Clips that fit badly are left out, and
    said so on standard output."""
    clips = json.loads((data / "clips.json").read_text("utf-8"))
    with lzma.open(data / "landmarks.npy.xz") as file:
        landmarks = np.load(file)
    vertices = np.load(data / "tracks.npz")["landmark_index"].astype(np.int64)
    decoder = FaceDecoder.load()
    aligner = Aligner({letter.upper(): phones for letter, phones in _LETTERS.items()})
    writer = CorpusWriter(out, DESCRIPTION)
    for speaker in dict.fromkeys(clip["speaker"] for clip in clips):
        theirs = [clip for clip in clips if clip["speaker"] == speaker]
        tracked = [_landmarks(landmarks, clip) for clip in theirs]
        resting = tracking.rest(decoder, tracked, vertices)
        for clip, frames in list(zip(theirs, tracked, strict=True))[:limit]:
            _add(writer, aligner, data, clip, tracking.motion_of(resting, frames))
    return writer


def _landmarks(landmarks: np.ndarray[Any, Any], clip: dict[str, Any]) -> tracking.Array:
    part = landmarks[:, :, clip["start"] : clip["start"] + clip["frames"]]
    frames: tracking.Array = part.transpose(2, 0, 1).astype(np.float64) / _UNITS_PER_HEIGHT
    return frames


def _add(
    writer: CorpusWriter, aligner: Aligner, data: Path, clip: dict[str, Any], fitted: tracking.Fitted
) -> None:
    name, speaker = clip["clip"], clip["speaker"]
    try:
        samples = Speech.open(data / "audio" / f"{name}.opus").samples
    except SpeechError as error:
        print(f"{name}: left out: {error}")
        return
    samples = samples[: round(fitted.motion.seconds * SAMPLE_RATE)]
    words = sentence(clip["code"])
    aligned = aligner(samples, " ".join(words))
    if fitted.lips_mm > _LIPS_MM_MAX or fitted.pose_mm > _POSE_MM_MAX:
        print(f"{name}: left out: tracking is off by {fitted.lips_mm:.1f} mm (lips), {fitted.pose_mm:.1f} mm")
        return
    if aligned is None or aligned[1] < _SCORE_MIN:
        print(f"{name}: left out: the sound does not fit its sentence")
        return
    phones, score = aligned
    writer.add(
        name,
        samples,
        speaker=speaker,
        split=_split(speaker),
        transcript=" ".join(words),
        phones=phones,
        motion=fitted.motion,
        provenance={
            "recording": f"GRID {name}",
            "motion": "expression weights fitted to tracked landmarks",
            "phones": "forced alignment of the known sentence, PocketSphinx",
        },
        quality={"lips_mm": fitted.lips_mm, "pose_mm": fitted.pose_mm, "alignment_score": score},
    )


def _split(speaker: str) -> Split:
    if speaker in TEST_ONLY["grid"]:
        return "test"
    return "validation" if speaker in VALIDATION_SPEAKERS else "train"
