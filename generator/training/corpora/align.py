"""When each phone of a known sentence is said: forced alignment with PocketSphinx."""

from __future__ import annotations

import numpy as np
import pocketsphinx
from numpy.typing import NDArray

from generator.speech.audio import SAMPLE_RATE
from generator.speech.phones import FRAME_SECONDS, SILENCE, Phone

_ATTEMPTS = 24
_SHIFT_SAMPLES = 37
_DITHER = 1e-4  # digital silence has no logarithm
_NOT_SPEECH = {"SIL", "+SPN+", "+NSN+", "+BREATH+", "+COUGH+", "+NOISE+", "+SMACK+", "+UH+", "+UM+"}
_OWN = "own_"
_LONGEST_FREE_SECONDS = 0.03


class Aligner:
    """Aligns sentences; ``words`` gives pronunciations (ARPAbet without stress, space between phones) that
    replace the dictionary's."""

    def __init__(self, words: dict[str, str]) -> None:
        self._decoder = pocketsphinx.Decoder(loglevel="FATAL")
        self._own = frozenset(words)
        for word, phones in words.items():
            self._decoder.add_word(_OWN + word, phones, False)

    def __call__(self, samples: NDArray[np.float32], sentence: str) -> tuple[tuple[Phone, ...], float] | None:
        """Phones of (N,) samples at 16 kHz from 0 to their end, and the mean acoustic log score per frame
        (clean speech about -15); None if the sentence does not fit.

        The phone pass loses its last state on some starting points and not on others a few milliseconds
        away, so it is tried on several.
        """
        rng = np.random.default_rng(0)
        sentence = " ".join(_OWN + word if word in self._own else word for word in sentence.split())
        for attempt in range(_ATTEMPTS):
            lead = attempt * _SHIFT_SAMPLES
            padded = np.r_[np.zeros(lead), samples] + rng.normal(0, _DITHER, lead + len(samples))
            aligned = self._align(padded, sentence)
            if aligned is not None:
                phones, score = aligned
                return _cover(phones, -lead / SAMPLE_RATE, len(samples) / SAMPLE_RATE), score
        return None

    def _align(self, samples: NDArray[np.float64], sentence: str) -> tuple[list[Phone], float] | None:
        sound = (np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes()
        decoder = self._decoder
        decoder.set_align_text(sentence)
        try:
            self._decode(sound)
            decoder.set_alignment()
            self._decode(sound)
            entries = [entry for word in decoder.get_alignment() for entry in word]
        except RuntimeError:
            return None
        finally:
            decoder.activate_search()
        phones = [
            Phone(
                SILENCE if entry.name in _NOT_SPEECH else entry.name,
                entry.start * FRAME_SECONDS,
                (entry.start + entry.duration) * FRAME_SECONDS,
            )
            for entry in entries
        ]
        spoken = [entry for entry in entries if entry.name not in _NOT_SPEECH]
        frames = sum(entry.duration for entry in spoken)
        return phones, sum(entry.score for entry in spoken) / max(frames, 1)

    def _decode(self, sound: bytes) -> None:
        self._decoder.start_utt()
        self._decoder.process_raw(sound, full_utt=True)
        self._decoder.end_utt()


def _cover(phones: list[Phone], shift: float, seconds: float) -> tuple[Phone, ...]:
    """Phones moved by ``shift``, from 0 to ``seconds`` without gaps, neighbouring silences joined."""
    covered: list[Phone] = []
    at = 0.0
    for phone in phones:
        end = min(max(phone.end + shift, at), seconds)
        if end - at < FRAME_SECONDS / 2:
            continue
        if covered and covered[-1].name == phone.name == SILENCE:
            covered[-1] = Phone(SILENCE, covered[-1].start, end)
        else:
            covered.append(Phone(phone.name, at, end))
        at = end
    if seconds - at > _LONGEST_FREE_SECONDS and covered and covered[-1].name != SILENCE:
        covered.append(Phone(SILENCE, at, seconds))
    elif covered:
        covered[-1] = Phone(covered[-1].name, covered[-1].start, seconds)
    return tuple(covered)
