"""Where templates are kept: known by their commitments, and by nothing else."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from governance.storage import Base, Instant


class StoredTemplate(Base):
    """Salt and template, ``sealed`` by the key named ``key``. ``kind``: face or voice."""

    __tablename__ = "templates"

    commitment: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), index=True)
    key: Mapped[str] = mapped_column(String(32))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    kept_at: Mapped[datetime] = mapped_column(Instant)

    @property
    def about(self) -> bytes:
        """What is authenticated with ``sealed``, so that no row's content can be put into another."""
        return f"{self.kind} {self.commitment}".encode("ascii")
