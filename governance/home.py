"""Where this hub keeps what is its own: keys, database and ledger."""

import os
from pathlib import Path

import platformdirs

HOME = "VERNISSAGE_HOME"
KEYS = "VERNISSAGE_KEYS"
DATABASE = "VERNISSAGE_DATABASE"
LEDGER = "VERNISSAGE_LEDGER"
DATABASE_FILE = "hub.sqlite"
LEDGER_FOLDER = "ledger"


def directory() -> Path:
    """What ``VERNISSAGE_HOME`` names, else the user's data directory."""
    named = os.environ.get(HOME)
    return Path(named).expanduser() if named else platformdirs.user_data_path("vernissage")


def keys_directory(home: Path | None = None) -> Path:
    """What ``VERNISSAGE_KEYS`` names, else ``keys`` at ``home``."""
    named = os.environ.get(KEYS)
    return Path(named).expanduser() if named else (home or directory()) / "keys"


def has_database(home: Path | None = None) -> bool:
    """Whether a hub keeps its state here: a database is named, or there is one at ``home``."""
    return bool(os.environ.get(DATABASE)) or ((home or directory()) / DATABASE_FILE).exists()
