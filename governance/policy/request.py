"""The question put to the policies, as plain facts that other rooms have established.

What is not known is left out; a fact left out never widens what is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Self

from governance.errors import PolicyError

EXACT: dict[str, Any] = {"extra": "forbid"}
"""When read from JSON, a fact nobody has heard of is an error."""
MAX_BYTES = 64 * 1024
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class Action(StrEnum):
    """What is asked: to examine a file, to let the hub make a film, to make one on one's own machine, or to
    have a copy of a model version."""

    DETECT = "detect"
    VERIFY = "verify"
    GENERATE = "generate"
    ANIMATE = "animate"
    DOWNLOAD = "download"


class PrincipalKind(StrEnum):
    """Nobody in particular, the holder of a verified credential, or somebody at their own machine."""

    VISITOR = "visitor"
    HOLDER = "holder"
    LOCAL_USER = "local-user"


class Sitter(StrEnum):
    """Whose face it is; ``unknown`` is refused."""

    LIVING_PERSON = "living-person"
    FICTIONAL = "fictional"
    PUBLIC_DOMAIN = "public-domain"
    HOUSE = "sitter-of-the-house"
    UNKNOWN = "unknown"


class CheckResult(StrEnum):
    """What a check came to; one that was not made has no result at all."""

    CLEAR = "clear"
    FOUND = "found"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Principal:
    """Who asks. ``tier`` and ``scopes`` come from a credential that was verified for this very request, and
    are empty for everybody else; ``grantees`` are the names by which a grant can be made out to them, such as
    ``credential:ID`` and ``organisation:ID``."""

    __pydantic_config__: ClassVar[dict[str, Any]] = EXACT

    kind: PrincipalKind = PrincipalKind.VISITOR
    grantees: frozenset[str] = frozenset()
    tier: str = ""
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class GrantFacts:
    """What a living person's grant says, and whether it is ``verified``: signed by that person, confirmed in
    a ceremony, not revoked. ``portrait`` is a SHA-256. A locale includes its varieties, ``en``
    also ``en-GB``."""

    __pydantic_config__: ClassVar[dict[str, Any]] = EXACT

    verified: bool
    grantee: str
    portrait: str
    purposes: frozenset[str]
    directions: frozenset[str]
    locales: frozenset[str]
    voice: bool
    not_before: datetime
    expires: datetime
    uses_left: int


@dataclass(frozen=True)
class AttestationFacts:
    """What somebody stated about the rights in a picture, and whether a steward has ``reviewed`` it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = EXACT

    reviewed: bool
    sitter: Sitter
    portrait: str
    expires: datetime | None = None


@dataclass(frozen=True)
class Request:
    """One question.

    Attributes:
        action: what is asked.
        principal: who asks.
        now: at what time; with a zone.
        sitter: whose face, for films.
        portrait: SHA-256 of the picture.
        rights: the right declared on one's own machine: own-likeness, fictional or public-domain.
        purposes: what the film is for, as declared.
        directions: the emotions it shows.
        locale: the language spoken, such as ``en-GB`` (BCP 47).
        sitters_voice: whether the sitter's own voice, or an imitation, will be heard.
        minor: whether the sitter is under 18, as declared.
        public_figure: whether the sitter is a named public figure, as declared.
        checks: results by name; the names are those of ``Checks`` in ``schema.cedarschema``.
        rung: where the model version is served on the release ladder, for films and downloads.
        grant: of the person in the picture.
        attestation: about the rights in the picture.

    Raises ``PolicyError`` where a time has no zone.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = EXACT

    action: Action
    principal: Principal
    now: datetime
    sitter: Sitter = Sitter.UNKNOWN
    portrait: str = ""
    rights: str | None = None
    purposes: frozenset[str] = frozenset()
    directions: frozenset[str] = frozenset()
    locale: str = ""
    sitters_voice: bool = True
    minor: bool | None = None
    public_figure: bool | None = None
    checks: Mapping[str, CheckResult] = field(default_factory=dict)
    rung: str | None = None
    grant: GrantFacts | None = None
    attestation: AttestationFacts | None = None

    def __post_init__(self) -> None:
        moments = [self.now]
        if self.grant:
            moments += [self.grant.not_before, self.grant.expires]
        if self.attestation and self.attestation.expires:
            moments.append(self.attestation.expires)
        if any(moment.tzinfo is None for moment in moments):
            raise PolicyError("Every time in a question needs a time zone, such as 2026-11-22T10:00:00Z.")

    @classmethod
    def read(cls, facts: object) -> Self:
        """From what JSON or TOML was parsed to. Raises ``PolicyError`` saying which fact is wrong."""
        from pydantic import TypeAdapter, ValidationError

        try:
            return TypeAdapter(cls).validate_python(facts)
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in wrong["loc"]) or "the question"
            raise PolicyError(f"{where}: {wrong['msg'].rstrip('.')}.") from error

    @classmethod
    def open(cls, path: Path) -> Self:
        """From a JSON file. Raises ``PolicyError`` if it cannot be read as a question."""
        import json

        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                raise PolicyError(f"{path} is too large to be a question to the policies.")
            return cls.read(json.loads(data))
        except OSError as error:
            raise PolicyError(f"The question {path} cannot be read ({error.strerror}).") from error
        except ValueError as error:
            raise PolicyError(f"{path} is not JSON: write the question as an object of facts.") from error


WHO, WHAT = "asking", "asked"
FILE, WEIGHTS = "File", "Weights"
PRINCIPALS = {
    PrincipalKind.VISITOR: "Visitor",
    PrincipalKind.HOLDER: "Holder",
    PrincipalKind.LOCAL_USER: "LocalUser",
}
SITTERS = {
    Sitter.LIVING_PERSON: "LivingPerson",
    Sitter.FICTIONAL: "FictionalPerson",
    Sitter.PUBLIC_DOMAIN: "PublicDomainWork",
    Sitter.HOUSE: "HouseSitter",
    Sitter.UNKNOWN: "UnknownSitter",
}


@dataclass(frozen=True)
class Asked:
    """A request in Cedar's terms: who asks and what about (entities), for what action, with which facts."""

    principal: str
    action: str
    resource: str
    attributes: tuple[Principal, str]
    context: dict[str, Any]

    def request(self) -> dict[str, Any]:
        """As ``cedarpy`` takes it."""
        return {
            "principal": {"type": self.principal, "id": WHO},
            "action": {"type": "Action", "id": self.action},
            "resource": {"type": self.resource, "id": WHAT},
            "context": self.context,
        }

    def entities(self) -> list[dict[str, Any]]:
        """As ``cedarpy`` takes them; the same for equal ``principal``, ``resource`` and ``attributes``."""
        who, rung = self.attributes
        holder = {"grantees": sorted(who.grantees), "tier": who.tier, "scopes": sorted(who.scopes)}
        asked = {"rung": rung} if self.resource == WEIGHTS else {}
        return [
            {"uid": {"type": self.principal, "id": WHO}, "attrs": holder, "parents": []},
            {"uid": {"type": self.resource, "id": WHAT}, "attrs": asked, "parents": []},
        ]


def to_cedar(request: Request) -> Asked:
    """``request`` as ``schema.cedarschema`` spells it."""
    context: dict[str, Any] = {}
    if request.action in (Action.DETECT, Action.VERIFY):
        resource = FILE
    elif request.action is Action.DOWNLOAD:
        resource = WEIGHTS
    else:
        resource, context = SITTERS[request.sitter], _making(request)
    rung = request.rung or "" if resource == WEIGHTS else ""
    who = request.principal
    return Asked(PRINCIPALS[who.kind], request.action.value, resource, (who, rung), context)


def _making(request: Request) -> dict[str, Any]:
    context: dict[str, Any] = {
        "now": _moment(request.now),
        "portrait": request.portrait,
        "purposes": sorted(request.purposes),
        "directions": sorted(request.directions),
        "locale": _with_wider(request.locale),
        "sittersVoice": request.sitters_voice,
        "checks": {name: CheckResult(result).value for name, result in request.checks.items()},
    }
    declared = {
        "minor": request.minor,
        "publicFigure": request.public_figure,
        "rights": request.rights,
        "rung": request.rung,
    }
    context |= {name: fact for name, fact in declared.items() if fact is not None}
    if request.grant:
        grant = request.grant
        context["grant"] = {
            "verified": grant.verified,
            "grantee": grant.grantee,
            "portrait": grant.portrait,
            "purposes": sorted(grant.purposes),
            "directions": sorted(grant.directions),
            "locales": sorted(grant.locales),
            "voice": grant.voice,
            "notBefore": _moment(grant.not_before),
            "expires": _moment(grant.expires),
            "usesLeft": grant.uses_left,
        }
    if request.attestation:
        attestation = request.attestation
        context["attestation"] = {
            "reviewed": attestation.reviewed,
            "sitter": attestation.sitter.value,
            "portrait": attestation.portrait,
        }
        if attestation.expires:
            context["attestation"]["expires"] = _moment(attestation.expires)
    return context


def _with_wider(locale: str) -> list[str]:
    """``zh-Hant-TW``, ``zh-Hant`` and ``zh`` (RFC 4647)."""
    parts = locale.split("-") if locale else []
    return ["-".join(parts[:count]) for count in range(len(parts), 0, -1)]


def _moment(moment: datetime) -> int:
    return (moment - EPOCH) // MILLISECOND
