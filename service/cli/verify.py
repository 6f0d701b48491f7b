"""``vernissage verify``: what any file says about its origin, in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from governance.provenance import State, TrustList, house_trust, read
from service.cli import console

EXIT = {State.TRUSTED: 0, State.UNKNOWN_SIGNER: 2, State.TAMPERED: 3, State.STRIPPED: 4, State.UNREADABLE: 5}
"""Exit status by finding, so that scripts need not read the words."""
STYLE = {State.TRUSTED: "green", State.UNKNOWN_SIGNER: "yellow", State.STRIPPED: "yellow"}


def verify(
    file: Annotated[Path, typer.Argument(help="A film, picture or sound.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the finding as JSON.")] = False,
    anchor: Annotated[
        list[Path] | None,
        typer.Option(help="Another house's root certificate (PEM) or trust list (JSON) to go by."),
    ] = None,
) -> None:
    """Explain a file's content credential.

    Exits 0 trusted, 2 unknown signer, 3 tampered, 4 stripped, 5 unreadable.
    """
    trust = house_trust().joined(*(TrustList.read(_content(path)) for path in anchor or ()))
    reading = read(file, trust)
    if as_json:
        typer.echo(reading.to_json())
    else:
        first, *rest = reading.explain().splitlines()
        console.out.print(first, style=f"bold {STYLE.get(reading.state, 'red')}", markup=False)
        for sentence in rest:
            console.out.print(sentence, markup=False)
    raise typer.Exit(EXIT[reading.state])


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"The trust list {path} cannot be read ({error.strerror}).") from error
