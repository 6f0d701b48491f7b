"""The house's own sitters: fictional people made by our scripts, with clips for them to speak.

The pictures are CC0-1.0, the clips Apache-2.0; ``authoring/`` holds the scripts that made them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Clip:
    """A speech clip. ``seconds`` long; ``text`` is what is said."""

    name: str
    path: Path
    text: str
    voice: str
    seconds: float
    licence: str
    sha256: str


@dataclass(frozen=True)
class Sitter:
    """A portrait of somebody who never lived. ``clip`` is what suits them."""

    name: str
    title: str
    medium: str
    path: Path
    licence: str
    sha256: str
    clip: Clip


@cache
def clips() -> tuple[Clip, ...]:
    """Every committed speech clip."""
    entries = json.loads((_HERE / "speech" / "clips.json").read_text())
    return tuple(
        Clip(
            name=Path(entry["file"]).stem,
            path=_HERE / "speech" / entry["file"],
            text=entry["text"],
            voice=entry["voice"],
            seconds=entry["seconds"],
            licence=entry["licence"],
            sha256=entry["sha256"],
        )
        for entry in entries
    )


@cache
def sitters() -> tuple[Sitter, ...]:
    """Every committed sitter, the demo's first."""
    by_name = {clip.name: clip for clip in clips()}
    entries = json.loads((_HERE / "sitters.json").read_text())
    return tuple(
        Sitter(
            name=Path(entry["file"]).stem,
            title=entry["title"],
            medium=entry["medium"],
            path=_HERE / entry["file"],
            licence=entry["licence"],
            sha256=entry["sha256"],
            clip=by_name[entry["clip"]],
        )
        for entry in entries
    )


def recognise(sha256: str) -> Sitter | None:
    """The sitter whose picture file has this hash, if it is one of ours."""
    return next((sitter for sitter in sitters() if sitter.sha256 == sha256), None)
