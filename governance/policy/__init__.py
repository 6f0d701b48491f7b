"""May this be made, by this person, of this face, for this purpose? Written in Cedar, for lawyers to read.

policy = Policy.load()
decision = policy.decide(Request(Action.GENERATE, Principal(PrincipalKind.HOLDER, ...), now, ...))
decision.allowed, decision.policies, decision.sentence
"""

from governance.policy.engine import Decision, Policy
from governance.policy.request import (
    Action,
    AttestationFacts,
    CheckResult,
    GrantFacts,
    Principal,
    PrincipalKind,
    Request,
    Sitter,
)
from governance.policy.rules import Effect, Rule

__all__ = [
    "Action",
    "AttestationFacts",
    "CheckResult",
    "Decision",
    "Effect",
    "GrantFacts",
    "Policy",
    "Principal",
    "PrincipalKind",
    "Request",
    "Rule",
    "Sitter",
]
