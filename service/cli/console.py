"""How the command line speaks: results on standard output, everything else on standard error."""

from __future__ import annotations

from rich.console import Console

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
