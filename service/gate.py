"""The gate that a film passes on one's own machine: the hub's policies, its consents and its record.

Our own sitters need none of the hub's state. Any other face is checked against what a hub on this machine
(``service.hub``) knows: who refused, who signed a grant, what was revoked. Where there is no hub nobody is
known to have refused, and no grant can be verified. Whatever cannot be answered is a no.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from generator import sitters
from generator.errors import PortraitError
from governance import home
from governance.policy import (
    Action,
    CheckResult,
    GrantFacts,
    Policy,
    Principal,
    PrincipalKind,
    Request,
    Sitter,
)
from governance.provenance import Entry, Rights
from service.errors import NotAllowed, RightsUndeclared

LOCAL_USER = Principal(PrincipalKind.LOCAL_USER)
HOUSE: Rights = "sitter-of-the-house"

SITTERS: Mapping[Rights, Sitter] = {
    "public-domain": Sitter.PUBLIC_DOMAIN,
    "fictional": Sitter.FICTIONAL,
    "own-likeness": Sitter.LIVING_PERSON,
    HOUSE: Sitter.HOUSE,
}


@dataclass(frozen=True)
class Occasion:
    """What whoever asks for a film declares of it.

    Attributes:
        purposes: what it is for, terms of ``governance.consent.PURPOSES``.
        locale: the language spoken; ``None`` if it is silent.
        own_voice: whether the voice is, or imitates, that of the person shown.
        key: of the credential by which a grant is used.
    """

    purposes: tuple[str, ...] = ()
    locale: str | None = "en"
    own_voice: bool = True
    key: Path | None = None


@dataclass(frozen=True)
class Plan:
    """What is to be made, and by what right.

    Attributes:
        picture: the portrait.
        right: as declared, or the file of a grant.
        occasion: what it is for.
        emotions: all that will be played.
        inputs: what else shapes the film: hashes and numbers by name.
    """

    picture: Path
    right: Rights | Path
    occasion: Occasion
    emotions: tuple[str, ...]
    inputs: Mapping[str, str | int]


@dataclass(frozen=True)
class Permission:
    """What the manifest says of the right, and what must be asked again before the film is handed over.

    Attributes:
        rights: by what right.
        portrait_sha256: of the one picture it is for.
        grant, request: SHA-256 of the grant and of the request.
        entry: where the ledger tells of the request.
        confirm: called with the sealed film, which has not got its name yet, and the name of the job that it
            is marked with; what it raises means no film.
    """

    rights: Rights
    portrait_sha256: str
    grant: str | None = None
    request: str | None = None
    entry: Entry | None = None
    confirm: Callable[[Path, str], None] = lambda film, job: None


def right_to(picture: Path, right: Rights | Path | None) -> Rights | Path:
    """``right``, or for one of our own sitters the right to animate those.

    Raises:
        PortraitError: there is no such picture.
        RightsUndeclared: it is somebody else's, and nobody has said by what right.
    """
    if not picture.is_file():
        raise PortraitError(f"There is no picture at {picture}: give the path of a picture file.")
    if sitters.recognise(sha256_of(picture)) is not None:
        return right or HOUSE
    if right is None or right == HOUSE:
        raise RightsUndeclared(
            f"{picture.name} is not one of our own sitters: say by what right it may be animated with "
            "--rights public-domain, fictional, own-likeness or grant:FILE. "
            "What you declare is written into the film."
        )
    return right


@contextmanager
def permission(plan: Plan) -> Iterator[Permission]:
    """Whether the film may be made. If the block is left by an error a reserved use is given back.

    Raises:
        NotAllowed: the policies forbid it.
        ConsentRefused: the person shown does not allow it, or the grant does not.
        CredentialRefused: the key belongs to nobody who may use the grant.
        GovernanceError: the hub's state cannot be read, so nobody knows.
        PortraitError: the picture was exchanged while it was read.
    """
    portrait = sha256_of(plan.picture)
    if plan.right == HOUSE and sitters.recognise(portrait) is None:
        raise PortraitError(f"{plan.picture} is not, or no longer, one of our own sitters: try again.")
    if plan.right == HOUSE or not (isinstance(plan.right, Path) or home.has_database()):
        question = ask(plan, portrait, plan.right, checks={"standingRefusal": CheckResult.CLEAR})
        demand(question)
        yield Permission(plan.right, portrait)
        return
    from service import gatekeeper

    with gatekeeper.permission(plan, portrait) as permitted:
        yield permitted


def ask(
    plan: Plan,
    portrait: str,
    declared: Rights | None,
    *,
    checks: Mapping[str, CheckResult],
    principal: Principal = LOCAL_USER,
    grant: GrantFacts | None = None,
) -> Request:
    """The question to the policies: by a right as ``declared``, or else by a ``grant``."""
    return Request(
        Action.ANIMATE,
        principal,
        datetime.now(UTC),
        SITTERS[declared] if declared else Sitter.LIVING_PERSON,
        portrait,
        rights=None if declared == HOUSE else declared,
        purposes=frozenset(plan.occasion.purposes),
        directions=frozenset(plan.emotions),
        locale=plan.occasion.locale or "",
        sitters_voice=plan.occasion.own_voice,
        checks=checks,
        grant=grant,
    )


def demand(question: Request) -> None:
    """Raises ``NotAllowed`` unless the policies allow it."""
    decision = Policy.load().decide(question)
    if not decision.allowed:
        raise NotAllowed(decision.policies[0], decision.sentence)


def sha256_of(path: Path) -> str:
    """Of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
