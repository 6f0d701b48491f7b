"""The ceremony in which a living person shows that it is they who agree.

::

    opened -> challenged -> submitted -> passed -> granted
       ^                        |          |
       +--- (try again) --------+          +-> lapsed (nobody signed within a week)
                                +-> refused (no try is left)

The phrase and the head turns are drawn at random and are good for ten minutes. The film, the picture and the
voice sample are deleted as soon as they were judged; the film's hash stays, in the grant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from governance.consent.checks import Finding
from governance.consent.documents import Statement
from governance.consent.grant import Terms, check_term
from governance.consent.kinds import Kind
from governance.consent.phrase import Challenge
from governance.keys import VerifyKey

OPENED, CHALLENGED, SUBMITTED = "opened", "challenged", "submitted"
PASSED, GRANTED = "passed", "granted"
REFUSED, LAPSED, WITHDRAWN = "refused", "lapsed", "withdrawn"
OPEN = (OPENED, CHALLENGED, SUBMITTED)


@dataclass(frozen=True, kw_only=True)
class GrantRequest(Statement):
    """What somebody would like a person to allow; the fields mean what they mean in ``Terms``."""

    NAME: ClassVar[str] = "grant-request"
    KINDS: ClassVar[Mapping[str, Kind[Any]]] = {
        name: Terms.KINDS[name]
        for name in (
            "subject", "grantee", "purposes", "directions", "locales", "max_uses", "not_before", "expires",
        )
    }  # fmt: skip

    subject: VerifyKey
    grantee: str
    purposes: tuple[str, ...]
    directions: tuple[str, ...]
    locales: tuple[str, ...]
    max_uses: int
    not_before: datetime
    expires: datetime

    def check(self) -> None:
        """As a grant's own times. Raises ``ConsentRefused``."""
        check_term(self.not_before, self.expires)


@dataclass(frozen=True)
class Ceremony:
    """Where a ceremony stands.

    Attributes:
        id: its own, and the grant's.
        state: as in the drawing above.
        request: what is asked for.
        portrait_sha256: of the picture.
        covers_voice: whether the voice is asked for too.
        challenge: the latest; ``None`` before the first.
        tries_left: how many more can be drawn.
        findings: what stood against the latest film.
        terms: what the person signs, once it is passed.
    """

    id: str
    state: str
    request: GrantRequest
    portrait_sha256: str
    covers_voice: bool
    challenge: Challenge | None
    tries_left: int
    findings: tuple[Finding, ...]
    terms: Terms | None
