"""``vernissage credential``: who may use this hub, and what its stewards decide about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from governance.errors import IdentityError, LedgerError
from governance.identity import Tier
from service.cli import console
from service.cli.credential_listing import remind, show_all
from service.cli.own_keys import made_or_found, public_key, signing_key

if TYPE_CHECKING:
    from governance.identity import Act, Approval, Roster

app = typer.Typer(help="Who may use this hub; what its stewards decide.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
Id = Annotated[str, typer.Argument(metavar="CREDENTIAL", help="As `credential list` names it.")]
By = Annotated[
    list[Path], typer.Option("--by", metavar="KEYFILE", help="A steward's key file; may come twice.")
]
Scopes = Annotated[
    list[str] | None, typer.Option("--scope", metavar="WORD", help="What else it reaches; may come again.")
]
Quotas = Annotated[
    list[str] | None,
    typer.Option("--quota", metavar="ACTION=N", help="How often a day; may come again."),
]
Reason = Annotated[str, typer.Option("--reason", metavar="WORD", help="One word for the ledger.")]


@app.command()
def key(
    file: Annotated[Path, typer.Argument(metavar="KEYFILE", help="Made if there is none.")],
    as_json: Json = False,
) -> None:
    """Make a key of your own, or show the public half to give to the stewards."""
    public = made_or_found(file).public
    if as_json:
        console.print_json({"key": public.text, "keyid": public.keyid})
    else:
        console.out.print(public.text)
        console.note(f"{file} is yours alone; give the stewards the line above.")


@app.command()
def bootstrap(
    organisation: Annotated[str, typer.Option(help="Whose stewards they are.")],
    steward: Annotated[
        list[str],
        typer.Option(metavar="NAME=KEY", help="A name, and a key file or public key; give two."),
    ],
    as_json: Json = False,
) -> None:
    """Make the first two stewards, once."""
    named = []
    for text in steward:
        name, found, public = text.rpartition("=")
        if not found:
            raise IdentityError(f"{text!r} is no steward: write NAME=KEY.")
        named.append((name, public_key(public)))
    with _roster() as roster:
        made = roster.bootstrap(organisation, named, datetime.now(UTC))
        show_all([roster.get(one.id) for one in made], [], roster, as_json)
        remind(roster.all(), datetime.now(UTC))


@app.command()
def issue(
    organisation: Annotated[str, typer.Option(help="Who answers for the person.")],
    person: Annotated[str, typer.Option(help="Who will hold it.")],
    key: Annotated[str, typer.Option(metavar="KEY", help="Their public key, or a key file.")],
    tier: Annotated[Tier, typer.Option(help="How far it reaches.")],
    by: By,
    days: Annotated[int, typer.Option(min=1, max=366, help="For how long.")] = 90,
    scope: Scopes = None,
    quota: Quotas = None,
    as_json: Json = False,
) -> None:
    """Give somebody a credential: done when two stewards have signed, else proposed."""
    from governance.identity import Terms
    from governance.identity import issue as issuing

    now = datetime.now(UTC)
    quotas = _quotas(quota) if quota else None
    terms = Terms(tier, now, now + timedelta(days=days), tuple(scope or ()), quotas)
    with _roster() as roster:
        house = roster.organisation(organisation)
        _submit(
            roster,
            issuing(house, roster.person(house, person), public_key(key), terms, now),
            by,
            now,
            as_json,
        )


@app.command()
def propose(
    id: Id,
    by: By,
    tier: Annotated[Tier | None, typer.Option(help="How far it is to reach.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=366, help="For how long from today.")] = None,
    scope: Scopes = None,
    no_scopes: Annotated[bool, typer.Option("--no-scopes", help="None at all.")] = False,
    quota: Quotas = None,
    as_json: Json = False,
) -> None:
    """Change what a credential allows: one steward narrows it at once, two widen it."""
    from governance.identity import Terms, amend

    now = datetime.now(UTC)
    with _roster() as roster:
        credential = roster.get(id).credential
        terms = Terms.of(credential)
        if tier:
            terms = replace(terms, tier=tier)
        if days:
            begins = max(credential.not_before, now)
            terms = replace(terms, not_before=begins, expires=now + timedelta(days=days))
        if scope or no_scopes:
            terms = replace(terms, scopes=tuple(scope or ()))
        if quota:
            terms = replace(terms, quotas={**credential.quotas, **_quotas(quota)})
        if terms == Terms.of(credential):
            raise IdentityError("That changes nothing: name a tier, days, scopes or quotas.")
        _submit(roster, amend(credential, terms, now), by, now, as_json)


@app.command()
def approve(
    proposal: Annotated[str, typer.Argument(help="Its first characters, as `credential list` shows.")],
    by: By,
    as_json: Json = False,
) -> None:
    """Sign what another steward has proposed."""
    now = datetime.now(UTC)
    with _roster() as roster:
        _submit(roster, roster.proposal(proposal, now).act, by, now, as_json)


@app.command()
def suspend(id: Id, by: By, reason: Reason, as_json: Json = False) -> None:
    """Stop its use at once; one steward may."""
    from governance.identity import suspend as suspending

    now = datetime.now(UTC)
    with _roster() as roster:
        _submit(roster, suspending(id, reason, now), by, now, as_json)


@app.command()
def reinstate(id: Id, by: By, as_json: Json = False) -> None:
    """Let a suspended credential be used again; takes two stewards."""
    from governance.identity import reinstate as reinstating

    now = datetime.now(UTC)
    with _roster() as roster:
        _submit(roster, reinstating(roster.get(id).credential, now), by, now, as_json)


@app.command()
def revoke(id: Id, by: By, reason: Reason, as_json: Json = False) -> None:
    """End it for ever; one steward may."""
    from governance.identity import revoke as revoking

    now = datetime.now(UTC)
    with _roster() as roster:
        _submit(roster, revoking(id, reason, now), by, now, as_json)


@app.command()
def rotate(
    key: Annotated[Path, typer.Option(metavar="KEYFILE", help="The key you use now.")],
    new: Annotated[Path, typer.Option(metavar="KEYFILE", help="The one to use from now on; made if none.")],
    overlap_days: Annotated[
        int, typer.Option(min=0, max=30, help="For how long the old one stays good; 0 if it was stolen.")
    ] = 7,
    as_json: Json = False,
) -> None:
    """Change your own key; takes nobody else."""
    from governance.identity import Approval
    from governance.identity import rotate as rotating

    now = datetime.now(UTC)
    old = signing_key(key)
    with _roster() as roster:
        credential = roster.holder(old.keyid, now)
        newer = made_or_found(new)
        act = rotating(credential, newer.public, timedelta(days=overlap_days), now)
        after = roster.rotate(act, Approval.by(old, act), Approval.by(newer, act), now)
        show_all([roster.get(after.id)], [], roster, as_json)


@app.command("list")
def list_credentials(as_json: Json = False) -> None:
    """Name every credential, and what waits for another steward."""
    now = datetime.now(UTC)
    with _roster() as roster:
        everybody = roster.all()
        show_all(everybody, roster.pending(now), roster, as_json)
        remind(everybody, now)


@app.command()
def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="Of a credential, or how a proposal begins.")],
    as_json: Json = False,
) -> None:
    """Show one credential, with its keys, or one proposal."""
    with _roster() as roster:
        if not id.startswith("cred_"):
            show_all([], [roster.proposal(id, datetime.now(UTC))], roster, as_json)
            return
        listed = roster.get(id)
        show_all([listed], [], roster, as_json)
        if as_json:
            return
        one = listed.credential
        console.indented(f"a grant names it as credential:{one.id} or organisation:{one.organisation}", 2)
        for held in one.keys:
            console.indented(f"key {held.public.keyid} until {held.expires:%Y-%m-%d %H:%M}", 2)
        console.indented(f"revision {one.revision}, sha256 {one.sha256}", 2)


@app.command()
def audit(
    sign_again: Annotated[
        bool, typer.Option("--sign-again", help="Sign what the ledger confirms, after the hub's key changed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare all credentials with the ledger. Exits 1 if they differ."""
    from governance.identity import audit as auditing
    from service.hub import Hub

    with Hub.open() as hub:
        hub.deliver()
        told = auditing.told(hub.ledger.entries(0, hub.ledger.checkpoint().size))
        with hub.database.transaction() as session:
            former = (*hub.keys.believed, *hub.keys.disowned)
            signed = auditing.sign_again(session, told, hub.key, former) if sign_again else []
        with hub.database.transaction() as session:
            wrong = auditing.discrepancies(session, told)
    if as_json:
        console.print_json({"credentials": len(told), "signed_again": signed, "wrong": wrong})
    else:
        for name, problem in wrong.items():
            console.complain(f"{name} is {problem}")
        if sign_again:
            console.out.print(f"{len(signed)} signed again.")
        elif wrong:
            console.note(
                "After `vernissage keys rotate --stolen`: `vernissage credential audit --sign-again` "
                "signs what the ledger confirms. Otherwise somebody changed the database: restore it."
            )
        console.out.print(f"{len(told)} credentials on the ledger, {len(wrong)} of them or others wrong.")
    if wrong:
        raise typer.Exit(1)


@contextmanager
def _roster() -> Iterator[Roster]:
    """The hub's; what was done is carried to the ledger at the end."""
    from governance.identity import Roster
    from service.hub import Hub

    with Hub.open() as hub:
        yield Roster(hub.database, hub.key)
        try:
            hub.deliver()
        except LedgerError as error:
            console.note(f"Done, but not on the ledger yet; the next command will try again. {error}")


def _submit(roster: Roster, act: Act, by: list[Path], now: datetime, as_json: bool) -> None:
    from governance.identity import Approval

    approvals: list[Approval] = [Approval.by(signing_key(file), act) for file in by]
    after = roster.submit(act, approvals, now)
    if after is not None:
        show_all([roster.get(after.id)], [], roster, as_json)
        return
    show_all([], [roster.proposal(act.sha256, now)], roster, as_json)


def _quotas(texts: list[str]) -> dict[str, int]:
    try:
        return {action: int(count) for action, count in (text.split("=") for text in texts)}
    except ValueError as error:
        raise IdentityError("A quota is an action and a number: write generate=100.") from error
