"""Faces, voices, turned heads and spoken words: what a consent ceremony is told by, kept as little as can be.

checks = all_checks(home / "templates.json", words())
checks.face(portrait, film)

Names are imported when they are first used, so that the process which opens uploads holds no database code.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from governance.biometrics.checks import all_checks
    from governance.biometrics.faces import SAME_FACE, Face, Faces
    from governance.biometrics.galleries import FaceGallery, VoiceGallery
    from governance.biometrics.keyring import Keyring
    from governance.biometrics.store import TemplateStore, rotate
    from governance.biometrics.templates import (
        FaceTemplate,
        Template,
        VoiceTemplate,
        commit,
        new_salt,
        opens,
        similarity,
    )
    from governance.biometrics.voices import SAME_VOICE, Voices

__all__ = [
    "SAME_FACE",
    "SAME_VOICE",
    "Face",
    "FaceGallery",
    "FaceTemplate",
    "Faces",
    "Keyring",
    "Template",
    "TemplateStore",
    "VoiceGallery",
    "VoiceTemplate",
    "Voices",
    "all_checks",
    "commit",
    "new_salt",
    "opens",
    "rotate",
    "similarity",
]

_MODULES = {
    "checks": ("all_checks",),
    "faces": ("SAME_FACE", "Face", "Faces"),
    "galleries": ("FaceGallery", "VoiceGallery"),
    "keyring": ("Keyring",),
    "store": ("TemplateStore", "rotate"),
    "templates": (
        "FaceTemplate",
        "Template",
        "VoiceTemplate",
        "commit",
        "new_salt",
        "opens",
        "similarity",
    ),
    "voices": ("SAME_VOICE", "Voices"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
