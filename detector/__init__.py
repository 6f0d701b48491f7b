"""Recognises our own films, also when the manifest is gone.

from detector import Tools, inspect
verdict = inspect(path, Tools(picture_marks=(PictureMark(key),)))
verdict.ours.answer          # yes, no or inconclusive; verdict.summary says it in words

Names are looked up when they are asked for: the process that decodes hostile files loads none of this.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detector.inspection import Examination, Tools, examine, inspect
    from detector.jobs import job_name, job_number
    from detector.verdict import Answer, Evidence, Layer, ManifestEvidence, Outcome, Verdict

__all__ = [
    "Answer",
    "Evidence",
    "Examination",
    "Layer",
    "ManifestEvidence",
    "Outcome",
    "Tools",
    "Verdict",
    "examine",
    "inspect",
    "job_name",
    "job_number",
]

_ROOMS = {
    "detector.inspection": ("Examination", "Tools", "examine", "inspect"),
    "detector.jobs": ("job_name", "job_number"),
    "detector.verdict": ("Answer", "Evidence", "Layer", "ManifestEvidence", "Outcome", "Verdict"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ROOM_OF[name]), name)
