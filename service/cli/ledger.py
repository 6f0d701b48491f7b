"""``vernissage ledger``: what is on record, proofs of it, and checking the record without trusting us."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from governance.errors import (
    CheckpointInvalid,
    KeysDamaged,
    LedgerDamaged,
    LedgerError,
    ProofInvalid,
    SplitView,
)
from service.cli import console
from service.cli import ledger_listing as listing

if TYPE_CHECKING:
    from governance.ledger import Checkpoint, Published, Verifier

EXIT = {CheckpointInvalid: 2, LedgerDamaged: 3, ProofInvalid: 3, SplitView: 4}
"""Exit status of ``verify`` by finding, so that scripts need not read the words."""
VERDICT = {
    CheckpointInvalid: "not_signed",
    LedgerDamaged: "damaged",
    ProofInvalid: "damaged",
    SplitView: "split_view",
}
PROOF_SUFFIX = ".tlog-proof"
_SHOWN = 20

app = typer.Typer(help="What is on record, and proofs of it.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
From = Annotated[
    str | None,
    typer.Option("--ledger", help="Another's ledger (a folder or URL); needs --key.", metavar="URL"),
]
Key = Annotated[
    str | None, typer.Option(help="The ledger's public key, NAME+HASH+KEY, or a file that holds it.")
]


@app.command()
def verify(
    place: Annotated[
        str | None,
        typer.Argument(help=f"A folder or URL, or a {PROOF_SUFFIX} file; by default this hub's ledger."),
    ] = None,
    key: Key = None,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="An older checkpoint you were shown, that it must continue.")
    ] = None,
    witness: Annotated[
        list[str] | None, typer.Option(help="The public key of a witness who must have cosigned.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hash every entry again and compare it with all that the ledger signed; nothing is asked of a server.

    Exits 0 if it holds, 2 not signed by that key, 3 damaged or out of date, 4 split view.
    """
    from governance.ledger import Proof, check_cosignature
    from governance.ledger import verify as verify_log

    witnesses = [_verifier(text) for text in witness or ()]
    if place is None:
        log = _published(None, None)
        place, verifier = log.place, log.verifier
    elif key is None:
        raise typer.BadParameter(
            "Name the ledger's public key with --key: `vernissage ledger checkpoint` tells it."
        )
    else:
        verifier = _verifier(key)
    try:
        if place.endswith(PROOF_SUFFIX):
            proof = Proof.read(_read(Path(place)))
            proof.verify(verifier)
            witnessed = {each.name: check_cosignature(proof.checkpoint, each) for each in witnesses}
            listing.proved(proof, witnessed, as_json=as_json)
            return
        older = [_checkpoint(path) for path in checkpoint or ()]
        with console.err.status("hashing every entry"):
            found = verify_log(place, verifier, older=older, witnesses=witnesses)
    except (CheckpointInvalid, LedgerDamaged, ProofInvalid, SplitView) as error:
        _refuse(error, as_json)
    listing.verified(found, as_json=as_json)


@app.command()
def checkpoint(
    cosignature: Annotated[
        Path | None, typer.Option(help="A checkpoint that a witness cosigned: publish it so.")
    ] = None,
    witness: Annotated[str | None, typer.Option(help="The public key of that witness.")] = None,
    ledger: From = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Print the latest checkpoint: the ledger's signed word on all that is in it.

    Keep it: whoever shows you the ledger later must continue it.
    """
    if cosignature:
        if not witness or ledger:
            raise typer.BadParameter(
                "Name the witness's public key with --witness; only one's own ledger can be added to."
            )
        log, latest = _cosigned(cosignature, _verifier(witness))
    else:
        log = _published(ledger, key)
        latest = log.checkpoint()
    if as_json:
        console.print_json({**listing.described(latest), "key": log.verifier.text, "checkpoint": latest.text})
        return
    typer.echo(latest.text, nl=False)
    console.note(f"its key is {log.verifier.text}")


@app.command()
def prove(
    entry: Annotated[str, typer.Argument(help="An index, or on this hub's ledger the id of an event.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help=f"Where to write the {PROOF_SUFFIX} file.")
    ] = None,
    ledger: From = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Prove that an entry is on the ledger: a file that anyone can check with the ledger's public key."""
    log = _published(ledger, key)
    proof = log.prove(_index(log, entry))
    if output:
        if output.suffix != PROOF_SUFFIX:
            raise typer.BadParameter(f"The name of a proof ends in {PROOF_SUFFIX}.")
        output.write_text(proof.text, encoding="utf-8")
    if as_json:
        console.print_json(
            {
                **listing.described(proof.checkpoint),
                "index": proof.index,
                "event": json.loads(proof.entry),
                "proof": [step.hex() for step in proof.path],
                "checkpoint": proof.checkpoint.text,
                "key": log.verifier.text,
            }
        )
    elif output:
        console.out.print(f"Entry {proof.index} is proved in {output}. Check it with:", markup=False)
        console.out.print(f"vernissage ledger verify {output} --key {log.verifier.text}", markup=False)
    else:
        typer.echo(proof.text, nl=False)


@app.command()
def show(
    entry: Annotated[
        str | None,
        typer.Argument(help="An index, or on this hub's ledger the id of an event; else the latest."),
    ] = None,
    last: Annotated[int, typer.Option(min=1, help="How many of the latest entries.")] = _SHOWN,
    kind: Annotated[str, typer.Option(help="Only events whose kind begins so, such as grant.")] = "",
    ledger: From = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show what is on record: hashes and pseudonymous ids, never a name."""
    from governance.ledger import merkle

    log = _published(ledger, key)
    size = log.checkpoint().size
    if entry is None:
        found = _latest(log, size, last, kind)
    else:
        index = _index(log, entry)
        found = [(index, log.entry(index))]
    if as_json:
        console.print_json(
            [
                {"index": index, "leaf_hash": merkle.leaf_hash(leaf).hex(), "event": json.loads(leaf)}
                for index, leaf in found
            ]
        )
    elif entry is not None:
        listing.entry(*found[0])
    elif not found:
        console.out.print(f"There is no such entry among the {size} of {log.origin}.", markup=False)
    else:
        listing.listed(found)


@app.command()
def witness(
    ledger: Annotated[str, typer.Argument(help="The ledger to vouch for: a folder or URL.")],
    key: Annotated[str, typer.Option(help="Its public key, NAME+HASH+KEY, or a file that holds it.")],
    name: Annotated[str, typer.Option(help="The witness's name, such as an address of yours.")],
    memory: Annotated[Path, typer.Option(help="Where the witness keeps its key and what it saw.")],
    as_json: AsJson = False,
) -> None:
    """Cosign another's latest checkpoint if it continues the last one that you saw.

    Send the output to whoever keeps the ledger: `vernissage ledger checkpoint --cosignature`.
    """
    from governance.keys import SigningKey
    from governance.ledger import Witness, open_published

    file = memory / "witness-key.pem"
    if not file.exists():
        memory.mkdir(parents=True, exist_ok=True)
        SigningKey.generate().save(file)
    vouching = Witness(memory, name, SigningKey.load(file))
    cosigned = vouching.visit(open_published(ledger, _verifier(key)), datetime.now(UTC))
    if as_json:
        console.print_json(
            {**listing.described(cosigned), "key": vouching.verifier.text, "checkpoint": cosigned.text}
        )
        return
    typer.echo(cosigned.text, nl=False)
    console.note(f"the witness's key is {vouching.verifier.text}")


def _published(url: str | None, key: str | None) -> Published:
    """Another's ledger, or this hub's with all that was recorded by now."""
    from governance.ledger import open_published
    from service.hub import Hub

    if url is not None:
        if key is None:
            raise typer.BadParameter("Name the ledger's public key with --key.")
        return open_published(url, _verifier(key))
    with Hub.open() as hub:
        hub.deliver()
        return hub.ledger


def _cosigned(path: Path, by: Verifier) -> tuple[Published, Checkpoint]:
    from service.hub import Hub

    lines = _checkpoint(path).note.by(by)
    if not lines:
        raise CheckpointInvalid(f"{path} bears no cosignature of {by.name}.")
    with Hub.open() as hub:
        return hub.ledger, hub.ledger.add_cosignature(lines[-1], by)


def _index(log: Published, entry: str) -> int:
    from governance.ledger import Ledger

    if entry.isdecimal() and len(entry) < 20:
        return int(entry)
    found = log.find(entry) if isinstance(log, Ledger) else None
    if found is None:
        raise LedgerError(
            f"There is no event {entry} on {log.origin}: give its index, as `ledger show` does."
        )
    return found.index


def _latest(log: Published, size: int, last: int, kind: str) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    stop = size
    while stop and len(found) < last:
        start = max(0, stop - 256)
        chunk = [
            (index, leaf)
            for index, leaf in enumerate(log.entries(start, stop), start)
            if json.loads(leaf)["kind"].startswith(kind)
        ]
        found = chunk + found
        stop = start
    return found[-last:]


def _refuse(error: LedgerError, as_json: bool) -> NoReturn:
    if as_json:
        console.print_json({"verdict": VERDICT[type(error)], "reason": str(error)})
    else:
        console.complain(str(error))
    raise typer.Exit(EXIT[type(error)])


def _verifier(text: str) -> Verifier:
    from governance.ledger import Verifier

    if "+" not in text and Path(text).is_file():
        text = _read(Path(text)).decode("utf-8", "replace")
    try:
        return Verifier.read(text)
    except KeysDamaged as error:
        raise typer.BadParameter(
            f"{text!r} is no ledger's or witness's public key: give NAME+HASH+KEY, as `vernissage ledger "
            "checkpoint` tells it, or a file that holds it."
        ) from error


def _checkpoint(path: Path) -> Checkpoint:
    from governance.ledger import Checkpoint

    return Checkpoint.parse(_read(path))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read ({error.strerror}).") from error
