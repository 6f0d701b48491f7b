"""Faces, voices, turned heads and spoken words: what a consent ceremony is told by, kept as little as can be.

checks = all_checks(home / "templates.json", words())
checks.face(portrait, film)
"""

from governance.biometrics.checks import all_checks
from governance.biometrics.faces import SAME_FACE, Face, Faces
from governance.biometrics.galleries import FaceGallery, VoiceGallery
from governance.biometrics.keyring import Keyring
from governance.biometrics.store import TemplateStore, rotate
from governance.biometrics.tables import StoredTemplate
from governance.biometrics.templates import (
    FaceTemplate,
    Template,
    VoiceTemplate,
    commit,
    new_salt,
    opens,
    similarity,
)

__all__ = [
    "SAME_FACE",
    "Face",
    "FaceGallery",
    "FaceTemplate",
    "Faces",
    "Keyring",
    "StoredTemplate",
    "Template",
    "TemplateStore",
    "VoiceGallery",
    "VoiceTemplate",
    "all_checks",
    "commit",
    "new_salt",
    "opens",
    "rotate",
    "similarity",
]
