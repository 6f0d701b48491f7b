"""A use is reserved, confirmed, released; a grant ends; and nothing is handed over after that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from governance.consent import Consents, Grant, Revocation, strike
from governance.consent.grant import Terms
from governance.consent.register import SIGN_WITHIN
from governance.consent.tables import StoredGrant
from governance.consent.uses import LAPSES_AFTER
from governance.errors import NotApproved
from governance.identity import Approval
from governance.keys import SigningKey

House = Any
Refused = Any


def test_a_film_is_made_and_handed_over(house: House) -> None:
    grant = house.granted()
    use = house.consents.admit(grant.id, house.asking(grant), house.now)
    assert (use.right, use.right_sha256) == (grant.id, grant.sha256)
    house.consents.confirm(use, house.now)
    house.consents.confirm(use, house.now)
    assert [event["kind"] for event in house.events()][-3:] == [
        "grant.registered", "use.admitted", "use.delivered",
    ]  # fmt: skip


def test_no_more_films_than_were_allowed(house: House, refused: Refused) -> None:
    grant = house.granted(max_uses=2)
    first, second = (house.consents.admit(grant.id, house.asking(grant), house.now) for _ in range(2))
    assert refused(house.consents.admit, grant.id, house.asking(grant), house.now) == "uses_spent"
    house.consents.release(first, house.now)
    house.consents.release(first, house.now)
    third = house.consents.admit(grant.id, house.asking(grant), house.now)
    assert refused(house.consents.confirm, first, house.now) == "use_void"
    for use in (second, third):
        house.consents.confirm(use, house.now)
    assert refused(house.consents.release, second, house.now) == "use_delivered"
    assert refused(house.consents.admit, grant.id, house.asking(grant), house.now) == "uses_spent"


def test_a_request_asked_twice_reserves_once(house: House, refused: Refused) -> None:
    grant = house.granted()
    asking = house.asking(grant)
    use = house.consents.admit(grant.id, asking, house.now)
    assert house.consents.admit(grant.id, asking, house.now) == use
    house.consents.confirm(use, house.now)
    assert refused(house.consents.admit, grant.id, asking, house.now) == "request_spent"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"grantees": ("organisation:other",)}, "grantee_differs"),
        ({"grantees": ()}, "grantee_differs"),
        ({"portrait_sha256": "0" * 64}, "portrait_differs"),
        ({"purposes": ("dpv:PublicBenefit", "dpv:Advertising")}, "purpose_not_granted"),
        ({"purposes": ("dpv:PoliticalCampaign",)}, "purpose_not_granted"),
        ({"purposes": ()}, "purpose_missing"),
        ({"directions": ("happy", "angry")}, "direction_not_granted"),
        ({"locale": "fr"}, "locale_not_granted"),
        ({"locale": "eng"}, "locale_not_granted"),
        ({"own_voice": True}, "voice_not_granted"),
        ({"request_sha256": "my request"}, "request_unfit"),
    ],
)
def test_only_what_was_signed_is_allowed(
    house: House, refused: Refused, change: dict[str, Any], reason: str
) -> None:
    grant = house.granted()
    assert refused(house.consents.admit, grant.id, house.asking(grant, **change), house.now) == reason
    (event,) = house.events("use.refused")
    assert (event["reason"], event["right"]) == (reason, grant.id)


def test_a_grant_of_a_voice_covers_it(house: House) -> None:
    grant = house.granted(voice=house.file("ada|a voice.flac"))
    assert grant.voice in house.voices.kept
    house.consents.admit(grant.id, house.asking(grant, own_voice=True), house.now)


def test_a_grant_begins_and_ends(house: House, refused: Refused) -> None:
    grant = house.granted(not_before=house.now + timedelta(hours=1), expires=house.now + timedelta(days=1))
    assert refused(house.consents.admit, grant.id, house.asking(grant), house.now) == "grant_early"
    use = house.consents.admit(grant.id, house.asking(grant), grant.expires - timedelta(seconds=1))
    assert refused(house.consents.confirm, use, grant.expires) == "grant_expired"
    early = grant.expires - timedelta(seconds=1)
    assert refused(house.consents.confirm, use, early) == "grant_expired", "a clock that runs behind"
    assert len(house.events("grant.expired")) == 1


def test_a_revocation_is_effective_at_once(house: House, refused: Refused) -> None:
    grant = house.granted()
    waiting, done = (house.consents.admit(grant.id, house.asking(grant), house.now) for _ in range(2))
    house.consents.confirm(done, house.now)
    revocation = Revocation.by(house.ada, grant.id, house.now)
    house.consents.revoke(revocation, house.now)
    house.consents.revoke(revocation, house.now)
    assert [event["use"] for event in house.events("use.voided")] == [waiting.id]
    for use in (waiting, done):
        assert refused(house.consents.confirm, use, house.now) == "grant_revoked"
    assert refused(house.consents.admit, grant.id, house.asking(grant), house.now) == "grant_revoked"
    assert len(house.events("grant.revoked")) == 1
    assert house.events("use.voided") == [
        {"kind": "use.voided", "use": waiting.id, "reason": "grant_revoked"}
    ]


def test_only_the_subject_can_revoke(house: House, refused: Refused) -> None:
    grant = house.granted()
    forged = Revocation.by(SigningKey.generate(), grant.id, house.now)
    assert refused(house.consents.revoke, forged, house.now) == "subject_differs"
    house.consents.admit(grant.id, house.asking(grant), house.now)


def test_a_steward_ends_a_grant_for_who_lost_their_key(house: House, refused: Refused) -> None:
    grant, other = house.granted(), house.granted()
    use = house.consents.admit(grant.id, house.asking(grant), house.now)
    steward, _ = house.stewards()
    act = strike(grant, house.now)
    with pytest.raises(NotApproved):
        house.consents.strike(act, [Approval.by(SigningKey.generate(), act)], house.now)
    elsewhere = replace(act, subject=other.id)
    approval = Approval.by(steward, elsewhere)
    assert refused(house.consents.strike, elsewhere, [approval], house.now) == "act_unfit"
    house.consents.strike(act, [Approval.by(steward, act)], house.now)
    assert refused(house.consents.confirm, use, house.now) == "grant_struck"
    assert refused(house.consents.admit, grant.id, house.asking(grant), house.now) == "grant_struck"
    house.consents.revoke(Revocation.by(house.ada, grant.id, house.now, forget=True), house.now)
    assert refused(house.consents.admit, grant.id, house.asking(grant), house.now) == "grant_revoked"
    house.consents.admit(other.id, house.asking(other), house.now)


def test_a_grant_can_be_revoked_before_it_arrives(house: House, refused: Refused) -> None:
    grant = house.signed()
    house.consents.revoke(Revocation.by(SigningKey.generate(), grant.id, house.now), house.now)
    house.consents.revoke(Revocation.by(house.ada, grant.id, house.now), house.now)
    assert refused(house.consents.register, grant, house.now) == "grant_revoked"


def test_templates_are_deleted_when_the_subject_says_so(house: House) -> None:
    grant = house.granted(voice=house.file("ada|a voice.flac"))
    without = Consents(house.database)
    without.revoke(Revocation.by(house.ada, grant.id, house.now, forget=True), house.now)
    assert grant.face in house.people.kept
    assert house.consents.expire(house.now) == 1
    assert (house.people.kept, house.voices.kept) == ({}, {})
    assert house.consents.expire(house.now) == 0


def test_an_abandoned_reservation_lapses(house: House, refused: Refused) -> None:
    grant = house.granted(max_uses=1)
    abandoned = house.consents.admit(grant.id, house.asking(grant), house.now)
    later = house.now + LAPSES_AFTER
    assert refused(
        house.consents.admit, grant.id, house.asking(grant), later - timedelta(seconds=1)
    ) == "uses_spent"  # fmt: skip
    use = house.consents.admit(grant.id, house.asking(grant), later)
    assert refused(house.consents.confirm, abandoned, house.now) == "use_void", "by a clock that runs behind"
    house.consents.confirm(use, later)


def test_a_late_film_is_not_handed_over(house: House, refused: Refused) -> None:
    grant = house.granted()
    use = house.consents.admit(grant.id, house.asking(grant), house.now)
    assert refused(house.consents.confirm, use, house.now + LAPSES_AFTER) == "use_lapsed"
    assert refused(house.consents.confirm, use, house.now) == "use_void"


def test_what_is_over_is_swept_up(house: House) -> None:
    grant = house.granted(expires=house.now + timedelta(hours=1))
    other = house.granted()
    house.consents.admit(grant.id, house.asking(grant), house.now)
    house.consents.admit(other.id, house.asking(other), house.now)
    assert house.consents.expire(house.now) == 0
    assert house.consents.expire(house.now + timedelta(hours=2)) == 1
    assert house.consents.expire(house.now + LAPSES_AFTER) == 1
    assert house.consents.expire(house.now + LAPSES_AFTER) == 0
    assert [event["reason"] for event in house.events("use.voided")] == ["grant_expired", "use_lapsed"]


def test_without_a_ceremony_there_is_no_grant(house: House, refused: Refused) -> None:
    grant = house.signed()
    named = {name: getattr(grant, name) for name in Terms.KINDS}
    other_id = Grant.by(house.ada, Terms(**named | {"id": "0" * 32}))
    assert refused(house.consents.register, other_id, house.now) == "ceremony_missing"
    more = Grant.by(house.ada, Terms(**named | {"max_uses": 4}))
    assert refused(house.consents.register, more, house.now) == "terms_differ"
    thief = SigningKey.generate()
    stolen = Grant.by(thief, Terms(**named | {"subject": thief.public}))
    assert refused(house.consents.register, stolen, house.now) == "terms_differ"
    assert refused(house.consents.register, grant, house.now + SIGN_WITHIN) == "ceremony_lapsed"
    house.consents.register(grant, house.now)
    house.consents.register(grant, house.now)
    assert refused(house.consents.register, more, house.now) == "grant_exists"
    assert refused(house.consents.admit, "0" * 32, house.asking(grant), house.now) == "right_unknown"
    assert refused(house.consents.admit, "no id", house.asking(grant), house.now) == "right_unknown"


def test_who_can_write_to_the_database_cannot_write_a_grant(house: House, refused: Refused) -> None:
    grant = house.granted()
    forged = grant.data.replace(b'"max_uses":3', b'"max_uses":9')
    with house.database.transaction() as session:
        session.execute(update(StoredGrant).values(document=forged))
    assert refused(house.consents.admit, grant.id, house.asking(grant), house.now) == "signature_invalid"


def test_the_record_holds_no_personal_data(house: House, tmp_path: Path) -> None:
    grant = house.granted(voice=house.file("ada|a voice.flac"))
    use = house.consents.admit(grant.id, house.asking(grant), house.now)
    house.consents.confirm(use, house.now)
    house.consents.revoke(Revocation.by(house.ada, grant.id, house.now, forget=True), house.now)
    told = str(house.events())
    for secret in (
        grant.face, grant.voice, grant.portrait_sha256, grant.subject.text, grant.subject.keyid,
        *grant.phrase.split(),
    ):  # fmt: skip
        assert str(secret) not in told
