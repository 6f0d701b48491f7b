"""Who never lived may speak once a steward has looked; and nobody alive passes for one of them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from governance.consent import Asking, Attestation, Attestations, Refusal, review
from governance.errors import ConsentRefused, MoreNeeded, NotApproved
from governance.identity import Act, Approval
from governance.keys import SigningKey

House = Any
Refused = Any
Stewards = tuple[SigningKey, SigningKey]
Attest = Callable[..., Attestation]


@pytest.fixture
def stewards(house: House) -> Stewards:
    return house.stewards()


@pytest.fixture
def olympia(house: House) -> Path:
    return house.file("olympia|a doll.png")


@pytest.fixture
def attest(house: House, olympia: Path) -> Attest:
    """Sign and submit an attestation for a picture."""

    def run(picture: Path = olympia, key: SigningKey | None = None) -> Attestation:
        attestation = Attestation.by(
            key or SigningKey.generate(),
            secrets.token_hex(16),
            house.sha256(picture),
            "fictional",
            "Drawn by us, after a tale of 1816.",
            house.now,
        )
        house.attestations.submit(attestation, picture, house.now)
        house.attestations.submit(attestation, picture, house.now)
        return attestation

    return run


@pytest.fixture
def decide(house: House) -> Callable[..., None]:
    seconds = count()

    def run(attestation: Attestation, *keys: SigningKey, approve: bool = True) -> None:
        act = review(attestation, approve=approve, now=house.now + timedelta(seconds=next(seconds)))
        house.attestations.decide(act, [Approval.by(key, act) for key in keys], house.now)

    return run


def asking(house: House, picture: Path) -> Asking:
    return Asking(secrets.token_hex(32), ("credential:c1",), house.sha256(picture), ("dpv:Advertising",))


def test_a_reviewed_attestation_lets_a_sitter_speak(
    house: House, refused: Refused, stewards: Stewards, olympia: Path, attest: Attest, decide: Any
) -> None:
    attestation = attest()
    assert refused(house.consents.admit, attestation.id, asking(house, olympia), house.now) == (
        "attestation_pending"
    )
    assert house.attestations.approved(attestation.portrait_sha256) is None
    decide(attestation, *stewards)
    assert house.attestations.approved(attestation.portrait_sha256) == attestation.id
    use = house.consents.admit(attestation.id, asking(house, olympia), house.now)
    assert use.right_sha256 == attestation.sha256
    house.consents.confirm(use, house.now)
    assert refused(house.consents.admit, attestation.id, asking(house, house.portrait), house.now) == (
        "portrait_differs"
    )


def test_what_was_approved_can_be_declined_at_once(
    house: House, refused: Refused, stewards: Stewards, olympia: Path, attest: Attest, decide: Any
) -> None:
    attestation = attest()
    decide(attestation, *stewards)
    use = house.consents.admit(attestation.id, asking(house, olympia), house.now)
    decide(attestation, stewards[1], approve=False)
    assert refused(house.consents.confirm, use, house.now) == "attestation_declined"
    assert refused(decide, attestation, *stewards) == "attestation_declined"
    assert house.people.kept == {}


def test_only_a_steward_who_does_not_attest_decides(
    house: House, stewards: Stewards, attest: Attest, decide: Any, refused: Refused
) -> None:
    attestation = attest()
    with pytest.raises(NotApproved):
        decide(attestation, SigningKey.generate())
    own = attest(key=stewards[0])
    with pytest.raises(NotApproved):
        decide(own, stewards[0])
    decide(own, stewards[1])
    act = review(attestation, approve=True, now=house.now)
    wider = Act(act.action, act.subject, act.facts | {"sitter": "public-domain"}, act.at)
    for other in (wider, replace(act, action="credential.issue"), replace(act, subject=own.id)):
        approval = Approval.by(stewards[0], other)
        assert refused(house.attestations.decide, other, [approval], house.now) == "act_unfit"
    with pytest.raises(NotApproved):
        house.attestations.decide(act, [Approval.by(stewards[0], wider)], house.now)
    with pytest.raises(NotApproved):
        house.attestations.decide(act, [], house.now + timedelta(days=30))


def test_a_key_made_for_it_does_not_let_a_steward_review_their_own(
    house: House, stewards: Stewards, attest: Attest, decide: Any
) -> None:
    """Nobody knows whose it is: two stewards are needed, at least one of whom did not attest."""
    attestation = attest(key=SigningKey.generate())
    with pytest.raises(MoreNeeded):
        decide(attestation, stewards[0])
    assert house.attestations.find(attestation.id)[1] == "pending"
    decide(attestation, *stewards)
    decide(attestation, stewards[0], approve=False)


@pytest.mark.parametrize("who", ["grant", "refusal"])
def test_a_picture_exchanged_while_it_is_read_does_not_pass_for_fictional(
    house: House, refused: Refused, attest: Attest, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    if who == "grant":
        house.granted()
    else:
        refusal = Refusal.by(house.ada, "1" * 32, house.sha256(house.portrait), house.now)
        house.refusals.register(refusal, house.portrait, house.now)
    picture, measure = house.file("ada|as a painting.png"), house.people.measure

    def exchanged(file: Path) -> str:
        picture.write_bytes(b"olympia|a doll")
        return measure(file)

    monkeypatch.setattr(house.people, "measure", exchanged)
    assert refused(attest, picture) in ("face_known", "refused_by_subject")
    assert house.events("attestation.submitted") == []


def test_nobody_who_signed_a_grant_passes_for_fictional(
    house: House, refused: Refused, attest: Attest
) -> None:
    house.granted()
    assert refused(attest, house.portrait) == "face_known"
    assert refused(attest, house.file("ada|as a painting.png")) == "face_known"
    assert house.events("attestation.submitted") == []


def test_nobody_who_refused_passes_for_fictional(house: House, refused: Refused, attest: Attest) -> None:
    refusal = Refusal.by(house.ada, "1" * 32, house.sha256(house.portrait), house.now)
    house.refusals.register(refusal, house.portrait, house.now)
    assert refused(attest, house.file("ada|as a painting.png")) == "refused_by_subject"


@pytest.mark.parametrize("step", ["before review", "after review", "in the making"])
@pytest.mark.parametrize("by", ["grant", "refusal"])
def test_a_living_person_who_comes_later_takes_their_face_back(
    house: House, refused: Refused, stewards: Stewards, attest: Attest, decide: Any, step: str, by: str
) -> None:
    picture = house.file("ada|as a painting.png")
    attestation = attest(picture)
    if step != "before review":
        decide(attestation, *stewards)
    use = None
    if step == "in the making":
        use = house.consents.admit(attestation.id, asking(house, picture), house.now)
    if by == "grant":
        house.granted()
        reasons = {"face_known", "attestation_contested"}
    else:
        refusal = Refusal.by(house.ada, "1" * 32, house.sha256(house.portrait), house.now)
        house.refusals.register(refusal, house.portrait, house.now)
        reasons = {"refused_by_subject"}
    if step == "before review":
        assert refused(decide, attestation, *stewards) in reasons
    elif use is None:
        assert refused(house.consents.admit, attestation.id, asking(house, picture), house.now) in reasons
    else:
        assert len(house.events("use.voided")) == 1
        assert refused(house.consents.confirm, use, house.now) in reasons


def test_what_cannot_be_compared_cannot_be_attested(
    house: House, refused: Refused, olympia: Path, attest: Attest
) -> None:
    assert refused(attest, house.file("a landscape.png")) == "face_unreadable"
    attestation = attest()
    blind = Attestations(house.database, None)
    assert refused(blind.submit, attestation, olympia, house.now) == "faces_absent"
    assert refused(house.attestations.submit, attestation, house.portrait, house.now) == "portrait_differs"


def test_the_statement_stays_off_the_record(
    house: House, stewards: Stewards, attest: Attest, decide: Any
) -> None:
    attestation = attest()
    decide(attestation, *stewards)
    with suppress(ConsentRefused):
        attest(house.file("a landscape.png"))
    kinds = [event["kind"] for event in house.events() if event["kind"].startswith("attestation.")]
    assert kinds == ["attestation.submitted", "attestation.approved"]
    assert "tale of" not in str(house.events())
