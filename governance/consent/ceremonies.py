"""The register of ceremonies, each step of one a transaction."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from governance.consent.ceremony import (
    CHALLENGED,
    GRANTED,
    LAPSED,
    OPEN,
    OPENED,
    PASSED,
    REFUSED,
    SUBMITTED,
    WITHDRAWN,
    Ceremony,
    GrantRequest,
)
from governance.consent.checks import Checks, Finding, Turn
from governance.consent.documents import values_of
from governance.consent.examination import examine
from governance.consent.files import (
    MAX_FILM_BYTES,
    MAX_PICTURE_BYTES,
    MAX_SOUND_BYTES,
    Evidence,
    read_bounded,
)
from governance.consent.grant import Terms
from governance.consent.phrase import Challenge
from governance.consent.register import SIGN_WITHIN
from governance.consent.standing import alone, check_refusals, forget, remember
from governance.consent.tables import StoredCeremony
from governance.errors import ConsentRefused, GovernanceError
from governance.events import Event
from governance.storage import Database, record

MAX_CHALLENGES = 5
"""So often is a phrase drawn, whether or not a film comes of it."""
MAX_CHALLENGES_A_DAY = 50
"""So often for one grantee, in ceremonies that were not passed: nobody tries until a forgery gets through."""
LAPSES_AFTER = timedelta(days=7)
"""For so long a ceremony may stay open."""


@dataclass(frozen=True)
class Ceremonies:
    """All ceremonies of a hub."""

    database: Database
    evidence: Evidence
    checks: Checks

    def open(self, request: GrantRequest, portrait: Path, voice: Path | None, now: datetime) -> str:
        """Begin; the new ceremony's id.

        Raises:
            ConsentRefused: a file is unfit, the times are over, or the person refused for good.
        """
        if request.expires <= now:
            raise ConsentRefused("grant_expired", "This grant would be over already.")
        portrait_sha256 = _sha256(portrait, MAX_PICTURE_BYTES)
        voice_sha256 = _sha256(voice, MAX_SOUND_BYTES) if voice else None
        id = uuid.uuid4().hex
        with self.database.transaction() as session:
            check_refusals(session, portrait_sha256, None, request.subject.keyid)
            session.add(
                StoredCeremony(
                    id=id,
                    state=OPENED,
                    grantee=request.grantee,
                    request=request.body,
                    portrait_sha256=portrait_sha256,
                    voice_sha256=voice_sha256,
                    opened_at=now,
                )
            )
            record(session, Event("ceremony.opened", {"ceremony": id, "grantee": request.grantee}, now))
        self.evidence.keep(id, "portrait", portrait, MAX_PICTURE_BYTES)
        if voice:
            self.evidence.keep(id, "voice", voice, MAX_SOUND_BYTES)
        return id

    def challenge(self, id: str, now: datetime) -> Challenge:
        """Draw a new phrase and new head turns; those before are void.

        Raises:
            ConsentRefused: the ceremony is over, a film waits to be judged, or no try is left.
        """
        drawn = Challenge.new(now)
        with self.database.transaction() as session:
            alone(session)
            stored = _open(session, id, now, OPENED, CHALLENGED)
            if _challenges_lately(session, stored.grantee, now) >= MAX_CHALLENGES_A_DAY:
                raise ConsentRefused(
                    "tries_spent_today", "Too many ceremonies failed today: come back tomorrow."
                )
            if stored.challenges >= MAX_CHALLENGES:
                raise ConsentRefused("tries_spent", "No try is left in this ceremony: begin a new one.")
            stored.state = CHALLENGED
            stored.challenges += 1
            stored.phrase, stored.turns, stored.phrase_expires = drawn.phrase, [*drawn.turns], drawn.expires
            record(session, Event("ceremony.challenged", {"ceremony": id}, now))
        return drawn

    def submit(self, id: str, video: Path, now: datetime) -> str:
        """Take in the film that answers the challenge; its SHA-256.

        Raises:
            ConsentRefused: nothing was asked, the phrase is too old, or the file is unfit.
        """
        with self.database.transaction() as session:
            _answerable(session, id, now)
        sha256 = self.evidence.keep(id, "film", video, MAX_FILM_BYTES)
        with self.database.transaction() as session:
            stored = _answerable(session, id, now)
            stored.state, stored.evidence_sha256, stored.findings = SUBMITTED, sha256, []
            record(session, Event("ceremony.submitted", {"ceremony": id, "evidence": sha256}, now))
        return sha256

    def examine(self, id: str, now: datetime) -> Ceremony:
        """Judge the film, delete it, and say how the ceremony stands now.

        Raises:
            ConsentRefused: there is no film to be judged, or somebody else has just judged it.
        """
        with self.database.transaction() as session:
            seen = _seen(_open(session, id, now, SUBMITTED))
        portrait = self.evidence.find(id, "portrait", seen.portrait_sha256)
        film = self.evidence.find(id, "film", seen.film_sha256)
        voice = self.evidence.find(id, "voice", seen.voice_sha256) if seen.voice_sha256 else None
        findings = examine(self.checks, seen.challenge, portrait, film, voice)
        measured = None if findings else self._measure(portrait, voice)
        with self.database.transaction() as session:
            alone(session)
            stored = _open(session, id, now, SUBMITTED)
            if _seen(stored) != seen:
                raise ConsentRefused("ceremony_changed", "This film has just been judged by somebody else.")
            if isinstance(measured, _Measured):
                findings = self._pass(session, stored, measured, now)
            elif measured is not None:
                findings = (measured,)
            if findings:
                _fail(session, stored, findings, now)
            ceremony = _view(stored)
        self._tidy(ceremony)
        return ceremony

    def withdraw(self, id: str, now: datetime) -> None:
        """Break off a ceremony that led to no grant, and delete all that was kept for it.

        Raises:
            ConsentRefused: it led to a grant, which only its subject can end.
        """
        with self.database.transaction() as session:
            alone(session)
            stored = _stored(session, id)
            if stored.state == GRANTED:
                raise ConsentRefused("ceremony_over", "This ceremony led to a grant: revoke that.")
            self._end(session, stored, WITHDRAWN, now)
        self.evidence.delete(id)

    def sweep(self, now: datetime) -> int:
        """Let old ceremonies lapse and delete what a crash has left behind; how many lapsed."""
        old = or_(
            StoredCeremony.state.in_(OPEN) & (StoredCeremony.opened_at <= now - LAPSES_AFTER),
            (StoredCeremony.state == PASSED) & (StoredCeremony.decided_at <= now - SIGN_WITHIN),
        )
        kept = set(self.evidence.ceremonies())
        with self.database.transaction() as session:
            alone(session)
            lapsed = list(session.scalars(select(StoredCeremony).where(old).with_for_update()))
            for stored in lapsed:
                self._end(session, stored, LAPSED, now)
            still_open = select(StoredCeremony.id).where(StoredCeremony.state.in_(OPEN))
            needed = set(session.scalars(still_open))
        for id in kept - needed:
            self.evidence.delete(id)
        return len(lapsed)

    def find(self, id: str) -> Ceremony:
        """Where a ceremony stands. Raises ``ConsentRefused`` if there is none."""
        with self.database.transaction() as session:
            return _view(_stored(session, id))

    def _measure(self, portrait: Path, voice: Path | None) -> _Measured | Finding:
        if self.checks.faces is None or (voice is not None and self.checks.voices is None):
            return Finding.failed("templates_absent", "This hub cannot keep what a grant is bound to.")
        try:
            face = self.checks.faces.measure(portrait)
            sound = self.checks.voices.measure(voice) if self.checks.voices and voice else None
        except GovernanceError as error:
            return Finding.failed("template_unreadable", str(error))
        return _Measured(face, sound)

    def _pass(
        self, session: Session, stored: StoredCeremony, measured: _Measured, now: datetime
    ) -> tuple[Finding, ...]:
        """Keep the templates and write the terms; or what stands against it."""
        request = GrantRequest.read_body(stored.request)
        faces, voices = self.checks.faces, self.checks.voices
        assert faces is not None
        face = remember(session, faces, measured.face, now)
        try:
            check_refusals(session, stored.portrait_sha256, face, request.subject.keyid)
        except ConsentRefused as refused:
            forget(session, faces, face)
            stored.challenges = MAX_CHALLENGES
            return (Finding.failed(refused.reason, str(refused)),)
        voice = voices.keep(session, measured.voice, now) if voices and measured.voice is not None else None
        terms = Terms(
            **values_of(request),
            id=stored.id,
            portrait_sha256=stored.portrait_sha256,
            face=face,
            voice=voice,
            phrase=stored.phrase or "",
            evidence_sha256=stored.evidence_sha256 or "",
        )
        stored.state, stored.terms, stored.decided_at = PASSED, terms.body, now
        record(session, Event("ceremony.passed", {"ceremony": stored.id}, now))
        return ()

    def _end(self, session: Session, stored: StoredCeremony, state: str, now: datetime) -> None:
        if stored.terms is not None:
            terms = Terms.read_body(stored.terms)
            if self.checks.faces is not None:
                forget(session, self.checks.faces, terms.face)
            if self.checks.voices is not None and terms.voice is not None:
                self.checks.voices.forget(session, terms.voice)
        stored.state, stored.terms, stored.phrase, stored.decided_at = state, None, None, now
        record(session, Event(f"ceremony.{state}", {"ceremony": stored.id}, now))

    def _tidy(self, ceremony: Ceremony) -> None:
        if ceremony.state in OPEN:
            self.evidence.drop(ceremony.id, "film")
        else:
            self.evidence.delete(ceremony.id)


@dataclass(frozen=True)
class _Measured:
    face: Any
    voice: Any


@dataclass(frozen=True)
class _Seen:
    """What a judgement is about: if it changed meanwhile, the judgement is worth nothing."""

    portrait_sha256: str
    voice_sha256: str | None
    film_sha256: str
    challenge: Challenge


def _challenges_lately(session: Session, grantee: str, now: datetime) -> int:
    lately = select(func.coalesce(func.sum(StoredCeremony.challenges), 0)).where(
        StoredCeremony.grantee == grantee,
        StoredCeremony.phrase_expires > now - timedelta(days=1),
        StoredCeremony.state.not_in((PASSED, GRANTED)),
    )
    return session.scalars(lately).one()


def _seen(stored: StoredCeremony) -> _Seen:
    challenge = _challenge(stored)
    assert challenge is not None
    assert stored.evidence_sha256 is not None
    return _Seen(stored.portrait_sha256, stored.voice_sha256, stored.evidence_sha256, challenge)


def _fail(session: Session, stored: StoredCeremony, findings: Sequence[Finding], now: datetime) -> None:
    over = stored.challenges >= MAX_CHALLENGES
    stored.state = REFUSED if over else OPENED
    stored.decided_at = now if over else None
    stored.findings = [[finding.reason, finding.sentence] for finding in findings]
    reasons = "+".join(finding.reason for finding in findings)
    kind = "ceremony.refused" if over else "ceremony.failed"
    record(session, Event(kind, {"ceremony": stored.id, "reasons": reasons[:200]}, now))


def _open(session: Session, id: str, now: datetime, *states: str) -> StoredCeremony:
    stored = _stored(session, id)
    if stored.state in OPEN and now >= stored.opened_at + LAPSES_AFTER:
        raise ConsentRefused("ceremony_lapsed", "This ceremony took too long: begin a new one.")
    if stored.state not in states:
        raise ConsentRefused(
            "ceremony_elsewhere", f"This ceremony is {stored.state}: that comes at another point."
        )
    return stored


def _answerable(session: Session, id: str, now: datetime) -> StoredCeremony:
    stored = _open(session, id, now, CHALLENGED)
    if stored.phrase_expires is None or now >= stored.phrase_expires:
        raise ConsentRefused("phrase_expired", "The phrase is too old: ask for a new one and film again.")
    return stored


def _stored(session: Session, id: str) -> StoredCeremony:
    stored = session.get(StoredCeremony, id, with_for_update=True)
    if stored is None:
        raise ConsentRefused("ceremony_unknown", "There is no ceremony of this id.")
    return stored


def _challenge(stored: StoredCeremony) -> Challenge | None:
    if stored.phrase is None or stored.turns is None or stored.phrase_expires is None:
        return None
    return Challenge(stored.phrase, cast(tuple[Turn, ...], tuple(stored.turns)), stored.phrase_expires)


def _view(stored: StoredCeremony) -> Ceremony:
    return Ceremony(
        id=stored.id,
        state=stored.state,
        request=GrantRequest.read_body(stored.request),
        portrait_sha256=stored.portrait_sha256,
        covers_voice=stored.voice_sha256 is not None,
        challenge=_challenge(stored),
        tries_left=MAX_CHALLENGES - stored.challenges,
        findings=tuple(Finding.failed(reason, sentence) for reason, sentence in stored.findings),
        terms=None if stored.terms is None else Terms.read_body(stored.terms),
    )


def _sha256(path: Path, most: int) -> str:
    return hashlib.sha256(read_bounded(path, most)).hexdigest()
