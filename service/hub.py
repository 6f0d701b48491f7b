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
from types import TracebackType
from typing import Any, Self

from governance import home as places
from governance import keyfiles
from governance.consent import Gallery
from governance.errors import StorageError
from governance.hubkeys import TEMPLATES, HubKeys
from governance.identity import trust
from governance.keys import SigningKey
from governance.ledger import Ledger, deliver
from governance.storage import Database


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
        """Open the hub at ``home``; its database is made if there is none, and believes credentials that any
        key of the hub signed that was not stolen.

        Raises:
            KeysMissing: there are no hub keys: ``vernissage keys init`` makes them.
            KeysUnsafe, KeysDamaged: as ``HubKeys.open`` says.
            StorageError: the database cannot be opened.
        """
        home = home or places.directory()
        keys = HubKeys.open(places.keys_directory(home))
        database = open_database(home)
        trust(database, *keys.believed)
        return cls(home, keys, database)

    @property
    def key(self) -> SigningKey:
        """What the hub signs credentials and responses with."""
        return self.keys.key

    @cached_property
    def ledger(self) -> Ledger:
        """The hub's log, opened when first asked for; made if there is none. Raises ``LedgerError``."""
        url = os.environ.get(places.LEDGER) or str(self.home / places.LEDGER_FOLDER)
        return Ledger.open(url, self.keys.ledger, origin=self.keys.origin)

    @cached_property
    def faces(self) -> Gallery[Any]:
        """The faces of those who refused or granted; their templates' key is kept beside the others."""
        from governance.biometrics import FaceGallery

        return FaceGallery(self.keys.directory / TEMPLATES)

    def deliver(self) -> int:
        """Carry what was recorded in the database to the ledger; how many events that was."""
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


def open_database(home: Path | None = None) -> Database:
    """The database alone, for what needs no keys. Raises ``StorageError``."""
    home = home or places.directory()
    url = os.environ.get(places.DATABASE)
    if url:
        return Database.open(url)
    path = home / places.DATABASE_FILE
    try:
        home.mkdir(mode=keyfiles.DIRECTORY, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, keyfiles.PRIVATE))
    except OSError as error:
        raise StorageError(
            f"The hub's database {path} cannot be made ({error.strerror}): "
            f"name another folder with {places.HOME}, or a database with {places.DATABASE}."
        ) from error
    return Database.open(f"sqlite:///{path}")
