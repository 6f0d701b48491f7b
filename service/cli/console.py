"""How the command line speaks: results on standard output, everything else on standard error."""

from __future__ import annotations

import json

import typer
from rich.console import Console
from rich.text import Text

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def complain(message: str) -> None:
    """One line about what went wrong."""
    err.print("[red]error[/]", end=" ")
    err.print(message, markup=False)


def note(message: str) -> None:
    """One line the user should know, without it being an error."""
    err.print("[yellow]note[/]", end=" ")
    err.print(message, markup=False)


def print_json(value: object) -> None:
    """A result for programs: JSON in ASCII, whatever the terminal's encoding."""
    typer.echo(json.dumps(value, indent=2))


def indented(text: str | Text, columns: int) -> None:
    """A result for people, set in by ``columns`` and broken between words, however narrow the terminal."""
    whole = Text(text) if isinstance(text, str) else text
    for line in whole.wrap(out, max(1, out.width - columns)):
        line.rstrip()
        out.print(Text.assemble(" " * columns, line))
