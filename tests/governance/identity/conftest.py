"""A hub with its first two stewards, on each database."""

from datetime import UTC, datetime

import pytest

from governance.identity import Roster
from governance.keys import SigningKey
from governance.storage import Database

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def hub() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture
def ada() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture
def grace() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture
def roster(database: Database, hub: SigningKey, ada: SigningKey, grace: SigningKey, now: datetime) -> Roster:
    made = Roster(database, hub)
    made.bootstrap("The Daily House", [("Ada", ada.public), ("Grace", grace.public)], now)
    return made
