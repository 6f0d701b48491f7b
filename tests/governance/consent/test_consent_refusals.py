"""Who says no is not animated, whatever others sign, until they take it back themselves."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest

from governance.consent import Refusal, Refusals, Withdrawal
from governance.keys import SigningKey

House = Any
Refused = Any


def no(house: House, picture: Path, key: SigningKey | None = None) -> Refusal:
    return Refusal.by(key or house.ada, secrets.token_hex(16), house.sha256(picture), house.now)


@pytest.mark.parametrize("known_by", ["picture", "face", "key"])
def test_a_refusal_stops_every_grant_it_concerns(house: House, refused: Refused, known_by: str) -> None:
    grant = house.granted()
    use = house.consents.admit(grant.id, house.asking(grant), house.now)
    key = house.ada if known_by == "key" else SigningKey.generate()
    picture = {
        "picture": house.portrait,
        "face": house.file("ada|another picture.png"),
        "key": house.file("a picture without a face.png"),
    }[known_by]
    refusal = no(house, picture, key)
    recognised = house.refusals.register(refusal, picture, house.now)
    assert recognised == (known_by != "key")
    assert refused(house.consents.confirm, use, house.now) == "refused_by_subject"
    assert refused(house.consents.admit, grant.id, house.asking(grant), house.now) == "refused_by_subject"
    assert [event["reason"] for event in house.events("use.voided")] == ["refused_by_subject"]

    house.refusals.withdraw(Withdrawal.by(key, refusal.id, house.now), house.now)
    assert refused(house.consents.confirm, use, house.now) == "use_void"
    house.consents.admit(grant.id, house.asking(grant), house.now)


def test_what_was_in_the_making_stays_void_when_a_refusal_is_taken_back(
    house: House, refused: Refused
) -> None:
    grant = house.granted()
    use = house.consents.admit(grant.id, house.asking(grant), house.now)
    refusal = no(house, house.portrait)
    house.refusals.register(refusal, house.portrait, house.now)
    house.refusals.withdraw(Withdrawal.by(house.ada, refusal.id, house.now), house.now)
    assert refused(house.consents.confirm, use, house.now) == "use_void"


def test_a_refusal_stops_a_grant_that_was_signed_before_and_arrives_after(
    house: House, refused: Refused
) -> None:
    grant = house.signed()
    other = house.file("ada|another picture.png")
    house.refusals.register(no(house, other, SigningKey.generate()), other, house.now)
    assert refused(house.consents.register, grant, house.now) == "refused_by_subject"


def test_a_refusal_concerns_nobody_else(house: House) -> None:
    grant = house.granted()
    picture = house.file("grace|a picture.png")
    house.refusals.register(no(house, picture, SigningKey.generate()), picture, house.now)
    house.consents.admit(grant.id, house.asking(grant), house.now)


def test_only_who_refused_can_take_it_back(house: House, refused: Refused) -> None:
    refusal = no(house, house.portrait)
    house.refusals.register(refusal, house.portrait, house.now)
    house.refusals.register(refusal, house.portrait, house.now)
    forged = Withdrawal.by(SigningKey.generate(), refusal.id, house.now)
    assert refused(house.refusals.withdraw, forged, house.now) == "subject_differs"
    unknown = Withdrawal.by(house.ada, "0" * 32, house.now)
    assert refused(house.refusals.withdraw, unknown, house.now) == "refusal_unknown"
    assert refused(house.refusals.check, house.portrait) == "refused_by_subject"
    for _ in range(2):
        house.refusals.withdraw(Withdrawal.by(house.ada, refusal.id, house.now), house.now)
    house.refusals.check(house.portrait)
    assert house.people.kept == {}
    assert [event["kind"] for event in house.events()] == ["refusal.registered", "refusal.withdrawn"]


def test_a_withdrawn_refusal_does_not_come_back_by_sending_it_again(house: House) -> None:
    refusal = no(house, house.portrait)
    house.refusals.register(refusal, house.portrait, house.now)
    house.refusals.withdraw(Withdrawal.by(house.ada, refusal.id, house.now), house.now)
    house.refusals.register(refusal, house.portrait, house.now)
    house.refusals.check(house.portrait)


def test_a_picture_whose_rights_are_merely_declared_is_checked(house: House, refused: Refused) -> None:
    other = house.file("ada|another picture.png")
    house.refusals.check(other)
    house.refusals.register(no(house, house.portrait), house.portrait, house.now)
    assert refused(house.refusals.check, other) == "refused_by_subject"
    house.refusals.check(house.file("grace|a picture.png"))
    house.refusals.check(house.file("a landscape.png"))


def test_without_faces_a_refusal_is_honoured_as_far_as_can_be_told(house: House, refused: Refused) -> None:
    grant = house.granted()
    blind = Refusals(house.database)
    assert not blind.register(no(house, house.portrait, SigningKey.generate()), house.portrait, house.now)
    assert refused(house.consents.admit, grant.id, house.asking(grant), house.now) == "refused_by_subject"
    assert refused(blind.check, house.portrait) == "refused_by_subject"
    refusal = no(house, house.portrait)
    assert not house.refusals.register(refusal, None, house.now)


def test_the_picture_must_be_the_one_that_was_refused(house: House, refused: Refused) -> None:
    grace = house.file("grace|a picture.png")
    assert refused(house.refusals.register, no(house, house.portrait), grace, house.now) == "portrait_differs"
    assert house.events() == []


def test_the_same_id_cannot_be_taken_twice(house: House, refused: Refused) -> None:
    refusal = no(house, house.portrait)
    house.refusals.register(refusal, house.portrait, house.now)
    other = Refusal.by(SigningKey.generate(), refusal.id, house.sha256(house.portrait), house.now)
    assert refused(house.refusals.register, other, house.portrait, house.now) == "refusal_exists"
