"""How the ledger fares as it grows: a part of ``python -m benchmarks.governance``.

Figures at each size:
    append_per_s: events entered durably in batches of 256, published on the way, since the size before.
    proof_ms, proof_ms_p95: an inclusion proof of a random entry, hashes at hand.
    cold_proof_ms: the same by a process that has read nothing yet (files in the system's cache).
    open_ms: opening the log for writing.
    first_append_ms: the first append after that, which reads the index of ids.
    verify_s: checking the whole log offline.
    mib: the files on disk.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from governance.events import Event
from governance.keys import SigningKey
from governance.ledger import Ledger, Published, open_published, verify

SIZES = (10_000, 100_000, 1_000_000)
BATCH = 256
PROOFS = 1000
COLD_PROOFS = 20
ORIGIN = "benchmark.example/ledger"
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def growth(folder: Path, sizes: Sequence[int] = SIZES) -> dict[int, dict[str, float]]:
    """Grow a ledger in ``folder`` (new) to each of ``sizes`` and measure it there."""
    key = SigningKey.generate()
    place = str(folder)
    chance = random.Random(0)
    ledger = Ledger.open(place, key, origin=ORIGIN)
    figures: dict[int, dict[str, float]] = {}
    grown = 0
    for size in sizes:
        began = time.perf_counter()
        for start in range(grown, size, BATCH):
            ledger.append([_event(number) for number in range(start, min(start + BATCH, size))])
        ledger.checkpoint()
        seconds = time.perf_counter() - began
        warm = [_proof_ms(ledger, chance.randrange(size), size) for _ in range(PROOFS)]
        cold = [
            _proof_ms(open_published(place, ledger.verifier), chance.randrange(size), size)
            for _ in range(COLD_PROOFS)
        ]
        began = time.perf_counter()
        reopened = Ledger.open(place, key, origin=ORIGIN)
        opened = time.perf_counter()
        reopened.append([_event(size - 1)])
        appended = time.perf_counter()
        verify(place, ledger.verifier)
        figures[size] = {
            "append_per_s": round((size - grown) / seconds),
            "proof_ms": round(statistics.median(warm), 3),
            "proof_ms_p95": round(statistics.quantiles(warm, n=20)[-1], 3),
            "cold_proof_ms": round(statistics.median(cold), 3),
            "open_ms": round((opened - began) * 1e3, 1),
            "first_append_ms": round((appended - opened) * 1e3, 1),
            "verify_s": round(time.perf_counter() - appended, 2),
            "mib": round(sum(file.stat().st_size for file in folder.rglob("*")) / 2**20, 1),
        }
        grown = size
    return figures


def _event(number: int) -> Event:
    facts: dict[str, str | int] = {
        "grant": f"sha256:{number:064x}",
        "request": f"sha256:{-number % 2**256:064x}",
    }
    return Event("request.admitted", facts, MOMENT, f"{number:032x}")


def _proof_ms(log: Published, index: int, size: int) -> float:
    began = time.perf_counter()
    log.inclusion(index, size)
    return (time.perf_counter() - began) * 1e3
