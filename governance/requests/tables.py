"""Requests that came lately."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from governance.storage import Base, Instant


class SeenNonce(Base):
    """A nonce that a key has used; ``expires`` is when no copy would be accepted any more."""

    __tablename__ = "seen_nonces"

    keyid: Mapped[str] = mapped_column(String(43), primary_key=True)
    nonce: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires: Mapped[datetime] = mapped_column(Instant, index=True)
