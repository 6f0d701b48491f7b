"""``vernissage keys``: the certificate authority that signs this house's films."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from governance.provenance import Authority, default_directory
from service.cli import console

app = typer.Typer(help="The keys that sign this house's films.", no_args_is_help=True)


class KeyAlgorithm(StrEnum):
    """Signature algorithms that C2PA readers know."""

    ES256 = "es256"
    ED25519 = "ed25519"


@app.command()
def init(
    algorithm: Annotated[KeyAlgorithm, typer.Option(help="The signature algorithm.")] = KeyAlgorithm.ES256,
    organisation: Annotated[
        str, typer.Option(help="The name readers of a film will see.")
    ] = "Vernissage house",
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Keep keys that exist; do not complain.")
    ] = False,
) -> None:
    """Make a root and a signer, once."""
    directory = default_directory()
    if if_missing and (directory / "root.pem").exists():
        _describe(Authority.open(directory))
        return
    _describe(Authority.init(directory, algorithm.value, organisation))


@app.command()
def show() -> None:
    """Say who signs, where the keys are and until when they serve."""
    _describe(Authority.open(default_directory()))


@app.command()
def renew() -> None:
    """Issue a new signer from the same root; films sealed before stay trusted."""
    _describe(Authority.open(default_directory()).renew())


def _describe(authority: Authority) -> None:
    console.out.print(
        f"{authority.organisation} signs with {authority.algorithm} until {authority.expires:%Y-%m-%d}; "
        f"keys in {authority.directory}",
        markup=False,
    )
