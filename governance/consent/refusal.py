"""A standing refusal: "never animate me", honoured everywhere until the same key takes it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from governance.consent import kinds
from governance.consent.documents import Document
from governance.consent.kinds import Kind
from governance.keys import SigningKey, VerifyKey


@dataclass(frozen=True, kw_only=True)
class Refusal(Document):
    """Concerns the picture it names, every picture of the same face, and every grant of the same key."""

    NAME: ClassVar[str] = "refusal"
    KINDS: ClassVar[Mapping[str, Kind[Any]]] = {
        "id": kinds.ID,
        "subject": kinds.KEY,
        "portrait_sha256": kinds.SHA256,
        "at": kinds.MOMENT,
    }

    id: str
    subject: VerifyKey
    portrait_sha256: str
    at: datetime

    @classmethod
    def by(cls, key: SigningKey, id: str, portrait_sha256: str, now: datetime) -> Self:
        """Sign a refusal under a new ``id``."""
        return cls.signed(key, id=id, portrait_sha256=portrait_sha256, at=now.replace(microsecond=0))


@dataclass(frozen=True, kw_only=True)
class Withdrawal(Document):
    """The end of a refusal. It allows nothing by itself: a grant is still needed."""

    NAME: ClassVar[str] = "withdrawal"
    KINDS: ClassVar[Mapping[str, Kind[Any]]] = {
        "subject": kinds.KEY,
        "refusal": kinds.ID,
        "at": kinds.MOMENT,
    }

    subject: VerifyKey
    refusal: str
    at: datetime

    @classmethod
    def by(cls, key: SigningKey, refusal: str, now: datetime) -> Self:
        """Sign the end of the refusal with this id."""
        return cls.signed(key, refusal=refusal, at=now.replace(microsecond=0))
