"""Whether a phrase is spoken: PocketSphinx listens for its words among many others of the same kind.

The recogniser knows a closed vocabulary, each word as likely as another, and is not told what to expect; the
words that it hears must hold enough of the phrase's in their order. How often a right phrase is missed and a
wrong one believed: ``python -m benchmarks.biometrics``. It does not tell *who* speaks: somebody beside the
camera could.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pocketsphinx
from numpy.typing import NDArray

SPOKEN_SHARE = 0.5
"""Part of the phrase's words that must be heard, in their order."""
MOST_EXTRA = 0.7
"""Words heard beyond those asked for, as part of them: somebody who reads a whole list aloud is refused."""

_PAUSE_SAMPLES = 4000
_DITHER = 3e-4
"""Digital silence has no logarithm."""


def hear(samples: NDArray[np.float32], vocabulary: Collection[str]) -> list[str]:
    """The words of ``vocabulary`` in ``samples``, (N,) mono at 16 kHz, in their order.

    Words that are in no dictionary cannot be heard.
    """
    decoder = _decoder(vocabulary)
    noise = np.random.default_rng(0).normal(0, _DITHER, len(samples) + 2 * _PAUSE_SAMPLES)
    padded = np.pad(samples, _PAUSE_SAMPLES) + noise
    decoder.start_utt()
    decoder.process_raw((np.clip(padded, -1, 1) * 32767).astype("<i2").tobytes(), full_utt=True)
    decoder.end_utt()
    if decoder.hyp() is None:
        return []
    return [word for segment in decoder.seg() if (word := segment.word.partition("(")[0]) in vocabulary]


def is_spoken(phrase: Sequence[str], heard: Sequence[str]) -> bool:
    """Whether ``heard`` holds enough of ``phrase``, and not too much besides."""
    enough = in_order(phrase, heard) >= math.ceil(SPOKEN_SHARE * len(phrase))
    return enough and len(heard) <= (1 + MOST_EXTRA) * len(phrase)


def in_order(phrase: Sequence[str], heard: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(heard) + 1)
    for wanted in phrase:
        above = row
        row = [0]
        for index, word in enumerate(heard):
            row.append(above[index] + 1 if word == wanted else max(row[-1], above[index + 1]))
    return row[-1]


def _decoder(vocabulary: Collection[str]) -> pocketsphinx.Decoder:
    """One that knows these words alone, each as likely as another: a unigram model in ARPA's format."""
    words = sorted(word for word in vocabulary if word in _pronunciations())
    chance = -math.log10(len(words) + 1)
    entries = ["-99 <s>", f"{chance:.4f} </s>", *(f"{chance:.4f} {word}" for word in words)]
    model = ["\\data\\", f"ngram 1={len(entries)}", "", "\\1-grams:", *entries, "", "\\end\\", ""]
    spelled = [line for word in words for line in _pronunciations()[word]]
    with tempfile.TemporaryDirectory() as folder:
        grammar, dictionary = Path(folder) / "words.arpa", Path(folder) / "words.dict"
        grammar.write_text("\n".join(model), "utf-8")
        dictionary.write_text("\n".join([*spelled, ""]), "utf-8")
        return pocketsphinx.Decoder(
            lm=str(grammar),
            dict=str(dictionary),
            loglevel="FATAL",
            cmn="batch",
            fwdflat=False,
            bestpath=False,
        )


@cache
def _pronunciations() -> dict[str, list[str]]:
    """CMUdict's lines by word; a word with several pronunciations has several lines."""
    found: dict[str, list[str]] = {}
    for line in Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict")).read_text("utf-8").splitlines():
        found.setdefault(line.partition(" ")[0].partition("(")[0], []).append(line)
    return found
