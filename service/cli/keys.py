"""``vernissage keys``: what signs this house's films, credentials and ledger."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from governance import hubkeys, markkeys
from governance.biometrics import Keyring
from governance.hubkeys import TEMPLATES, HubKeys
from governance.markkeys import MarkKeys
from governance.provenance import Authority, TrustList, default_directory, house_trust
from service.cli import console

app = typer.Typer(help="The keys that sign this house's films, credentials and ledger.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


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
    origin: Annotated[
        str | None, typer.Option(help="The ledger's name: an address of yours, such as example.org/log.")
    ] = None,
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Keep keys that exist; do not complain.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a root, a signer and the hub's own keys, once."""
    directory = default_directory()
    if not (if_missing and (directory / "root.pem").exists()):
        Authority.init(directory, algorithm.value, organisation)
    if not hubkeys.exists(directory):
        HubKeys.init(directory, origin)
    if not (directory / TEMPLATES).exists():
        Keyring.create(directory / TEMPLATES)
    if not markkeys.exists(directory):
        MarkKeys.create(directory)
    _describe(as_json)


@app.command()
def show(as_json: AsJson = False) -> None:
    """Say who signs, where the keys are and until when they serve."""
    _describe(as_json)


@app.command()
def renew(
    stolen_since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
            help="When (UTC) somebody else may have got the present signer's key; what it sealed is "
            "trusted no more, unless a trusted clock saw it before.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Issue a new signer from the same root; films sealed before stay trusted."""
    stolen = stolen_since.replace(tzinfo=UTC) if stolen_since else None
    Authority.open(default_directory()).renew(stolen_since=stolen)
    _describe(as_json)


@app.command()
def rotate(
    stolen: Annotated[
        bool, typer.Option("--stolen", help="Believe nothing that the former key has signed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let the hub sign credentials and responses with a new key."""
    HubKeys.open(default_directory()).rotate(stolen=stolen)
    _describe(as_json)
    if stolen:
        console.note("No credential is believed now: `vernissage credential audit --sign-again` comes next.")


@app.command("rotate-marks")
def rotate_marks(as_json: AsJson = False) -> None:
    """Mark new films with a new key; the marks of former keys are still looked for."""
    MarkKeys.load(default_directory()).rotate(default_directory())
    _describe(as_json)


@app.command()
def trust(
    file: Annotated[Path, typer.Argument(help="A root certificate (PEM) or a trust list (JSON).")],
    clock: Annotated[
        bool, typer.Option("--clock", help="It is of a time stamp authority, not of a house that seals.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Go by the word of another house, or of a clock, from now on.

    Make sure over another channel that the file is theirs.
    """
    try:
        added = TrustList.read(file.read_bytes(), clocks=clock)
    except OSError as error:
        raise typer.BadParameter(f"The trust list {file} cannot be read ({error.strerror}).") from error
    kept = added.keep(default_directory())
    if as_json:
        console.print_json({"kept": str(kept)} | json.loads(added.to_json()))
        return
    for kind, anchors in (("house", added.houses), ("clock", added.clocks)):
        for anchor in anchors:
            console.out.print(f"Trusted {kind}: {anchor.subject.rfc4514_string()}", markup=False)
    console.out.print(f"Remove {kept} to take it back.", markup=False)


@app.command("trust-list")
def trust_list(
    as_json: Annotated[
        bool, typer.Option("--json", help="All of it: houses, clocks, stolen keys; else the houses in PEM.")
    ] = False,
    own: Annotated[bool, typer.Option("--own", help="This house's own part alone.")] = False,
) -> None:
    """Print whose word this house goes by, for others to verify its films with."""
    authority = Authority.open(default_directory())
    listed = authority.trust() if own else house_trust()
    typer.echo(listed.to_json() if as_json else listed.to_pem(), nl=as_json)


def _describe(as_json: bool) -> None:
    directory = default_directory()
    authority = Authority.open(directory)
    hub = HubKeys.open(directory) if hubkeys.exists(directory) else None
    if as_json:
        described: dict[str, object] = {
            "organisation": authority.organisation,
            "algorithm": authority.algorithm,
            "expires": authority.expires.isoformat(),
            "verifiable_until": authority.verifiable_until.isoformat(),
            "directory": str(directory),
        }
        if hub is not None:
            described["hub"] = {
                "keyid": hub.key.keyid,
                "believed": [key.jwk | {"kid": key.keyid} for key in hub.believed],
                "ledger": {"origin": hub.origin, "key": hub.ledger.public.text},
            }
        console.print_json(described)
        return
    console.out.print(
        f"{authority.organisation} signs with {authority.algorithm} until {authority.expires:%Y-%m-%d}; "
        f"keys in {authority.directory}",
        markup=False,
    )
    if hub is not None:
        former = len(hub.believed) - 1
        console.out.print(
            f"The hub signs with key {hub.key.keyid}"
            + (f" ({former} former believed)" if former else "")
            + f"; its ledger is {hub.origin}",
            markup=False,
        )
