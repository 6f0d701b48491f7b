"""``vernissage release``: how far each model version is released, and by what evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from governance.errors import LedgerError
from service.cli import console
from service.cli.own_keys import signing_key
from service.cli.release_listing import (
    proposal_facts,
    show_evidence,
    show_ladder,
    show_pending,
    show_standing,
    standing_facts,
)

if TYPE_CHECKING:
    from governance.release import Releases

app = typer.Typer(help="How far each model version is released, and why.", no_args_is_help=True)
evidence = typer.Typer(help="What is known about a version, signed by who found out.", no_args_is_help=True)
app.add_typer(evidence, name="evidence")

Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
Version = Annotated[str, typer.Argument(metavar="VERSION", help="How its id begins, as `status` shows.")]
By = Annotated[
    list[Path], typer.Option("--by", metavar="KEYFILE", help="A steward's key file; may come twice.")
]
Reason = Annotated[str, typer.Option("--reason", metavar="WORD", help="One word for the ledger.")]


@app.command()
def status(
    version: Annotated[
        str | None, typer.Argument(metavar="VERSION", help="Only this one, with all its evidence.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say on which rung each version is served today, and what keeps it from a higher one."""
    now = datetime.now(UTC)
    with _looking() as releases:
        one = releases.find(version) if version else None
        standings = [one_of for one_of in releases.status(now) if one in (None, one_of.version)]
        pending = [waiting for waiting in releases.pending(now) if one in (None, waiting.act.subject)]
        if as_json:
            console.print_json(
                {
                    "versions": [standing_facts(standing, releases) for standing in standings],
                    "proposals": [proposal_facts(waiting) for waiting in pending],
                }
            )
            return
        for standing in standings:
            show_standing(standing, releases, now, whole=one is not None)
        for waiting in pending:
            show_pending(waiting)


@app.command()
def ladder(as_json: Json = False) -> None:
    """Show the rungs: whom each serves, and what it demands."""
    from governance.release import Ladder

    show_ladder(Ladder.load(), as_json)


@app.command()
def enter(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    weights: Annotated[list[Path], typer.Argument(help="All weight files it is made up of.")],
    as_json: Json = False,
) -> None:
    """Put a version on the lowest rung, where it serves nobody."""
    hashes = {path.name: _sha256(path) for path in weights}
    if len(hashes) < len(weights):
        raise typer.BadParameter("Two weight files have the same name: a version needs different ones.")
    now = datetime.now(UTC)
    with _deciding() as releases:
        _tell(releases, releases.enter(name, hashes, now), now, as_json)


@app.command()
def propose(
    version: Version,
    rung: Annotated[str, typer.Argument(help="The next one up, or the present one to renew its evidence.")],
    by: By,
    as_json: Json = False,
) -> None:
    """Ask that a version climb one rung: done when two stewards have signed."""
    from governance.identity import Approval

    now = datetime.now(UTC)
    with _deciding() as releases:
        act = releases.climb(releases.find(version), rung, now)
        done = releases.submit(act, [Approval.by(signing_key(file), act) for file in by], now)
        if done is not None:
            _tell(releases, done.version, now, as_json)
            return
        (waiting,) = (one for one in releases.pending(now) if one.act == act)
        if as_json:
            console.print_json(proposal_facts(waiting))
        else:
            show_pending(waiting)


@app.command()
def approve(
    proposal: Annotated[str, typer.Argument(help="Its first characters, as `release status` shows.")],
    by: Annotated[Path, typer.Option("--by", metavar="KEYFILE", help="Another steward's key file.")],
    as_json: Json = False,
) -> None:
    """Sign what another steward has proposed; the evidence is examined again."""
    now = datetime.now(UTC)
    with _deciding() as releases:
        done = releases.approve(proposal, signing_key(by), now)
        if done is not None:
            _tell(releases, done.version, now, as_json)
            return
        (waiting,) = (one for one in releases.pending(now) if one.act.sha256.startswith(proposal))
        if as_json:
            console.print_json(proposal_facts(waiting))
        else:
            show_pending(waiting)


@app.command()
def rollback(
    version: Version,
    by: Annotated[Path, typer.Option("--by", metavar="KEYFILE", help="A steward's key file.")],
    reason: Reason,
    to: Annotated[str | None, typer.Option(metavar="RUNG", help="Down to here; by default one rung.")] = None,
    as_json: Json = False,
) -> None:
    """Let a version down, at once; one steward may."""
    now = datetime.now(UTC)
    with _deciding() as releases:
        done = releases.rollback(releases.find(version), to, reason, signing_key(by), now)
        _tell(releases, done.version, now, as_json)


@app.command()
def audit(as_json: Json = False) -> None:
    """Compare rungs and evidence with the ledger. Exits 1 if they differ."""
    from governance.release import audit as auditing
    from service.hub import Hub

    with Hub.open() as hub:
        hub.deliver()
        told = auditing.told(hub.ledger.entries(0, hub.ledger.checkpoint().size))
        with hub.database.transaction() as session:
            wrong = auditing.discrepancies(session, told)
    if as_json:
        console.print_json({"versions": len(told.rung), "evidence": len(told.filed), "wrong": wrong})
    else:
        for id, problem in wrong.items():
            console.complain(f"{id} is {problem}")
        console.out.print(
            f"{len(told.rung)} versions and {len(told.filed)} items of evidence on the ledger, "
            f"{len(wrong)} of them or others wrong."
        )
    if wrong:
        raise typer.Exit(1)


@evidence.command("list")
def list_evidence(version: Version, as_json: Json = False) -> None:
    """Show all that is on file about a version."""
    with _looking() as releases:
        show_evidence(releases.evidence(releases.find(version)), as_json)


@evidence.command()
def sign(
    kind: Annotated[str, typer.Argument(help="What it is evidence of, such as detector_rate.")],
    version: Annotated[str, typer.Argument(help="The whole id of the version that was examined.")],
    report: Annotated[Path, typer.Argument(help="The report; its hash goes on file, it stays with you.")],
    by: Annotated[Path, typer.Option("--by", metavar="KEYFILE", help="Your key: you stand by it.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the signed item.")],
    metric: Annotated[
        list[str] | None, typer.Option(metavar="NAME=NUMBER", help="A figure of it; may come again.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="For how long to rely on it.")] = 180,
    as_json: Json = False,
) -> None:
    """Sign what you found out about a version: a file to send to the hub's stewards."""
    from governance.release import Evidence, Signed

    now = datetime.now(UTC)
    item = Evidence(kind, version, _sha256(report), _metrics(metric or []), now, now + timedelta(days=days))
    signed = Signed.by(signing_key(by), item)
    output.write_bytes(signed.document + b"\n")
    if as_json:
        console.print_json({"id": signed.id, "file": str(output), **item.facts()})
    else:
        console.out.print(f"{output}: {kind} of {version[:12]}, signed.", markup=False)


@evidence.command("file")
def put_on_file(
    item: Annotated[Path, typer.Argument(metavar="FILE", help="As `evidence sign` wrote it.")],
    as_json: Json = False,
) -> None:
    """Put a signed item on file. If it fails, what is served comes down at once."""
    from governance.release import Signed

    now = datetime.now(UTC)
    signed = Signed.read(item.read_bytes())
    with _deciding() as releases:
        releases.file(signed, now)
        _tell(releases, signed.evidence.version, now, as_json)


@evidence.command()
def withdraw(
    id: Annotated[str, typer.Argument(metavar="ID", help="How it begins, as `evidence list` shows it.")],
    by: Annotated[Path, typer.Option("--by", metavar="KEYFILE", help="A steward's key file.")],
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Rely on an item no longer, at once; one steward may."""
    now = datetime.now(UTC)
    with _deciding() as releases:
        done = releases.withdraw(releases.find_evidence(id), reason, signing_key(by), now)
        _tell(releases, done.version, now, as_json)


@contextmanager
def _looking() -> Iterator[Releases]:
    """What the hub knows; where there is none, what comes with the source code."""
    from governance import home
    from governance.release import Releases
    from governance.storage import Database
    from service.hub import open_database

    database = open_database() if home.has_database() else Database.open("sqlite://")
    try:
        yield Releases(database)
    finally:
        database.close()


@contextmanager
def _deciding() -> Iterator[Releases]:
    """The hub's; what was done is carried to the ledger at the end."""
    from governance.release import Releases
    from service.hub import Hub

    with Hub.open() as hub:
        yield Releases(hub.database)
        try:
            hub.deliver()
        except LedgerError as error:
            console.note(f"Done, but not on the ledger yet; the next command will try again. {error}")


def _tell(releases: Releases, version: str, now: datetime, as_json: bool) -> None:
    standing = releases.standing(version, now)
    if as_json:
        console.print_json(standing_facts(standing, releases))
    else:
        show_standing(standing, releases, now, whole=False)


def _metrics(texts: list[str]) -> dict[str, float]:
    try:
        return {name: float(figure) for name, figure in (text.split("=") for text in texts)}
    except ValueError as error:
        raise typer.BadParameter("A metric is a name and a number: write detection_rate=0.99.") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
