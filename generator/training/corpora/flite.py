"""Synthetic English with exact phone timings, spoken by Flite (Black and Lenzo, BSD licence).

``--data`` is the flite program. Sentences are drawn from the dictionary that comes with PocketSphinx, so that
every phone occurs in many contexts; timings are the synthesiser's own. Same seed, same corpus.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pocketsphinx
from numpy.typing import NDArray

from generator.errors import SpeechError
from generator.speech.audio import Speech
from generator.speech.encoder import PHONES
from generator.speech.phones import SILENCE, Phone
from generator.training.corpus import CorpusError, CorpusWriter, Description, Split

DESCRIPTION = Description(
    name="flite",
    licence="BSD-style (Flite and the CMU voices)",
    source="Sentences of random dictionary words, synthesised with Flite; voices kal16, awb, rms, slt",
    used_for="Training of the speech encoder; nobody's own speech, nobody's face.",
)
VOICES = ("kal16", "awb", "rms", "slt")
CLIPS_EACH = 160
VALIDATION_EACH = 6
SEED = 5

FUNCTION_WORDS: tuple[str, ...] = (
    "the", "a", "of", "to", "and", "in", "that", "it", "is", "was", "for", "on", "you", "he", "be", "with",
    "as", "by", "at", "have", "are", "this", "not", "but", "had", "his", "they", "from", "she", "which", "or",
    "we", "an", "there", "her", "were", "one", "do", "been", "all", "their", "has", "would", "will", "what",
    "if", "can", "when", "so", "no",
)  # fmt: skip
FUNCTION_SHARE = 0.35
_WORDS = (5, 10)
_STRETCH = (0.85, 1.3)
_PITCH_HZ = (85.0, 180.0)  # only kal16 obeys
_NAMES = {"ax": "AH", "axr": "ER", "pau": SILENCE, "ssil": SILENCE, "h#": SILENCE}


def build(data: Path, out: Path, limit: int | None = None) -> CorpusWriter:
    """Synthesise ``limit`` clips (``CLIPS_EACH`` unless given) of every voice with the program ``data``."""
    rng = np.random.default_rng(SEED)
    words = vocabulary()
    writer = CorpusWriter(out, DESCRIPTION)
    for voice in VOICES:
        for i in range(limit or CLIPS_EACH):
            text = _sentence(rng, words)
            settings = {
                "duration_stretch": f"{rng.uniform(*_STRETCH):.2f}",
                "int_f0_target_mean": f"{rng.uniform(*_PITCH_HZ):.0f}",
            }
            samples, phones = _speak(data, voice, text, settings)
            split: Split = "validation" if i < VALIDATION_EACH else "train"
            writer.add(
                f"{voice}_{i:03d}",
                samples,
                speaker=f"flite_{voice}",
                split=split,
                transcript=text,
                phones=phones,
                provenance={
                    "recording": f"Flite, voice {voice}",
                    "phones": "the synthesiser's own",
                    **settings,
                },
            )
    return writer


def vocabulary() -> list[str]:
    """Plain words of PocketSphinx's dictionary, 3 to 10 letters."""
    path = Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"))
    words = (line.split(maxsplit=1)[0] for line in path.read_text("utf-8").splitlines() if line)
    return [word for word in words if re.fullmatch("[a-z]{3,10}", word)]


def _sentence(rng: np.random.Generator, vocabulary: Sequence[str]) -> str:
    count = rng.integers(*_WORDS)
    pause = rng.integers(2, count) if rng.random() < 0.4 else count
    words: list[str] = []
    for i in range(count):
        common = rng.random() < FUNCTION_SHARE
        source: Sequence[str] = FUNCTION_WORDS if common else vocabulary
        words.append(source[int(rng.integers(len(source)))] + ("," if i == pause else ""))
    return " ".join(words) + "."


def _speak(
    program: Path, voice: str, text: str, settings: dict[str, str]
) -> tuple[NDArray[np.float32], list[Phone]]:
    options = [part for name, value in settings.items() for part in ("--setf", f"{name}={value}")]
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "spoken.wav"
        command = [str(program), "-voice", voice, *options, "-psdur", "-t", text, "-o", str(sound)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            samples = Speech.open(sound).samples
        except (OSError, subprocess.CalledProcessError, SpeechError) as error:
            raise CorpusError(f"{program} does not speak; give the path of the flite program.") from error
    phones, at = [], 0.0
    for entry in done.stdout.split():
        name, _, end = entry.partition(":")
        phones.append(Phone(_arpabet(name), at, float(end)))
        at = float(end)
    return samples, phones


def _arpabet(name: str) -> str:
    arpabet = _NAMES.get(name, name.upper())
    if arpabet not in PHONES:
        raise CorpusError(f"Flite speaks a phone {name!r}, which is not among the 39 of ARPAbet.")
    return arpabet
