"""The schema is brought up to date by one of many, whole or not at all, and never backwards."""

from __future__ import annotations

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from governance.errors import StorageError
from governance.events import Event
from governance.storage import Database, migrations, record

OPENED = "import sys; from governance.storage import Database; Database.open(sys.argv[1])"
KILLED = """
import os, signal, sys
from sqlalchemy import Engine, event
from governance.storage import Database

left = int(sys.argv[2])

@event.listens_for(Engine, "after_cursor_execute")
def kill(connection, cursor, statement, *_):
    global left
    if statement.lstrip().startswith(("CREATE", "INSERT", "UPDATE")):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

Database.open(sys.argv[1])
"""


def difference(database: Database) -> list[object]:
    """What the tables in the code have that the database has not, or otherwise."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, migrations.tables()))


def test_the_steps_lead_to_the_tables_in_the_code(database: Database) -> None:
    assert difference(database) == []


def test_the_steps_follow_one_another_and_are_numbered() -> None:
    script = ScriptDirectory(str(migrations.HERE))
    taken = [step.revision for step in script.walk_revisions()][::-1]
    assert taken == list(migrations.STEPS) == [f"{n:04d}" for n in range(1, len(taken) + 1)]


def test_opening_again_changes_nothing(database_url: str) -> None:
    for _ in range(2):
        opened = Database.open(database_url)
        with opened.transaction() as session:
            record(session, Event("grant.revoked", {}))
        assert difference(opened) == []
        opened.close()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(database_url: str) -> None:
    opened = Database.open(database_url)
    with opened.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    opened.close()
    with pytest.raises(StorageError, match="newer version"):
        Database.open(database_url)
    with create_engine(database_url).connect() as connection:
        assert migrations.current(connection) == "9999"


def test_many_processes_may_open_a_new_database_at_once(database_url: str) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", OPENED, database_url], stderr=subprocess.PIPE)
        for _ in range(6)
    ]
    told = [process.communicate(timeout=120)[1] for process in started]
    assert [process.returncode for process in started] == [0] * 6, told


@pytest.mark.parametrize("statement", [1, 2, 20, 46, 48])
def test_killed_amid_a_step_nothing_is_half_done(database_url: str, statement: int) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, database_url, str(statement)], timeout=120)
    assert killed.returncode == -9
    engine = create_engine(database_url)
    with engine.connect() as connection:
        assert migrations.current(connection) in (None, migrations.STEPS[-1])
    engine.dispose()
    opened = Database.open(database_url)
    assert difference(opened) == []
    with opened.transaction() as session:
        record(session, Event("grant.revoked", {}))
    opened.close()
