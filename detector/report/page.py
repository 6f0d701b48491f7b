"""The page itself."""

from __future__ import annotations

from html import escape

from detector.inspection import Examination
from detector.protocol import Classifier


def render(examination: Examination, classifier: Classifier | None = None) -> str:
    """One HTML file: nothing is loaded from anywhere, and whatever the file says of itself is escaped."""
    verdict = examination.verdict
    sentences = "".join(f"<p>{escape(sentence)}</p>" for sentence in verdict.summary)
    name = escape(verdict.file.name)
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>{sentences}</html>\n'
