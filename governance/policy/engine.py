"""Deciding: Cedar's answer, with the policies it rests on and one sentence for the person concerned."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cedarpy

from governance.errors import PolicyError
from governance.policy.request import Asked, Request, to_cedar
from governance.policy.rules import FOLDER, Effect, Rule, Rules, read

ENGINE_ERROR = "engine-error"
"""Stands for a policy id where the engine itself failed, so that the answer is no."""
DEFAULT_DENY = "default-deny"
"""Stands for a policy id where no policy spoke at all, so that the answer is no."""
NOTHING_ALLOWS = "No policy allows this, and what no policy allows is refused."
CANNOT_DECIDE = "The policies could not be applied to this question, so the answer is no."

MAX_PARSED = 1000
"""So many kinds of asking are remembered in Cedar's own form."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Decision:
    """``allowed`` or not; the ids of the ``policies`` that decided, gravest first; one plain ``sentence``."""

    allowed: bool
    policies: tuple[str, ...]
    sentence: str


@dataclass(frozen=True)
class Policy:
    """A set of policies, parsed once; safe to share between threads."""

    rules: Rules

    @classmethod
    def load(cls, folder: Path = FOLDER) -> Policy:
        """Read and check the policies in ``folder``. Raises ``PolicyError``: then nothing may be decided."""
        policy = cls(read(folder))
        _ = policy._engine
        return policy

    @property
    def sha256(self) -> str:
        """Of all files the decisions rest on: what the ledger remembers of the law of the day."""
        return self.rules.sha256

    def rule(self, id: str) -> Rule:
        """The rule of that name. Raises ``PolicyError`` if there is none."""
        found = next((rule for rule in self.rules.all if rule.id == id), None)
        if found is None:
            raise PolicyError(f"There is no policy {id!r}: `vernissage policy list` names them all.")
        return found

    def decide(self, request: Request) -> Decision:
        """Whether ``request`` is allowed. Never raises: whatever goes wrong is a no."""
        try:
            asked = to_cedar(request)
            policies, schema = self._engine
            answer = cedarpy.is_authorized(asked.request(), policies, self._entities(asked), schema)
            if answer.diagnostics.errors:
                raise PolicyError(answer.diagnostics.errors[0])
            decided = sorted(int(reason[len("policy") :]) for reason in answer.diagnostics.reasons)
            rules = [self.rules.all[number] for number in decided]
            return self._explain(answer.decision, rules, asked)
        except Exception as error:
            log.error("a policy decision failed and was answered with no: %s", type(error).__name__)
            return Decision(False, (ENGINE_ERROR,), CANNOT_DECIDE)

    def _explain(self, answer: cedarpy.Decision, rules: list[Rule], asked: Asked) -> Decision:
        ids = tuple(rule.id for rule in rules)
        if answer is cedarpy.Decision.Allow and rules and all(r.effect is Effect.PERMIT for r in rules):
            return Decision(True, ids, rules[0].sentence)
        if answer is cedarpy.Decision.Deny and all(r.effect is Effect.FORBID for r in rules):
            if rules:
                return Decision(False, ids, rules[0].sentence)
            return Decision(False, (DEFAULT_DENY,), self._missing(asked))
        raise PolicyError(f"The engine answered {answer.value} because of {', '.join(ids) or 'nothing'}.")

    def _missing(self, asked: Asked) -> str:
        """What the first policy asks for that could have allowed this, to those who ask or to others."""
        permits = [rule for rule in self.rules.all if rule.effect is Effect.PERMIT and rule.otherwise]
        for principal in (asked.principal, None):
            for rule in permits:
                if rule.concerns(principal, asked.action, asked.resource):
                    return rule.otherwise
        return NOTHING_ALLOWS

    def _entities(self, asked: Asked) -> cedarpy.Entities:
        """Those of ``asked``, which are the same whenever the same credential asks for the same kind."""
        key = (asked.principal, asked.resource, asked.attributes)
        found = self._parsed.get(key)
        if found is None:
            if len(self._parsed) >= MAX_PARSED:
                self._parsed.clear()
            found = cedarpy.Entities.from_json_str(json.dumps(asked.entities()), self._engine[1])
            self._parsed[key] = found
        return found

    @cached_property
    def _parsed(self) -> dict[tuple[object, ...], cedarpy.Entities]:
        return {}

    @cached_property
    def _engine(self) -> tuple[cedarpy.PolicySet, cedarpy.Schema]:
        return cedarpy.PolicySet.from_str(self.rules.text), cedarpy.Schema.from_str(self.rules.schema)
