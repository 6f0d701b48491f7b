"""A transaction is all or nothing, on both databases."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from governance.errors import StorageError
from governance.events import Event
from governance.storage import Database, record
from governance.storage.outbox import Recorded


def test_what_was_recorded_is_read_back_as_it_was(database: Database) -> None:
    event = Event("grant.revoked", {"grant": "ab12", "uses": 3})
    with database.transaction() as session:
        record(session, event)
    with database.transaction() as session:
        assert session.scalars(select(Recorded)).one().event() == event


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        _record_then_fail(session)
    with database.transaction() as session:
        assert session.scalars(select(Recorded)).all() == []


def test_no_error_tells_what_was_to_be_kept(database: Database) -> None:
    """It may be somebody's name, or what was measured of their face."""
    event = Event("grant.revoked", {"grant": "a-secret"})
    with database.transaction() as session:
        record(session, event)
    with pytest.raises(IntegrityError) as failed, database.transaction() as session:
        record(session, event)
    assert "a-secret" not in str(failed.value)


def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="time zone"), database.transaction() as session:
        session.add(Recorded(id="1", kind="a.b", facts={}, at=datetime(2026, 1, 1)))


def test_a_database_that_is_not_there_is_said_so() -> None:
    with pytest.raises(StorageError, match="Check its address"):
        Database.open("sqlite:////no/such/folder/hub.sqlite")
    with pytest.raises(StorageError, match="Check its address"):
        Database.open("hub.sqlite")


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "hub.sqlite").write_bytes(b"something else entirely\n" * 500)
    with pytest.raises(StorageError, match="not a database"):
        Database.open(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    assert (tmp_path / "hub.sqlite").read_bytes().startswith(b"something else")


def _record_then_fail(session: Session) -> None:
    record(session, Event("grant.revoked", {}))
    session.flush()
    raise ZeroDivisionError
