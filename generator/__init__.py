"""Makes a portrait speak: ``Portrait`` and ``Speech`` in, ``Motion`` between, a film out.

The names below are imported when first used, so that light work, such as listing sitters, stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.film import render_film as render_film
    from generator.motion import Motion as Motion
    from generator.portrait.portrait import Portrait as Portrait
    from generator.render.renderer import Renderer as Renderer
    from generator.speech.audio import Speech as Speech

_HOMES = {
    "Motion": "generator.motion",
    "Portrait": "generator.portrait.portrait",
    "Renderer": "generator.render.renderer",
    "Speech": "generator.speech.audio",
    "render_film": "generator.film",
}

__all__ = ["Motion", "Portrait", "Renderer", "Speech", "render_film"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'generator' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
