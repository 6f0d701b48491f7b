"""The ledger remembers every credential, so that nobody can quietly change, revive or invent one."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, select

from governance.events import Event
from governance.identity import Act, Approval, Credential, Roster, State, Terms, Tier, issue, suspend
from governance.identity.audit import discrepancies, sign_again, told
from governance.identity.tables import StoredCredential, StoredKey
from governance.keys import SigningKey
from governance.storage import Database, record
from governance.storage.outbox import Recorded


@pytest.fixture
def partner(roster: Roster, ada: SigningKey, grace: SigningKey, now: datetime) -> Credential:
    house = roster.organisation("Studio")
    terms = Terms(Tier.GENERATE, now, now + timedelta(days=9))
    act = issue(house, roster.person(house, "Rosalind"), SigningKey.generate().public, terms, now)
    made = roster.submit(act, [Approval.by(ada, act), Approval.by(grace, act)], now)
    assert made
    return made


def entries(database: Database) -> list[bytes]:
    """What the ledger holds once all is delivered."""
    with database.transaction() as session:
        rows = session.scalars(select(Recorded).order_by(Recorded.sequence))
        return [row.event().canonical() for row in rows]


def wrong(database: Database) -> dict[str, str]:
    with database.transaction() as session:
        return discrepancies(session, told(entries(database)))


def test_an_honest_roster_agrees_with_the_ledger(
    roster: Roster, partner: Credential, database: Database, ada: SigningKey, now: datetime
) -> None:
    assert wrong(database) == {}
    stop = suspend(partner.id, "theft", now)
    roster.submit(stop, [Approval.by(ada, stop)], now)
    assert wrong(database) == {}


def test_an_earlier_revision_put_back_is_found(
    roster: Roster, partner: Credential, database: Database, hub: SigningKey, ada: SigningKey, now: datetime
) -> None:
    stop: Act = suspend(partner.id, "theft", now)
    roster.submit(stop, [Approval.by(ada, stop)], now)
    tamper(database, partner.id, partner, hub)
    assert roster.get(partner.id).credential.state is State.ACTIVE
    assert wrong(database) == {partner.id: "changed"}


def test_an_invented_and_a_missing_one_are_found(
    roster: Roster, partner: Credential, database: Database, hub: SigningKey
) -> None:
    invented = replace(partner, id="cred_invented")
    with database.transaction() as session:
        session.add(
            StoredCredential(
                id=invented.id,
                person=invented.person,
                document=invented.canonical().decode(),
                signature=invented.sign(hub),
            )
        )
        session.execute(delete(StoredKey).where(StoredKey.credential == partner.id))
        session.execute(delete(StoredCredential).where(StoredCredential.id == partner.id))
    assert wrong(database) == {invented.id: "unknown", partner.id: "missing"}


def test_after_the_hubs_key_was_stolen_what_the_ledger_tells_of_is_signed_again(
    roster: Roster,
    partner: Credential,
    database: Database,
    database_url: str,
    hub: SigningKey,
    ada: SigningKey,
    now: datetime,
) -> None:
    tamper(database, partner.id, replace(partner, tier=Tier.STEWARD), hub)
    new = SigningKey.generate()
    later = Database.open(database_url)
    renewed = Roster(later, new)
    assert set(wrong(later).values()) == {"forged"}
    with later.transaction() as session:
        done = sign_again(session, told(entries(later)), new, [hub.public])
    assert len(done) == 2
    assert partner.id not in done
    assert wrong(later) == {partner.id: "forged"}
    assert renewed.holder(ada.keyid, now).tier is Tier.STEWARD
    later.close()


def test_what_no_hub_key_ever_signed_is_not_signed_again(
    roster: Roster, partner: Credential, database: Database, hub: SigningKey, now: datetime
) -> None:
    """Who writes to the database also writes to what waits there for the ledger."""
    promoted = replace(partner, tier=Tier.STEWARD, revision=partner.revision + 1)
    tamper(database, partner.id, promoted, SigningKey.generate())
    facts: dict[str, str | int] = {
        "credential": promoted.id,
        "document": promoted.sha256,
        "revision": promoted.revision,
    }
    with database.transaction() as session:
        record(session, Event("credential.amended", facts, now))
    with database.transaction() as session:
        done = sign_again(session, told(entries(database)), SigningKey.generate(), [hub.public])
    assert len(done) == 2
    assert partner.id not in done


def tamper(database: Database, name: str, credential: Credential, hub: SigningKey) -> None:
    with database.transaction() as session:
        row = session.get_one(StoredCredential, name)
        row.document, row.signature = credential.canonical().decode(), credential.sign(hub)
