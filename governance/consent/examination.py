"""Putting a ceremony's film to every check, and taking nothing but a clear yes for a yes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from governance.consent.checks import Checks, Finding
from governance.consent.phrase import Challenge
from governance.errors import GovernanceError

_REASON = re.compile(r"[a-z][a-z_]{0,39}")

WHAT = {
    "face": "whether the face in the film is the one in the picture",
    "phrase": "whether the phrase is spoken in the film",
    "turn": "whether the head turns in the film as asked",
    "voice": "whether the voice in the film is the one in the sample",
    "synthetic": "whether the film was really filmed",
}
"""What each check is about."""


def examine(
    checks: Checks, challenge: Challenge, portrait: Path, video: Path, voice: Path | None
) -> tuple[Finding, ...]:
    """What stands against the ``video``; nothing if it passed every check. ``voice``: a sample, if a voice is
    to be granted."""
    asked = {
        "face": _ask("face", checks.face, portrait, video),
        "phrase": _ask("phrase", checks.phrase, video, challenge.phrase),
        "turn": _ask("turn", checks.turn, video, challenge.turns),
        "synthetic": _ask("synthetic", checks.synthetic, video),
    }
    if voice is not None:
        asked["voice"] = _ask("voice", checks.voice, voice, video)
    return tuple(finding for finding in asked.values() if not finding.passed)


def _ask(name: str, check: Callable[..., Finding] | None, *about: object) -> Finding:
    if check is None:
        return Finding.failed(f"{name}_absent", f"This hub cannot tell {WHAT[name]}, so it refuses.")
    try:
        found = check(*about)
    except GovernanceError as error:
        return Finding.failed(f"{name}_error", str(error))
    except Exception:
        found = None
    if not isinstance(found, Finding) or type(found.passed) is not bool:
        return Finding.failed(f"{name}_error", f"The check {WHAT[name]} broke down: film yourself once more.")
    if found.passed or _REASON.fullmatch(found.reason):
        return found
    return Finding.failed(f"{name}_failed", found.sentence)
