"""Of any number of copies of a signed request one counts, on any number of hosts, and after any crash."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from governance.errors import RequestRefused
from governance.keys import SigningKey
from governance.requests import Replay, Request, SignedRequest, sign_request, verify_request
from governance.requests.tables import SeenNonce
from governance.storage import Database

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEY = SigningKey.generate()


def asked(now: datetime = NOW) -> SignedRequest:
    request = sign_request(Request("GET", "https://hub.example/v1/films"), KEY, now)
    return verify_request(request, origin="https://hub.example", keys=lambda _: KEY.public, now=now)


def counts(replay: Replay, signed: SignedRequest, now: datetime = NOW) -> bool:
    try:
        replay.remember(signed, now)
    except RequestRefused as refused:
        return refused.reason != "replayed"
    return True


def test_a_request_counts_once(database: Database) -> None:
    replay, signed = Replay(database), asked()
    assert [counts(replay, signed) for _ in range(3)] == [True, False, False]
    assert counts(replay, asked())


def test_of_many_copies_at_once_one_counts(database: Database) -> None:
    replay = Replay(database)
    requests = [asked() for _ in range(5)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda signed: counts(replay, signed), requests * 8))
    assert sum(found) == len(requests)


def test_another_host_knows_it_too(database: Database, database_url: str) -> None:
    signed = asked()
    Replay(database).remember(signed, NOW)
    other = Database.open(database_url)
    assert not counts(Replay(other), signed)
    other.close()


def test_it_is_too_late_after_its_end(database: Database) -> None:
    signed = asked()
    with pytest.raises(RequestRefused, match="ended meanwhile"):
        Replay(database).remember(signed, signed.remember_until)


def test_only_nonces_that_nobody_could_use_are_forgotten(database: Database) -> None:
    replay, old, new = Replay(database), asked(), asked(NOW + timedelta(minutes=30))
    replay.remember(old, NOW)
    replay.remember(new, NOW + timedelta(minutes=30))
    assert replay.purge(old.remember_until) == 0
    assert not counts(replay, old)
    assert replay.purge(NOW + timedelta(minutes=30)) == 1
    assert not counts(replay, new, NOW + timedelta(minutes=30))
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(SeenNonce)) == 1


CHILD = """
import sys
from datetime import UTC, datetime
from governance.requests import Replay, SignedRequest
from governance.storage import Database
replay, now = Replay(Database.open(sys.argv[1])), datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
for number in range(100000):
    nonce = f"{number:022d}"
    replay.remember(SignedRequest("k", nonce, "", now, now, "GET", "", None, None, b""), now)
    print(nonce, flush=True)
"""


@pytest.mark.slow
def test_what_was_acknowledged_survives_a_kill(database: Database, database_url: str) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, database_url], stdout=subprocess.PIPE, text=True, cwd="."
    )
    acknowledged = list(_some_lines(child, 25))
    child.send_signal(signal.SIGKILL)
    acknowledged += child.communicate()[0].split()
    assert child.returncode == -signal.SIGKILL
    replay = Replay(database)
    for nonce in acknowledged:
        signed = SignedRequest("k", nonce, "", NOW, NOW, "GET", "", None, None, b"")
        assert not counts(replay, signed)


def _some_lines(child: subprocess.Popen[str], number: int) -> Iterator[str]:
    assert child.stdout
    for _ in range(number):
        yield child.stdout.readline().strip()
