"""Whoever can write to the database is found out by the ledger."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from governance.consent import Attestation, Refusal, Revocation, Withdrawal, audit
from governance.consent.tables import (
    StoredAttestation,
    StoredGrant,
    StoredRefusal,
    StoredRevocation,
    StoredUse,
)
from governance.keys import SigningKey
from governance.ledger import Ledger, deliver

House = Any
KEY = SigningKey.generate()


@pytest.fixture
def wrong(house: House, tmp_path: Path) -> Callable[[], dict[str, str]]:
    """What an audit finds."""
    ledger = Ledger.open(str(tmp_path / "ledger"), KEY, origin="example.org/log")

    def run() -> dict[str, str]:
        deliver(house.database, ledger)
        told = audit.told(ledger.entries(0, ledger.checkpoint().size))
        with house.database.transaction() as session:
            return audit.discrepancies(session, told)

    return run


def meddle(house: House, do: Callable[[Session], object]) -> None:
    with house.database.transaction() as session:
        do(session)


def revoked(house: House) -> Any:
    grant = house.granted()
    house.consents.revoke(Revocation.by(house.ada, grant.id, house.now), house.now)
    return grant


def refused(house: House) -> Refusal:
    refusal = Refusal.by(house.ada, "1" * 32, house.sha256(house.portrait), house.now)
    house.refusals.register(refusal, house.portrait, house.now)
    return refusal


def attested(house: House) -> Attestation:
    doll = house.file("olympia|a doll.png")
    attestation = Attestation.by(KEY, "2" * 32, house.sha256(doll), "fictional", "A tale.", house.now)
    house.attestations.submit(attestation, doll, house.now)
    return attestation


def test_nothing_is_wrong_with_what_came_about_as_it_should(
    house: House, wrong: Callable[[], dict[str, str]]
) -> None:
    grant = house.granted()
    use = house.consents.admit(grant.id, house.asking(grant), house.now)
    house.consents.confirm(use, house.now)
    house.consents.admit(grant.id, house.asking(grant), house.now)
    house.consents.revoke(Revocation.by(house.ada, grant.id, house.now, forget=True), house.now)
    house.consents.revoke(Revocation.by(SigningKey.generate(), "3" * 32, house.now), house.now)
    expired = house.granted()
    house.consents.expire(expired.expires)
    refusal = refused(house)
    house.refusals.withdraw(Withdrawal.by(house.ada, refusal.id, house.now), house.now)
    attested(house)
    assert wrong() == {}


def test_a_grant_that_was_revived_is_found(house: House, wrong: Callable[[], dict[str, str]]) -> None:
    grant = revoked(house)
    meddle(house, lambda session: session.execute(update(StoredGrant).values(ended=None)))
    meddle(house, lambda session: session.execute(delete(StoredRevocation)))
    assert wrong()[grant.sha256] == "changed"
    assert "missing" in wrong().values()


def test_a_grant_that_nobody_registered_is_found(house: House, wrong: Callable[[], dict[str, str]]) -> None:
    thief, grant = SigningKey.generate(), house.granted()
    terms = {name: getattr(grant, name) for name in grant.KINDS} | {"subject": thief.public}
    forged = type(grant).signed(thief, **{name: value for name, value in terms.items() if name != "subject"})
    row = {"document": forged.data, "sha256": forged.sha256, "subject": thief.public.keyid}
    meddle(house, lambda session: session.execute(update(StoredGrant).values(row)))
    assert wrong() == {forged.sha256: "unknown", grant.sha256: "missing"}


def test_a_row_that_says_otherwise_than_its_document_is_found(
    house: House, wrong: Callable[[], dict[str, str]]
) -> None:
    """By its rows a face is looked for."""
    grant, refusal = house.granted(), refused(house)
    meddle(house, lambda session: session.execute(update(StoredGrant).values(face="0" * 64)))
    meddle(house, lambda session: session.execute(update(StoredRefusal).values(portrait_sha256="0" * 64)))
    assert wrong() == {grant.sha256: "forged", refusal.sha256: "forged"}


@pytest.mark.parametrize("how", ["missing", "changed"])
def test_a_refusal_that_was_done_away_with_is_found(
    house: House, wrong: Callable[[], dict[str, str]], how: str
) -> None:
    refusal = refused(house)
    done = delete(StoredRefusal) if how == "missing" else update(StoredRefusal).values(withdrawn_at=house.now)
    meddle(house, lambda session: session.execute(done))
    assert wrong() == {refusal.sha256: how}


def test_an_attestation_that_no_steward_approved_is_found(
    house: House, wrong: Callable[[], dict[str, str]]
) -> None:
    attestation = attested(house)
    meddle(house, lambda session: session.execute(update(StoredAttestation).values(state="approved")))
    assert wrong() == {attestation.sha256: "changed"}


def test_a_film_that_is_no_longer_counted_is_found(house: House, wrong: Callable[[], dict[str, str]]) -> None:
    grant = house.granted()
    use = house.consents.admit(grant.id, house.asking(grant), house.now)
    house.consents.confirm(use, house.now)
    meddle(house, lambda session: session.execute(update(StoredUse).values(state="released")))
    assert wrong() == {use.id: "missing"}


def test_a_revocation_on_file_holds_whatever_the_grants_row_says(house: House) -> None:
    grant = revoked(house)
    meddle(house, lambda session: session.execute(update(StoredGrant).values(ended=None)))
    with pytest.raises(Exception, match="has ended this grant"):
        house.consents.admit(grant.id, house.asking(grant, request_sha256=secrets.token_hex(32)), house.now)
