"""What stewards do to credentials: two to widen, one to narrow, at once, on record, and never half."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from governance.errors import CredentialRefused, GovernanceError, IdentityError, MoreNeeded, NotApproved
from governance.events import Event
from governance.identity import (
    Act,
    Approval,
    Credential,
    Roster,
    State,
    Terms,
    Tier,
    amend,
    find_credential,
    issue,
    reinstate,
    revoke,
    rotate,
    suspend,
)
from governance.identity.tables import StoredCredential
from governance.keys import SigningKey, VerifyKey
from governance.storage import Database
from governance.storage.outbox import Recorded

DAY = timedelta(days=1)


@pytest.fixture
def key() -> SigningKey:
    """A partner's."""
    return SigningKey.generate()


@pytest.fixture
def both(ada: SigningKey, grace: SigningKey) -> Callable[[Act], list[Approval]]:
    return lambda act: [Approval.by(ada, act), Approval.by(grace, act)]


@pytest.fixture
def partner(
    roster: Roster, key: SigningKey, both: Callable[[Act], list[Approval]], now: datetime
) -> Credential:
    """A partner's credential, for 90 days."""
    act = new(roster, key.public, now)
    made = roster.submit(act, both(act), now)
    assert made
    return made


def new(roster: Roster, key: VerifyKey, now: datetime, tier: Tier = Tier.GENERATE) -> Act:
    house = roster.organisation("Studio Ostkreuz")
    return issue(house, roster.person(house, "Rosalind"), key, Terms(tier, now, now + 90 * DAY), now)


def find(database: Database, key: SigningKey, now: datetime) -> Credential:
    with database.transaction() as session:
        return find_credential(session, key.keyid, now)


def refusal(database: Database, key: SigningKey, now: datetime) -> str:
    with pytest.raises(CredentialRefused) as caught:
        find(database, key, now)
    return caught.value.reason


def events(database: Database) -> list[Event]:
    with database.transaction() as session:
        return [row.event() for row in session.scalars(select(Recorded).order_by(Recorded.sequence))]


def kinds(database: Database) -> list[str]:
    return [event.kind for event in events(database)]


def test_a_hub_begins_with_two_stewards_once(
    roster: Roster, database: Database, ada: SigningKey, grace: SigningKey, now: datetime
) -> None:
    assert {find(database, key, now).tier for key in (ada, grace)} == {Tier.STEWARD}
    assert kinds(database) == ["credential.bootstrapped"] * 2
    with pytest.raises(IdentityError, match="has had its first stewards"):
        roster.bootstrap("Others", [("Eve", ada.public), ("Mallory", grace.public)], now)
    assert len(roster.all()) == 2


@pytest.mark.parametrize("names", [["Ada"], ["Ada", "Grace", "Emmy"]])
def test_the_first_stewards_are_two(
    database: Database, hub: SigningKey, names: list[str], now: datetime
) -> None:
    with pytest.raises(IdentityError, match="exactly two"):
        Roster(database, hub).bootstrap(
            "House", [(name, SigningKey.generate().public) for name in names], now
        )


def test_the_first_stewards_are_two_people_with_two_keys(
    database: Database, hub: SigningKey, ada: SigningKey, grace: SigningKey, now: datetime
) -> None:
    roster = Roster(database, hub)
    for stewards in (
        [("Ada", ada.public), ("Grace", ada.public)],
        [("Ada", ada.public), ("Ada", grace.public)],
    ):
        with pytest.raises(IdentityError, match="two people with a key each"):
            roster.bootstrap("House", stewards, now)
    assert kinds(database) == []


def test_of_many_who_begin_at_once_one_does(database: Database, hub: SigningKey, now: datetime) -> None:
    def begin(number: int) -> bool:
        stewards = [(name, SigningKey.generate().public) for name in ("Ada", "Grace")]
        try:
            return bool(Roster(database, hub).bootstrap(f"House {number}", stewards, now))
        except IdentityError:
            return False

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(begin, range(6))) == 1
    assert len(Roster(database, hub).all()) == 2


def test_nobody_is_noted_before_there_are_stewards(database: Database, hub: SigningKey) -> None:
    with pytest.raises(IdentityError, match="bootstrap` first"):
        Roster(database, hub).organisation("House")


def test_two_stewards_issue_a_credential(
    partner: Credential, database: Database, key: SigningKey, now: datetime
) -> None:
    assert find(database, key, now) == partner
    assert (partner.tier, partner.quotas) == (Tier.GENERATE, {"detect": 1000, "generate": 100})
    assert kinds(database)[-2:] == ["act.approved", "credential.issued"]


def test_names_stay_in_the_database(partner: Credential, database: Database, roster: Roster) -> None:
    assert roster.get(partner.id).person == "Rosalind"
    for text in (*(str(event.facts) for event in events(database)), partner.canonical().decode()):
        for name in ("Rosalind", "Ostkreuz", "Ada", "Grace", "Daily"):
            assert name not in text


def test_one_steward_proposes_and_another_approves(
    roster: Roster,
    database: Database,
    key: SigningKey,
    ada: SigningKey,
    grace: SigningKey,
    now: datetime,
) -> None:
    act = new(roster, key.public, now)
    assert roster.submit(act, [Approval.by(ada, act)], now) is None
    assert refusal(database, key, now) == "unknown"
    (waiting,) = roster.pending(now)
    assert (waiting.act, [a.keyid for a in waiting.approvals]) == (act, [ada.keyid])
    assert roster.submit(waiting.act, [Approval.by(ada, act)], now) is None
    assert roster.submit(waiting.act, [Approval.by(grace, act)], now)
    assert find(database, key, now).revision == 1
    assert roster.pending(now) == []
    with pytest.raises(GovernanceError):
        roster.submit(act, [Approval.by(ada, act), Approval.by(grace, act)], now)


def test_a_proposal_gets_old(roster: Roster, key: SigningKey, ada: SigningKey, now: datetime) -> None:
    act = new(roster, key.public, now)
    roster.submit(act, [Approval.by(ada, act)], now)
    later = now + 8 * DAY
    assert roster.pending(later) == []
    with pytest.raises(NotApproved, match="propose it anew"):
        roster.submit(act, [Approval.by(ada, act)], later)


def test_a_signature_of_one_who_is_no_steward_any_more_no_longer_counts(
    roster: Roster,
    key: SigningKey,
    ada: SigningKey,
    grace: SigningKey,
    both: Callable[[Act], list[Approval]],
    now: datetime,
) -> None:
    emmy = SigningKey.generate()
    third = new(roster, emmy.public, now, Tier.STEWARD)
    assert roster.submit(third, both(third), now)
    act = issue(
        third.facts["organisation"],  # type: ignore[arg-type]
        roster.person(str(third.facts["organisation"]), "Lise"),
        key.public,
        Terms(Tier.GENERATE, now, now + DAY),
        now,
    )
    roster.submit(act, [Approval.by(ada, act)], now)
    stop = suspend(next(one.credential.id for one in roster.all() if one.person == "Ada"), "theft", now)
    assert roster.submit(stop, [Approval.by(grace, stop)], now)
    assert roster.submit(act, [Approval.by(grace, act)], now) is None
    assert roster.submit(act, [Approval.by(emmy, act)], now)


def test_of_two_approvals_at_once_one_carries_it_out(
    roster: Roster, database: Database, key: SigningKey, ada: SigningKey, grace: SigningKey, now: datetime
) -> None:
    act = new(roster, key.public, now)

    def approve(steward: SigningKey) -> bool:
        try:
            return roster.submit(act, [Approval.by(steward, act)], now) is not None
        except GovernanceError:
            return False

    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(approve, [ada, grace] * 3))
    assert sum(found) == 1
    assert kinds(database).count("credential.issued") == 1


@pytest.mark.parametrize(
    "wider",
    [
        {"tier": Tier.RESEARCH},
        {"scopes": ("weights",)},
        {"quotas": {"generate": 101}},
        {"quotas": {"generate": 1, "download": 1}},
        {"expires": 91},
    ],
)
def test_widening_takes_two(
    roster: Roster,
    partner: Credential,
    ada: SigningKey,
    both: Callable[[Act], list[Approval]],
    now: datetime,
    wider: dict[str, object],
) -> None:
    if "expires" in wider:
        wider = {"expires": now + 91 * DAY}
    act = amend(partner, replace(Terms.of(partner), **wider), now)  # type: ignore[arg-type]
    assert roster.submit(act, [Approval.by(ada, act)], now) is None
    assert roster.get(partner.id).credential == partner
    after = roster.submit(act, both(act), now)
    assert after
    assert after.widens(partner)
    assert after.revision == 2


@pytest.mark.parametrize(
    "narrower", [{"tier": Tier.DETECT}, {"quotas": {"generate": 1}}, {"quotas": {}}, {"expires": 9}]
)
def test_narrowing_takes_one_and_acts_at_once(
    roster: Roster,
    database: Database,
    partner: Credential,
    key: SigningKey,
    ada: SigningKey,
    now: datetime,
    narrower: dict[str, object],
) -> None:
    if "expires" in narrower:
        narrower = {"expires": now + 9 * DAY}
    act = amend(partner, replace(Terms.of(partner), **narrower), now)  # type: ignore[arg-type]
    after = roster.submit(act, [Approval.by(ada, act)], now)
    assert find(database, key, now) == after != partner


def test_no_steward_turns_alone_into_somebody_who_makes_films(
    roster: Roster, ada: SigningKey, grace: SigningKey, now: datetime
) -> None:
    """Stewards decide and do not make: theirs is not simply the widest tier."""
    steward = roster.holder(ada.keyid, now)
    for tier in (Tier.GENERATE, Tier.RESEARCH):
        act = amend(steward, replace(Terms.of(steward), tier=tier), now)
        assert roster.submit(act, [Approval.by(ada, act)], now) is None
        assert roster.submit(act, [Approval.by(grace, act)], now) is None
    assert roster.holder(ada.keyid, now).tier is Tier.STEWARD
    act = amend(steward, replace(Terms.of(steward), tier=Tier.DETECT), now)
    assert roster.submit(act, [Approval.by(grace, act)], now)


def test_an_amendment_of_what_has_changed_meanwhile_is_not_carried_out(
    roster: Roster,
    partner: Credential,
    ada: SigningKey,
    both: Callable[[Act], list[Approval]],
    now: datetime,
) -> None:
    wide = amend(partner, replace(Terms.of(partner), tier=Tier.RESEARCH), now)
    narrow = amend(partner, replace(Terms.of(partner), quotas={}), now)
    assert roster.submit(narrow, [Approval.by(ada, narrow)], now)
    with pytest.raises(IdentityError, match="changed meanwhile"):
        roster.submit(wide, both(wide), now)


def test_a_proposal_that_was_overtaken_waits_no_longer(
    roster: Roster, partner: Credential, ada: SigningKey, now: datetime
) -> None:
    wide = amend(partner, replace(Terms.of(partner), tier=Tier.RESEARCH), now)
    assert roster.submit(wide, [Approval.by(ada, wide)], now) is None
    assert roster.proposal(wide.sha256[:8], now).act == wide
    stop = suspend(partner.id, "theft", now)
    roster.submit(stop, [Approval.by(ada, stop)], now)
    assert roster.pending(now) == []
    with pytest.raises(IdentityError, match="No proposal begins with"):
        roster.proposal(wide.sha256[:8], now)


def test_suspended_by_one_reinstated_by_two_revoked_for_ever(
    roster: Roster,
    database: Database,
    partner: Credential,
    key: SigningKey,
    grace: SigningKey,
    both: Callable[[Act], list[Approval]],
    now: datetime,
) -> None:
    stop = suspend(partner.id, "unusual_use", now)
    stopped = roster.submit(stop, [Approval.by(grace, stop)], now)
    assert stopped
    assert refusal(database, key, now) == "suspended"
    back = reinstate(stopped, now)
    assert roster.submit(back, [Approval.by(grace, back)], now) is None
    assert refusal(database, key, now) == "suspended"
    assert roster.submit(back, both(back), now)
    assert find(database, key, now).state is State.ACTIVE
    end = revoke(partner.id, "contract_ended", now)
    ended = roster.submit(end, [Approval.by(grace, end)], now)
    assert ended
    assert refusal(database, key, now) == "revoked"
    for act in (reinstate(ended, now), amend(ended, Terms.of(ended), now), suspend(ended.id, "again", now)):
        with pytest.raises(IdentityError, match="final"):
            roster.submit(act, both(act), now)
    assert [kind for kind in kinds(database) if kind.startswith("credential")][2:] == [
        "credential.issued",
        "credential.suspended",
        "credential.reinstated",
        "credential.revoked",
    ]
    assert events(database)[-1].facts["reason"] == "contract_ended"


def test_an_old_reinstatement_cannot_be_used_again(
    roster: Roster,
    database: Database,
    partner: Credential,
    key: SigningKey,
    ada: SigningKey,
    both: Callable[[Act], list[Approval]],
    now: datetime,
) -> None:
    stop = suspend(partner.id, "theft", now)
    stopped = roster.submit(stop, [Approval.by(ada, stop)], now)
    assert stopped
    back = reinstate(stopped, now)
    assert roster.submit(back, both(back), now)
    again = suspend(partner.id, "theft", now + timedelta(seconds=1))
    assert roster.submit(again, [Approval.by(ada, again)], now + timedelta(seconds=1))
    with pytest.raises(GovernanceError):
        roster.submit(back, both(back), now + timedelta(seconds=2))
    assert refusal(database, key, now) == "suspended"


def test_nobody_widens_their_own(
    roster: Roster, ada: SigningKey, both: Callable[[Act], list[Approval]], now: datetime
) -> None:
    own = next(one.credential for one in roster.all() if one.credential.keyid == ada.keyid)
    act = amend(own, replace(Terms.of(own), scopes=("weights",)), now)
    assert roster.submit(act, both(act), now) is None
    assert roster.get(own.id).credential == own


def test_a_holder_changes_the_key_alone_with_both_keys(
    roster: Roster,
    database: Database,
    partner: Credential,
    key: SigningKey,
    both: Callable[[Act], list[Approval]],
    now: datetime,
) -> None:
    newer, stranger = SigningKey.generate(), SigningKey.generate()
    act = rotate(partner, newer.public, 7 * DAY, now)
    for old, new_ in ((stranger, newer), (key, stranger), (newer, newer), (key, key)):
        with pytest.raises(NotApproved):
            roster.rotate(act, Approval.by(old, act), Approval.by(new_, act), now)
    with pytest.raises(NotApproved, match="not under this change"):
        roster.rotate(act, Approval(key.keyid, newer.sign(b"x")), Approval.by(newer, act), now)
    with pytest.raises(NotApproved, match="use rotate"):
        roster.submit(act, both(act), now)
    after = roster.rotate(act, Approval.by(key, act), Approval.by(newer, act), now)
    assert find(database, newer, now) == find(database, key, now) == after
    assert refusal(database, key, now + 7 * DAY) == "key_expired"
    assert find(database, newer, now + 7 * DAY) == after
    assert kinds(database)[-1] == "credential.rotated"
    thief = rotate(after, stranger.public, 7 * DAY, now)
    with pytest.raises(NotApproved, match="current key and the new one"):
        roster.rotate(thief, Approval.by(key, thief), Approval.by(stranger, thief), now)


def test_suspension_stops_every_key(
    roster: Roster, database: Database, partner: Credential, key: SigningKey, ada: SigningKey, now: datetime
) -> None:
    newer = SigningKey.generate()
    act = rotate(partner, newer.public, 7 * DAY, now)
    roster.rotate(act, Approval.by(key, act), Approval.by(newer, act), now)
    stop = suspend(partner.id, "theft", now)
    roster.submit(stop, [Approval.by(ada, stop)], now)
    assert {refusal(database, one, now) for one in (key, newer)} == {"suspended"}
    third = SigningKey.generate()
    away = rotate(roster.get(partner.id).credential, third.public, DAY, now)
    with pytest.raises(CredentialRefused, match="suspended"):
        roster.rotate(away, Approval.by(newer, away), Approval.by(third, away), now)


def test_a_key_never_changes_hands(
    roster: Roster,
    partner: Credential,
    key: SigningKey,
    ada: SigningKey,
    both: Callable[[Act], list[Approval]],
    now: datetime,
) -> None:
    act = new(roster, ada.public, now)
    with pytest.raises(IdentityError, match="used before"):
        roster.submit(act, both(act), now)
    for taken in (ada, key):
        act = rotate(partner, taken.public, DAY, now)
        with pytest.raises(IdentityError, match="used before"):
            roster.rotate(act, Approval.by(key, act), Approval.by(taken, act), now)


def test_a_key_that_was_given_up_never_comes_back(
    roster: Roster, partner: Credential, key: SigningKey, now: datetime
) -> None:
    newer = SigningKey.generate()
    act = rotate(partner, newer.public, timedelta(0), now)
    after = roster.rotate(act, Approval.by(key, act), Approval.by(newer, act), now)
    back = rotate(after, key.public, DAY, now)
    with pytest.raises(IdentityError, match="used before"):
        roster.rotate(back, Approval.by(newer, back), Approval.by(key, back), now)


def tamper(database: Database, credential: str, change: Callable[[StoredCredential], None]) -> None:
    with database.transaction() as session:
        change(session.get_one(StoredCredential, credential))


def test_who_writes_to_the_database_gains_nothing(
    database: Database, partner: Credential, key: SigningKey, ada: SigningKey, roster: Roster, now: datetime
) -> None:
    steward = next(one.credential for one in roster.all() if one.credential.keyid == ada.keyid)
    with database.transaction() as session:
        theirs = session.get_one(StoredCredential, steward.id)
        document, signature = theirs.document, theirs.signature

    def promote(row: StoredCredential) -> None:
        row.document = row.document.replace('"generate"', '"steward"', 1)

    def copy(row: StoredCredential) -> None:
        row.document, row.signature = document, signature

    def sign_by_themselves(row: StoredCredential) -> None:
        own = replace(partner, tier=Tier.STEWARD)
        row.document, row.signature = own.canonical().decode(), own.sign(SigningKey.generate())

    for change in (promote, copy, sign_by_themselves):
        tamper(database, partner.id, change)
        assert refusal(database, key, now) == "forged"


def test_a_process_that_does_not_know_the_hubs_key_believes_nobody(
    partner: Credential, key: SigningKey, database_url: str, now: datetime
) -> None:
    stranger = Database.open(database_url)
    assert refusal(stranger, key, now) == "forged"
    Roster(stranger, SigningKey.generate())
    assert refusal(stranger, key, now) == "forged"
    stranger.close()


def test_nobody_is_stopped_in_the_middle_of_what_they_were_allowed_to_begin(
    roster: Roster, database: Database, partner: Credential, key: SigningKey, ada: SigningKey, now: datetime
) -> None:
    stop = suspend(partner.id, "theft", now)
    stopping = threading.Thread(target=roster.submit, args=(stop, [Approval.by(ada, stop)], now))
    with database.transaction() as session:
        find_credential(session, key.keyid, now)
        stopping.start()
        stopping.join(0.3)
        assert stopping.is_alive()
        assert find_credential(session, key.keyid, now).state is State.ACTIVE
    stopping.join(30)
    assert refusal(database, key, now) == "suspended"


def test_a_refused_act_leaves_nothing(
    roster: Roster, database: Database, key: SigningKey, ada: SigningKey, now: datetime
) -> None:
    before = kinds(database)
    act = replace(new(roster, key.public, now), facts={"key": key.public.text})
    with pytest.raises(IdentityError):
        roster.submit(act, [Approval.by(ada, act)], now)
    act = new(roster, key.public, now)
    elsewhere = replace(act, facts={**act.facts, "organisation": "org_none"})
    with pytest.raises(IdentityError, match="There is no person_"):
        roster.submit(elsewhere, [Approval.by(ada, elsewhere)], now)
    with pytest.raises(MoreNeeded):
        roster.submit(act, [], now)
    with pytest.raises(NotApproved):
        roster.submit(act, [Approval.by(key, act)], now)
    assert (kinds(database), roster.pending(now)) == (before, [])


CHILD = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from governance.identity import Approval, Roster, Terms, Tier, issue
from governance.keys import SigningKey
from governance.storage import Database
keys, now = Path(sys.argv[2]), datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
hub, ada, grace = (SigningKey.load(keys / name) for name in ("hub", "ada", "grace"))
roster = Roster(Database.open(sys.argv[1]), hub)
house = roster.organisation("Studio")
person = roster.person(house, "Rosalind")
while True:
    key = SigningKey.generate().public
    act = issue(house, person, key, Terms(Tier.DETECT, now, now + timedelta(days=1)), now)
    roster.submit(act, [Approval.by(ada, act)], now)
    print(roster.submit(act, [Approval.by(grace, act)], now).keyid, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("lines", [1, 4, 9])
def test_a_kill_loses_nothing_acknowledged_and_leaves_nothing_half_done(
    roster: Roster,
    database: Database,
    database_url: str,
    tmp_path: Path,
    hub: SigningKey,
    ada: SigningKey,
    grace: SigningKey,
    now: datetime,
    lines: int,
) -> None:
    for name, secret in (("hub", hub), ("ada", ada), ("grace", grace)):
        secret.save(tmp_path / name)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, database_url, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    acknowledged = [child.stdout.readline().strip() for _ in range(lines)]
    child.send_signal(signal.SIGKILL)
    acknowledged += child.communicate()[0].split()
    assert child.returncode == -signal.SIGKILL
    with database.transaction() as session:
        for keyid in acknowledged:
            assert find_credential(session, keyid, now).tier is Tier.DETECT
    known = {one.credential.id: one.credential for one in roster.all()}
    told = {str(event.facts["credential"]): event for event in events(database) if "tier" in event.facts}
    assert known.keys() == told.keys()
    assert all(told[name].facts["document"] == known[name].sha256 for name in known)
    assert kinds(database).count("act.approved") == len(known) - 2
    assert len(roster.pending(now)) <= 1
