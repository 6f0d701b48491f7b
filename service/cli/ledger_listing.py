"""How entries, checkpoints and proofs of the ledger are printed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from service.cli import console

if TYPE_CHECKING:
    from governance.ledger import Checkpoint, Proof, Verified

_LONG = 20
"""Letters of a fact that a listing shows."""


def listed(entries: Iterable[tuple[int, bytes]]) -> None:
    """Print entries, by index, with what fits of their facts."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for index, leaf in entries:
        event = json.loads(leaf)
        facts = "  ".join(f"{name}={_short(fact)}" for name, fact in event["facts"].items())
        when = datetime.fromisoformat(event["at"])
        head = f"{event['kind']}  {when:%Y-%m-%d %H:%M:%S}"
        table.add_row(str(index), Text.assemble((head, "bold"), f"\n{facts}" if facts else ""))
    console.out.print(table)


def entry(index: int, leaf: bytes) -> None:
    """Print one entry whole."""
    event: dict[str, Any] = json.loads(leaf)
    console.out.print(f"Entry {index}: {event['kind']} at {event['at']}", style="bold", markup=False)
    for name, fact in {"event": event["id"], **event["facts"]}.items():
        console.out.print(f"  {name}: {fact}", markup=False)


def proved(proof: Proof, witnessed: Mapping[str, datetime], *, as_json: bool) -> None:
    """Print that ``proof`` holds, and what it proves."""
    signed = proof.checkpoint
    if as_json:
        about = {"index": proof.index, "event": json.loads(proof.entry), "witnessed": _moments(witnessed)}
        console.print_json({"verdict": "holds", **described(signed), **about})
        return
    _holds(f"entry {proof.index} is among the {signed.size} that {signed.origin} signs for")
    entry(proof.index, proof.entry)
    _vouched(witnessed)


def verified(found: Verified, *, as_json: bool) -> None:
    """Print that a whole log holds."""
    if as_json:
        console.print_json(
            {
                "verdict": "holds",
                **described(found.checkpoint),
                "files": found.files,
                "unsigned": list(found.unsigned),
                "continues": list(found.continues),
                "witnessed": _moments(found.witnessed),
            }
        )
        return
    _holds(f"{found.checkpoint.size} entries of {found.checkpoint.origin}")
    console.out.print(f"{found.files} files follow from the entries, and the checkpoint signs for them.")
    for size in found.continues:
        console.out.print(f"It continues the checkpoint of {size} entries.")
    _vouched(found.witnessed)
    if found.unsigned:
        names = ", ".join(found.unsigned[:3]) + (" …" if len(found.unsigned) > 3 else "")
        console.note(f"{len(found.unsigned)} files are not signed for yet, and prove nothing: {names}")


def described(signed: Checkpoint) -> dict[str, str | int]:
    """What a checkpoint says."""
    return {"origin": signed.origin, "size": signed.size, "root": signed.root.hex()}


def _holds(what: str) -> None:
    console.out.print(f"Holds: {what}", style="bold green", markup=False)


def _vouched(witnessed: Mapping[str, datetime]) -> None:
    for name, moment in witnessed.items():
        until = f"{moment:%Y-%m-%d %H:%M:%S} UTC"
        console.out.print(f"{name} saw nothing against it until {until}.", markup=False)


def _moments(witnessed: Mapping[str, datetime]) -> dict[str, str]:
    return {name: moment.isoformat() for name, moment in witnessed.items()}


def _short(fact: str | int) -> str:
    text = str(fact)
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"
