"""What drivers are made to speak: held-out clips of a corpus, with the truth, and our own clips."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generator import sitters
from generator.motion.motion import Motion
from generator.speech.audio import SAMPLE_RATE, Speech
from generator.speech.phones import Phone
from generator.training.corpora.align import Aligner
from generator.training.corpus import Corpus, CorpusError
from generator.training.synchrony import in_sync


@dataclass(frozen=True)
class Piece:
    """``phones`` as aligned with the known text; ``truth``, how the speaker's own face moved, if tracked."""

    name: str
    speaker: str
    speech: Speech
    phones: tuple[Phone, ...] | None
    truth: Motion | None = None

    @cached_property
    def in_sync(self) -> bool:
        """Whether the speaker's own picture fits the sound; False where it was not tracked."""
        return self.truth is not None and in_sync(self.speech.samples, self.phones, self.truth)


def held_out(corpus: Corpus) -> list[Piece]:
    """The test clips that have motion; those for validation of a corpus that has no test clips.

    Raises ``CorpusError`` if there is none.
    """
    clips = corpus.clips("test") or corpus.clips("validation")
    pieces = [
        Piece(clip.id, clip.speaker, clip.speech(), clip.phones, clip.motion())
        for clip in clips
        if clip.has_motion
    ]
    if not pieces:
        raise CorpusError(f"{corpus.folder} has no held-out clip with motion to compare with.")
    return pieces


def our_clips() -> list[Piece]:
    """Our sitters' clips, as sound only."""
    return [Piece(clip.name, clip.voice, Speech.open(clip.path), None) for clip in sitters.clips()]


def house() -> list[Piece]:
    """Our sitters' clips. Phones are ``None`` where the text has words that the aligner does not know."""
    aligner = Aligner({})
    pieces = []
    for piece, clip in zip(our_clips(), sitters.clips(), strict=True):
        aligned = aligner(piece.speech.samples, " ".join(re.findall(r"[a-z']+", clip.text.lower())))
        pieces.append(replace(piece, phones=aligned and aligned[0]))
    return pieces


def made_of(samples: NDArray[np.float32]) -> Speech:
    """Sound that lies in no file."""
    return Speech(samples, Path("made"), hashlib.sha256(samples.tobytes()).hexdigest())


def one_after_the_other(pieces: Sequence[Piece], seconds: float) -> Speech:
    """All pieces, over and over, for ``seconds``."""
    sound = np.concatenate([piece.speech.samples for piece in pieces])
    return made_of(np.resize(sound, round(seconds * SAMPLE_RATE)).astype(np.float32))
