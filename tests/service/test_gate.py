"""A film made on one's own machine passes the hub's gate: consent, policies and record, or no film."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from generator.errors import PortraitError
from generator.sitters import Sitter
from governance.consent import Consents, Grant, Revocation, Terms
from governance.errors import ConsentRefused, CredentialRefused, GovernanceError, KeysMissing, NoFace
from governance.hubkeys import HubKeys
from governance.keys import SigningKey
from governance.ledger import Verifier, verify
from governance.provenance import GRANTED
from service import gate
from service.errors import NotAllowed, RightsUndeclared
from service.gate import Occasion, Permission, Plan
from service.hub import Hub
from tests.service.machine import Gallery, Machine


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a hub."""
    folder = tmp_path / "home"
    for name in ("KEYS", "DATABASE", "LEDGER"):
        monkeypatch.delenv(f"VERNISSAGE_{name}", raising=False)
    monkeypatch.setenv("VERNISSAGE_HOME", str(folder))
    return folder


@pytest.fixture
def machine(
    home: Path,
    tmp_path: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Machine]:
    """With each database."""
    monkeypatch.setenv("VERNISSAGE_DATABASE", database_url)
    HubKeys.init(home / "keys", "example.org/log")
    picture = tmp_path / "ada.png"
    Image.new("RGB", (80, 90)).save(picture)
    made = Machine.make(home, picture)
    monkeypatch.setattr(Hub, "faces", made.gallery)
    yield made
    made.database.close()


JOB = "0123456789"


def permitted(plan: Plan, film: Path | None = None) -> Permission:
    """The permission, once the film, if there is one, was confirmed."""
    with gate.permission(plan) as permission:
        if film is not None:
            permission.confirm(film, JOB)
        return permission


def interrupted(plan: Plan, film: Path, event: Callable[[], None]) -> None:
    """Something happens while the film is made."""
    with gate.permission(plan) as permission:
        event()
        permission.confirm(film, JOB)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"a sealed film")
    return path


class TestWithoutAHub:
    def test_our_own_sitters_need_nothing(self, home: Path, own_sitter: Sitter) -> None:
        right = gate.right_to(own_sitter.path, None)
        permission = permitted(Plan(own_sitter.path, right, Occasion(), ("happy",), {}))
        assert permission == Permission("sitter-of-the-house", gate.sha256_of(own_sitter.path))
        assert not home.exists()

    @pytest.mark.parametrize("declared", ["public-domain", "fictional", "own-likeness"])
    def test_a_declared_right_is_taken_down(self, home: Path, tmp_path: Path, declared: Any) -> None:
        picture = tmp_path / "somebody.png"
        Image.new("RGB", (8, 8)).save(picture)
        permission = permitted(Plan(picture, declared, Occasion(), ("neutral",), {}))
        assert (permission.rights, permission.entry) == (declared, None)
        assert not home.exists()

    def test_nobody_elses_picture_is_ours(self, home: Path, tmp_path: Path) -> None:
        picture = tmp_path / "somebody.png"
        Image.new("RGB", (8, 8)).save(picture)
        for right in (None, "sitter-of-the-house"):
            with pytest.raises(RightsUndeclared, match="grant:FILE"):
                gate.right_to(picture, right)  # type: ignore[arg-type]

    def test_a_picture_put_in_the_place_of_our_sitters_is_not_ours(self, home: Path, tmp_path: Path) -> None:
        """After its right was told and before it is used."""
        picture = tmp_path / "somebody.png"
        Image.new("RGB", (8, 8)).save(picture)
        with pytest.raises(PortraitError, match="no longer, one of our own"):
            permitted(Plan(picture, "sitter-of-the-house", Occasion(), ("neutral",), {}))

    def test_prohibited_purposes_are_refused_for_our_own_sitters_too(
        self, home: Path, own_sitter: Sitter
    ) -> None:
        occasion = Occasion(purposes=("dpv:PoliticalCampaign",))
        with pytest.raises(NotAllowed, match="Political persuasion") as refused:
            permitted(Plan(own_sitter.path, "sitter-of-the-house", occasion, ("neutral",), {}))
        assert refused.value.policy == "political-persuasion"

    def test_no_grant_can_be_verified(self, home: Path, tmp_path: Path, machine: Machine) -> None:
        """Anybody can make a key and sign a grant with it: only a hub knows whose face and key it is."""
        grant = machine.grant()
        shutil.copy(grant, tmp_path / "grant")
        shutil.rmtree(home)
        with pytest.raises(KeysMissing, match="vernissage keys init"):
            permitted(Plan(machine.picture, tmp_path / "grant", Occasion(), ("neutral",), {}))


class TestByDeclaration:
    def test_what_is_declared_goes_on_the_ledger_and_into_the_film(
        self, machine: Machine, film: Path
    ) -> None:
        permission = permitted(machine.plan("fictional"), film)
        assert permission.request is not None
        assert permission.entry is not None
        assert permission.entry.origin == "example.org/log"
        assert machine.events()[-2:] == ["request.admitted", "film.delivered"]
        with Hub.open(machine.home) as hub:
            assert permission.entry.index < hub.ledger.checkpoint().size
            verify(str(machine.home / "ledger"), Verifier("example.org/log", hub.keys.ledger.public))

    def test_no_two_films_are_one_request(self, machine: Machine) -> None:
        plan = machine.plan("fictional")
        assert permitted(plan).request != permitted(plan).request

    @pytest.mark.parametrize("declared", ["public-domain", "fictional", "own-likeness"])
    def test_whoever_refused_is_not_animated_whatever_is_declared(
        self, machine: Machine, tmp_path: Path, declared: str
    ) -> None:
        machine.refuse(machine.picture)
        with pytest.raises(NotAllowed, match="never to be animated"):
            permitted(machine.plan(declared))
        assert machine.events()[-1] == "request.refused"

    def test_nor_from_another_picture_of_the_same_face(self, machine: Machine, tmp_path: Path) -> None:
        other = tmp_path / "other.png"
        Image.new("RGB", (80, 90), "red").save(other)
        machine.refuse(other)
        with pytest.raises(NotAllowed, match="never to be animated"):
            permitted(machine.plan("fictional"))

    def test_a_refusal_in_the_meantime_ends_the_film(self, machine: Machine, film: Path) -> None:
        with pytest.raises(NotAllowed, match="never to be animated"):
            interrupted(machine.plan("fictional"), film, lambda: machine.refuse(machine.picture))
        assert "film.delivered" not in machine.events()

    def test_nobody_who_signed_a_grant_is_fictional(self, machine: Machine, tmp_path: Path) -> None:
        machine.grant()
        for declared in ("fictional", "public-domain"):
            with pytest.raises(NotAllowed, match="living person"):
                permitted(machine.plan(declared))

    def test_who_signs_grants_is_not_animated_by_mere_word(self, machine: Machine) -> None:
        machine.grant()
        with pytest.raises(NotAllowed, match="grant:FILE") as refused:
            permitted(machine.plan("own-likeness"))
        assert refused.value.policy == "face-with-grant"

    def test_a_face_that_cannot_be_compared_is_refused_where_faces_are_known(
        self, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = tmp_path / "other.png"
        Image.new("RGB", (10, 10)).save(other)
        machine.refuse(other)
        permitted(machine.plan("fictional"))
        monkeypatch.setattr(Gallery, "measure", unmeasurable)
        with pytest.raises(NotAllowed, match="may be somebody who has"):
            permitted(machine.plan("fictional"))

    def test_the_face_that_is_compared_is_that_of_the_picture(
        self, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not of another that lies there for a moment."""
        other, ada = tmp_path / "other.png", machine.picture.read_bytes()
        Image.new("RGB", (80, 90), "red").save(other)
        machine.refuse(other)
        measure = Gallery.measure

        def exchanged(self: Gallery, file: Path) -> tuple[int, int]:
            Image.new("RGB", (10, 10)).save(machine.picture)
            try:
                return measure(self, file)
            finally:
                machine.picture.write_bytes(ada)

        monkeypatch.setattr(Gallery, "measure", exchanged)
        with pytest.raises(NotAllowed, match="never to be animated"):
            permitted(machine.plan("fictional"))

    def test_a_hub_that_cannot_be_read_refuses(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("VERNISSAGE_DATABASE", f"sqlite:///{machine.picture}")
        with pytest.raises(GovernanceError):
            permitted(machine.plan("fictional"))


class TestByGrant:
    def test_a_film_by_grant_is_counted_and_on_record(self, machine: Machine, film: Path) -> None:
        grant = machine.grant()
        permission = permitted(machine.plan(grant), film)
        assert permission.rights == GRANTED
        assert permission.grant == gate.sha256_of(grant)
        assert permission.entry is not None
        assert machine.uses() == ["delivered"]
        assert "film.delivered" in machine.events()

    def test_no_more_films_than_the_grant_allows(self, machine: Machine, film: Path) -> None:
        grant = machine.grant(max_uses=1)
        permitted(machine.plan(grant), film)
        with pytest.raises(ConsentRefused) as refused:
            permitted(machine.plan(grant), film)
        assert refused.value.reason == "uses_spent"

    def test_a_film_that_fails_is_not_counted(self, machine: Machine, film: Path) -> None:
        grant = machine.grant(max_uses=1)
        with pytest.raises(ZeroDivisionError), gate.permission(machine.plan(grant)):
            raise ZeroDivisionError
        assert machine.uses() == ["released"]
        permitted(machine.plan(grant), film)

    def test_a_revocation_in_the_meantime_ends_the_film(self, machine: Machine, film: Path) -> None:
        grant, now = machine.grant(), datetime.now(UTC)
        revocation = Revocation.by(machine.ada, Grant.read(grant.read_bytes()).id, now)
        with pytest.raises(ConsentRefused) as refused:
            interrupted(machine.plan(grant), film, lambda: Consents(machine.database).revoke(revocation, now))
        assert refused.value.reason == "grant_revoked"
        assert machine.uses() == ["void"]
        assert "film.delivered" not in machine.events()

    def test_whoever_was_admitted_is_asked_again_and_nobody_else(
        self, machine: Machine, film: Path, tmp_path: Path
    ) -> None:
        """Also if another's key lies in the place of theirs by then."""
        grant, key = machine.grant(), machine.key

        def exchange() -> None:
            machine.suspend_holder()
            key.unlink()
            machine.other.save(key)

        with pytest.raises(CredentialRefused) as refused:
            interrupted(machine.plan(grant), film, exchange)
        assert refused.value.reason == "suspended"
        assert "film.delivered" not in machine.events()

    def test_what_is_refused_is_on_the_ledger_with_the_reason(self, machine: Machine) -> None:
        grant = machine.grant()
        with pytest.raises(ConsentRefused):
            permitted(machine.plan(grant, purposes=("dpv:Advertising",)))
        machine.suspend_holder()
        with pytest.raises(CredentialRefused):
            permitted(machine.plan(grant))
        assert machine.events().count("request.refused") == 2
        with Hub.open(machine.home) as hub:
            assert hub.deliver() == 0
            told = b"".join(hub.ledger.entries(0, hub.ledger.checkpoint().size))
        assert b'"reason":"purpose_not_granted"' in told
        assert b'"reason":"suspended"' in told

    @pytest.mark.parametrize(
        ("occasion", "reason"),
        [
            ({"purposes": ("dpv:Advertising",)}, "purpose_not_granted"),
            ({"purposes": ()}, "purpose_missing"),
            ({"locale": "fr"}, "locale_not_granted"),
            ({"own_voice": True}, "voice_not_granted"),
        ],
    )
    def test_nothing_beyond_what_was_granted(
        self, machine: Machine, occasion: dict[str, Any], reason: str
    ) -> None:
        with pytest.raises(ConsentRefused) as refused:
            permitted(machine.plan(machine.grant(), **occasion))
        assert refused.value.reason == reason

    def test_another_picture_is_not_granted(self, machine: Machine) -> None:
        grant = machine.grant()
        Image.new("RGB", (80, 90), "red").save(machine.picture)
        with pytest.raises(ConsentRefused) as refused:
            permitted(machine.plan(grant))
        assert refused.value.reason == "portrait_differs"

    def test_a_film_in_silence_needs_no_language(self, machine: Machine, film: Path) -> None:
        assert permitted(machine.plan(machine.grant(), locale=None), film).rights == GRANTED

    def test_a_grant_to_somebody_else_is_not_ours(self, machine: Machine) -> None:
        with pytest.raises(ConsentRefused) as refused:
            permitted(machine.plan(machine.grant(grantee="organisation:other")))
        assert refused.value.reason == "grantee_differs"

    def test_nobody_is_meant_without_a_credential(self, machine: Machine, tmp_path: Path) -> None:
        with pytest.raises(RightsUndeclared, match="--key"):
            permitted(machine.plan(machine.grant(), key=None))
        SigningKey.generate().save(tmp_path / "unknown.pem")
        with pytest.raises(CredentialRefused):
            permitted(machine.plan(machine.grant(), key=tmp_path / "unknown.pem"))

    def test_a_grant_this_hub_never_registered_is_refused(self, machine: Machine, tmp_path: Path) -> None:
        """Such as one that an attacker has signed with a key made for it."""
        signed, attacker = Grant.read(machine.grant().read_bytes()), SigningKey.generate()
        terms = {field.name: getattr(signed, field.name) for field in fields(Terms)}
        grant = Grant.by(attacker, Terms(**terms | {"id": "f" * 32, "subject": attacker.public}))
        (tmp_path / "forged").write_bytes(grant.data)
        with pytest.raises(ConsentRefused) as refused:
            permitted(machine.plan(tmp_path / "forged"))
        assert refused.value.reason == "right_unknown"

    def test_a_changed_grant_is_refused(self, machine: Machine) -> None:
        grant = machine.grant()
        grant.write_bytes(grant.read_bytes().replace(b'"max_uses":2', b'"max_uses":9'))
        with pytest.raises(ConsentRefused):
            permitted(machine.plan(grant))
        assert machine.uses() == []

    def test_prohibited_purposes_are_refused_even_if_they_were_granted(self, machine: Machine) -> None:
        with pytest.raises(ConsentRefused):
            machine.grant(purposes=("dpv:PoliticalCampaign",))


def unmeasurable(self: Gallery, file: Path) -> tuple[int, int]:
    raise NoFace("No face was found.")
