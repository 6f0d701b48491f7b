"""What drivers are made to speak: held-out clips of a corpus, with the truth, and our own clips."""

from __future__ import annotations

import re
from dataclasses import dataclass

from generator.motion.motion import Motion
from generator.sitters import clips
from generator.speech.audio import Speech
from generator.speech.phones import Phone
from generator.training.corpora.align import Aligner
from generator.training.corpus import Corpus, CorpusError


@dataclass(frozen=True)
class Piece:
    """``phones`` as aligned with the known text; ``truth``, how the speaker's own face moved, if tracked."""

    name: str
    speaker: str
    speech: Speech
    phones: tuple[Phone, ...] | None
    truth: Motion | None = None


def held_out(corpus: Corpus) -> list[Piece]:
    """The test clips that have motion. Raises ``CorpusError`` if there is none."""
    pieces = [
        Piece(clip.id, clip.speaker, clip.speech(), clip.phones, clip.motion())
        for clip in corpus.clips("test")
        if clip.has_motion
    ]
    if not pieces:
        raise CorpusError(f"{corpus.folder} has no test clip with motion to compare with.")
    return pieces


def house() -> list[Piece]:
    """Our sitters' clips. Of those whose text has words the aligner does not know, the phones are ``None``."""
    aligner = Aligner({})
    pieces = []
    for clip in clips():
        speech = Speech.open(clip.path)
        aligned = aligner(speech.samples, " ".join(re.findall(r"[a-z']+", clip.text.lower())))
        pieces.append(Piece(clip.name, clip.voice, speech, aligned and aligned[0]))
    return pieces
