"""Where this hub keeps what is its own: keys, database and ledger."""

import os
from pathlib import Path

import platformdirs

HOME = "VERNISSAGE_HOME"
KEYS = "VERNISSAGE_KEYS"


def directory() -> Path:
    """What ``VERNISSAGE_HOME`` names, else the user's data directory."""
    named = os.environ.get(HOME)
    return Path(named).expanduser() if named else platformdirs.user_data_path("vernissage")


def keys_directory(home: Path | None = None) -> Path:
    """What ``VERNISSAGE_KEYS`` names, else ``keys`` at ``home``."""
    named = os.environ.get(KEYS)
    return Path(named).expanduser() if named else (home or directory()) / "keys"
