"""What the hub remembers of model versions and of the evidence about them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from governance.storage import Base, Instant

SHA256 = String(64)


class ModelVersion(Base):
    """A version, on its ``rung`` ``since`` then. ``known`` is all evidence on file when stewards last let it
    climb, and whether it was withdrawn; ``steps`` counts the changes of its rung, so that nothing decided
    about an earlier one is carried out."""

    __tablename__ = "model_versions"

    id: Mapped[str] = mapped_column(SHA256, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    weights: Mapped[dict[str, str]] = mapped_column(JSON)
    rung: Mapped[str] = mapped_column(String(80))
    exemption: Mapped[str | None] = mapped_column(String(80))
    known: Mapped[dict[str, bool]] = mapped_column(JSON)
    since: Mapped[datetime] = mapped_column(Instant)
    steps: Mapped[int]


class FiledEvidence(Base):
    """An item of evidence as its producer signed it."""

    __tablename__ = "release_evidence"

    id: Mapped[str] = mapped_column(SHA256, primary_key=True)
    version: Mapped[str] = mapped_column(ForeignKey("model_versions.id"), index=True)
    document: Mapped[str] = mapped_column(Text)
    filed_at: Mapped[datetime] = mapped_column(Instant)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)
