"""Opening the database, and transactions that hold on both engines."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from governance.errors import StorageError
from governance.storage import migrations

BUSY_SECONDS = 30
"""How long a writer waits for another before it gives up."""
BUSY_PAUSE_SECONDS = 0.02


@dataclass(frozen=True)
class Database:
    """An open database with its schema in place."""

    engine: Engine

    @classmethod
    def open(cls, url: str) -> Database:
        """Open ``sqlite:///FILE`` or ``postgresql+psycopg://…`` and bring its schema up to date.

        Any number of processes may do so at once: one takes the steps, the others wait for it.

        Raises:
            StorageError: there is no such database, or its schema is newer than this software.
        """
        try:
            engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)
            if engine.dialect.name == "sqlite":
                event.listen(engine, "connect", _prepare_sqlite)
                event.listen(engine, "begin", _begin_immediate)
            with engine.begin() as connection:
                migrations.upgrade(connection)
        except (SQLAlchemyError, ImportError) as error:
            raise StorageError(
                f"The database cannot be opened: {_reason(error)}. Check its address."
            ) from error
        return cls(engine)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """All of what is done in the block, or nothing, durable when the block has ended.

        On SQLite writers come one after the other. On PostgreSQL rows that a decision rests on must be read
        ``.with_for_update()``.

        Raises:
            StorageError: the database is out of reach, full or too busy; nothing was changed.
        """
        try:
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                yield session
        except OperationalError as error:
            raise StorageError(f"Nothing was changed: {_reason(error)}. Try again.") from error

    def close(self) -> None:
        """Give back its connections."""
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    _keep_a_write_ahead_log(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _keep_a_write_ahead_log(connection: Any) -> None:
    """SQLite does not wait by itself for another process that is doing the same to a new file."""
    patience = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > patience:
                raise
            time.sleep(BUSY_PAUSE_SECONDS)


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _reason(error: SQLAlchemyError | ImportError) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0].rstrip(".")
