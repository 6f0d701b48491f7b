"""Whose face or voice is already known: what a consent is checked against before it is believed.

A person's picture cannot enter as that of a fictional sitter while a grant or a refusal for that face stands.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from governance.biometrics.faces import SAME_FACE
from governance.biometrics.media import Likeness, listen, look_at_picture
from governance.biometrics.pictures import SAME_PICTURE, likeness
from governance.biometrics.store import TemplateStore
from governance.biometrics.templates import FaceTemplate, VoiceTemplate, similarity


class FaceGallery:
    """Faces of those who granted or refused; a ``governance.consent.checks.Gallery`` of ``Likeness``."""

    def __init__(self, keys: Path) -> None:
        self._store = TemplateStore(keys)

    def measure(self, file: Path) -> Likeness:
        """The one face in a picture file. Raises as ``media.look_at_picture`` does."""
        return look_at_picture(file)

    def keep(self, session: Session, template: Likeness, now: datetime) -> str:
        """Keep face and picture print; the commitment to the face."""
        return self._store.keep(session, template.face, now, beside=template.picture)

    def like(self, session: Session, template: Likeness) -> tuple[str, ...]:
        """Commitments of all kept faces that look like this one, or like it in a mirror, and of all pictures
        that this is a copy of; the most similar face first."""
        found = [
            (max(similarity(template.face, face), similarity(template.mirrored, face)), commitment, picture)
            for commitment, face, picture in self._store.every(session, FaceTemplate)
        ]
        return tuple(
            commitment
            for alike, commitment, picture in sorted(found, reverse=True)
            if alike >= SAME_FACE or likeness(template.picture, picture) >= SAME_PICTURE
        )

    def forget(self, session: Session, commitment: str) -> None:
        """Delete template, print and salt."""
        self._store.forget(session, commitment)


class VoiceGallery:
    """Voices of those who granted theirs; a ``governance.consent.checks.Gallery`` of ``VoiceTemplate``."""

    def __init__(self, keys: Path) -> None:
        self._store = TemplateStore(keys)

    def measure(self, file: Path) -> VoiceTemplate:
        """The voice in a sound file or a film.

        Raises:
            MediaRefused: the file cannot be read.
            NoVoice: it holds too little speech.
        """
        from governance.biometrics.voices import Voices

        return Voices.load().template(listen(file))

    def keep(self, session: Session, template: VoiceTemplate, now: datetime) -> str:
        """Keep it; the commitment to it."""
        return self._store.keep(session, template, now)

    def like(self, session: Session, template: VoiceTemplate) -> tuple[str, ...]:
        """Commitments of all kept voices that sound like this one, the most similar first."""
        from governance.biometrics.voices import SAME_VOICE_TEMPLATES

        found = [
            (similarity(template, voice), commitment)
            for commitment, voice, _ in self._store.every(session, VoiceTemplate)
        ]
        same = [each for each in found if each[0] >= SAME_VOICE_TEMPLATES]
        return tuple(commitment for _, commitment in sorted(same, reverse=True))

    def forget(self, session: Session, commitment: str) -> None:
        """Delete template and salt."""
        self._store.forget(session, commitment)
