# ruff: noqa: RUF001
"""Synthetic English in many natural voices, spoken by Kokoro-82M (weights Apache-2.0).

``--data`` is a folder with ``model.onnx`` (any ONNX export taking tokens, style and speed), ``vocab.json``
(its phoneme tokens), ``lexicon.json`` (word to phonemes, as in misaki's ``us_gold.json``) and
``voices/*.bin``. Needs onnxruntime. The model's own durations spread over stress marks and spaces, so the
known phones are aligned instead. Most sentences are spoken by nobody's voice: a blend of two of the voices.
An interrupted build continues when it is started again.
"""

from __future__ import annotations

import importlib
import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from generator.training.corpora.align import Aligner
from generator.training.corpora.flite import FUNCTION_SHARE, FUNCTION_WORDS, vocabulary
from generator.training.corpus import CorpusError, CorpusWriter, Description

DESCRIPTION = Description(
    name="kokoro",
    licence="Apache-2.0",
    source="Sentences of random dictionary words, by Kokoro-82M v1.0: 28 English voices and blends of them",
    used_for="Training of the speech encoder; nobody's own speech, nobody's face.",
)
HELD_OUT_VOICES = frozenset({"af_bella", "af_heart", "am_michael", "am_puck", "bf_emma", "bm_george"})
CLIPS = 2000
SEED = 1

_RATE = 24_000
_STYLE_WIDTH = 256
_SPEED = (0.8, 1.3)
_WORDS = (5, 9)
_PAUSES = 0.3
_HELD_OUT_SHARE = 0.05
_BLENDS = 0.7
_BLEND_SHARE = (0.25, 0.75)
_SCORE_MIN = -60.0
_PAIRS = {"ɜɹ": "ER", "əɹ": "ER"}
_ARPABET = {
    "A": "EY", "I": "AY", "O": "OW", "W": "AW", "Y": "OY", "æ": "AE", "ɑ": "AA", "ɔ": "AO", "ə": "AH",
    "ɛ": "EH", "ɜ": "ER", "ɪ": "IH", "i": "IY", "u": "UW", "ʊ": "UH", "ʌ": "AH", "ᵊ": "AH", "ᵻ": "IH",
    "ɾ": "T", "ʔ": "T", "ɡ": "G", "ʤ": "JH", "ʧ": "CH", "ʃ": "SH", "ʒ": "ZH", "ð": "DH", "θ": "TH",
    "ŋ": "NG", "ɹ": "R", "j": "Y", "h": "HH",
}  # fmt: skip


@dataclass(frozen=True)
class Voice:
    """One voice, or two blended: ``share`` is that of the ``first`` (0..1)."""

    first: str
    second: str
    share: float

    @property
    def name(self) -> str:
        return self.first if self.first == self.second else f"{self.first}_{self.second}_{self.share:.2f}"

    @property
    def held_out(self) -> bool:
        return self.first in HELD_OUT_VOICES

    @classmethod
    def draw(cls, rng: random.Random, names: Sequence[str]) -> Voice:
        """A voice that is held out, or one of the others, or a blend of two of the others."""
        if rng.random() < _HELD_OUT_SHARE:
            first = second = rng.choice(sorted(HELD_OUT_VOICES))
        else:
            first, second = rng.sample([name for name in names if name not in HELD_OUT_VOICES], 2)
            second = second if rng.random() < _BLENDS else first
        return cls(first, second, rng.uniform(*_BLEND_SHARE))


@dataclass(frozen=True)
class Line:
    """A sentence to be spoken: its ``words``, all ``phonemes`` with punctuation, ``voice`` and ``speed``."""

    words: tuple[str, ...]
    phonemes: str
    voice: Voice
    speed: float


def arpabet(phonemes: str) -> str:
    """ARPAbet phones, space between, of one word in Kokoro's notation; stress is dropped."""
    plain = re.sub("[ˈˌ]", "", phonemes)
    pieces = re.findall("|".join(_PAIRS) + "|.", plain)
    return " ".join(_PAIRS.get(piece) or _ARPABET.get(piece) or piece.upper() for piece in pieces)


def draw(
    rng: random.Random, lexicon: dict[str, str], words: Sequence[str], voices: Sequence[str]
) -> Line | None:
    """A random sentence, or None if one of its words has no phonemes."""
    said = [
        rng.choice(FUNCTION_WORDS) if rng.random() < FUNCTION_SHARE else rng.choice(words)
        for _ in range(rng.randint(*_WORDS))
    ]
    if any(word not in lexicon for word in said):
        return None
    spoken = [lexicon[word] for word in said]
    text = " ".join(spoken)
    if rng.random() < _PAUSES:
        pause = rng.randint(2, len(spoken) - 2)
        text = " ".join(spoken[:pause]) + ", " + " ".join(spoken[pause:])
    text += rng.choice("..?!")
    return Line(tuple(said), text, Voice.draw(rng, voices), rng.uniform(*_SPEED))


def read_lexicon(path: Path, tokens: dict[str, int]) -> dict[str, str]:
    """Word to phonemes, of the words that ``tokens`` can spell."""
    entries: dict[str, Any] = json.loads(path.read_text("utf-8"))
    usual = {word: e.get("DEFAULT") if isinstance(e, dict) else e for word, e in entries.items()}
    return {word: p for word, p in usual.items() if p and all(symbol in tokens for symbol in p)}


def speaker_of(data: Path, tokens: dict[str, int]) -> Callable[[Line], NDArray[np.float32]]:
    """A function that speaks a line: samples (N,) at 24 kHz."""
    try:
        onnxruntime = importlib.import_module("onnxruntime")
    except ImportError as error:
        raise CorpusError("Kokoro needs onnxruntime: pip install onnxruntime.") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(data / "model.onnx", options, providers=["CPUExecutionProvider"])

    def style(voice: str, length: int) -> NDArray[np.float32]:
        styles = np.fromfile(data / "voices" / f"{voice}.bin", np.float32).reshape(-1, _STYLE_WIDTH)
        chosen: NDArray[np.float32] = styles[length - 1][None]
        return chosen

    def speak(line: Line) -> NDArray[np.float32]:
        said = [tokens[symbol] for symbol in line.phonemes]
        voice, count = line.voice, len(said)
        blend = voice.share * style(voice.first, count) + (1 - voice.share) * style(voice.second, count)
        inputs = {
            "tokens": np.array([[0, *said, 0]], np.int64),
            "style": blend.astype(np.float32),
            "speed": np.array([line.speed], np.float32),
        }
        return np.asarray(session.run(["audio"], inputs)[0], np.float32).ravel()

    return speak


def build(data: Path, out: Path, limit: int | None = None) -> CorpusWriter:
    """Synthesise ``limit`` clips (``CLIPS`` unless given)."""
    tokens: dict[str, int] = json.loads((data / "vocab.json").read_text("utf-8"))["vocab"]
    lexicon = read_lexicon(data / "lexicon.json", tokens)
    known = set(vocabulary())
    words = [word for word in lexicon if word in known]
    voices = sorted(path.stem for path in (data / "voices").glob("[ab][fm]_*.bin"))
    speak = speaker_of(data, tokens)
    writer = CorpusWriter(out, DESCRIPTION)
    for i in range(limit or CLIPS):
        name = f"kokoro_{i:05d}"
        rng = random.Random(f"{SEED} {i}")
        line = None
        while line is None:
            line = draw(rng, lexicon, words, voices)
        if not writer.has(name):
            aligner = Aligner({word: arpabet(lexicon[word]) for word in line.words})
            add(writer, aligner, name, line, speak(line))
    return writer


def add(writer: CorpusWriter, aligner: Aligner, name: str, line: Line, samples: NDArray[np.float32]) -> None:
    """Align and write one clip of ``samples`` at 24 kHz; left out, and said so, if its words do not fit."""
    heard = resample_poly(samples, 2, 3).astype(np.float32)
    heard *= 0.7 / max(float(np.abs(heard).max()), 1e-6)
    aligned = aligner(heard, " ".join(line.words))
    if aligned is None or aligned[1] < _SCORE_MIN:
        print(f"{name}: left out: the sound does not fit its sentence")
        return
    phones, score = aligned
    writer.add(
        name,
        heard,
        speaker=f"kokoro_{line.voice.name}",
        split="validation" if line.voice.held_out else "train",
        transcript=" ".join(line.words),
        phones=phones,
        provenance={
            "recording": f"Kokoro-82M, voice {line.voice.name}",
            "phones": "forced alignment, PocketSphinx",
        },
        quality={"alignment_score": score},
    )
