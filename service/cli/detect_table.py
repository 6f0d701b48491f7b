"""The table that ``vernissage detect --csv`` writes: a line for each file, for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detector import Verdict

LAYERS = ("manifest", "picture_mark", "sound_mark", "fingerprint", "classifier")
COLUMNS = (
    "file",
    "ours",
    "ours_probability",
    "synthetic",
    "synthetic_probability",
    "job",
    "job_confidence",
    "conflict",
    "seconds",
    *LAYERS,
    "error",
)
_FORMULA = tuple("=+-@\t\r")


def table(found: Iterable[tuple[Path, Verdict | str]]) -> str:
    """The verdict on each file, or why there is none."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for path, verdict in found:
        cells = {"error": _harmless(verdict)} if isinstance(verdict, str) else _cells(verdict)
        writer.writerow({"file": _harmless(str(path))} | cells)
    return text.getvalue()


def _cells(verdict: Verdict) -> dict[str, object]:
    job = verdict.jobs[0] if verdict.jobs else None
    cells: dict[str, object] = {
        "ours": verdict.ours.answer.value,
        "ours_probability": _number(verdict.ours.probability),
        "synthetic": verdict.synthetic.answer.value,
        "synthetic_probability": _number(verdict.synthetic.probability),
        "job": _harmless(job.job) if job else "",
        "job_confidence": _number(job.confidence if job else None),
        "conflict": "yes" if verdict.conflict else "no",
        "seconds": verdict.file.seconds,
        "error": _harmless(verdict.file.damage or ""),
    }
    return cells | {one.layer.value: one.outcome.value for one in verdict.evidence}


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _harmless(text: str) -> str:
    """Not to be taken for a formula by a spreadsheet."""
    return f"'{text}" if text.startswith(_FORMULA) else text
