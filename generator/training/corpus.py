"""A corpus on disk: clips of speech with what was said and how the face moved. Format in ``docs/corpus.md``.

    corpus = Corpus.open("grid")
    for clip in corpus.clips("train"):
        clip.speech(), clip.motion(), clip.phones

Every clip carries its licence, where it came from and how good it is. Speakers who are for testing only
(``TEST_ONLY``) can be in no other split, whatever the files say.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import av
import numpy as np
from numpy.typing import NDArray

from generator.errors import GeneratorError
from generator.motion.motion import FPS, Motion
from generator.speech.audio import SAMPLE_RATE, Speech
from generator.speech.encoder import PHONES
from generator.speech.phones import Phone

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

FORMAT = "vernissage-corpus"
VERSION = 1
DESCRIPTION = "corpus.json"

TEST_ONLY: dict[str, frozenset[str]] = {"grid": frozenset({"s33", "s34"})}
"""Corpus name -> speakers that no training and no choice between models may see."""


class CorpusError(GeneratorError):
    """A corpus is missing, damaged, or asked for what it may not give."""


@dataclass(frozen=True)
class Description:
    """What a corpus is: ``corpus.json``. ``used_for`` says what its licence and speakers allow."""

    name: str
    licence: str
    source: str
    used_for: str


@dataclass(frozen=True)
class Clip:
    """One clip: sound, and optionally transcript, phones and motion at 25 fps.

    ``phones`` are in order without gaps, in seconds. ``provenance`` and ``quality`` are free-form records,
    the latter of numbers.
    """

    folder: Path
    id: str
    speaker: str
    split: Split
    transcript: str | None
    phones: tuple[Phone, ...] | None
    licence: str
    provenance: dict[str, str] = field(default_factory=dict)
    quality: dict[str, float] = field(default_factory=dict)

    @property
    def has_motion(self) -> bool:
        return self._path(".motion.safetensors").is_file()

    def speech(self) -> Speech:
        """The sound, 16 kHz mono. Raises ``SpeechError`` if it cannot be read."""
        return Speech.open(self._path(".flac"))

    def motion(self) -> Motion:
        """The movement, relative to the speaker at rest. Raises ``MotionError`` if there is none."""
        return Motion.load(self._path(".motion.safetensors"))

    def _path(self, suffix: str) -> Path:
        return self.folder / f"{self.id}{suffix}"


@dataclass(frozen=True)
class Corpus:
    """A corpus that was opened and checked."""

    folder: Path
    description: Description
    _clips: tuple[Clip, ...]

    @classmethod
    def open(cls, folder: Path | str) -> Corpus:
        """Read every clip's record. Raises ``CorpusError`` for another format, an unreadable record, an
        unknown phone, or a test-only speaker in another split."""
        folder = Path(folder)
        header = _read_json(folder / DESCRIPTION)
        if header.pop("format", None) != FORMAT or header.pop("version", None) != VERSION:
            raise CorpusError(f"{folder} is no corpus of format {FORMAT} {VERSION}; build it again.")
        try:
            description = Description(**header)
        except TypeError as error:
            raise CorpusError(
                f"{folder / DESCRIPTION} lacks a field or has one too many: {error}."
            ) from error
        records = sorted(path for path in folder.glob("*.json") if path.name != DESCRIPTION)
        return cls(folder, description, tuple(_read_clip(path, description.name) for path in records))

    def clips(self, split: Split) -> tuple[Clip, ...]:
        """The clips of one split, by id."""
        if split not in SPLITS:
            raise CorpusError(f"{split!r} is no split; choose one of {', '.join(SPLITS)}.")
        return tuple(clip for clip in self._clips if clip.split == split)

    @property
    def sha256(self) -> str:
        """Of every file's name and bytes: what a training statement records."""
        digest = hashlib.sha256()
        for path in sorted(path for path in self.folder.iterdir() if path.is_file()):
            digest.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
        return digest.hexdigest()


class CorpusWriter:
    """Builds a corpus clip by clip: a new one, or more of one of the same ``description``; raises
    ``CorpusError`` for a folder that holds anything else."""

    def __init__(self, folder: Path, description: Description) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        header = {"format": FORMAT, "version": VERSION, **asdict(description)}
        begun = (folder / DESCRIPTION).exists() and _read_json(folder / DESCRIPTION) == header
        if any(folder.iterdir()) and not begun:
            raise CorpusError(f"{folder} holds something else; give a new folder for the corpus.")
        self.folder = folder
        self.description = description
        _write_json(folder / DESCRIPTION, header)

    def has(self, id: str) -> bool:
        """Whether clip ``id`` is written."""
        return (self.folder / f"{id}.json").exists()

    def add(
        self,
        id: str,
        samples: NDArray[np.float32],
        *,
        speaker: str,
        split: Split,
        transcript: str | None = None,
        phones: Iterable[Phone] | None = None,
        motion: Motion | None = None,
        provenance: dict[str, str] | None = None,
        quality: dict[str, float] | None = None,
    ) -> None:
        """Write one clip: ``samples`` (N,) at 16 kHz, ``motion`` at 25 fps. Raises ``CorpusError`` if the
        speaker may not be in ``split``, or the motion's frame rate is another."""
        _check_split(self.description.name, speaker, split)
        if motion is not None:
            if motion.fps != FPS:
                raise CorpusError(
                    f"Clip {id} moves at {motion.fps:g} frames a second; resample it to {FPS:g}."
                )
            motion.save(self.folder / f"{id}.motion.safetensors")
        _write_flac(self.folder / f"{id}.flac", samples)
        timed = None
        if phones is not None:
            timed = [[phone.name, round(phone.start, 4), round(phone.end, 4)] for phone in phones]
        record = {
            "speaker": speaker,
            "split": split,
            "transcript": transcript,
            "phones": timed,
            "licence": self.description.licence,
            "provenance": provenance or {},
            "quality": {name: round(value, 4) for name, value in (quality or {}).items()},
        }
        _write_json(self.folder / f"{id}.json", record)


def _read_clip(path: Path, corpus: str) -> Clip:
    record = _read_json(path)
    try:
        timed = record.pop("phones")
        phones = None if timed is None else tuple(Phone(*phone) for phone in timed)
        clip = Clip(path.parent, path.stem, phones=phones, **record)
    except (TypeError, KeyError) as error:
        raise CorpusError(f"{path} is not the record of a clip: {error}.") from error
    for phone in clip.phones or ():
        if phone.name not in PHONES:
            raise CorpusError(f"{path} names a phone {phone.name!r}, which is not among the 39 and SIL.")
    _check_split(corpus, clip.speaker, clip.split)
    return clip


def _check_split(corpus: str, speaker: str, split: str) -> None:
    if split not in SPLITS:
        raise CorpusError(f"{split!r} is no split; choose one of {', '.join(SPLITS)}.")
    if split != "test" and speaker in TEST_ONLY.get(corpus, ()):
        raise CorpusError(f"Speaker {speaker} of {corpus} is for testing only and may not be in {split!r}.")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path} cannot be read as JSON; give the folder of a corpus.") from error
    if not isinstance(value, dict):
        raise CorpusError(f"{path} is not a JSON object; build the corpus again.")
    return value


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _write_flac(path: Path, samples: NDArray[np.float32]) -> None:
    whole = np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16)
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(whole[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
