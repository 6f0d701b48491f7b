"""The database: SQLite in a file by default, PostgreSQL by URL; the same tables and the same promises.

database = Database.open("sqlite:///hub.sqlite")
with database.transaction() as session:
    session.add(...)
"""

from governance.storage.database import Database
from governance.storage.outbox import record
from governance.storage.tables import Base, Instant

__all__ = ["Base", "Database", "Instant", "record"]
