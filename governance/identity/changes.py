"""The acts by which credentials come to be and change, and what each makes of a credential. No state here."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from governance.errors import IdentityError
from governance.identity.acts import Act
from governance.identity.credential import Credential, HeldKey, State, Tier, from_text, to_text
from governance.keys import VerifyKey

NOUN = "credential"
ISSUE = "credential.issue"
AMEND = "credential.amend"
SUSPEND = "credential.suspend"
REINSTATE = "credential.reinstate"
REVOKE = "credential.revoke"
ROTATE = "credential.rotate"

MAX_TERM = timedelta(days=366)
"""No credential runs longer without two stewards looking at it again."""
MAX_OVERLAP = timedelta(days=30)
"""For so long at most an old key stays good beside a new one."""
QUOTAS: dict[Tier, dict[str, int]] = {
    Tier.DETECT: {"detect": 1000},
    Tier.GENERATE: {"detect": 1000, "generate": 100},
    Tier.RESEARCH: {"detect": 1000, "download": 20, "generate": 100},
    Tier.STEWARD: {},
}
"""What a tier is usually given, a day."""


@dataclass(frozen=True)
class Terms:
    """How far a credential reaches and when. Raises ``IdentityError`` if it would run for too long."""

    tier: Tier
    not_before: datetime
    expires: datetime
    scopes: tuple[str, ...] = ()
    quotas: dict[str, int] | None = None
    """None: what the tier is usually given."""

    def __post_init__(self) -> None:
        if self.expires - self.not_before > MAX_TERM:
            raise IdentityError(f"A credential runs for {MAX_TERM.days} days at most: let it end earlier.")
        if self.quotas is None:
            object.__setattr__(self, "quotas", dict(QUOTAS[self.tier]))
        object.__setattr__(self, "scopes", tuple(sorted(set(self.scopes))))
        object.__setattr__(self, "not_before", self.not_before.replace(microsecond=0))
        object.__setattr__(self, "expires", self.expires.replace(microsecond=0))

    @classmethod
    def of(cls, credential: Credential) -> Self:
        """Those of ``credential``."""
        return cls(
            credential.tier,
            credential.not_before,
            credential.expires,
            credential.scopes,
            dict(credential.quotas),
        )

    def facts(self) -> dict[str, str | int]:
        """As an act states them."""
        return {
            "expires": to_text(self.expires),
            "not_before": to_text(self.not_before),
            "quotas": " ".join(f"{action}={count}" for action, count in sorted((self.quotas or {}).items())),
            "scopes": " ".join(self.scopes),
            "tier": self.tier.value,
        }

    @classmethod
    def read(cls, facts: dict[str, str | int]) -> Self:
        """Those that an act states. Raises ``IdentityError`` if it does not."""
        try:
            quotas = dict(part.split("=") for part in str(facts["quotas"]).split())
            terms = cls(
                Tier(str(facts["tier"])),
                from_text(str(facts["not_before"])),
                from_text(str(facts["expires"])),
                tuple(str(facts["scopes"]).split()),
                {action: int(count) for action, count in quotas.items()},
            )
        except (KeyError, ValueError) as error:
            raise IdentityError("The act does not say what the credential may do.") from error
        if terms.facts() != {name: facts[name] for name in terms.facts()}:
            raise IdentityError("The act does not say plainly what the credential may do.")
        return terms


def new_id(kind: str) -> str:
    """A pseudonymous id: ``kind`` and 64 random bits."""
    return f"{kind}_{secrets.token_hex(8)}"


def issue(organisation: str, person: str, key: VerifyKey, terms: Terms, now: datetime) -> Act:
    """Give ``person`` of ``organisation`` (ids) a credential for ``key``."""
    facts = {"key": key.text, "organisation": organisation, "person": person, **terms.facts()}
    return Act(ISSUE, new_id("cred"), facts, now)


def amend(credential: Credential, terms: Terms, now: datetime) -> Act:
    """Let other ``terms`` hold, if nothing else changed the credential meanwhile."""
    return Act(AMEND, credential.id, {"revision": credential.revision, **terms.facts()}, now)


def suspend(credential: str, reason: str, now: datetime) -> Act:
    """Stop the use of the credential with that id until it is reinstated; ``reason`` is one word."""
    return Act(SUSPEND, credential, {"reason": reason}, now)


def reinstate(credential: Credential, now: datetime) -> Act:
    """Let a suspended credential be used again."""
    return Act(REINSTATE, credential.id, {"revision": credential.revision}, now)


def revoke(credential: str, reason: str, now: datetime) -> Act:
    """End the credential with that id for ever; ``reason`` is one word."""
    return Act(REVOKE, credential, {"reason": reason}, now)


def rotate(credential: Credential, key: VerifyKey, overlap: timedelta, now: datetime) -> Act:
    """Put the new ``key`` in the place of the current one, which stays good for ``overlap``. The holder signs
    it with both keys."""
    facts: dict[str, str | int] = {
        "key": key.text,
        "overlap_seconds": int(overlap.total_seconds()),
        "revision": credential.revision,
    }
    return Act(ROTATE, credential.id, facts, now)


def issued(act: Act) -> Credential:
    """The credential that an ``issue`` makes. Raises ``IdentityError`` if it cannot be."""
    terms = Terms.read(act.facts)
    key = HeldKey(VerifyKey.from_text(str(act.facts.get("key"))), terms.not_before, terms.expires)
    return Credential(
        id=act.subject,
        organisation=str(act.facts.get("organisation")),
        person=str(act.facts.get("person")),
        tier=terms.tier,
        scopes=terms.scopes,
        quotas=terms.quotas or {},
        keys=(key,),
        not_before=terms.not_before,
        expires=terms.expires,
    )


def changed(before: Credential, act: Act, now: datetime) -> Credential:
    """What any other ``act`` makes of ``before``.

    Raises:
        IdentityError: it changed since the act was written, is revoked, or the act makes no sense.
    """
    if before.state is State.REVOKED:
        raise IdentityError(f"Credential {before.id} was revoked, which is final: issue a new one.")
    if act.action not in (SUSPEND, REVOKE) and act.facts.get("revision") != before.revision:
        raise IdentityError(f"Credential {before.id} has changed meanwhile: look at it and propose anew.")
    return replace(_changed(before, act, now), revision=before.revision + 1)


def _changed(before: Credential, act: Act, now: datetime) -> Credential:
    match act.action:
        case "credential.amend":
            terms = Terms.read(act.facts)
            current = before.keys[-1]
            begins = min(current.not_before, terms.not_before)
            held = replace(current, not_before=begins, expires=terms.expires)
            return replace(
                before,
                tier=terms.tier,
                scopes=terms.scopes,
                quotas=terms.quotas or {},
                not_before=terms.not_before,
                expires=terms.expires,
                keys=(*before.keys[:-1], held),
            )
        case "credential.suspend":
            return replace(before, state=State.SUSPENDED)
        case "credential.reinstate" if before.state is State.SUSPENDED:
            return replace(before, state=State.ACTIVE)
        case "credential.revoke":
            return replace(before, state=State.REVOKED)
        case "credential.rotate":
            return replace(before, keys=_rotated(before, act, now))
    raise IdentityError(f"{act.action} cannot be done to credential {before.id}, which is {before.state}.")


def _rotated(before: Credential, act: Act, now: datetime) -> tuple[HeldKey, ...]:
    try:
        overlap = timedelta(seconds=int(act.facts["overlap_seconds"]))
    except (KeyError, ValueError, OverflowError) as error:
        raise IdentityError("The act does not say for how long the old key stays good.") from error
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise IdentityError(f"An old key stays good for {MAX_OVERLAP.days} days at most.")
    moment = now.replace(microsecond=0)
    until = moment + overlap
    old = tuple(replace(key, expires=min(key.expires, until)) for key in before.keys)
    new = HeldKey(VerifyKey.from_text(str(act.facts.get("key"))), moment, before.expires)
    if new.public in (key.public for key in old):
        raise IdentityError("This key was used before: make a new one.")
    return (*(key for key in old if key.expires > moment and key.expires > key.not_before), new)
