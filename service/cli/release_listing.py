"""How versions, evidence and rungs are shown: to people in few columns, to programs as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.text import Text

from service.cli import console

if TYPE_CHECKING:
    from governance.identity.proposals import Pending
    from governance.release import Item, Ladder, Releases, Standing

SHORT = 12
"""So many characters name a version, an item of evidence or a proposal."""


def show_standing(standing: Standing, releases: Releases, now: datetime, *, whole: bool) -> None:
    """A version for people; ``whole`` with its exemption's reasons and all its evidence."""
    met = standing.served == standing.approved
    console.indented(Text.assemble((standing.version[:SHORT], "bold"), f" {standing.name}"), 0)
    rung = releases.ladder.rungs[releases.ladder.height(standing.served)]
    console.indented(Text.assemble("served on ", (rung.name, "green" if met else "red"), f": {rung.says}"), 2)
    if not met:
        console.indented(f"approved for {standing.approved}, but:", 2)
        for shortfall in standing.shortfalls:
            console.indented(f"- {shortfall.reason} (demanded by {shortfall.rung})", 4)
    exemption = releases.ladder.exemptions.get(standing.exemption or "")
    if exemption:
        absent = ", ".join(exemption.waives)
        console.indented(f"exempt as {exemption.name} until {exemption.review_by:%Y-%m-%d} from: {absent}", 2)
        if whole:
            console.indented("because:", 2)
            for reason in exemption.reasons:
                console.indented(f"- {reason}", 4)
            console.indented("which means that there is not:", 2)
            for kind, why in exemption.waives.items():
                console.indented(f"- {kind}: {why}", 4)
            console.indented("on file is:", 2)
    if whole:
        show_evidence(releases.evidence(standing.version), as_json=False)


def show_evidence(items: list[Item], as_json: bool) -> None:
    """Everything on file about a version."""
    if as_json:
        console.print_json([_item_facts(item) for item in items])
        return
    for item in items:
        found = item.evidence
        until = f", until {found.expires:%Y-%m-%d}" if item.producer else ""
        state = (", withdrawn", "red") if item.withdrawn else (until, "")
        short = f"{item.id[:SHORT]} " if item.id else ""
        dated = f" of {found.made_at:%Y-%m-%d}"
        console.indented(Text.assemble(short, (found.kind, "bold"), dated, state), 2)
        if found.metrics:
            console.indented(", ".join(f"{name} {figure:,.10g}" for name, figure in found.metrics.items()), 4)
        console.indented(f"report sha256 {found.report}", 4)
        if item.producer:
            console.indented(f"signed by {item.producer}", 4)
        else:
            console.indented("came with the source code, unsigned", 4)
    if not items:
        console.out.print("Nothing is on file.")


def show_pending(waiting: Pending) -> None:
    """A climb that waits for another steward."""
    act, short = waiting.act, waiting.act.sha256[:SHORT]
    console.indented(Text.assemble((short, "bold"), " ", ("waits for a steward", "yellow")), 0)
    console.indented(f"{act.subject[:SHORT]} from {act.facts['from']} to {act.facts['to']}", 2)
    console.indented(f"signed by {len(waiting.approvals)}; proposed on {act.at:%Y-%m-%d %H:%M}", 2)
    console.indented(f"vernissage release approve {short} --by KEYFILE", 2)


def show_ladder(ladder: Ladder, as_json: bool) -> None:
    """The rungs and exemptions."""
    if as_json:
        rungs = [
            {
                "name": rung.name,
                "says": rung.says,
                "tiers": sorted(rung.tiers),
                "scope": rung.scope,
                "demands": [
                    {
                        "kind": demand.kind,
                        "max_age_days": demand.max_age.days,
                        "at_least": dict(demand.at_least),
                        "at_most": dict(demand.at_most),
                    }
                    for demand in rung.demands
                ],
            }
            for rung in ladder.rungs
        ]
        console.print_json({"sha256": ladder.sha256, "rungs": rungs, "exemptions": sorted(ladder.exemptions)})
        return
    for rung in reversed(ladder.rungs):
        console.indented(Text.assemble((rung.name, "bold"), f" {rung.says}"), 0)
        for demand in rung.demands:
            bounds = [f"{name} at least {bound:g}" for name, bound in demand.at_least.items()]
            bounds += [f"{name} at most {bound:g}" for name, bound in demand.at_most.items()]
            console.indented(f"- {demand.kind} of the last {demand.max_age.days} days", 2)
            if bounds:
                console.indented(", ".join(bounds), 4)
    console.out.print("Each rung also demands what those below it do.")


def standing_facts(standing: Standing, releases: Releases) -> dict[str, Any]:
    """A version for programs."""
    return {
        "version": standing.version,
        "name": standing.name,
        "approved": standing.approved,
        "served": standing.served,
        "since": standing.since.isoformat(),
        "exemption": standing.exemption,
        "shortfalls": [
            {"rung": one.rung, "demand": one.demand, "reason": one.reason} for one in standing.shortfalls
        ],
        "evidence": [_item_facts(item) for item in releases.evidence(standing.version)],
    }


def proposal_facts(waiting: Pending) -> dict[str, Any]:
    """A waiting climb for programs; ``document`` is what a steward signs."""
    return {
        "id": waiting.act.sha256,
        "version": waiting.act.subject,
        "from": waiting.act.facts["from"],
        "to": waiting.act.facts["to"],
        "signed_by": [approval.keyid for approval in waiting.approvals],
        "document": waiting.act.canonical().decode(),
    }


def _item_facts(item: Item) -> dict[str, Any]:
    return {
        "id": item.id or None,
        "producer": item.producer,
        "withdrawn": item.withdrawn,
        **item.evidence.facts(),
    }
