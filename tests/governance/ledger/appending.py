"""Append to a ledger for ever, saying what was acknowledged: ``python appending.py FOLDER KEY START``."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from governance.events import Event
from governance.keys import SigningKey
from governance.ledger import Ledger

ledger = Ledger.open(sys.argv[1], SigningKey.load(Path(sys.argv[2])), origin="hub.example/ledger")
number = int(sys.argv[3])
while True:
    size = number % 37 + 1
    batch = [
        Event("request.admitted", {"number": n}, datetime(2026, 1, 2, tzinfo=UTC), f"{n:032x}")
        for n in range(number, number + size)
    ]
    entries = ledger.append(batch)
    print(json.dumps([number, [entry.index for entry in entries]]), flush=True)
    number += size
    if number % 3 == 0:
        ledger.checkpoint()
