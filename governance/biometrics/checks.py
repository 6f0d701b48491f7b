"""The answers to what ``governance.consent.checks`` asks of a ceremony's film.

Each opens the film anew and keeps nothing of it. None of them catches a film that a machine made of the right
person saying and doing the right things: ``Checks.synthetic`` is for the detector to answer.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from governance.biometrics.faces import SAME_FACE
from governance.biometrics.galleries import FaceGallery, VoiceGallery
from governance.biometrics.media import Look, listen, look_at_film, look_at_picture
from governance.biometrics.phrases import hear, is_spoken
from governance.biometrics.templates import FaceTemplate, similarity
from governance.biometrics.turns import LOOKS_PER_SECOND, course, turns_in
from governance.consent.checks import PASSED, Checks, Finding, SyntheticCheck, Turn

FACE_LOOKS_PER_SECOND = 4.0
MIN_FACE_LOOKS = 8
GOES_ON = 0.4
"""Cosine of a face to itself a moment before, from which it is still the same: a turning head loses some."""
MOST_FACELESS = 0.2
"""Part of the looks that may miss the face: hands, blur, a head turned far."""


class FilmedFace:
    """Is the person in the video, all the way through, the one in the portrait?"""

    def __call__(self, portrait: Path, video: Path) -> Finding:
        """The face is like the portrait's over most of the film, and never gives way to another."""
        face = look_at_picture(portrait).face
        looks = look_at_film(video, per_second=FACE_LOOKS_PER_SECOND, describe=True)
        if fault := _fault(looks, MIN_FACE_LOOKS):
            return fault
        templates = [look.template for look in looks if look.template is not None]
        if not goes_on(templates):
            return Finding.failed(
                "face_changes", "The face in the film changes: film yourself in one take, in steady light."
            )
        if np.median([similarity(face, each) for each in templates]) < SAME_FACE:
            return Finding.failed(
                "face_differs",
                "The face in the film is not the one in the picture: film the person in it, in good light.",
            )
        return PASSED


class TurnedHead:
    """Does the head turn as asked, in that order and not otherwise?"""

    def __call__(self, video: Path, turns: tuple[Turn, ...]) -> Finding:
        """Every turn begins and ends at the camera; a flat picture, moved or turned, does not count."""
        looks = look_at_film(video, per_second=LOOKS_PER_SECOND, describe=False)
        if fault := _fault(looks, round(LOOKS_PER_SECOND)):
            return fault
        seen = turns_in(*course(looks))
        if seen is None:
            return Finding.failed(
                "turn_jumps", "The head jumps or stays turned: turn smoothly, each time back to the middle."
            )
        if not turns or seen != turns:
            return Finding.failed(
                "turn_differs",
                "The head does not turn as asked: look into the camera first, then turn clearly to your own "
                f"{', '.join(turns)}, and to no other side.",
            )
        return PASSED


class SpokenPhrase:
    """Are the words of the phrase spoken in the video, in their order?

    ``vocabulary``: the words that phrases are drawn from.
    """

    def __init__(self, vocabulary: Collection[str]) -> None:
        self._vocabulary = frozenset(vocabulary)

    def __call__(self, video: Path, phrase: str) -> Finding:
        """English words only."""
        words = phrase.split()
        heard = hear(listen(video), self._vocabulary | set(words))
        if words and is_spoken(words, heard):
            return PASSED
        return Finding.failed(
            "phrase_differs",
            "The phrase was not understood: say these words only, slowly, near the microphone.",
        )


class HeardVoice:
    """Is the voice in the video the one in the sample whose use is granted?"""

    def __call__(self, voice: Path, video: Path) -> Finding:
        """A film of the same person in another room, or with a cold, may fail."""
        from governance.biometrics.voices import SAME_VOICE, Voices

        voices = Voices.load()
        if voices.likeness(voices.template(listen(voice)), listen(video)) >= SAME_VOICE:
            return PASSED
        return Finding.failed(
            "voice_differs",
            "The voice in the film is not the one in the sample: speak as you do there, near the microphone.",
        )


def all_checks(keys: Path, vocabulary: Collection[str], synthetic: SyntheticCheck | None = None) -> Checks:
    """All that this house can tell.

    Args:
        keys: the key file of templates (``keyring.Keyring``).
        vocabulary: the words that challenge phrases are drawn from.
        synthetic: the detector's answer, without which every ceremony is refused.
    """
    return Checks(
        face=FilmedFace(),
        phrase=SpokenPhrase(vocabulary),
        turn=TurnedHead(),
        voice=HeardVoice(),
        synthetic=synthetic,
        faces=FaceGallery(keys),
        voices=VoiceGallery(keys),
    )


def _fault(looks: Sequence[Look], least: int) -> Finding | None:
    if len(looks) < least:
        return Finding.failed("film_short", "The film is too short: film the whole ceremony in one take.")
    if any(look.people > 1 for look in looks):
        return Finding.failed("several_faces", "More than one face is in the film: film yourself alone.")
    if sum(not look.people for look in looks) > MOST_FACELESS * len(looks):
        return Finding.failed(
            "no_face", "The face is not always to be seen: stay in the picture, in good light."
        )
    return None


def goes_on(templates: Sequence[FaceTemplate]) -> bool:
    """Whether each is like the one or the other of the two before it."""
    return all(
        max(similarity(each, earlier) for earlier in templates[max(0, index - 2) : index]) >= GOES_ON
        for index, each in enumerate(templates)
        if index
    )
