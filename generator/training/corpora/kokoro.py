# ruff: noqa: RUF001
"""Synthetic English in many natural voices, spoken by Kokoro-82M (weights Apache-2.0).

``--data`` is a folder with ``model.onnx`` (any ONNX export taking tokens, style and speed), ``vocab.json``
(its phoneme tokens), ``lexicon.json`` (word to phonemes, as in misaki's ``us_gold.json``) and
``voices/*.bin``. Needs onnxruntime. The model's own durations spread over stress marks and spaces, so the
known phones are aligned instead.
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
    source="Sentences of random dictionary words, synthesised with Kokoro-82M v1.0, 28 English voices",
    used_for="Training of the speech encoder; nobody's own speech, nobody's face.",
)
HELD_OUT_VOICES = frozenset({"af_bella", "af_heart", "am_michael", "am_puck", "bf_emma", "bm_george"})
CLIPS = 80
SEED = 1

_RATE = 24_000
_STYLE_WIDTH = 256
_SPEED = (0.8, 1.3)
_WORDS = (5, 9)
_PAUSES = 0.3
_SCORE_MIN = -60.0
_PAIRS = {"ɜɹ": "ER", "əɹ": "ER"}
_ARPABET = {
    "A": "EY", "I": "AY", "O": "OW", "W": "AW", "Y": "OY", "æ": "AE", "ɑ": "AA", "ɔ": "AO", "ə": "AH",
    "ɛ": "EH", "ɜ": "ER", "ɪ": "IH", "i": "IY", "u": "UW", "ʊ": "UH", "ʌ": "AH", "ᵊ": "AH", "ᵻ": "IH",
    "ɾ": "T", "ʔ": "T", "ɡ": "G", "ʤ": "JH", "ʧ": "CH", "ʃ": "SH", "ʒ": "ZH", "ð": "DH", "θ": "TH",
    "ŋ": "NG", "ɹ": "R", "j": "Y", "h": "HH",
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A sentence to be spoken: its ``words``, all ``phonemes`` with punctuation, ``voice`` and ``speed``."""

    words: tuple[str, ...]
    phonemes: str
    voice: str
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
    return Line(tuple(said), text, rng.choice(voices), rng.uniform(*_SPEED))


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
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data / "model.onnx", options, providers=["CPUExecutionProvider"])

    def speak(line: Line) -> NDArray[np.float32]:
        said = [tokens[symbol] for symbol in line.phonemes]
        styles = np.fromfile(data / "voices" / f"{line.voice}.bin", "<f4").reshape(-1, _STYLE_WIDTH)
        inputs = {
            "tokens": np.array([[0, *said, 0]], np.int64),
            "style": styles[len(said) - 1][None],
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
    rng = random.Random(SEED)
    lines: list[Line] = []
    while len(lines) < (limit or CLIPS):
        line = draw(rng, lexicon, words, voices)
        if line is not None:
            lines.append(line)
    writer = CorpusWriter(out, DESCRIPTION)
    aligner = Aligner({word: arpabet(lexicon[word]) for line in lines for word in line.words})
    for i, line in enumerate(lines):
        add(writer, aligner, f"kokoro_{i:03d}", line, speak(line))
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
        speaker=f"kokoro_{line.voice}",
        split="validation" if line.voice in HELD_OUT_VOICES else "train",
        transcript=" ".join(line.words),
        phones=phones,
        provenance={
            "recording": f"Kokoro-82M, voice {line.voice}",
            "phones": "forced alignment, PocketSphinx",
        },
        quality={"alignment_score": score},
    )
