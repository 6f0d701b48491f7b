"""Where a film may be written."""

import secrets
from pathlib import Path

from service.errors import OutputRefused


def check_output(out: Path, *inputs: Path) -> None:
    """Refuse early what would otherwise fail after minutes of rendering. Raises ``OutputRefused``."""
    if out.suffix.lower() != ".mp4":
        raise OutputRefused(f"{out} is no name for an MP4 film: give one that ends in .mp4.")
    if not out.parent.is_dir():
        raise OutputRefused(f"The folder {out.parent} does not exist: create it first.")
    if out.is_dir():
        raise OutputRefused(f"{out} is a folder: give the name of a file in it.")
    if out.exists() and any(file.exists() and file.samefile(out) for file in inputs):
        raise OutputRefused(f"{out} is what the film is made from: give the film another name.")
    trial = hidden_beside(out)
    try:
        trial.touch(exist_ok=False)
        trial.unlink()
    except OSError as error:
        raise OutputRefused(
            f"{out} cannot be written ({error.strerror}): choose a folder that you may write to."
        ) from error


def hidden_beside(out: Path) -> Path:
    """A name nobody uses, in the folder of ``out``, so that the film can take its place in one step."""
    return out.with_name(f".{secrets.token_hex(8)}.unsealed.mp4")
