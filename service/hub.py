"""The hub's state, opened where the command line and the service need it: keys, database, ledger.

=======================  ===================================================================
``VERNISSAGE_HOME``      the hub's folder; by default the user's data directory
``VERNISSAGE_KEYS``      its keys; by default ``keys`` at home
``VERNISSAGE_DATABASE``  its database's URL; by default SQLite in ``hub.sqlite`` at home
``VERNISSAGE_LEDGER``    its ledger's URL (anything fsspec opens); by default ``ledger`` at home
=======================  ===================================================================
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from governance import home as places
from governance import keyfiles
from governance.errors import StorageError
from governance.hubkeys import HubKeys
from governance.keys import SigningKey
from governance.storage import Database

if TYPE_CHECKING:
    from types import TracebackType

    from governance.ledger import Ledger

DATABASE = "VERNISSAGE_DATABASE"
LEDGER = "VERNISSAGE_LEDGER"
DATABASE_FILE = "hub.sqlite"
LEDGER_FOLDER = "ledger"


@dataclass(frozen=True)
class Hub:
    """A hub with its keys and its database open; use it in a ``with`` block.

    Attributes:
        home: its folder.
        keys: what it signs with.
        database: its state, with the schema in place.
    """

    home: Path
    keys: HubKeys = field(repr=False)
    database: Database = field(repr=False)

    @classmethod
    def open(cls, home: Path | None = None) -> Self:
        """Open the hub at ``home``; its database is made if there is none.

        Raises:
            KeysMissing: there are no hub keys: ``vernissage keys init`` makes them.
            KeysUnsafe, KeysDamaged: as ``HubKeys.open`` says.
            StorageError: the database cannot be opened.
        """
        home = home or places.directory()
        return cls(home, HubKeys.open(places.keys_directory(home)), open_database(home))

    @property
    def key(self) -> SigningKey:
        """What the hub signs credentials and responses with."""
        return self.keys.key

    @cached_property
    def ledger(self) -> Ledger:
        """The hub's log, opened when first asked for; made if there is none. Raises ``LedgerError``."""
        from governance.ledger import Ledger

        url = os.environ.get(LEDGER) or str(self.home / LEDGER_FOLDER)
        return Ledger.open(url, self.keys.ledger, origin=self.keys.origin)

    def deliver(self) -> int:
        """Carry what was recorded in the database to the ledger; how many events that was."""
        from governance.ledger import deliver

        return deliver(self.database, self.ledger)

    def close(self) -> None:
        """Give back the database's connections."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def has_database(home: Path | None = None) -> bool:
    """Whether this machine keeps a hub's state: a database is named, or there is one at home."""
    return bool(os.environ.get(DATABASE)) or ((home or places.directory()) / DATABASE_FILE).exists()


def open_database(home: Path | None = None) -> Database:
    """The database alone, for what needs no keys. Raises ``StorageError``."""
    home = home or places.directory()
    url = os.environ.get(DATABASE)
    if url:
        return Database.open(url)
    path = home / DATABASE_FILE
    try:
        home.mkdir(mode=keyfiles.DIRECTORY, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, keyfiles.PRIVATE))
    except OSError as error:
        raise StorageError(
            f"The hub's database {path} cannot be made ({error.strerror}): "
            f"name another folder with {places.HOME}, or a database with {DATABASE}."
        ) from error
    return Database.open(f"sqlite:///{path}")
