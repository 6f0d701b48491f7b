"""Events wait here, in the same transaction as the change they tell of, until they are on the ledger."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from governance.events import Event
from governance.storage.tables import Base, Instant


class Recorded(Base):
    """One event; ``entry`` is its index in the ledger once it is there."""

    __tablename__ = "outbox"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(100))
    facts: Mapped[dict[str, str | int]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(Instant)
    entry: Mapped[int | None] = mapped_column(index=True)

    def event(self) -> Event:
        """As it was recorded."""
        return Event(self.kind, self.facts, self.at, self.id)


def record(session: Session, event: Event) -> None:
    """Let ``event`` go on the ledger if, and only if, the transaction of ``session`` is committed."""
    session.add(Recorded(id=event.id, kind=event.kind, facts=event.facts, at=event.at))
