"""Ledgers to try things on."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from governance.events import Event
from governance.keys import SigningKey
from governance.ledger import Ledger

ORIGIN = "hub.example/ledger"
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)


@pytest.fixture(scope="session")
def key() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture(scope="session")
def open_ledger(key: SigningKey) -> Callable[[Path | str], Ledger]:
    def open_at(place: Path | str) -> Ledger:
        return Ledger.open(str(place), key, origin=ORIGIN)

    return open_at


@pytest.fixture
def ledger(folder: Path, open_ledger: Callable[[Path | str], Ledger]) -> Ledger:
    return open_ledger(folder)


@pytest.fixture(scope="session")
def happenings() -> Callable[[int, int], list[Event]]:
    """The events numbered from the first to the second (exclusive), the same at each call."""

    def make(start: int, stop: int) -> list[Event]:
        return [
            Event("request.admitted", {"number": number}, MOMENT, f"{number:032x}")
            for number in range(start, stop)
        ]

    return make
