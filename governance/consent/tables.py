"""What the hub remembers of consent. Documents are as they were signed; what became of them stands beside."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.storage import Base, Instant

ID = String(32)
SHA256 = String(64)
KEYID = String(43)
WORD = String(40)


class StoredCeremony(Base):
    """A ceremony and how far it came; its id becomes the grant's."""

    __tablename__ = "ceremonies"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    state: Mapped[str] = mapped_column(WORD, index=True)
    grantee: Mapped[str] = mapped_column(String(120), index=True)
    request: Mapped[bytes] = mapped_column(LargeBinary)
    portrait_sha256: Mapped[str] = mapped_column(SHA256)
    voice_sha256: Mapped[str | None] = mapped_column(SHA256)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    challenges: Mapped[int] = mapped_column(default=0)
    phrase: Mapped[str | None] = mapped_column(Text)
    turns: Mapped[list[str] | None] = mapped_column(JSON)
    phrase_expires: Mapped[datetime | None] = mapped_column(Instant)
    evidence_sha256: Mapped[str | None] = mapped_column(SHA256)
    findings: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
    terms: Mapped[bytes | None] = mapped_column(LargeBinary)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)


class StoredGrant(Base):
    """A registered grant. While ``ended`` is empty it may be used; it is never emptied again."""

    __tablename__ = "grants"

    id: Mapped[str] = mapped_column(ForeignKey("ceremonies.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(SHA256, unique=True)
    document: Mapped[bytes] = mapped_column(LargeBinary)
    subject: Mapped[str] = mapped_column(KEYID, index=True)
    portrait_sha256: Mapped[str] = mapped_column(SHA256, index=True)
    face: Mapped[str] = mapped_column(SHA256, index=True)
    expires: Mapped[datetime] = mapped_column(Instant, index=True)
    registered_at: Mapped[datetime] = mapped_column(Instant)
    ended: Mapped[str | None] = mapped_column(WORD)
    forget: Mapped[bool] = mapped_column(default=False)
    """Whether templates are still to be deleted."""


class StoredRevocation(Base):
    """A subject's revocation, also of a grant that was not registered yet."""

    __tablename__ = "revocations"

    sha256: Mapped[str] = mapped_column(SHA256, primary_key=True)
    grant: Mapped[str] = mapped_column(ID, index=True)
    subject: Mapped[str] = mapped_column(KEYID)
    document: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(Instant)


class StoredUse(Base):
    """One film made by a right. ``reserved`` and ``delivered`` count; ``released`` and ``void`` do not."""

    __tablename__ = "uses"
    __table_args__ = (
        UniqueConstraint("right", "request_sha256"),
        Index("ix_uses_right_state", "right", "state"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    right: Mapped[str] = mapped_column(ID)
    """The id of a grant or of an attestation."""
    request_sha256: Mapped[str] = mapped_column(SHA256)
    state: Mapped[str] = mapped_column(WORD)
    lapses: Mapped[datetime] = mapped_column(Instant)


class StoredRefusal(Base):
    """A standing refusal, until it is withdrawn."""

    __tablename__ = "refusals"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    sha256: Mapped[str] = mapped_column(SHA256, unique=True)
    document: Mapped[bytes] = mapped_column(LargeBinary)
    subject: Mapped[str] = mapped_column(KEYID, index=True)
    portrait_sha256: Mapped[str] = mapped_column(SHA256, index=True)
    face: Mapped[str | None] = mapped_column(SHA256, index=True)
    registered_at: Mapped[datetime] = mapped_column(Instant)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)
    withdrawal: Mapped[bytes | None] = mapped_column(LargeBinary)


class StoredAttestation(Base):
    """An attestation: ``pending``, ``approved``, ``declined`` or ``contested``."""

    __tablename__ = "attestations"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    sha256: Mapped[str] = mapped_column(SHA256, unique=True)
    document: Mapped[bytes] = mapped_column(LargeBinary)
    portrait_sha256: Mapped[str] = mapped_column(SHA256, index=True)
    face: Mapped[str] = mapped_column(SHA256, index=True)
    state: Mapped[str] = mapped_column(WORD, index=True)
    submitted_at: Mapped[datetime] = mapped_column(Instant)


class Likeness(Base):
    """Two kept faces that are one person's, as far as can be told; ``face`` is the younger."""

    __tablename__ = "likenesses"

    face: Mapped[str] = mapped_column(SHA256, primary_key=True)
    other: Mapped[str] = mapped_column(SHA256, primary_key=True, index=True)
