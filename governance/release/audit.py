"""Comparing the ladder in the database with the ledger, which a writer to the database cannot change."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from governance.release.book import digest
from governance.release.tables import FiledEvidence, ModelVersion


@dataclass
class Told:
    """What the entries of a ledger say: the ``rung`` of each version, the hash of the evidence its last climb
    rested on (``resting``), and which evidence was ``filed`` and ``withdrawn``."""

    rung: dict[str, str] = field(default_factory=dict)
    resting: dict[str, str] = field(default_factory=dict)
    filed: set[str] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)


def told(entries: Iterable[bytes]) -> Told:
    """Follow the ``entries`` of a ledger, the oldest first."""
    found = Told()
    for entry in entries:
        event = json.loads(entry)
        facts = event["facts"]
        match event["kind"]:
            case "release.entered":
                found.rung[facts["version"]] = facts["rung"]
            case "release.climbed":
                found.rung[facts["version"]] = facts["to"]
                found.resting[facts["version"]] = facts["evidence"]
            case "release.rolled_back":
                found.rung[facts["version"]] = facts["to"]
            case "release.evidence_filed":
                found.filed.add(facts["evidence"])
            case "release.evidence_withdrawn":
                found.withdrawn.add(facts["evidence"])
    return found


def discrepancies(session: Session, told: Told) -> dict[str, str]:
    """What is wrong with which version or item of evidence: ``unknown`` to the ledger, ``missing`` from the
    database, or ``changed`` since it was told of."""
    wrong = dict.fromkeys((*told.rung, *told.filed), "missing")
    nothing = digest({})
    for row in session.scalars(select(ModelVersion)):
        wrong.pop(row.id, None)
        if row.id not in told.rung:
            wrong[row.id] = "unknown"
        elif (row.rung, digest(row.known)) != (told.rung[row.id], told.resting.get(row.id, nothing)):
            wrong[row.id] = "changed"
    for item in session.scalars(select(FiledEvidence)):
        wrong.pop(item.id, None)
        if item.id not in told.filed:
            wrong[item.id] = "unknown"
        elif (item.withdrawn_at is not None) != (item.id in told.withdrawn):
            wrong[item.id] = "changed"
    return wrong
