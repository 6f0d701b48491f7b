"""The examples by which every policy is tested, in ``cases.toml``: what it allows and what it refuses."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.errors import PolicyError
from governance.policy.engine import Decision, Policy
from governance.policy.request import Request
from governance.policy.rules import FOLDER, Effect


@dataclass(frozen=True)
class Case:
    """An example about one ``policy``: what it ``says``, the question, and whether it is ``allowed``."""

    policy: str
    says: str
    situation: str
    request: Request
    allowed: bool


@dataclass(frozen=True)
class Outcome:
    """What a set of policies made of a case; ``holds`` if that is what the case says."""

    case: Case
    decision: Decision
    holds: bool


def read(path: Path = FOLDER / "cases.toml") -> tuple[Case, ...]:
    """All cases. Raises ``PolicyError`` if the table is damaged."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
        return tuple(_case(table["situation"], line) for line in table["case"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PolicyError(f"The cases in {path} cannot be read: {error}.") from error


def run(policy: Policy, case: Case) -> Outcome:
    """Decide ``case``. Where its policy permits, a permission must rest on it; where it forbids, a refusal
    must rest on it alone."""
    decision = policy.decide(case.request)
    effect = policy.rule(case.policy).effect
    holds = decision.allowed is case.allowed
    if case.allowed and effect is Effect.PERMIT:
        holds = holds and case.policy in decision.policies
    elif not case.allowed and effect is Effect.FORBID:
        holds = holds and decision.policies == (case.policy,)
    return Outcome(case, decision, holds)


def untested(policy: Policy, cases: tuple[Case, ...]) -> tuple[str, ...]:
    """Policies that lack a case in which something is allowed, or one in which it is refused."""
    tested = {(case.policy, case.allowed) for case in cases}
    return tuple(rule.id for rule in policy.rules.all if not {(rule.id, True), (rule.id, False)} <= tested)


def _case(situations: dict[str, Any], line: dict[str, Any]) -> Case:
    facts = _changed(situations[line["from"]], line.get("change", {}))
    for path in line.get("without", ()):
        *parents, last = path.split(".")
        holder = facts
        for parent in parents:
            holder = holder[parent]
        del holder[last]
    return Case(line["policy"], line["says"], line["from"], Request.read(facts), line["allowed"])


def _changed(facts: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """A copy of ``facts``, tables changed within and everything else replaced."""
    merged = {name: _changed(fact, {}) if isinstance(fact, dict) else fact for name, fact in facts.items()}
    for name, fact in change.items():
        merged[name] = _changed(merged.get(name, {}), fact) if isinstance(fact, dict) else fact
    return merged
