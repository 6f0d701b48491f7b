"""Many at once, in threads and in processes, and some of them killed: the count stays exact, and nothing is
handed over once a revocation was acknowledged."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from governance.consent import Attestation, Refusal, Revocation, Use, review
from governance.consent.tables import StoredGrant, StoredRevocation, StoredUse
from governance.consent.uses import LAPSES_AFTER
from governance.errors import ConsentRefused
from governance.identity import Approval
from governance.keys import SigningKey
from governance.storage import Database

House = Any

WORKER = """
import json, secrets, sys, time
from datetime import datetime
from pathlib import Path
from governance.consent import Asking, Consents, Revocation
from governance.errors import ConsentRefused
from governance.identity import Approval
from governance.keys import SigningKey
from governance.storage import Database

url, now, work = sys.argv[1], datetime.fromisoformat(sys.argv[2]), json.loads(sys.argv[3])
consents = Consents(Database.open(url))

def tell(**what):
    print(json.dumps(what), flush=True)

tell(did="ready")
sys.stdin.readline()
if work["do"] == "revoke":
    for document in work["documents"]:
        revocation = Revocation.read(document.encode())
        consents.revoke(revocation, now)
        tell(did="revoked", grant=revocation.grant, at=time.monotonic())
for _ in range(work.get("films", 0)):
    asking = Asking(secrets.token_hex(32), ("organisation:museum",), work["portrait"], ("dpv:PublicBenefit",))
    began = time.monotonic()
    try:
        use = consents.admit(work["grant"], asking, now)
        tell(did="admitted", use=use.id)
        began = time.monotonic()
        consents.confirm(use, now)
        tell(did="delivered", use=use.id, began=began)
    except ConsentRefused as refused:
        tell(did="refused", reason=refused.reason)
"""


class Worker:
    """A process of its own; ``told`` is what it acknowledged before it ended or was killed."""

    def __init__(self, url: str, house: House, **work: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, url, house.now.isoformat(), json.dumps(work)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

        self.heard: list[dict[str, Any]] = []

    def listen(self, lines: int = 1) -> None:
        """Wait for so many lines."""
        assert self.process.stdout is not None
        for _ in range(lines):
            self.heard.append(json.loads(self.process.stdout.readline()))

    def go(self) -> None:
        """Let it begin, once it said that it is ready."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """At any moment within its work on the next few things."""
        time.sleep(random.uniform(0.0, 0.03))
        self.process.send_signal(signal.SIGKILL)

    def told(self) -> list[dict[str, Any]]:
        """All that it acknowledged by its end."""
        out, _ = self.process.communicate(timeout=120)
        return self.heard + [json.loads(line) for line in out.splitlines() if line.endswith("}")]


def run(workers: Iterable[Worker]) -> list[dict[str, Any]]:
    """Let all begin together; what all of them told."""
    workers = list(workers)
    for worker in workers:
        worker.listen()
    for worker in workers:
        worker.go()
    with ThreadPoolExecutor(len(workers)) as pool:
        return [line for told in pool.map(Worker.told, workers) for line in told]


def states(database: Database, right: str) -> dict[str, str]:
    with database.transaction() as session:
        found = session.scalars(select(StoredUse).where(StoredUse.right == right)).all()
        return {use.id: use.state for use in found}


def test_threads_make_exactly_as_many_films_as_allowed(house: House) -> None:
    grant = house.granted(max_uses=7)

    def film(_: int) -> Use | None:
        with suppress(ConsentRefused):
            use: Use = house.consents.admit(grant.id, house.asking(grant), house.now)
            house.consents.confirm(use, house.now)
            return use
        return None

    with ThreadPoolExecutor(6) as pool:
        made = [use for use in pool.map(film, range(30)) if use]
    assert len(made) == 7
    assert sorted(states(house.database, grant.id)) == sorted(use.id for use in made)
    assert len(house.events("use.delivered")) == 7


def test_threads_that_repeat_one_request_reserve_once(house: House) -> None:
    grant = house.granted(max_uses=5)
    asking = house.asking(grant)
    with ThreadPoolExecutor(6) as pool:
        uses = list(pool.map(lambda _: house.consents.admit(grant.id, asking, house.now), range(12)))
    assert len(set(uses)) == 1
    assert len(states(house.database, grant.id)) == 1


@pytest.mark.parametrize("end", ["revoke", "refuse"])
def test_nothing_is_handed_over_after_the_end_was_acknowledged(house: House, end: str) -> None:
    grant = house.granted(max_uses=10_000)
    ended = threading.Event()
    after: list[bool] = []

    def film() -> None:
        while True:
            over = ended.is_set()
            try:
                use = house.consents.admit(grant.id, house.asking(grant), house.now)
                over = ended.is_set()
                house.consents.confirm(use, house.now)
            except ConsentRefused:
                return
            after.append(over)

    threads = [threading.Thread(target=film) for _ in range(5)]
    for thread in threads:
        thread.start()
    time.sleep(random.uniform(0.02, 0.3))
    if end == "revoke":
        house.consents.revoke(Revocation.by(house.ada, grant.id, house.now), house.now)
    else:
        other = house.file("ada|another picture.png")
        refusal = Refusal.by(type(house.ada).generate(), "1" * 32, house.sha256(other), house.now)
        house.refusals.register(refusal, other, house.now)
    ended.set()
    for thread in threads:
        thread.join()
    assert not any(after)
    kinds = [event["kind"] for event in house.events()]
    last = len(kinds) - 1 - kinds[::-1].index("use.delivered") if "use.delivered" in kinds else -1
    assert kinds.index("grant.revoked" if end == "revoke" else "refusal.registered") > last
    assert set(states(house.database, grant.id).values()) <= {"delivered", "void"}


@pytest.fixture
def crossing(house: House) -> Callable[..., None]:
    """Let two actions run into each other: each waits, just before it commits, until the other is as far (or
    for as long as the other may have to wait for it)."""

    def run(*actions: Callable[[], object]) -> None:
        met = threading.Barrier(len(actions))

        def wait_for_the_other(_: object) -> None:
            with suppress(threading.BrokenBarrierError):
                met.wait(timeout=0.5)

        event.listen(house.database.engine, "commit", wait_for_the_other)
        try:
            with ThreadPoolExecutor(len(actions)) as pool:
                for done in [pool.submit(action) for action in actions]:
                    with suppress(ConsentRefused):
                        done.result()
        finally:
            event.remove(house.database.engine, "commit", wait_for_the_other)

    return run


def test_a_grant_and_a_refusal_that_cross_do_not_overlook_each_other(
    house: House, crossing: Callable[..., None]
) -> None:
    grant, other = house.signed(), house.file("ada|another picture.png")
    refusal = Refusal.by(SigningKey.generate(), "1" * 32, house.sha256(other), house.now)
    crossing(
        lambda: house.consents.register(grant, house.now),
        lambda: house.refusals.register(refusal, other, house.now),
    )
    with pytest.raises(ConsentRefused):
        house.consents.admit(grant.id, house.asking(grant), house.now)


def test_an_attestation_and_a_refusal_that_cross_do_not_overlook_each_other(
    house: House, crossing: Callable[..., None]
) -> None:
    painting = house.file("ada|a painting.png")
    attestation = Attestation.by(
        SigningKey.generate(), "2" * 32, house.sha256(painting), "fictional", "A tale.", house.now
    )
    refusal = Refusal.by(house.ada, "1" * 32, house.sha256(house.portrait), house.now)
    crossing(
        lambda: house.attestations.submit(attestation, painting, house.now),
        lambda: house.refusals.register(refusal, house.portrait, house.now),
    )
    act = review(attestation, approve=True, now=house.now)
    approvals = [Approval.by(steward, act) for steward in house.stewards()]
    with pytest.raises(ConsentRefused):
        house.attestations.decide(act, approvals, house.now)


def test_a_grant_and_its_revocation_that_cross_do_not_overlook_each_other(
    house: House, crossing: Callable[..., None]
) -> None:
    grant = house.signed()
    revocation = Revocation.by(house.ada, grant.id, house.now)
    crossing(
        lambda: house.consents.register(grant, house.now),
        lambda: house.consents.revoke(revocation, house.now),
    )
    with pytest.raises(ConsentRefused):
        house.consents.admit(grant.id, house.asking(grant), house.now)


def test_a_confirmation_and_a_revocation_that_cross_come_one_after_the_other(
    house: House, crossing: Callable[..., None]
) -> None:
    grant = house.granted()
    use = house.consents.admit(grant.id, house.asking(grant), house.now)
    crossing(
        lambda: house.consents.confirm(use, house.now),
        lambda: house.consents.revoke(Revocation.by(house.ada, grant.id, house.now), house.now),
    )
    kinds = [line["kind"] for line in house.events("use.delivered", "use.voided", "grant.revoked")]
    assert kinds in (["use.delivered", "grant.revoked"], ["use.voided", "grant.revoked"])
    state = {"use.delivered": "delivered", "use.voided": "void"}[kinds[0]]
    assert states(house.database, grant.id) == {use.id: state}


@pytest.mark.slow
def test_processes_keep_the_count_and_the_end(house: House, database_url: str) -> None:
    grant = house.granted(max_uses=12)
    work = {"do": "film", "grant": grant.id, "portrait": grant.portrait_sha256}
    told = run(Worker(database_url, house, **work, films=10) for _ in range(3))
    delivered = [line["use"] for line in told if line["did"] == "delivered"]
    assert len(delivered) == len(set(delivered)) == 12
    assert {line["reason"] for line in told if line["did"] == "refused"} == {"uses_spent"}

    endless = house.granted(max_uses=10_000)
    work = {"do": "film", "grant": endless.id, "portrait": endless.portrait_sha256}
    revocation = Revocation.by(house.ada, endless.id, house.now).data.decode()
    told = run(
        [
            *(Worker(database_url, house, **work, films=40) for _ in range(2)),
            Worker(database_url, house, do="revoke", documents=[revocation]),
        ]
    )
    (revoked,) = (line["at"] for line in told if line["did"] == "revoked")
    assert all(line["began"] < revoked for line in told if line["did"] == "delivered")
    assert set(states(house.database, endless.id).values()) <= {"delivered", "void"}


@pytest.mark.slow
def test_killed_while_filming_nothing_acknowledged_is_lost_and_nothing_is_half_done(
    house: House, database_url: str
) -> None:
    grant = house.granted(max_uses=40)
    work = {"do": "film", "grant": grant.id, "portrait": grant.portrait_sha256, "films": 1000}
    admitted, delivered = set(), set()
    for _ in range(4):
        worker = Worker(database_url, house, **work)
        worker.listen()
        worker.go()
        worker.listen(4)
        worker.kill()
        told = worker.told()
        admitted |= {line["use"] for line in told if line["did"] == "admitted"}
        delivered |= {line["use"] for line in told if line["did"] == "delivered"}
    kept = states(house.database, grant.id)
    really = {use for use, state in kept.items() if state == "delivered"}
    assert delivered
    assert delivered <= really
    assert admitted <= set(kept)
    assert {event["use"] for event in house.events("use.delivered")} == really
    assert {event["use"] for event in house.events("use.admitted")} == set(kept)
    later = house.now + LAPSES_AFTER
    for _ in range(40 - len(really)):
        use = house.consents.admit(grant.id, house.asking(grant), later)
        house.consents.confirm(use, later)
    with pytest.raises(ConsentRefused, match="All 40 films"):
        house.consents.admit(grant.id, house.asking(grant), later)
    assert list(states(house.database, grant.id).values()).count("delivered") == 40


@pytest.mark.slow
def test_killed_while_revoking_a_grant_is_revoked_or_not(house: House, database_url: str) -> None:
    grants = [house.granted() for _ in range(25)]
    uses = {grant.id: house.consents.admit(grant.id, house.asking(grant), house.now) for grant in grants}
    documents = [Revocation.by(house.ada, grant.id, house.now).data.decode() for grant in grants]
    acknowledged = set()
    for _ in range(3):
        worker = Worker(database_url, house, do="revoke", documents=documents)
        worker.listen()
        worker.go()
        worker.listen(3)
        worker.kill()
        acknowledged |= {line["grant"] for line in worker.told() if line["did"] == "revoked"}
        with house.database.transaction() as session:
            ended = set(session.scalars(select(StoredGrant.id).where(StoredGrant.ended == "revoked")))
            filed = set(session.scalars(select(StoredRevocation.grant)))
        voided = {event["use"] for event in house.events("use.voided")}
        assert acknowledged
        assert acknowledged <= ended
        assert ended == filed
        assert {uses[id].id for id in ended} == voided
        assert {event["grant"] for event in house.events("grant.revoked")} == {
            grant.sha256 for grant in grants if grant.id in ended
        }
    for document in documents:
        house.consents.revoke(Revocation.read(document.encode()), house.now + timedelta(minutes=1))
    assert len(house.events("grant.revoked")) == len(grants)
