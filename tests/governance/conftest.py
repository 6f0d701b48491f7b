"""Two people who are the first stewards of a hub, and the moment at which the tests take place."""

from datetime import UTC, datetime

import pytest

from governance.identity import Roster
from governance.keys import SigningKey
from governance.storage import Database


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


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
