"""What a ceremony asks before it believes that a living person agreed: the questions, not the answers.

The answers live in ``governance.biometrics`` (faces, voices, head turns, spoken words) and in the detector
(synthetic media). A check that is absent, raises, or returns anything but a ``Finding`` counts as failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from sqlalchemy.orm import Session

Turn = Literal["left", "right"]
"""The person's own left and right. Each turn starts and ends looking straight at the camera."""


@dataclass(frozen=True)
class Finding:
    """``passed``, or else a stable ``reason`` word and one plain ``sentence`` for the person filmed.

    The sentence says what to do differently; neither holds a measure of anybody's face or voice.
    """

    passed: bool
    reason: str = ""
    sentence: str = ""

    @classmethod
    def failed(cls, reason: str, sentence: str) -> Finding:
        """Such as ``Finding.failed("face_differs", "Another face is in the film than in the picture.")``."""
        return cls(False, reason, sentence)


PASSED = Finding(True)


class FaceCheck(Protocol):
    """Is the person in the video, all the way through, the one in the portrait?"""

    def __call__(self, portrait: Path, video: Path) -> Finding:
        """``portrait``: a picture; ``video``: a film with sound."""
        ...


class PhraseCheck(Protocol):
    """Are the words of the phrase spoken in the video, in their order?"""

    def __call__(self, video: Path, phrase: str) -> Finding:
        """``phrase``: lower-case English words, one space between them."""
        ...


class TurnCheck(Protocol):
    """Does the head turn as asked, in that order and not otherwise?"""

    def __call__(self, video: Path, turns: tuple[Turn, ...]) -> Finding:
        """``turns``: as they were asked for."""
        ...


class VoiceCheck(Protocol):
    """Is the voice in the video the one in the sample whose use is granted?"""

    def __call__(self, voice: Path, video: Path) -> Finding:
        """``voice``: a sound file; ``video``: a film with sound."""
        ...


class SyntheticCheck(Protocol):
    """Was the video filmed, and not generated or replaced in part?"""

    def __call__(self, video: Path) -> Finding:
        """``video``: a film with sound."""
        ...


Template = TypeVar("Template")
"""What a gallery measures; opaque to consent, which neither keeps nor prints it."""


class Gallery(Protocol[Template]):
    """Templates of faces (or of voices), encrypted at rest, known outside by their salted commitments.

    ``measure`` is slow and done outside of transactions; the others are part of the caller's transaction.
    """

    def measure(self, file: Path) -> Template:
        """The one face (or voice) in ``file``. Raises a ``GovernanceError`` if there is none, or several."""
        ...

    def keep(self, session: Session, template: Template, now: datetime) -> str:
        """Keep it under a fresh salt; its commitment, 64 lower-case hexadecimal digits."""
        ...

    def like(self, session: Session, template: Template) -> tuple[str, ...]:
        """Commitments of all that are kept and belong, as far as can be told, to the same person."""
        ...

    def forget(self, session: Session, commitment: str) -> None:
        """Delete template and salt; what is not kept is no error."""
        ...


@dataclass(frozen=True)
class Checks:
    """All that a ceremony can ask. ``None`` is what this house does not have: whatever needs it is refused.

    ``voice`` and ``voices`` are needed only where a grant covers a voice; ``synthetic`` is always needed.
    """

    face: FaceCheck | None = None
    phrase: PhraseCheck | None = None
    turn: TurnCheck | None = None
    voice: VoiceCheck | None = None
    synthetic: SyntheticCheck | None = None
    faces: Gallery[Any] | None = None
    voices: Gallery[Any] | None = None

    def missing(self, *, voice: bool) -> tuple[str, ...]:
        """Without which no ceremony can be passed, one that grants a ``voice`` or one that does not."""
        needed = ["face", "phrase", "turn", "synthetic", "faces", *(("voice", "voices") if voice else ())]
        return tuple(name for name in needed if getattr(self, name) is None)
