"""What the gate of one's own machine asks of the hub: refusals, grants, credentials; and its ledger."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import rfc8785
from sqlalchemy import or_, select

from generator.errors import PortraitError
from governance.consent import Asking, Consents, Grant
from governance.consent.files import MAX_PICTURE_BYTES, copied, read_bounded
from governance.consent.standing import check_living, check_refusals
from governance.consent.tables import StoredGrant, StoredRefusal
from governance.errors import BiometricsError, ConsentRefused, CredentialRefused, LedgerError
from governance.events import Event
from governance.identity import find_credential
from governance.keys import SigningKey
from governance.policy import CheckResult, GrantFacts, Principal, PrincipalKind
from governance.provenance import GRANTED, Entry, Rights
from governance.storage import record
from service.errors import NotAllowed, RightsUndeclared
from service.gate import Permission, Plan, ask, demand, sha256_of
from service.hub import Hub

MAX_GRANT_BYTES = 1 << 20


def permission(plan: Plan, portrait: str) -> AbstractContextManager[Permission]:
    """As ``service.gate.permission`` says, for the picture with the SHA-256 ``portrait``."""
    if isinstance(plan.right, Path):
        return _by_grant(plan, plan.right, portrait)
    return _by_declaration(plan, plan.right, portrait)


@contextmanager
def _by_declaration(plan: Plan, declared: Rights, portrait: str) -> Iterator[Permission]:
    with Hub.open() as hub:
        request, face = _request(plan, portrait), _face(hub, plan.picture, portrait)

        def check() -> None:
            with _refusals_told(hub, request):
                demand(ask(plan, portrait, declared, checks=_search(hub, face, portrait)))

        def confirm(film: Path, job: str) -> None:
            check()
            _tell(hub, Event("film.delivered", {"request": request, "film": sha256_of(film), "job": job}))

        check()
        entry = _tell(hub, Event("request.admitted", {"request": request, "right": declared}))
        yield Permission(declared, portrait, None, request, entry, confirm)


@contextmanager
def _by_grant(plan: Plan, file: Path, portrait: str) -> Iterator[Permission]:
    grant = Grant.read(read_bounded(file, MAX_GRANT_BYTES))
    if plan.occasion.locale is None:  # silence needs no language
        plan = replace(plan, occasion=replace(plan.occasion, locale=grant.locales[0]))
    with Hub.open() as hub:
        request, consents = _request(plan, portrait), Consents(hub.database)
        keyid = _keyid(plan.occasion.key)
        with _refusals_told(hub, request):
            principal = _principal(hub, keyid)
            use = consents.admit(grant.id, _asking(plan, portrait, request, principal), datetime.now(UTC))

        def confirm(film: Path, job: str) -> None:
            with _refusals_told(hub, request):
                _principal(hub, keyid)
                consents.confirm(use, datetime.now(UTC))
            _tell(hub, Event("film.delivered", {"request": request, "film": sha256_of(film), "job": job}))

        try:
            with _refusals_told(hub, request):
                if use.right_sha256 != grant.sha256:
                    raise ConsentRefused(
                        "grant_differs", f"The hub knows another grant of this id than {file.name}."
                    )
                demand(
                    ask(
                        plan,
                        portrait,
                        None,
                        checks={"standingRefusal": CheckResult.CLEAR},
                        principal=principal,
                        grant=facts_of(grant, uses_left=1),  # the one reserved above
                    )
                )
            entry = _tell(hub, Event("request.admitted", {"request": request, "right": grant.sha256}))
            yield Permission(GRANTED, portrait, grant.sha256, request, entry, confirm)
        except BaseException:
            with suppress(ConsentRefused):
                consents.release(use, datetime.now(UTC))
            with suppress(LedgerError):
                hub.deliver()
            raise


@contextmanager
def _refusals_told(hub: Hub, request: str) -> Iterator[None]:
    """Why the request was refused in the block, if it was, goes on the ledger."""
    try:
        yield
    except (ConsentRefused, CredentialRefused, NotAllowed) as error:
        reason = error.policy if isinstance(error, NotAllowed) else error.reason
        _tell(hub, Event("request.refused", {"request": request, "reason": reason}))
        raise


def _asking(plan: Plan, portrait: str, request: str, principal: Principal) -> Asking:
    return Asking(
        request,
        tuple(sorted(principal.grantees)),
        portrait,
        plan.occasion.purposes,
        plan.emotions,
        plan.occasion.locale or "",
        plan.occasion.own_voice,
    )


def facts_of(grant: Grant, uses_left: int) -> GrantFacts:
    """What the policies are told of a grant that was verified and is in force."""
    return GrantFacts(
        verified=True,
        grantee=grant.grantee,
        portrait=grant.portrait_sha256,
        purposes=frozenset(grant.purposes),
        directions=frozenset(grant.directions),
        locales=frozenset(grant.locales),
        voice=grant.voice is not None,
        not_before=grant.not_before,
        expires=grant.expires,
        uses_left=uses_left,
    )


def _keyid(key: Path | None) -> str:
    """Of the ``key``, read once: whoever is admitted is asked again at the end."""
    if key is None:
        raise RightsUndeclared(
            "A grant is given to somebody: name the key of your credential with --key, "
            "so that it can be told whether you are meant."
        )
    return SigningKey.load(key).keyid


def _principal(hub: Hub, keyid: str) -> Principal:
    """The holder of the credential that the key belongs to. Raises ``CredentialRefused``."""
    with hub.database.transaction() as session:
        credential = find_credential(session, keyid, datetime.now(UTC))
    return Principal(
        PrincipalKind.LOCAL_USER,
        frozenset({f"credential:{credential.id}", f"organisation:{credential.organisation}"}),
        credential.tier.value,
        frozenset(credential.scopes),
    )


def _face(hub: Hub, picture: Path, portrait: str) -> object | None:
    """The face in ``picture``, if the hub knows faces to compare it with and this one can be measured. Raises
    ``PortraitError`` if it is not the picture with the SHA-256 ``portrait`` any more."""
    if not _knows_faces(hub):
        return None
    with copied(picture, MAX_PICTURE_BYTES) as (copy, sha256):
        if sha256 != portrait:
            raise PortraitError(f"{picture} was changed while it was read: try again.")
        try:
            face: object = hub.faces.measure(copy)
        except BiometricsError:
            return None
        return face


def _knows_faces(hub: Hub) -> bool:
    refused = select(StoredRefusal.id).where(
        StoredRefusal.face.is_not(None), StoredRefusal.withdrawn_at.is_(None)
    )
    with hub.database.transaction() as session:
        return bool(session.scalar(select(or_(refused.exists(), select(StoredGrant.id).exists()))))


def _search(hub: Hub, face: object | None, portrait: str) -> dict[str, CheckResult]:
    """Whether the person shown refused, and whether somebody living has signed a grant for this face. Where
    faces are known but this one cannot be measured, nobody can tell."""
    unless_found = CheckResult.UNSURE if face is None and _knows_faces(hub) else CheckResult.CLEAR
    checks = {"standingRefusal": unless_found, "knownFace": unless_found}
    with hub.database.transaction() as session:
        for known in (None, *(hub.faces.like(session, face) if face is not None else ())):
            try:
                check_refusals(session, portrait, known, None)
            except ConsentRefused:
                checks["standingRefusal"] = CheckResult.FOUND
            try:
                check_living(session, portrait, known or "")
            except ConsentRefused:
                checks["knownFace"] = CheckResult.FOUND
    return checks


def _tell(hub: Hub, event: Event) -> Entry:
    """Put ``event`` on the ledger; where it is."""
    with hub.database.transaction() as session:
        record(session, event)
    hub.deliver()
    entry = hub.ledger.find(event.id)
    assert entry is not None, "what was delivered is on the ledger"
    return Entry(hub.keys.origin, entry.index)


def _request(plan: Plan, portrait: str) -> str:
    """The hash of what is asked; two films of the same are two requests."""
    asked = {
        "action": "animate",
        "emotions": sorted(plan.emotions),
        "inputs": dict(plan.inputs),
        "locale": plan.occasion.locale,
        "nonce": secrets.token_hex(16),
        "own_voice": plan.occasion.own_voice,
        "portrait": portrait,
        "purposes": sorted(plan.occasion.purposes),
    }
    return hashlib.sha256(rfc8785.dumps(asked)).hexdigest()
