"""The policies as they are written: read from ``*.cedar``, checked against the schema, one ``Rule`` each."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import cedarpy

from governance.errors import PolicyError

FOLDER = Path(__file__).parent
SCHEMA = "schema.cedarschema"
_ID = re.compile(r"[a-z]+(-[a-z]+)*")


class Effect(StrEnum):
    """A forbid outweighs every permit; what no permit allows is refused."""

    PERMIT = "permit"
    FORBID = "forbid"


@dataclass(frozen=True)
class Rule:
    """One policy.

    Attributes:
        id: its name, such as ``grant-purpose``; never reused for another.
        effect: whether it allows or refuses.
        sentence: what a person is told when it decides.
        otherwise: what a person is told when it would have been the one to allow, and did not.
        basis: the law or house rule behind it.
        file: where it is written.
        text: how it is written.
    """

    id: str
    effect: Effect
    sentence: str
    otherwise: str
    basis: str
    file: str
    text: str
    _scope: dict[str, Any] = field(repr=False)

    def concerns(self, principal: str | None, action: str, resource: str) -> bool:
        """Whether its scope, leaving aside its conditions, covers these Cedar types (``None``: any) and this
        action; groups of actions count as covering every action."""
        asked = {"principal": principal, "resource": resource}
        return _covers_action(self._scope["action"], action) and all(
            kind is None or self._scope[part]["op"] == "All" or self._scope[part].get("entity_type") == kind
            for part, kind in asked.items()
        )


@dataclass(frozen=True)
class Rules:
    """A whole set: ``all`` in the order in which they are written, and ``sha256`` over every file."""

    all: tuple[Rule, ...]
    text: str
    schema: str
    sha256: str

    def without(self, id: str) -> Rules:
        """The set in which one rule was forgotten: tests show with it that each rule matters."""
        kept = tuple(rule for rule in self.all if rule.id != id)
        return Rules(kept, "\n".join(rule.text for rule in kept), self.schema, self.sha256)


def read(folder: Path = FOLDER) -> Rules:
    """Read and check every policy in ``folder``.

    Raises:
        PolicyError: a file is missing or is not Cedar, a policy does not fit the schema, lacks ``@id``,
            ``@sentence`` or ``@basis``, or shares its id with another.
    """
    files = sorted(folder.glob("*.cedar"))
    try:
        schema = (folder / SCHEMA).read_text("utf-8")
        texts = {file.name: file.read_text("utf-8") for file in files}
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"The policies in {folder} cannot be read: install the software again.") from error
    if not texts:
        raise PolicyError(f"There are no policies in {folder}, so nothing is allowed: install them.")
    rules = tuple(rule for name, text in texts.items() for rule in _rules(name, text))
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise PolicyError(f"Two policies are called {rule.id}: each needs an @id of its own.")
        seen.add(rule.id)
    text = "\n".join(rule.text for rule in rules)
    validity = cedarpy.validate_policies(text, schema)
    if not validity:
        raise PolicyError(f"A policy does not fit {SCHEMA}: {validity.errors[0].error}.")
    digest = hashlib.sha256(json.dumps([schema, texts], sort_keys=True).encode()).hexdigest()
    return Rules(rules, text, schema, digest)


def _rules(name: str, text: str) -> list[Rule]:
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise PolicyError(f"{name} is not Cedar: {str(error).splitlines()[0]}.") from error
    if parsed.get("templates"):
        raise PolicyError(f"{name} holds a template: write every policy out in full.")
    policies: dict[str, dict[str, Any]] = parsed["staticPolicies"]
    ordered = sorted(policies, key=lambda key: int(key[len("policy") :]))
    return [_rule(name, text, policies[key]) for key in ordered]


def _rule(name: str, text: str, policy: dict[str, Any]) -> Rule:
    notes = {key: value or "" for key, value in policy.get("annotations", {}).items()}
    id = notes.get("id", "")
    if not _ID.fullmatch(id):
        raise PolicyError(f"A policy in {name} has no @id of lower-case words joined by hyphens.")
    for note in ("sentence", "basis"):
        if not notes.get(note, "").endswith("."):
            raise PolicyError(f"Policy {id} in {name} needs a @{note} that ends in a full stop.")
    scope = {part: policy[part] for part in ("principal", "action", "resource")}
    return Rule(
        id=id,
        effect=Effect(policy["effect"]),
        sentence=notes["sentence"],
        otherwise=notes.get("otherwise", ""),
        basis=notes["basis"],
        file=name,
        text=_source(name, text, id, policy),
        _scope=scope,
    )


def _source(name: str, text: str, id: str, policy: dict[str, Any]) -> str:
    """The lines of ``text`` that are this ``policy`` and nothing else."""
    if text.count(f'@id("{id}")') > 1:
        raise PolicyError(f"Two policies are called {id}: each needs an @id of its own.")
    written = re.search(rf'^@id\("{id}"\)$.*?;$', text, re.MULTILINE | re.DOTALL)
    if written and json.loads(cedarpy.policies_to_json_str(written[0]))["staticPolicies"] == {
        "policy0": policy
    }:
        return written[0]
    raise PolicyError(f"Policy {id} in {name} must begin with a line @id(…) and end at the end of a line.")


def _covers_action(scope: dict[str, Any], action: str) -> bool:
    match scope:
        case {"op": "==", "entity": {"id": id}}:
            return bool(id == action)
        case {"entities": list(entities)}:
            return any(entity["id"] == action for entity in entities)
    return True
