"""What the hub remembers of organisations, people, their credentials and the stewards' acts.

Names live here and nowhere else: documents, acts on the ledger and events carry the pseudonymous ids.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, BigInteger, Date, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from governance.storage import Base, Instant

ID = String(40)
KEYID = String(43)
SHA256 = String(64)


class Roster(Base):
    """One row, from the bootstrap on; whoever changes credentials holds its lock."""

    __tablename__ = "rosters"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    since: Mapped[datetime] = mapped_column(Instant)


class Organisation(Base):
    """Who answers for people."""

    __tablename__ = "organisations"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)


class Person(Base):
    """Who holds credentials."""

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    organisation: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))


class StoredCredential(Base):
    """The latest revision of a credential, as the hub signed it."""

    __tablename__ = "credentials"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    document: Mapped[str] = mapped_column(Text)
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))


class StoredKey(Base):
    """Which credential a key belongs to; a key never changes hands."""

    __tablename__ = "credential_keys"

    keyid: Mapped[str] = mapped_column(KEYID, primary_key=True)
    credential: Mapped[str] = mapped_column(ForeignKey("credentials.id"), index=True)


class Usage(Base):
    """How often a credential did something on one day (UTC)."""

    __tablename__ = "credential_usage"

    credential: Mapped[str] = mapped_column(ForeignKey("credentials.id"), primary_key=True)
    action: Mapped[str] = mapped_column(String(80), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


class CarriedOut(Base):
    """An act that was done, in its canonical form, and the signatures under it; it is never done twice."""

    __tablename__ = "acts"

    sha256: Mapped[str] = mapped_column(SHA256, primary_key=True)
    subject: Mapped[str] = mapped_column(String(200), index=True)
    act: Mapped[str] = mapped_column(Text)
    approvals: Mapped[dict[str, str]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(Instant)


class Proposal(Base):
    """An act that waits for another steward; ``act`` is its canonical form."""

    __tablename__ = "proposals"

    id: Mapped[str] = mapped_column(SHA256, primary_key=True)
    subject: Mapped[str] = mapped_column(String(200), index=True)
    act: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant, index=True)


class ProposalApproval(Base):
    """A steward's signature over a proposed act."""

    __tablename__ = "proposal_approvals"

    proposal: Mapped[str] = mapped_column(ForeignKey("proposals.id"), primary_key=True)
    keyid: Mapped[str] = mapped_column(KEYID, primary_key=True)
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))
