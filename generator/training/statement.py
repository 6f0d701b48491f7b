"""What a training run says about itself."""

from __future__ import annotations

import subprocess
from pathlib import Path


def code_version(*folders: str) -> str:
    """The last commit that touched these folders of the generator, and whether they changed since."""
    generator = Path(__file__).parents[1]

    def git(*arguments: str) -> str:
        command = ["git", *arguments, "--", *folders]
        return subprocess.run(command, cwd=generator, capture_output=True, text=True, check=False).stdout

    changed = " with changes" if git("status", "--porcelain", "-uno") else ""
    return (git("log", "-1", "--format=%H").strip() or "unknown") + changed
