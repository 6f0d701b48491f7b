"""What is being said: phones with their times, from PocketSphinx and the US English model it ships with.

Words are recognised first and their phones aligned after: on the same sound this labels clearly more frames
right than free phone recognition does, even where the words themselves are wrong. Where no words are
found, or far too few for the time spoken (another language), free phone recognition takes over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pocketsphinx
from numpy.typing import NDArray

from generator.speech.audio import SAMPLE_RATE
from generator.speech.prosody import HOP, RATE, Prosody

SILENCE = "SIL"
FRAME_SECONDS = 0.01
CHUNK_SECONDS = (8.0, 16.0)
"""Long sound is cut at its quietest moment within this range."""
ACTIVE_STATES_MAX = 1500
"""Hidden Markov model states searched per frame: no less accurate than 30000, a third of the time."""
TRUSTED_SCORE = -60.0
UNTRUSTED_SCORE = -110.0
"""Acoustic log score per frame. Clean English speech has a median of -24, accented and noisy -45."""

ACTIVE_LOUDNESS = 0.5
FLUENT_PHONES_PER_SECOND = 8.0
"""Of loud sound. English as the recogniser understands it has 14-20, German and French 4, then 10 freely."""

_FILLERS = {"SIL", "+SPN+", "+NSN+", "+BREATH+", "+COUGH+", "+NOISE+", "+SMACK+", "+UH+", "+UM+"}


@dataclass(frozen=True)
class Phone:
    """One ARPAbet phone without stress (``SILENCE`` for pauses), ``start`` to ``end`` in seconds.

    ``confidence``, 0..1, says how well the sound fits the phone.
    """

    name: str
    start: float
    end: float
    confidence: float = 1.0

    @property
    def centre(self) -> float:
        return (self.start + self.end) / 2

    @property
    def seconds(self) -> float:
        return self.end - self.start


def recognise(samples: NDArray[np.float32], prosody: Prosody) -> tuple[Phone, ...]:
    """Phones of (N,) samples at 16 kHz, in order and without gaps, from 0 to the end."""
    recogniser = _Recogniser()
    phones: list[Phone] = []
    for start, end in _chunks(prosody, len(samples)):
        active = float((prosody.loudness[start // HOP : end // HOP] > ACTIVE_LOUDNESS).sum()) / RATE
        phones += recogniser(samples[start:end], start / SAMPLE_RATE, active)
    return tuple(_without_gaps(phones, len(samples) / SAMPLE_RATE))


class _Recogniser:
    def __init__(self) -> None:
        quiet = {"loglevel": "FATAL"}
        self._words = pocketsphinx.Decoder(
            fwdflat=False, bestpath=False, maxhmmpf=ACTIVE_STATES_MAX, **quiet
        )  # fmt: skip
        self._quiet = quiet
        self._free: pocketsphinx.Decoder | None = None

    def __call__(self, samples: NDArray[np.float32], offset: float, active_seconds: float) -> list[Phone]:
        """Phones of one chunk that starts ``offset`` seconds into the sound."""
        sound = (samples * 32767).astype(np.int16).tobytes()
        phones = self._aligned_words(sound, offset)
        if _spoken(phones) >= FLUENT_PHONES_PER_SECOND * active_seconds:
            return phones
        return max(phones, self._free_phones(sound, offset), key=_spoken)

    def _aligned_words(self, sound: bytes, offset: float) -> list[Phone]:
        decoder = self._words
        try:
            _decode(decoder, sound)
            decoder.set_alignment()
            _decode(decoder, sound)
            return [
                _phone(entry.name, entry.start, entry.duration, offset, entry.score)
                for word in decoder.get_alignment()
                for entry in word
            ]
        except RuntimeError:  # no word sequence fits
            return []
        finally:
            decoder.activate_search()

    def _free_phones(self, sound: bytes, offset: float) -> list[Phone]:
        if self._free is None:
            self._free = pocketsphinx.Decoder(
                allphone=pocketsphinx.get_model_path("en-us/en-us-phone.lm.bin"), lm=None, dict=None,
                lw=2.0, beam=1e-20, pbeam=1e-20, **self._quiet,
            )  # fmt: skip
        _decode(self._free, sound)
        if self._free.hyp() is None:
            return []
        return [
            _phone(
                segment.word, segment.start_frame, segment.end_frame - segment.start_frame + 1, offset, None
            )
            for segment in self._free.seg()
        ]


def _spoken(phones: list[Phone]) -> int:
    return sum(phone.name != SILENCE for phone in phones)


def _decode(decoder: pocketsphinx.Decoder, sound: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(sound, full_utt=True)
    decoder.end_utt()


def _phone(name: str, start: int, frames: int, offset: float, score: float | None) -> Phone:
    confidence = 0.5
    if score is not None:
        share = (score / frames - UNTRUSTED_SCORE) / (TRUSTED_SCORE - UNTRUSTED_SCORE)
        confidence = float(np.clip(share, 0.0, 1.0))
    first = offset + start * FRAME_SECONDS
    last = first + frames * FRAME_SECONDS
    return Phone(SILENCE if name in _FILLERS else name, first, last, confidence)


def _chunks(prosody: Prosody, count: int) -> Iterator[tuple[int, int]]:
    """Cut ``count`` samples at pauses into (start, end) pieces of ``CHUNK_SECONDS``."""
    shortest, longest = (round(seconds * RATE) for seconds in CHUNK_SECONDS)
    smooth = np.convolve(prosody.energy_db, np.ones(11) / 11, mode="same")
    start, frames = 0, count // HOP
    while frames - start > longest:
        cut = start + shortest + int(np.argmin(smooth[start + shortest : start + longest]))
        yield start * HOP, cut * HOP
        start = cut
    yield start * HOP, count


def _without_gaps(phones: list[Phone], seconds: float) -> Iterator[Phone]:
    """Fill holes with silence, clip overlaps, and end exactly at ``seconds``."""
    at = 0.0
    for phone in phones:
        start, end = max(phone.start, at), min(phone.end, seconds)
        if end - start < FRAME_SECONDS / 2:
            continue
        if start - at > FRAME_SECONDS / 2:
            yield Phone(SILENCE, at, start)
            at = start
        yield Phone(phone.name, at, end, phone.confidence)
        at = end
    if seconds - at > 0:
        yield Phone(SILENCE, at, seconds)
