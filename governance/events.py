"""What happened, as it goes on the ledger: hashes and pseudonymous ids, never a name, a picture or a text.

An event is recorded in the database together with the change it tells of (``governance.storage.outbox``),
and carried to the ledger from there, so that neither exists without the other.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

import rfc8785

from governance.errors import EventError

_KIND = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")
_TOKEN = re.compile(r"[A-Za-z0-9:._/+=-]{1,200}")
"""No space and no @: neither a sentence nor an address fits."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MOST = 2**53 - 1
"""The largest whole number that JSON holds everywhere (RFC 7493)."""


@dataclass(frozen=True)
class Event:
    """``kind`` (such as ``grant.revoked``) and ``facts`` about it, ``at`` a time with a zone; ``id`` is its
    own, for recognising a retry. Raises ``EventError`` if a fact could be personal data."""

    kind: str
    facts: dict[str, str | int]
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        if not _KIND.fullmatch(self.kind):
            raise EventError(f"An event's kind is two lower-case words joined by a dot, not {self.kind!r}.")
        if self.at.tzinfo is None:
            raise EventError("The time of an event needs a time zone.")
        for name, fact in self.facts.items():
            if not _NAME.fullmatch(name):
                raise EventError(f"{self.kind}: {name!r} is no name for a fact: use one lower-case word.")
            if isinstance(fact, str) and not _TOKEN.fullmatch(fact):
                raise EventError(f"{self.kind}: {name} must be a hash, an id or one plain word.")
            if not isinstance(fact, str) and (type(fact) is not int or abs(fact) > _MOST):
                raise EventError(f"{self.kind}: {name} must be a word or a whole number up to 2**53 - 1.")

    def canonical(self) -> bytes:
        """The ledger's leaf: JSON in its canonical form (RFC 8785)."""
        return rfc8785.dumps(
            {
                "at": self.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "facts": self.facts,
                "id": self.id,
                "kind": self.kind,
            }
        )
