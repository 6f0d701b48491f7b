"""``vernissage sitters``: the portraits and clips that come with the house."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table

from generator.sitters import clips
from generator.sitters import sitters as house_sitters
from service.cli import console


def sitters(
    copy_to: Annotated[
        Path | None, typer.Option("--copy", help="Also copy the pictures and clips into this folder.")
    ] = None,
) -> None:
    """List our own sitters: fictional people anyone may animate, and what they can say."""
    table = Table(_name("sitter"), "title", "medium", _name("clip"), "licence")
    for sitter in house_sitters():
        table.add_row(sitter.name, sitter.title, sitter.medium, sitter.clip.name, sitter.licence)
    console.out.print(table)
    words = Table(_name("clip"), "voice", "seconds", "words", "licence")
    for clip in clips():
        words.add_row(clip.name, clip.voice, f"{clip.seconds:.1f}", clip.text, clip.licence)
    console.out.print(words)
    first = house_sitters()[0]
    console.out.print(f"Try: vernissage animate {first.name} {first.clip.name} -o film.mp4")
    if copy_to is not None:
        _copy(copy_to)


def _name(header: str) -> Column:
    """A column of names to be typed again: whole on the narrowest terminal."""
    return Column(header, no_wrap=True)


def _copy(folder: Path) -> None:
    import shutil

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in (item.path for group in (house_sitters(), clips()) for item in group):
            shutil.copyfile(path, folder / path.name)
    except OSError as error:
        raise typer.BadParameter(f"{folder} cannot be written ({error.strerror}).") from error
    console.out.print(f"Copied to {folder}", markup=False)
