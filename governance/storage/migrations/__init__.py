"""The schema's history (Alembic): one numbered step after another, each whole or not at all.

A changed table needs a step of its own::

    python -m governance.storage.migrations "Count downloads"

writes it to ``versions/`` from the difference between the tables in the code and the last step; read it,
mend it, commit it. ``tests/governance/storage/test_migrations.py`` holds the two together.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules

from sqlalchemy import Connection, MetaData, inspect, text

import governance
from governance.errors import StorageError
from governance.storage.tables import Base

HERE = Path(__file__).parent
STEPS = tuple(sorted(path.stem[:4] for path in (HERE / "versions").glob("[0-9]*.py")))
"""The numbers of all steps this software knows, oldest first."""

_LOCK = 0x7665726E
"""The PostgreSQL advisory lock that those who open the database at once queue for."""


def upgrade(connection: Connection) -> None:
    """Bring the schema up to date within the transaction of ``connection``, which is a writer's.

    Raises:
        StorageError: the database was last used by a newer version of this software.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    found = current(connection)
    if not STEPS or found == STEPS[-1]:
        return
    if found is not None and found not in STEPS:
        raise StorageError(
            f"The database was last used by a newer version of this software (its schema is {found}, "
            f"this version knows up to {STEPS[-1]}): install that version."
        )
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def current(connection: Connection) -> str | None:
    """The number of the last step taken, if any."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def tables() -> MetaData:
    """Every table of every room, as the code has them."""
    import_module("governance.storage.outbox")
    for room in iter_modules(governance.__path__, "governance."):
        if room.ispkg and find_spec(f"{room.name}.tables"):
            import_module(f"{room.name}.tables")
    return Base.metadata
