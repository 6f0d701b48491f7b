"""The folder the third-party files live in, and the check that each is byte for byte the pinned one."""

import hashlib
import os
from enum import Enum
from pathlib import Path

import platformdirs

from assets.errors import AssetCorrupt, AssetMissing
from assets.manifest import Asset, get

OVERRIDE = "VERNISSAGE_ASSETS"

_verified: dict[tuple[Path, str], tuple[int, int, int]] = {}


class State(Enum):
    """What the folder holds under an asset's name."""

    GOOD = "verified"
    MISSING = "missing"
    CORRUPT = "bytes differ"


def directory() -> Path:
    """The assets folder: ``$VERNISSAGE_ASSETS`` if set (air-gapped sites), else the user's cache folder."""
    override = os.environ.get(OVERRIDE)
    return (
        Path(override).expanduser().absolute()
        if override
        else platformdirs.user_cache_path("vernissage") / "assets"
    )


def path(name: str) -> Path:
    """A verified file of the manifest. It is hashed once per process, and again whenever it changes on disk.

    Raises ``AssetMissing`` if it is not there, ``AssetCorrupt`` if any byte differs, and ``AssetError`` if
    the manifest names no such file.
    """
    asset = get(name)
    file = directory() / asset.name
    found = state(asset)
    if found is State.MISSING:
        raise AssetMissing(
            f"{name} is not in {file.parent}. Run `vernissage assets fetch`, "
            f"or set {OVERRIDE} to a folder that holds it."
        )
    if found is State.CORRUPT:
        raise AssetCorrupt(
            f"{file} is not the file this version was released with (its sha256 must be {asset.sha256}). "
            "Run `vernissage assets fetch` to replace it."
        )
    return file


def state(asset: Asset) -> State:
    """Whether the folder holds the asset's exact bytes."""
    file = directory() / asset.name
    try:
        stat = file.stat()
        identity = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if _verified.get((file, asset.sha256)) == identity:
            return State.GOOD
        if not matches(file, asset):
            return State.CORRUPT
    except (FileNotFoundError, NotADirectoryError):
        return State.MISSING
    except OSError:
        return State.CORRUPT
    _verified[file, asset.sha256] = identity
    return State.GOOD


def matches(file: Path, asset: Asset) -> bool:
    """Whether ``file`` has the pinned size and sha256. Raises ``OSError`` if it cannot be read."""
    if file.stat().st_size != asset.bytes:
        return False
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == asset.sha256
