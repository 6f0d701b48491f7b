"""Templates kept and looked for: encrypted, part of the caller's transaction, deletable for good.

Deletion has two steps. ``forget`` removes the row in the transaction that revokes or refuses, and has SQLite
overwrite it. What else may hold its bytes (the write-ahead log, a replica, yesterday's backup) holds them
encrypted by a key that is in none of these places. ``rotate`` encrypts what is left anew and destroys that
key: from then on no copy of what was forgotten can be read, unless somebody copied the key file too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from governance.biometrics.keyring import Keyring, changing
from governance.biometrics.tables import StoredTemplate
from governance.biometrics.templates import SALT_BYTES, Template, commit, new_salt
from governance.storage import Database


class TemplateStore:
    """Salted templates, each with some bytes ``beside`` it, encrypted by the key file at ``keys``."""

    def __init__(self, keys: Path) -> None:
        self._path = keys

    def keep(self, session: Session, template: Template, now: datetime, beside: bytes = b"") -> str:
        """Keep ``template`` under a fresh salt; its commitment (``templates.commit``).

        Raises:
            KeysError: the key file is missing, unsafe or damaged.
        """
        _lock(session, "ROW EXCLUSIVE")
        keys = Keyring.load(self._path)
        salt = new_salt()
        row = StoredTemplate(
            commitment=commit(template, salt), kind=template.kind, key=keys.current, kept_at=now
        )
        row.sealed = keys.seal(salt + template.data + beside, row.about)
        session.add(row)
        session.flush()
        return row.commitment

    def every(self, session: Session, kind: type[Template]) -> Iterator[tuple[str, Template, bytes]]:
        """Commitment, template and what is beside it, of all that are kept of a kind.

        Raises:
            KeysError: as ``keep``.
            TemplateDamaged: one cannot be decrypted.
        """
        _lock(session, "ROW SHARE")
        wanted = select(StoredTemplate).where(StoredTemplate.kind == kind.kind)
        rows = session.scalars(wanted.execution_options(populate_existing=True)).all()
        keys = Keyring.load(self._path)
        size = SALT_BYTES + 2 * kind.size
        for row in rows:
            plain = keys.open(row.sealed, row.about, row.key)
            yield row.commitment, kind(plain[SALT_BYTES:size]), plain[size:]

    def opening(self, session: Session, commitment: str) -> bytes | None:
        """Salt and template as bytes, for the person whom they describe; ``None`` if forgotten."""
        _lock(session, "ROW SHARE")
        row = session.get(StoredTemplate, commitment, populate_existing=True)
        return None if row is None else Keyring.load(self._path).open(row.sealed, row.about, row.key)

    def forget(self, session: Session, commitment: str) -> None:
        """Delete what is kept under ``commitment``, if anything is."""
        if session.get_bind().dialect.name == "sqlite":
            session.execute(text("PRAGMA secure_delete = ON"))
        session.execute(delete(StoredTemplate).where(StoredTemplate.commitment == commitment))


def rotate(database: Database, keys: Path) -> int:
    """Encrypt all templates by a new key and destroy the old ones; how many were encrypted.

    Killed at any point it loses nothing; done again it finishes. All processes must see the same file.

    Raises:
        KeysError: the key file is missing, unsafe or damaged.
        TemplateDamaged: a template cannot be decrypted; then no key is destroyed.
    """
    with changing(keys):
        ring = Keyring.load(keys).with_new()
        ring.save(keys)
        with database.transaction() as session:
            _lock(session, "EXCLUSIVE")
            rows = session.scalars(select(StoredTemplate)).all()
            for row in rows:
                row.sealed = ring.seal(ring.open(row.sealed, row.about, row.key), row.about)
                row.key = ring.current
        ring.only_current().save(keys)
    return len(rows)


def _lock(session: Session, mode: str) -> None:
    """Let a rotation and whoever needs its keys wait for each other, before the key file is read.

    On SQLite, whose transactions come one after the other, it is enough that this one has begun.
    """
    session.connection()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"LOCK TABLE {StoredTemplate.__tablename__} IN {mode} MODE"))
