"""From the outbox to the log: what the database remembers is put on record."""

from __future__ import annotations

from sqlalchemy import select

from governance.ledger.log import Ledger
from governance.storage import Database
from governance.storage.outbox import Recorded

BATCH = 256


def deliver(database: Database, ledger: Ledger) -> int:
    """Carry all recorded events to ``ledger`` and publish them; how many there were.

    It may be repeated, killed and run by several processes: an event that reached the log without the
    database learning of it is recognised by its id.
    """
    delivered = 0
    while count := _carry(database, ledger):
        delivered += count
    ledger.checkpoint()
    return delivered


def _carry(database: Database, ledger: Ledger) -> int:
    waiting = (
        select(Recorded)
        .where(Recorded.entry.is_(None))
        .order_by(Recorded.sequence)
        .limit(BATCH)
        .with_for_update()
    )
    with database.transaction() as session:
        rows = session.scalars(waiting).all()
        entries = ledger.append([row.event() for row in rows])
        for row, entry in zip(rows, entries, strict=True):
            row.entry = entry.index
    return len(rows)
