"""A grant: what a living person allows with their face, signed by their own key; and how they end it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Self

from governance.consent import kinds
from governance.consent.asking import Asking
from governance.consent.documents import Document, Statement, values_of
from governance.consent.kinds import Kind
from governance.consent.vocabulary import DIRECTIONS, GRANTEE, LOCALE, PURPOSES, speaks
from governance.errors import ConsentRefused
from governance.keys import SigningKey, VerifyKey

MAX_TERM = timedelta(days=731)
"""Two years; then a person is asked again."""
MAX_USES = 1_000_000
NOTICE_VERSION = "2026-11"
"""Of the text in ``notice.md``, which a person reads before they sign."""
PHRASE = kinds.matching(r"[a-z]{2,20}( [a-z]{2,20}){4,19}", "5 to 20 words")


def notice() -> str:
    """What a person reads before they sign."""
    return (Path(__file__).parent / "notice.md").read_text(encoding="utf-8")


def check_term(not_before: datetime, expires: datetime) -> None:
    """Raises ``ConsentRefused`` unless it is a term that can be granted."""
    if not not_before < expires <= not_before + MAX_TERM:
        raise ConsentRefused("term_unfit", "A grant must end after it begins, and within two years of that.")


@dataclass(frozen=True, kw_only=True)
class Terms(Statement):
    """What is to be signed.

    Attributes:
        id: of the ceremony, and so of the grant.
        subject: the person's own key.
        portrait_sha256: of the one picture file that may be animated.
        face: salted commitment to the face in it; nothing can be read back out of it.
        voice: salted commitment to the person's voice, if that may be used too.
        grantee: who may, as ``credential:ID`` or ``organisation:ID``.
        purposes: what for, terms of ``PURPOSES``.
        directions: the emotions that may be played.
        locales: the languages that may be spoken.
        max_uses: how many films.
        not_before, expires: from when, and until just before when.
        phrase: what the person said in the ceremony.
        evidence_sha256: of the film in which they said it.
        notice: the version of the notice they read.
    """

    NAME: ClassVar[str] = "grant"
    KINDS: ClassVar[Mapping[str, Kind[Any]]] = {
        "id": kinds.ID,
        "subject": kinds.KEY,
        "portrait_sha256": kinds.SHA256,
        "face": kinds.SHA256,
        "voice": kinds.optional(kinds.SHA256),
        "grantee": GRANTEE,
        "purposes": kinds.several(kinds.one_of(PURPOSES)),
        "directions": kinds.several(kinds.one_of(DIRECTIONS)),
        "locales": kinds.several(LOCALE),
        "max_uses": kinds.whole(1, MAX_USES),
        "not_before": kinds.MOMENT,
        "expires": kinds.MOMENT,
        "phrase": PHRASE,
        "evidence_sha256": kinds.SHA256,
        "notice": kinds.one_of((NOTICE_VERSION,)),
    }

    id: str
    subject: VerifyKey
    portrait_sha256: str
    face: str
    voice: str | None
    grantee: str
    purposes: tuple[str, ...]
    directions: tuple[str, ...]
    locales: tuple[str, ...]
    max_uses: int
    not_before: datetime
    expires: datetime
    phrase: str
    evidence_sha256: str
    notice: str = NOTICE_VERSION

    def check(self) -> None:
        """A grant begins before it ends, and ends within two years."""
        check_term(self.not_before, self.expires)

    def allow(self, asking: Asking, now: datetime) -> None:
        """Whether these terms, by themselves, cover what is asked. Raises ``ConsentRefused``."""
        if now < self.not_before:
            raise ConsentRefused("grant_early", f"This grant begins on {self.not_before:%Y-%m-%d %H:%M} UTC.")
        if now >= self.expires:
            raise ConsentRefused("grant_expired", f"This grant ended on {self.expires:%Y-%m-%d %H:%M} UTC.")
        if self.grantee not in asking.grantees:
            raise ConsentRefused("grantee_differs", "This grant was given to somebody else.")
        if asking.portrait_sha256 != self.portrait_sha256:
            raise ConsentRefused("portrait_differs", "This grant is for another picture.")
        if asking.own_voice and self.voice is None:
            raise ConsentRefused("voice_not_granted", "This grant does not cover the person's voice.")
        if not asking.purposes:
            raise ConsentRefused("purpose_missing", "Say what the film is for.")
        for purpose in asking.purposes:
            if purpose not in self.purposes:
                raise ConsentRefused(
                    "purpose_not_granted",
                    f"This grant does not allow {PURPOSES.get(purpose, 'this purpose')}.",
                )
        for direction in asking.directions:
            if direction not in self.directions:
                raise ConsentRefused(
                    "direction_not_granted", "This grant does not allow an emotion that is asked for."
                )
        if not speaks(asking.locale, self.locales):
            raise ConsentRefused("locale_not_granted", "This grant does not allow this language.")


@dataclass(frozen=True, kw_only=True)
class Grant(Terms, Document):
    """Terms as signed by their subject.

    grant = Grant.read(data)        # verified, or ConsentRefused
    grant.sha256                    # what goes into a manifest and on the ledger
    """

    @classmethod
    def by(cls, key: SigningKey, terms: Terms) -> Self:
        """Sign ``terms``. Raises ``ConsentRefused`` if they name another key."""
        if key.public != terms.subject:
            raise ConsentRefused("subject_differs", "These terms are for another person's key.")
        return cls(signature=key.sign(terms.body), **values_of(terms))


@dataclass(frozen=True, kw_only=True)
class Revocation(Document):
    """The end of a grant, effective at once. With ``forget`` the templates of face and voice are deleted."""

    NAME: ClassVar[str] = "revocation"
    KINDS: ClassVar[Mapping[str, Kind[Any]]] = {
        "subject": kinds.KEY,
        "grant": kinds.ID,
        "at": kinds.MOMENT,
        "forget": kinds.FLAG,
    }

    subject: VerifyKey
    grant: str
    at: datetime
    forget: bool

    @classmethod
    def by(cls, key: SigningKey, grant: str, now: datetime, *, forget: bool = False) -> Self:
        """Sign the end of the grant with this id."""
        return cls.signed(key, grant=grant, at=now.replace(microsecond=0), forget=forget)
