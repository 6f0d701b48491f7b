"""``vernissage consent``: from a picture to a grant and back, with nothing but files and a key."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from typer.testing import CliRunner, Result

import governance.biometrics.tables  # noqa: F401, made when the hub opens
from generator.sitters import sitters
from governance.biometrics import Keyring
from governance.consent import (
    PASSED,
    Asking,
    Ceremonies,
    Checks,
    Consents,
    Evidence,
    Grant,
    GrantRequest,
    Revocation,
    notice,
)
from governance.consent.checks import Finding
from governance.consent.tables import StoredGrant
from governance.errors import ConsentRefused, KeysMissing, MoreNeeded
from governance.hubkeys import TEMPLATES, HubKeys
from governance.identity import Roster
from governance.keys import SigningKey
from service.cli import consent as cli
from service.cli.consent import app
from service.cli.consent_house import open_house
from service.hub import Hub


def consent(*arguments: object, answer: str | None = None, columns: int = 80) -> Result:
    return CliRunner().invoke(
        app, [str(argument) for argument in arguments], input=answer, env={"COLUMNS": str(columns)}
    )


def told(*arguments: object) -> Any:
    done = consent(*arguments, "--json")
    assert done.exit_code == 0, done.exception or done.output
    return json.loads(done.stdout)


def refused(*arguments: object) -> str:
    """The reason."""
    done = consent(*arguments)
    assert isinstance(done.exception, ConsentRefused), done.output
    return done.exception.reason


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a person keeps their files; there is no hub."""
    return tmp_path


@pytest.fixture
def ada(folder: Path) -> Path:
    """Ada's key file."""
    file = folder / "ada.pem"
    told("key", file)
    return file


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    for name in ("VERNISSAGE_DATABASE", "VERNISSAGE_LEDGER", "VERNISSAGE_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VERNISSAGE_HOME", str(home))
    HubKeys.init(home / "keys", "hub.example/ledger")
    Keyring.create(home / "keys" / TEMPLATES)
    return home


@pytest.fixture
def no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERNISSAGE_HOME", str(tmp_path / "nowhere"))
    for name in ("VERNISSAGE_DATABASE", "VERNISSAGE_LEDGER", "VERNISSAGE_KEYS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def portrait(folder: Path) -> Path:
    """A picture of Ada (who is one of the house's painted sitters)."""
    file = folder / "ada.jpg"
    file.write_bytes(sitters()[0].path.read_bytes())
    return file


def passed(*about: object) -> Finding:
    return PASSED


@pytest.fixture
def terms(home: Path, folder: Path, portrait: Path, ada: Path) -> Path:
    """What Ada is sent after a ceremony that she passed: the film is not judged here, the picture is."""
    now = datetime.now(UTC).replace(microsecond=0)
    request = GrantRequest(
        subject=SigningKey.load(ada).public,
        grantee="organisation:museum",
        purposes=("dpv:PublicBenefit",),
        directions=("happy", "neutral"),
        locales=("en",),
        max_uses=3,
        not_before=now,
        expires=now + timedelta(days=30),
    )
    film = folder / "film.mp4"
    film.write_bytes(b"a film")
    with Hub.open() as hub:
        checks = Checks(passed, passed, passed, passed, passed, faces=hub.faces)
        ceremonies = Ceremonies(hub.database, Evidence(home / "evidence"), checks)
        id = ceremonies.open(request, portrait, None, now)
        ceremonies.challenge(id, now)
        ceremonies.submit(id, film, now)
        ceremony = ceremonies.examine(id, now)
        assert ceremony.terms is not None, ceremony.findings
    file = folder / "ada.terms.json"
    file.write_bytes(ceremony.terms.body)
    return file


@pytest.fixture
def grant(terms: Path, ada: Path) -> Path:
    """Signed and registered."""
    file = Path(told("sign", terms, "--key", ada, "--yes")["file"])
    told("register", file)
    return file


def test_a_person_reads_what_they_allow_before_they_sign(terms: Path, ada: Path) -> None:
    done = consent("sign", terms, "--key", ada, answer="n\n")
    assert done.exit_code == cli.REFUSED
    assert not terms.with_name("ada.grant.json").exists()
    for said in (
        "Lets organisation:museum make up to 3 films from",
        "education, health and culture, free to the public",
        "Emotions: happy, neutral. Languages: en.",
        "may not be used",
        "You can end it at any time",
    ):
        assert said in done.output
    narrow = consent("sign", terms, "--key", ada, answer="n\n", columns=40)
    read = " ".join(narrow.output.replace("•", " ").split())
    for item in notice().replace("**", "").replace("# ", "").replace("\n- ", "\n\n").split("\n\n"):
        assert " ".join(item.split()) in read, "every word of the notice"
    done = consent("sign", terms, "--key", ada, answer="y\n")
    assert done.exit_code == 0
    grant = Grant.read(terms.with_name("ada.grant.json").read_bytes())
    assert grant.subject == SigningKey.load(ada).public


def test_a_grant_is_signed_registered_used_and_ended(grant: Path, ada: Path, portrait: Path) -> None:
    signed = Grant.read(grant.read_bytes())
    assert told("verify", grant)["state"].startswith("in force; 0 of 3 films delivered")
    asking = Asking("0" * 64, ("organisation:museum",), signed.portrait_sha256, ("dpv:PublicBenefit",))
    with Hub.open() as hub:
        Consents(hub.database).admit(signed.id, asking, datetime.now(UTC))
    assert "in force; films: 0 of 3, 1 in the making" in consent("list").stdout
    revocation = told("revoke", grant, "--key", ada, "--forget")["file"]
    assert told("verify", grant)["state"].startswith("in force")
    assert "has ended" in told("register", revocation)["told"]
    assert told("verify", grant)["state"].startswith("revoked")
    (line,) = told("list")
    assert (line["kind"], line["id"], line["state"]) == ("grant", signed.id, "revoked")
    with Hub.open() as hub:
        kinds = [entry.kind for entry in _events(hub)]
    assert kinds[-3:] == ["use.voided", "templates.deleted", "grant.revoked"]


def _events(hub: Hub) -> list[Any]:
    from sqlalchemy import select

    from governance.storage.outbox import Recorded

    with hub.database.transaction() as session:
        found = list(session.scalars(select(Recorded).order_by(Recorded.sequence)))
    assert all(one.entry is not None for one in found if one.kind != "use.admitted"), (
        "delivered to the ledger"
    )
    return found


def test_only_the_key_that_signed_ends_it(grant: Path, folder: Path) -> None:
    told("key", folder / "thief.pem")
    assert refused("revoke", grant, "--key", folder / "thief.pem") == "subject_differs"
    forged = Revocation.by(
        SigningKey.load(folder / "thief.pem"), Grant.read(grant.read_bytes()).id, datetime.now(UTC)
    )
    (folder / "forged.json").write_bytes(forged.data)
    assert refused("register", folder / "forged.json") == "subject_differs"
    assert told("verify", grant)["state"].startswith("in force")


def test_a_changed_grant_is_found_out(grant: Path) -> None:
    grant.write_bytes(grant.read_bytes().replace(b'"max_uses":3', b'"max_uses":9'))
    assert refused("verify", grant) == "signature_invalid"
    assert refused("register", grant) == "signature_invalid"
    assert refused("show", grant) == "signature_invalid"


@pytest.mark.usefixtures("no_hub")
def test_a_person_needs_no_hub(folder: Path, ada: Path, portrait: Path) -> None:
    refusal = Path(told("refuse", portrait, "--key", ada)["file"])
    assert refusal == folder / "ada.refusal.json"
    assert told("verify", refusal)["state"] is None
    assert "does not want to be animated, ever" in consent("show", refusal).stdout
    withdrawal = told("refuse", refusal, "--key", ada, "--withdraw")["file"]
    assert told("show", withdrawal)["kind"] == "withdrawal"
    attestation = told("attest", portrait, "--as", "fictional", "--statement", "Drawn by us.", "--key", ada)
    assert told("show", attestation["file"])["says"]["statement"] == "Drawn by us."
    assert not (folder / "nowhere").exists()
    assert isinstance(consent("register", refusal).exception, KeysMissing)


def test_nothing_signed_is_written_over(folder: Path, ada: Path, portrait: Path) -> None:
    told("refuse", portrait, "--key", ada)
    before = (folder / "ada.refusal.json").read_bytes()
    done = consent("refuse", portrait, "--key", ada)
    assert done.exit_code != 0
    assert "name another file with --out" in " ".join(done.output.replace("│", " ").split())
    assert (folder / "ada.refusal.json").read_bytes() == before


def test_a_film_of_somebody_else_is_turned_away(home: Path, ada: Path, portrait: Path, folder: Path) -> None:
    asked = ("--grantee", "organisation:museum", "--purpose", "dpv:PublicBenefit", "--uses", 3, "--days", 30)
    public = SigningKey.load(ada).public.text
    done = told("request", portrait, f"--subject={public}", *asked)
    assert done["missing_checks"] == []
    drawn = told("challenge", done["ceremony"])
    assert len(drawn["phrase"].split()) == 6
    film = folder / "no film.mp4"
    film.write_bytes(b"no film")
    answer = consent("challenge", done["ceremony"], "--film", film)
    assert answer.exit_code == cli.REFUSED
    assert answer.stdout.startswith("Not passed; 4 tries are left. The film is deleted.\n- ")
    assert not list((home / "evidence").rglob("film*"))
    assert list((home / "evidence").rglob("portrait*"))
    told("withdraw", done["ceremony"])
    assert not list((home / "evidence").rglob("portrait*"))


def test_a_refusal_is_honoured_and_taken_back(home: Path, grant: Path, ada: Path, portrait: Path) -> None:
    refusal = told("refuse", portrait, "--key", ada)["file"]
    assert "every picture of this face" in told("register", refusal, "--picture", portrait)["told"]
    assert told("verify", grant)["state"].startswith("stopped by a refusal")
    withdrawal = told("refuse", refusal, "--key", ada, "--withdraw")["file"]
    told("register", withdrawal)
    assert told("verify", refusal)["state"] == "withdrawn"
    assert told("verify", grant)["state"].startswith("in force")


def test_an_attestation_is_reviewed_by_a_steward(home: Path, ada: Path, portrait: Path, folder: Path) -> None:
    steward, other = SigningKey.generate(), SigningKey.generate()
    steward.save(folder / "steward.pem")
    other.save(folder / "other.pem")
    with Hub.open() as hub:
        Roster(hub.database, hub.key).bootstrap(
            "House", [("Mary", steward.public), ("Grace", other.public)], datetime.now(UTC)
        )
    file = told("attest", portrait, "--as", "fictional", "--statement", "Ours, 2026.", "--key", ada)["file"]
    assert consent("register", file).exit_code != 0
    told("register", file, "--picture", portrait)
    (line,) = told("list")
    assert (line["kind"], line["state"]) == ("attestation", "pending")
    alone = consent("review", line["id"], "--key", folder / "steward.pem", "--approve")
    assert isinstance(alone.exception, MoreNeeded)
    told("review", line["id"], "--key", folder / "steward.pem", "--key", folder / "other.pem", "--approve")
    assert told("verify", file)["state"] == "approved"
    told("review", line["id"], "--key", folder / "steward.pem", "--decline")
    assert told("list")[0]["state"] == "declined"


def test_what_was_refused_is_carried_to_the_ledger_at_once(home: Path) -> None:
    asking = Asking("5" * 64, (), "0" * 64, ())
    with pytest.raises(ConsentRefused), open_house() as house:
        house.consents.admit("0" * 32, asking, datetime.now(UTC))
    with Hub.open() as hub:
        assert hub.deliver() == 0
        assert hub.ledger.checkpoint().size == 1


def test_who_writes_to_the_database_is_found_out_by_the_ledger(grant: Path, ada: Path) -> None:
    assert told("audit") == {"attestations": 0, "grants": 1, "refusals": 0, "wrong": {}}
    told("register", told("revoke", grant, "--key", ada)["file"])
    with Hub.open() as hub, hub.database.transaction() as session:
        session.execute(update(StoredGrant).values(ended=None))
    found = consent("audit")
    assert found.exit_code == 1
    assert f"{Grant.read(grant.read_bytes()).sha256} is changed" in found.stderr.replace("\n", " ")


def test_a_steward_strikes_a_grant(grant: Path, folder: Path) -> None:
    steward = SigningKey.generate()
    steward.save(folder / "steward.pem")
    with Hub.open() as hub:
        named = [("Mary", steward.public), ("Grace", SigningKey.generate().public)]
        Roster(hub.database, hub.key).bootstrap("House", named, datetime.now(UTC))
    id = Grant.read(grant.read_bytes()).id
    assert told("strike", id, "--key", folder / "steward.pem") == {"grant": id, "state": "struck"}
    assert told("verify", grant)["state"].startswith("struck")


def test_a_living_person_is_not_attested(home: Path, grant: Path, ada: Path, portrait: Path) -> None:
    file = told("attest", portrait, "--as", "fictional", "--statement", "Ours, 2026.", "--key", ada)["file"]
    assert refused("register", file, "--picture", portrait) == "face_known"


def test_sweeping_says_what_was_over(home: Path) -> None:
    assert consent("sweep").stdout == "Nothing was over.\n"
    assert consent("list").stdout == "Nothing is registered here.\n"
    assert told("list") == []
