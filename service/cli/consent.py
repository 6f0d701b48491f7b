"""``vernissage consent``: what people allow with their face, and what they do not.

A person needs only their key file and the files they are sent: ``key``, ``show``, ``verify``, ``sign``,
``revoke``, ``refuse`` and ``attest`` know no hub. The others speak to the hub of this machine.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli import console
from service.cli.consent_house import open_house
from service.cli.own_keys import made_or_found, public_key, signing_key

if TYPE_CHECKING:
    from governance.consent import Ceremony
    from governance.consent.documents import Document, Statement

app = typer.Typer(help="What people allow with their face, and what they do not.", no_args_is_help=True)
REFUSED = 2
"""Exit status of a ceremony that was not passed, and of terms that were not signed."""

Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
Key = Annotated[Path, typer.Option("--key", help="Your own key file, made by `vernissage consent key`.")]
Picture = Annotated[Path, typer.Argument(help="The picture file.")]


class Sitter(StrEnum):
    """Sitters who cannot sign for themselves."""

    FICTIONAL = "fictional"
    PUBLIC_DOMAIN = "public-domain"


@app.command()
def key(
    file: Annotated[Path, typer.Argument(help="Made if there is none; keep a copy in a safe place.")],
    as_json: Json = False,
) -> None:
    """Make a key of your own, by which you sign what you allow and refuse, or show its public half."""
    made = made_or_found(file)
    _say(
        as_json,
        {"key": made.public.text, "keyid": made.keyid},
        f"Your key is in {file}: keep it, and a copy in a safe place. Who asks for your consent needs this:",
        f"--subject={made.public.text}",
    )


@app.command()
def request(
    picture: Picture,
    subject: Annotated[str, typer.Option(help="The public key of the person in the picture.")],
    grantee: Annotated[str, typer.Option(help="Who may: credential:ID or organisation:ID.")],
    purpose: Annotated[list[str], typer.Option(help="What for, a term such as dpv:PublicBenefit; repeat.")],
    uses: Annotated[int, typer.Option(min=1, help="How many films.")],
    days: Annotated[int, typer.Option(min=1, max=731, help="For how many days from now.")],
    emotion: Annotated[list[str] | None, typer.Option(help="An emotion to be played; repeat.")] = None,
    locale: Annotated[list[str] | None, typer.Option(help="A language such as en or en-GB; repeat.")] = None,
    voice: Annotated[
        Path | None, typer.Option(help="A sample of their voice, if that is asked for too.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask a person for a grant: begin a ceremony."""
    from governance.consent import GrantRequest

    now = _now()
    asked = GrantRequest(
        subject=public_key(subject),
        grantee=grantee,
        purposes=_sorted(purpose),
        directions=_sorted(emotion or ["neutral"]),
        locales=_sorted(locale or ["en"]),
        max_uses=uses,
        not_before=now,
        expires=now + timedelta(days=days),
    )
    with open_house() as house:
        id = house.ceremonies.open(asked, picture, voice, now)
        missing = house.ceremonies.checks.missing(voice=voice is not None)
    _say(
        as_json,
        {"ceremony": id, "missing_checks": list(missing)},
        f"Ceremony {id} is open for a week.",
        f"Next, with the person at the camera: vernissage consent challenge {id}",
    )
    if missing:
        console.note(
            f"This hub cannot make every check (it lacks: {', '.join(missing)}), so no film will pass."
        )


@app.command()
def challenge(
    ceremony: Annotated[str, typer.Argument(help="The ceremony's id.")],
    film: Annotated[Path | None, typer.Option(help="The film that answers the latest challenge.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where to write the terms once it is passed.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw what the person has to say and do; with --film, judge their answer (exits 2 if it fails)."""
    with open_house() as house:
        if film is None:
            drawn = house.ceremonies.challenge(ceremony, _now())
            facts = {"phrase": drawn.phrase, "turns": list(drawn.turns), "expires": _moment(drawn.expires)}
            _say(as_json, facts, drawn.sentence())
            return
        house.ceremonies.submit(ceremony, film, _now())
        judged = house.ceremonies.examine(ceremony, _now())
    if judged.terms is None:
        _say(as_json, _of_ceremony(judged), *_failed(judged))
        raise typer.Exit(REFUSED)
    out = out or Path(f"{ceremony}.terms.json")
    _write(out, judged.terms.body)
    _say(
        as_json,
        _of_ceremony(judged) | {"terms": str(out)},
        f"Passed. The terms are in {out}; the film is deleted.",
        f"The person now signs, within a week: vernissage consent sign {out} --key KEY",
    )


@app.command()
def sign(
    terms: Annotated[Path, typer.Argument(help="The terms you were sent.")],
    key: Key,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where to write the grant.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="You have read the terms and the notice.")] = False,
    as_json: Json = False,
) -> None:
    """Read what you would allow and, if you agree, sign it. Needs no hub."""
    from rich.markdown import Markdown

    from governance.consent import Grant, Terms, notice
    from governance.consent.explanation import explain

    asked = Terms.read_body(_read(terms))
    if not yes:
        for sentence in explain(asked):
            console.err.print(sentence, markup=False)
        console.err.print(Markdown(notice()), soft_wrap=False)
        if not typer.confirm("Do you agree?", err=True):
            console.note("Nothing was signed.")
            raise typer.Exit(REFUSED)
    grant = Grant.by(signing_key(key), asked)
    out = out or terms.with_name(terms.name.removesuffix(".terms.json").removesuffix(".json") + ".grant.json")
    _write(out, grant.data)
    _say(
        as_json,
        {"grant": grant.id, "sha256": grant.sha256, "file": str(out)},
        f"Signed: {out}. Send it back, and keep a copy: by it you can end the grant.",
    )


@app.command()
def show(
    file: Annotated[Path, typer.Argument(help="Any document of consent.")], as_json: Json = False
) -> None:
    """Say in plain words what a document says. Needs no hub."""
    from governance.consent.explanation import explain

    said = _statement(_read(file))
    _say(as_json, _of_statement(said), *explain(said))


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="Any signed document of consent.")], as_json: Json = False
) -> None:
    """Check a document's form and signature, and what became of it if this machine has a hub."""
    from governance.consent.explanation import read_document
    from governance.home import has_database
    from service.hub import open_database

    document = read_document(_read(file))
    state = None
    if has_database():
        from governance.consent.overview import state_of

        database = open_database()
        state = state_of(database, document, _now())
        database.close()
    _say(
        as_json,
        {"kind": document.NAME, "sha256": document.sha256, "signer": document.signer.keyid, "state": state},
        f"A {document.NAME} in order, signed by key {document.signer.keyid}.",
        *([f"At this hub: {state}."] if state else []),
    )


@app.command()
def register(
    file: Annotated[Path, typer.Argument(help="A grant, revocation, refusal, withdrawal or attestation.")],
    picture: Annotated[
        Path | None, typer.Option(help="The picture that a refusal or an attestation is about.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Hand a signed document to the hub; it is in force from now on."""
    from governance.consent.explanation import read_document

    document = read_document(_read(file))
    with open_house() as house:
        told = house.register(document, picture)
    _say(as_json, {"kind": document.NAME, "sha256": document.sha256, "told": told}, told)


@app.command()
def revoke(
    grant: Annotated[Path, typer.Argument(help="The grant you signed.")],
    key: Key,
    forget: Annotated[bool, typer.Option("--forget", help="Have your face's template deleted too.")] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where to write the revocation.")] = None,
    as_json: Json = False,
) -> None:
    """End a grant. Needs no hub to sign; it is in force once the hub has it."""
    from governance.consent import Grant, Revocation
    from governance.errors import ConsentRefused

    signed, signer = Grant.read(_read(grant)), signing_key(key)
    if signed.subject != signer.public:
        raise ConsentRefused("subject_differs", "This is not the key that signed the grant: find that one.")
    _written(
        as_json,
        Revocation.by(signer, signed.id, _now(), forget=forget),
        out or grant.with_suffix(".revocation.json"),
    )


@app.command()
def refuse(
    file: Annotated[Path, typer.Argument(help="A picture of yourself; with --withdraw the refusal.")],
    key: Key,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take a refusal back.")] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where to write it.")] = None,
    as_json: Json = False,
) -> None:
    """Say that you do not want to be animated, ever; or take that back. Needs no hub to sign."""
    from governance.consent import Refusal, Withdrawal

    signer = signing_key(key)
    document: Document
    if withdraw:
        document = Withdrawal.by(signer, Refusal.read(_read(file)).id, _now())
    else:
        document = Refusal.by(signer, uuid.uuid4().hex, _sha256(file), _now())
    _written(as_json, document, out or file.with_suffix(f".{document.NAME}.json"), picture=file)


@app.command()
def attest(
    picture: Picture,
    sitter: Annotated[Sitter, typer.Option("--as", help="Who is shown.")],
    statement: Annotated[str, typer.Option(help="How you know: the work, its maker, its year, its licence.")],
    key: Key,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where to write the attestation.")] = None,
    as_json: Json = False,
) -> None:
    """Vouch that nobody alive is shown in a picture. Needs no hub to sign; a steward reviews it there."""
    from governance.consent import Attestation

    document = Attestation.by(
        signing_key(key), uuid.uuid4().hex, _sha256(picture), sitter.value, statement, _now()
    )
    _written(as_json, document, out or picture.with_suffix(".attestation.json"), picture=picture)


@app.command()
def review(
    attestation: Annotated[str, typer.Argument(help="The attestation's id, as `list` shows it.")],
    key: Annotated[list[Path], typer.Option("--key", help="A steward's key file; may come twice.")],
    approve: Annotated[bool, typer.Option("--approve/--decline", help="What you decide, having looked.")],
    as_json: Json = False,
) -> None:
    """Decide, as a steward, on an attestation; two approve one whose key belongs to no credential here. What
    was approved can be declined later, at once."""
    from governance.consent import review as act_of
    from governance.identity import Approval

    now, stewards = datetime.now(UTC), [signing_key(file) for file in key]
    with open_house() as house:
        found, _ = house.attestations.find(attestation)
        act = act_of(found, approve=approve, now=now)
        house.attestations.decide(act, [Approval.by(steward, act) for steward in stewards], now)
    state = "approved" if approve else "declined"
    _say(as_json, {"attestation": attestation, "state": state}, f"Attestation {attestation} is {state}.")


@app.command()
def strike(
    grant: Annotated[str, typer.Argument(help="The grant's id, as `list` shows it.")],
    key: Annotated[Path, typer.Option("--key", help="A steward's key file.")],
    as_json: Json = False,
) -> None:
    """End a grant at once, as a steward: it was forged, or the person has lost their key."""
    from governance.consent import strike as act_of
    from governance.identity import Approval

    now, steward = datetime.now(UTC), signing_key(key)
    with open_house() as house:
        act = act_of(house.consents.grant(grant), now)
        house.consents.strike(act, [Approval.by(steward, act)], now)
    _say(as_json, {"grant": grant, "state": "struck"}, f"Grant {grant} has ended.")


@app.command()
def withdraw(
    ceremony: Annotated[str, typer.Argument(help="The ceremony's id.")], as_json: Json = False
) -> None:
    """Break off a ceremony and delete all that was kept for it."""
    with open_house() as house:
        house.ceremonies.withdraw(ceremony, _now())
    facts = {"ceremony": ceremony, "state": "withdrawn"}
    _say(as_json, facts, f"Ceremony {ceremony} is broken off; what was kept for it is deleted.")


@app.command("list")
def list_all(as_json: Json = False) -> None:
    """List ceremonies, grants, attestations and refusals, the latest first."""
    from governance.consent.overview import overview
    from service.hub import open_database

    database = open_database()
    lines = overview(database, _now())
    database.close()
    if as_json:
        console.print_json([line.facts() for line in lines])
        return
    if not lines:
        console.out.print("Nothing is registered here.")
    for line in lines:
        console.out.print(line.sentence(), markup=False)


@app.command()
def sweep(as_json: Json = False) -> None:
    """End what is over: grants, reservations, old ceremonies, templates to be deleted. To be run daily."""
    with open_house() as house:
        count = house.consents.expire(_now()) + house.ceremonies.sweep(_now())
    _say(as_json, {"ended": count}, f"{count} ended." if count else "Nothing was over.")


@app.command()
def audit(as_json: Json = False) -> None:
    """Compare grants, refusals, attestations and their uses with the ledger. Exits 1 if they differ."""
    from governance.consent import audit as auditing
    from service.hub import Hub

    with Hub.open() as hub:
        hub.deliver()
        told = auditing.told(hub.ledger.entries(0, hub.ledger.checkpoint().size))
        with hub.database.transaction() as session:
            wrong = auditing.discrepancies(session, told)
    counts = {
        "grants": len(told.grants),
        "refusals": len(told.refusals),
        "attestations": len(told.attestations),
    }
    for name, problem in wrong.items() if not as_json else ():
        console.complain(f"{name} is {problem}")
    on_ledger = ", ".join(f"{count} {name}" for name, count in counts.items())
    _say(
        as_json,
        counts | {"wrong": wrong},
        f"{on_ledger} on the ledger, {len(wrong)} of them or others wrong.",
    )
    if wrong:
        raise typer.Exit(1)


def _statement(data: bytes) -> Statement:
    from governance.consent import Terms
    from governance.consent.explanation import read_document
    from governance.errors import ConsentRefused

    try:
        return Terms.read_body(data)
    except ConsentRefused:
        return read_document(data)


def _of_statement(said: Statement) -> dict[str, Any]:
    return {"kind": said.NAME, "signed": hasattr(said, "signature"), "says": json.loads(said.body)}


def _of_ceremony(ceremony: Ceremony) -> dict[str, Any]:
    return {
        "ceremony": ceremony.id,
        "state": ceremony.state,
        "tries_left": ceremony.tries_left,
        "findings": [{"reason": one.reason, "sentence": one.sentence} for one in ceremony.findings],
    }


def _failed(ceremony: Ceremony) -> tuple[str, ...]:
    left = ceremony.tries_left if ceremony.state == "opened" else 0
    tries = "no try is left" if left == 0 else "one try is left" if left == 1 else f"{left} tries are left"
    return (
        f"Not passed; {tries}. The film is deleted.",
        *(f"- {finding.sentence}" for finding in ceremony.findings),
    )


def _written(as_json: bool, document: Document, out: Path, picture: Path | None = None) -> None:
    _write(out, document.data)
    named = f" --picture {picture}" if picture and document.NAME in ("refusal", "attestation") else ""
    _say(
        as_json,
        {"kind": document.NAME, "sha256": document.sha256, "file": str(out)},
        f"Signed: {out}.",
        f"It counts once the hub has it: vernissage consent register {out}{named}",
    )


def _write(path: Path, data: bytes) -> None:
    """A new file; what is signed is never written over."""
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise typer.BadParameter(f"{path} exists already: name another file with --out.") from error


def _read(path: Path) -> bytes:
    from governance.consent.documents import MAX_BYTES
    from governance.consent.files import read_bounded

    return read_bounded(path, MAX_BYTES)


def _sha256(picture: Path) -> str:
    from governance.consent.files import MAX_PICTURE_BYTES, read_bounded

    return hashlib.sha256(read_bounded(picture, MAX_PICTURE_BYTES)).hexdigest()


def _sorted(words: list[str]) -> tuple[str, ...]:
    return tuple(sorted(set(words)))


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _say(as_json: bool, facts: dict[str, Any], *sentences: str) -> None:
    if as_json:
        console.print_json(facts)
        return
    for sentence in sentences:
        console.out.print(sentence, markup=False)
