"""The register of those who said no."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from governance.consent.checks import Gallery
from governance.consent.files import MAX_PICTURE_BYTES, copied
from governance.consent.refusal import Refusal, Withdrawal
from governance.consent.standing import (
    alone,
    check_refusals,
    forget,
    remember,
    yield_to_refusal,
)
from governance.consent.tables import StoredRefusal
from governance.errors import ConsentRefused, GovernanceError
from governance.events import Event
from governance.storage import Database, record


@dataclass(frozen=True)
class Refusals:
    """Without ``faces`` a refusal concerns the picture file it names and the key that signed it, no more."""

    database: Database
    faces: Gallery[Any] | None = None

    def register(self, refusal: Refusal, portrait: Path | None, now: datetime) -> bool:
        """Honour ``refusal`` from now on. A refusal is never turned away for want of a good picture. Doing it
        twice is no harm.

        Returns:
            Whether other pictures of the same face will be recognised by ``portrait``.

        Raises:
            ConsentRefused: ``portrait`` is not the picture that was refused.
        """
        template = None
        if portrait is not None:
            sha256, template = self._measure(portrait)
            if sha256 != refusal.portrait_sha256:
                raise ConsentRefused("portrait_differs", "This is not the picture that the document names.")
        with self.database.transaction() as session:
            alone(session)
            known = session.get(StoredRefusal, refusal.id)
            if known is not None:
                if known.sha256 != refusal.sha256:
                    raise ConsentRefused("refusal_exists", "Another refusal is registered under this id.")
                return known.face is not None
            face = None
            if template is not None and self.faces is not None:
                face = remember(session, self.faces, template, now)
            session.add(
                StoredRefusal(
                    id=refusal.id,
                    sha256=refusal.sha256,
                    document=refusal.data,
                    subject=refusal.subject.keyid,
                    portrait_sha256=refusal.portrait_sha256,
                    face=face,
                    registered_at=now,
                )
            )
            yield_to_refusal(session, refusal.portrait_sha256, face, refusal.subject.keyid, now)
            record(session, Event("refusal.registered", {"refusal": refusal.sha256}, now))
        return face is not None

    def withdraw(self, withdrawal: Withdrawal, now: datetime) -> None:
        """Take a refusal back, and delete its face. Doing it twice is no harm.

        Raises:
            ConsentRefused: there is no such refusal, or another key signed it.
        """
        with self.database.transaction() as session:
            alone(session)
            stored = session.get(StoredRefusal, withdrawal.refusal, with_for_update=True)
            if stored is None:
                raise ConsentRefused("refusal_unknown", "There is no refusal of this id.")
            if Refusal.read(stored.document).subject != withdrawal.subject:
                raise ConsentRefused("subject_differs", "Only the person who refused can take it back.")
            if stored.withdrawn_at is not None:
                return
            stored.withdrawn_at, stored.withdrawal = now, withdrawal.data
            if stored.face is not None and self.faces is not None:
                forget(session, self.faces, stored.face)
                stored.face = None
            record(
                session,
                Event(
                    "refusal.withdrawn",
                    {"refusal": stored.sha256, "withdrawal": withdrawal.sha256},
                    now,
                ),
            )

    def check(self, portrait: Path) -> None:
        """For a picture whose rights are merely declared: whether the person in it refused.

        Raises:
            ConsentRefused: they did.
        """
        sha256, template = self._measure(portrait)
        with self.database.transaction() as session:
            check_refusals(session, sha256, None, None)
            if template is not None and self.faces is not None:
                for face in self.faces.like(session, template):
                    check_refusals(session, sha256, face, None)

    def _measure(self, portrait: Path) -> tuple[str, Any]:
        """The SHA-256 of ``portrait`` and the face in it, ``None`` if this house or this picture cannot tell
        it."""
        with copied(portrait, MAX_PICTURE_BYTES) as (picture, sha256):
            try:
                return sha256, None if self.faces is None else self.faces.measure(picture)
            except GovernanceError:
                return sha256, None
