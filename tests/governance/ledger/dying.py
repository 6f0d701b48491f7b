"""Run a workload on a ledger again and again, each time dying a little later.

``python dying.py ROOT KEY STRIDE MODE``: the folders ``ROOT/0``, ``ROOT/STRIDE``, … hold what a process left
that was killed (SIGKILL, by itself) at that many operations on files; ``acknowledged`` in each is what it had
been told. MODE ``torn`` also cuts the file that was about to be forced to disk in half, as a power cut may.
"""

import json
import os
import signal
import stat
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from governance.events import Event
from governance.keys import SigningKey
from governance.ledger import Ledger, known, log

WATCHED = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree"}
BATCHES = [(0, 5), (5, 30), (28, 34), (34, 280), (280, 281), (279, 300)]
"""Numbers of the events in each batch; some come twice."""
ORIGIN = "hub.example/ledger"


def events(start: int, stop: int) -> list[Event]:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
    return [
        Event("request.admitted", {"number": number}, moment, f"{number:032x}")
        for number in range(start, stop)
    ]


def work(folder: Path, key: SigningKey) -> None:
    acknowledged = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number, (start, stop) in enumerate(BATCHES):
        ledger = Ledger.open(str(folder / "ledger"), key, origin=ORIGIN)
        entries = ledger.append(events(start, stop))
        places = {begun: entry.index for begun, entry in zip(range(start, stop), entries, strict=True)}
        os.write(acknowledged, json.dumps(places).encode() + b"\n")
        if number % 2:
            ledger.checkpoint()


def die_at(count: int, folder: Path, torn: bool) -> None:
    """End this process just before its operation number ``count`` on files of ``folder``."""
    left = count
    sync = os.fsync

    def step() -> None:
        nonlocal left
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    def hook(event: str, arguments: Sequence[Any]) -> None:
        if event in WATCHED and str(arguments[0]).startswith(str(folder)):
            step()

    def fsync(descriptor: int) -> None:
        if torn and not left and stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
        step()
        sync(descriptor)

    os.fsync = fsync
    sys.addaudithook(hook)


def main(root: Path, key: SigningKey, stride: int, torn: bool) -> None:
    known.RUN = 16
    log.PUBLISH_EVERY = 200
    count = 0
    while True:
        folder = root / str(count)
        folder.mkdir()
        child = os.fork()
        if not child:
            die_at(count, folder / "ledger", torn)
            work(folder, key)
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            return
        count += stride


if __name__ == "__main__":
    main(Path(sys.argv[1]), SigningKey.load(Path(sys.argv[2])), int(sys.argv[3]), sys.argv[4] == "torn")
