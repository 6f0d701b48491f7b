"""How credentials and proposals are shown: to people in few columns, to programs as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.text import Text

from governance.errors import CredentialRefused
from service.cli import console

if TYPE_CHECKING:
    from governance.identity import Credential, Listed, Roster
    from governance.identity.proposals import Pending

ENOUGH_STEWARDS = 3
SHORT = 12
"""So many characters name a proposal."""


def show_all(credentials: list[Listed], proposals: list[Pending], roster: Roster, as_json: bool) -> None:
    """Print ``credentials`` and the ``proposals`` that wait."""
    now = datetime.now(UTC)
    if as_json:
        console.print_json(
            {
                "credentials": [_facts(listed, now) for listed in credentials],
                "proposals": [_proposal_facts(waiting, roster) for waiting in proposals],
            }
        )
        return
    for listed in credentials:
        _show(listed, now)
    for waiting in proposals:
        _show_proposal(waiting, roster)
    if not credentials and not proposals:
        console.out.print("Nobody yet: run `vernissage credential bootstrap`.")


def _show(listed: Listed, now: datetime) -> None:
    one = listed.credential
    state = _state(one, now)
    style = "green" if state == "active" else "red"
    console.out.print(Text.assemble((one.id, "bold"), f" {one.tier} ", (state, style)))
    console.indented(f"{listed.person}, {listed.organisation}; until {one.expires:%Y-%m-%d}", 2)
    quotas = ", ".join(f"{action} {count:,}" for action, count in sorted(one.quotas.items()))
    if quotas:
        console.indented(f"a day: {quotas}", 2)
    if one.scopes:
        console.indented(f"scopes: {', '.join(one.scopes)}", 2)


def _show_proposal(waiting: Pending, roster: Roster) -> None:
    act, short = waiting.act, waiting.act.sha256[:SHORT]
    house, person = roster.names(act)
    console.out.print(Text.assemble((short, "bold"), f" {act.action} ", ("waits for a steward", "yellow")))
    console.indented(f"for {person}, {house} ({act.subject})", 2)
    for name, fact in act.facts.items():
        if name not in ("organisation", "person") and fact != "":
            console.indented(f"{name}: {fact}", 2)
    console.indented(f"signed by {len(waiting.approvals)}; proposed on {act.at:%Y-%m-%d %H:%M}", 2)
    console.indented(f"vernissage credential approve {short} --by KEYFILE", 2)


def _facts(listed: Listed, now: datetime) -> dict[str, Any]:
    from governance.identity.credential import to_text
    from governance.keys import to_base64url

    one = listed.credential
    return {
        "id": one.id,
        "state": _state(one, now),
        "tier": one.tier.value,
        "organisation": {"id": one.organisation, "name": listed.organisation},
        "person": {"id": one.person, "name": listed.person},
        "keyid": one.keyid,
        "expires": to_text(one.expires),
        "scopes": list(one.scopes),
        "quotas": one.quotas,
        "revision": one.revision,
        "sha256": one.sha256,
        "document": one.canonical().decode(),
        "signature": to_base64url(listed.signature),
    }


def _proposal_facts(waiting: Pending, roster: Roster) -> dict[str, Any]:
    house, person = roster.names(waiting.act)
    return {
        "id": waiting.act.sha256,
        "action": waiting.act.action,
        "subject": waiting.act.subject,
        "organisation": house,
        "person": person,
        "signed_by": [approval.keyid for approval in waiting.approvals],
        "document": waiting.act.canonical().decode(),
    }


def _state(credential: Credential, now: datetime) -> str:
    try:
        credential.check(now)
    except CredentialRefused as refused:
        return refused.reason.replace("_", " ")
    return "active"


def remind(credentials: list[Listed], now: datetime) -> None:
    """Say so if there are few stewards left."""
    found = (listed.credential for listed in credentials if listed.credential.tier == "steward")
    stewards = {credential.person for credential in found if _state(credential, now) == "active"}
    if credentials and len(stewards) < ENOUGH_STEWARDS:
        console.note(
            f"With {len(stewards)} stewards nobody can renew one of them, and a lost key stops every "
            "decision that takes two: issue another soon."
        )
