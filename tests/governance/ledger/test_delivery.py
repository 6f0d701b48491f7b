"""From the outbox to the log: once, in order, whoever is killed on the way; on both databases."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from governance.events import Event
from governance.keys import SigningKey
from governance.ledger import Ledger, deliver, verify
from governance.storage import Database, record
from governance.storage.outbox import Recorded

Open = Callable[[Path | str], Ledger]
Happenings = Callable[[int, int], list[Event]]
ROOT = Path(__file__).parents[3]


def remember(database: Database, events: list[Event]) -> None:
    with database.transaction() as session:
        for event in events:
            record(session, event)


def check(database: Database, ledger: Ledger, folder: Path, size: int) -> None:
    """Every event is on the log once, and the database knows where."""
    checkpoint = ledger.checkpoint()
    assert checkpoint.size == size
    with database.transaction() as session:
        rows = session.scalars(select(Recorded)).all()
    places = {row.entry: row.event().canonical() for row in rows}
    assert places == dict(enumerate(ledger.entries(0, size)))
    verify(str(folder), ledger.verifier)


def test_recorded_events_reach_the_log_once_and_in_order(
    database: Database, ledger: Ledger, folder: Path, happenings: Happenings
) -> None:
    remember(database, happenings(0, 300))
    assert deliver(database, ledger) == 300
    assert deliver(database, ledger) == 0
    assert [*ledger.entries(0, 300)] == [event.canonical() for event in happenings(0, 300)]
    remember(database, happenings(300, 303))
    assert deliver(database, ledger) == 3
    check(database, ledger, folder, 303)


def test_an_event_with_microseconds_is_the_same_after_the_database(
    database: Database, ledger: Ledger, folder: Path
) -> None:
    event = Event("grant.registered", {"grant": "sha256:ab", "uses": 2**40})
    remember(database, [event])
    deliver(database, ledger)
    assert ledger.entry(0) == event.canonical()


def test_an_event_that_reached_the_log_without_the_database_learning_of_it_is_not_doubled(
    database: Database, ledger: Ledger, folder: Path, happenings: Happenings
) -> None:
    remember(database, happenings(0, 5))
    ledger.append(happenings(0, 3))
    assert deliver(database, ledger) == 5
    check(database, ledger, folder, 5)


def test_nothing_is_lost_if_the_log_cannot_be_written(
    database: Database, ledger: Ledger, folder: Path, happenings: Happenings, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(database, happenings(0, 5))

    def full(*_: object) -> None:
        raise RuntimeError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr("governance.ledger.journal.write", full)
        with pytest.raises(RuntimeError):
            deliver(database, ledger)
    assert deliver(database, ledger) == 5
    check(database, ledger, folder, 5)


def test_several_may_deliver_at_once(
    database: Database, ledger: Ledger, folder: Path, open_ledger: Open, happenings: Happenings
) -> None:
    remember(database, happenings(0, 600))
    delivered: list[int] = []

    def work() -> None:
        delivered.append(deliver(database, open_ledger(folder)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    remember(database, happenings(600, 640))
    for thread in threads:
        thread.join()
    delivered.append(deliver(database, ledger))
    assert sum(delivered) == 640
    check(database, ledger, folder, 640)


def test_a_deliverer_killed_at_random_is_made_good_by_the_next(
    database: Database,
    database_url: str,
    ledger: Ledger,
    folder: Path,
    key: SigningKey,
    tmp_path: Path,
    happenings: Happenings,
) -> None:
    key.save(tmp_path / "key.pem")
    size = 0
    for pause in (0.0, 0.01, 0.03, 0.06):
        remember(database, happenings(size, size + 300))
        size += 300
        script = (
            "import sys; from pathlib import Path\n"
            "from governance.keys import SigningKey\n"
            "from governance.ledger import Ledger, delivery\n"
            "from governance.storage import Database\n"
            "delivery.BATCH = 20\n"
            "key = SigningKey.load(Path(sys.argv[3]))\n"
            "ledger = Ledger.open(sys.argv[2], key, origin='hub.example/ledger')\n"
            "database = Database.open(sys.argv[1])\n"
            "print('ready', flush=True)\n"
            "delivery.deliver(database, ledger)\n"
        )
        command = [sys.executable, "-c", script, database_url, str(folder), str(tmp_path / "key.pem")]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert worker.stdout
        worker.stdout.readline()
        time.sleep(pause)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    deliver(database, ledger)
    check(database, ledger, folder, size)
