"""A hub is its home: keys, a database nobody else can read, and a ledger."""

import stat
from pathlib import Path

import pytest

from governance import home as places
from governance.errors import KeysMissing, StorageError
from governance.events import Event
from governance.hubkeys import HubKeys
from governance.storage import record
from service import hub
from service.hub import Hub


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "KEYS", "DATABASE", "LEDGER"):
        monkeypatch.delenv(f"VERNISSAGE_{name}", raising=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "deep" / "home"
    HubKeys.init(folder / "keys")
    return folder


def test_a_hub_opens_at_home_for_its_owner_alone(home: Path) -> None:
    with Hub.open(home) as opened:
        assert opened.key.keyid == HubKeys.open(home / "keys").key.keyid
    assert stat.S_IMODE((home / "hub.sqlite").stat().st_mode) == 0o600


def test_home_is_what_the_environment_names(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERNISSAGE_HOME", str(home))
    assert not places.has_database()
    with Hub.open() as opened:
        assert opened.home == home
    assert places.has_database()


def test_a_hub_without_keys_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(KeysMissing, match="vernissage keys init"):
        Hub.open(tmp_path)
    assert not places.has_database(tmp_path)


def test_a_named_database_is_used(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERNISSAGE_DATABASE", f"sqlite:///{tmp_path / 'elsewhere.sqlite'}")
    assert places.has_database(home)
    with Hub.open(home):
        assert (tmp_path / "elsewhere.sqlite").exists()
    assert not (home / "hub.sqlite").exists()


def test_a_home_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="VERNISSAGE_HOME"):
        hub.open_database(tmp_path / "file" / "home")


def test_what_is_recorded_is_delivered_to_the_ledger_once(home: Path) -> None:
    pytest.importorskip("governance.ledger")
    with Hub.open(home) as opened:
        with opened.database.transaction() as session:
            record(session, Event("grant.revoked", {"grant": "ab12"}))
        assert opened.deliver() == 1
        assert opened.deliver() == 0
        assert opened.ledger.checkpoint().size == 1
    with Hub.open(home) as again:
        assert again.ledger.checkpoint().origin == opened.keys.origin
