"""What deciding and remembering costs: ``python -m benchmarks.governance [--quick]``.

Figures (medians unless said otherwise):
    verify_ms: a signed request with a JSON body of 1 KiB is verified (RFC 9421, RFC 9530).
    verify_p95_ms: of the same, the slowest 1 in 20.
    remembered_ms: the same, and its nonce is durably in the database (SQLite), so that it counts once.
    policy_ms: one decision by all policies, on a grant; ``policy_p95_ms`` likewise; ``policy_load_ms`` once.
    append_per_s: events entered in the ledger, durable in batches of 256, at the worst of all sizes.
    delivered_per_s: events carried from the database's outbox to the ledger, durable on both sides.
    proof_ms_at_1e6: an inclusion proof for any entry at one million, read from the files;
        ``proof_p95_ms_at_1e6`` likewise.
    growth: by the number of entries: append_per_s, proof_ms, consistency_ms (a proof that the log continues
        its first tenth), checkpoint_ms (one more entry is appended and published), open_s (a process opens
        the log to append), bytes_per_entry (of all its files).
    verify_s_per_1e5: an outsider verifies the whole log offline, for each hundred thousand entries.
    others_load: how many processes of others wanted a core when it began (load average of a minute).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.report import publish
from governance.events import Event
from governance.keys import SigningKey
from governance.ledger import Ledger, Verifier, deliver, open_published, verify
from governance.policy import Action, CheckResult, GrantFacts, Policy, Principal, PrincipalKind, Sitter
from governance.policy import Request as Question
from governance.requests import Replay, Request, sign_request, verify_request
from governance.storage import Database, record

SIZES = (10_000, 100_000, 1_000_000)
QUICK_SIZES = (1_000, 10_000)
ORIGIN = "hub.example/ledger"
HUB = "https://hub.example"
BATCH = 256
FILL = 4096
BATCHES = 20
RUNS = 300
PROOFS = 300
PORTRAIT = "3b" * 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small ledgers; nothing is kept")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="vernissage-") as folder:
        figures = measure(Path(folder), QUICK_SIZES if quick else SIZES)
    if quick:
        print(json.dumps(figures))
    else:
        publish("governance", figures)


def measure(folder: Path, sizes: Sequence[int]) -> dict[str, Any]:
    """All figures, with ledgers of ``sizes`` entries."""
    figures: dict[str, Any] = {"others_load": round(os.getloadavg()[0], 1)}
    for name, part in (
        ("requests", lambda: requests(folder)),
        ("policies", policies),
        ("delivery", lambda: delivery(folder)),
        ("ledger", lambda: ledger(folder, sizes)),
    ):
        print(f"{name} …", flush=True)
        figures |= part()
    return figures


def requests(folder: Path) -> dict[str, float]:
    """Of signed requests."""
    key, now = SigningKey.generate(), datetime.now(UTC)
    body = json.dumps({"portrait": PORTRAIT, "words": "x" * 900}).encode()
    asked = Request("POST", f"{HUB}/v1/films", (("Content-Type", "application/json"),), body)
    signed = [sign_request(asked, key, now) for _ in range(RUNS)]
    database = Database.open(f"sqlite:///{folder / 'requests.sqlite'}")
    replay, waiting = Replay(database), iter(signed)

    def believe(request: Request) -> Any:
        return verify_request(request, origin=HUB, keys=lambda _: key.public, now=now)

    verified = timed(lambda: believe(signed[0]), RUNS)
    remembered = timed(lambda: replay.remember(believe(next(waiting)), now), RUNS)
    database.close()
    return {
        "verify_ms": middle(verified),
        "verify_p95_ms": slow(verified),
        "remembered_ms": middle(remembered),
    }


def policies() -> dict[str, float]:
    """Of decisions."""
    began = time.perf_counter()
    policy = Policy.load()
    loaded = (time.perf_counter() - began) * 1000
    now = datetime.now(UTC)
    purpose = frozenset({"dpv:PublicBenefit"})
    question = Question(
        Action.GENERATE,
        Principal(PrincipalKind.HOLDER, frozenset({"organisation:museum"}), "generate"),
        now,
        Sitter.LIVING_PERSON,
        PORTRAIT,
        purposes=purpose,
        directions=frozenset({"happy"}),
        locale="en-GB",
        sitters_voice=False,
        minor=False,
        public_figure=False,
        checks=dict.fromkeys(CHECKS, CheckResult.CLEAR),
        rung="public",
        grant=GrantFacts(
            verified=True,
            grantee="organisation:museum",
            portrait=PORTRAIT,
            purposes=purpose,
            directions=frozenset({"happy", "neutral"}),
            locales=frozenset({"en"}),
            voice=False,
            not_before=now - timedelta(days=1),
            expires=now + timedelta(days=1),
            uses_left=3,
        ),
    )
    decision = policy.decide(question)
    if not decision.allowed:
        raise SystemExit(f"The question of this benchmark is no longer allowed: {decision.sentence}")
    decided = timed(lambda: policy.decide(question), RUNS)
    return {"policy_ms": middle(decided), "policy_p95_ms": slow(decided), "policy_load_ms": round(loaded, 1)}


CHECKS = (
    "standingRefusal", "knownFace", "minor", "publicFigure", "politicalPersuasion", "sexualContent",
    "impersonation", "authenticationDeception",
)  # fmt: skip


def delivery(folder: Path) -> dict[str, float]:
    """Of carrying events from the database to the ledger."""
    database = Database.open(f"sqlite:///{folder / 'outbox.sqlite'}")
    log = Ledger.open(str(folder / "delivered"), SigningKey.generate(), origin=ORIGIN)
    with database.transaction() as session:
        for event in events(BATCH * BATCHES):
            record(session, event)
    began = time.perf_counter()
    count = deliver(database, log)
    seconds = time.perf_counter() - began
    database.close()
    return {"delivered_per_s": round(count / seconds)}


def ledger(folder: Path, sizes: Sequence[int]) -> dict[str, Any]:
    """Of a log that grows to each of ``sizes`` entries."""
    key, place = SigningKey.generate(), folder / "ledger"
    growth: dict[str, dict[str, float]] = {}
    log = Ledger.open(str(place), key, origin=ORIGIN)
    reached = 0
    for size in sizes:
        while reached < size:
            reached += len(log.append(list(events(min(FILL, size - reached)))))
        log.checkpoint()
        began = time.perf_counter()
        log = Ledger.open(str(place), key, origin=ORIGIN)
        log.append(list(events(1)))
        opened = time.perf_counter() - began
        log.checkpoint()
        growth[f"{size:.0e}".replace("+0", "")] = {
            **proofs(place, key, size),
            "open_s": round(opened, 3),
            "append_per_s": appended(log),
            "checkpoint_ms": published_each(log),
            "bytes_per_entry": round(sum(file.stat().st_size for file in place.rglob("*")) / size),
        }
        reached = log.checkpoint().size
        print(json.dumps(growth), flush=True)
    began = time.perf_counter()
    verify(str(place), Verifier(ORIGIN, key.public))
    checked = time.perf_counter() - began
    name, last = list(growth.items())[-1]
    return {
        "append_per_s": min(at["append_per_s"] for at in growth.values()),
        f"proof_ms_at_{name}": last["proof_ms"],
        f"proof_p95_ms_at_{name}": last["proof_p95_ms"],
        "growth": growth,
        "verify_s_per_1e5": round(checked / reached * 1e5, 2),
    }


def proofs(place: Path, key: SigningKey, size: int) -> dict[str, float]:
    """As anybody makes them from the published files."""
    published, chosen = open_published(str(place), Verifier(ORIGIN, key.public)), random.Random(7)
    included = timed(lambda: published.inclusion(chosen.randrange(size), size), PROOFS)
    continued = timed(lambda: published.consistency(size // 10, size), PROOFS // 10)
    return {
        "proof_ms": middle(included),
        "proof_p95_ms": slow(included),
        "consistency_ms": middle(continued),
    }


def appended(log: Ledger) -> float:
    """Events a second, durable in batches."""
    batches = [list(events(BATCH)) for _ in range(BATCHES)]
    began = time.perf_counter()
    for batch in batches:
        log.append(batch)
    return round(BATCH * BATCHES / (time.perf_counter() - began))


def published_each(log: Ledger) -> float:
    """One entry more, and a signed checkpoint for it, ms."""

    def publish_one() -> None:
        log.append(list(events(1)))
        log.checkpoint()

    return middle(timed(publish_one, BATCHES))


def events(count: int) -> Iterator[Event]:
    """Such as a hub records, each another."""
    for _ in range(count):
        use = uuid.uuid4().hex
        request = hashlib.sha256(use.encode()).hexdigest()
        yield Event("use.admitted", {"use": use, "right": PORTRAIT, "request": request})


def timed(action: Callable[[], object], runs: int) -> list[float]:
    """Wall times in ms."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        action()
        times.append((time.perf_counter() - began) * 1000)
    return times


def middle(times: Sequence[float]) -> float:
    """The median, ms."""
    return round(statistics.median(times), 3)


def slow(times: Sequence[float]) -> float:
    """The 95th percentile, ms."""
    return round(statistics.quantiles(times, n=20)[-1], 3)


if __name__ == "__main__":
    main()
