"""``vernissage release``: two stewards and a laboratory at their terminals."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from governance.errors import EvidenceRefused, NotApproved, ReleaseError
from governance.hubkeys import HubKeys
from governance.identity import Roster
from governance.keys import SigningKey
from governance.release import demonstrator
from service.cli.release import app
from service.hub import Hub

Run = Callable[..., Result]
SHIPPED = demonstrator.read()
FIGURES = {
    "model_card": {},
    "detector_rate": {"films": 5000, "detection_rate": 0.999, "false_positive_rate": 0.0005},
    "red_team_report": {"attacks": 150, "open_critical": 0, "open_serious": 0},
}


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which there is no hub."""
    for name in ("VERNISSAGE_KEYS", "VERNISSAGE_DATABASE", "VERNISSAGE_LEDGER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VERNISSAGE_HOME", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(nowhere: Path) -> Run:
    def command(*arguments: object, columns: int = 80) -> Result:
        return CliRunner().invoke(app, [str(one) for one in arguments], env={"COLUMNS": str(columns)})

    return command


@pytest.fixture
def hub(nowhere: Path, run: Run) -> Run:
    """With the stewards Ada and Grace, a laboratory's key, and weights."""
    HubKeys.init(nowhere / "hub" / "keys")
    keys = {name: SigningKey.generate() for name in ("ada", "grace", "laboratory")}
    for name, key in keys.items():
        key.save(nowhere / f"{name}.pem")
    with Hub.open() as opened:
        stewards = [("Ada", keys["ada"].public), ("Grace", keys["grace"].public)]
        Roster(opened.database, opened.key).bootstrap("House", stewards, datetime.now(UTC))
    (nowhere / "flow.safetensors").write_bytes(b"weights")
    (nowhere / "report.pdf").write_bytes(b"what we found")
    return run


def told(done: Result) -> Any:
    assert done.exit_code == 0, (done.output, done.exception)
    return json.loads(done.stdout)


@pytest.fixture
def version(hub: Run) -> str:
    entered: str = told(hub("enter", "Generator 2", "flow.safetensors", "--json"))["version"]
    return entered


def file(run: Run, kind: str, version: str, **metrics: float) -> Any:
    figures = [f"--metric={name}={figure}" for name, figure in (FIGURES[kind] | metrics).items()]
    item = f"{kind}.json"
    signed = run(
        "evidence", "sign", kind, version, "report.pdf", "--by", "laboratory.pem", "-o", item, *figures
    )
    assert signed.exit_code == 0, signed.exception
    return told(run("evidence", "file", item, "--json"))


def test_without_a_hub_it_says_what_comes_with_the_source_code(run: Run, nowhere: Path):
    done = run("status")
    assert done.exit_code == 0
    assert SHIPPED.version[:12] in done.stdout
    assert "served on public" in done.stdout
    assert "exempt as demonstrator" in done.stdout
    assert list(nowhere.iterdir()) == []


@pytest.mark.parametrize("columns", [40, 80])
def test_why_it_is_exempt_and_what_is_absent_is_said_in_full(run: Run, columns: int):
    done = run("status", SHIPPED.version[:8], columns=columns)
    words = " ".join(done.stdout.split())
    assert (
        "which means that there is not: - detector_rate: The detector was measured on some fifty films"
        in words
    )
    assert "came with the source code, unsigned" in words
    assert max(len(line) for line in done.stdout.splitlines()) <= columns


def test_a_version_climbs_when_two_stewards_have_signed(hub: Run, version: str):
    assert "serves nobody" in hub("status", version).stdout
    file(hub, "model_card", version)
    asked = hub("propose", version[:12], "red_team", "--by", "ada.pem")
    assert "waits for a steward" in asked.stdout
    (proposal,) = told(hub("status", "--json"))["proposals"]
    assert (proposal["from"], proposal["to"], len(proposal["signed_by"])) == ("internal", "red_team", 1)
    again = told(hub("approve", proposal["id"][:12], "--by", "ada.pem", "--json"))
    assert len(again["signed_by"]) == 1
    done = told(hub("approve", proposal["id"][:12], "--by", "grace.pem", "--json"))
    assert (done["approved"], done["served"]) == ("red_team", "red_team")
    for kind in ("detector_rate", "red_team_report"):
        file(hub, kind, version)
    both = told(hub("propose", version, "research", "--by", "ada.pem", "--by", "grace.pem", "--json"))
    assert both["served"] == "research"
    with Hub.open() as opened:
        entries = opened.ledger.entries(0, opened.ledger.checkpoint().size)
        kinds = [json.loads(entry)["kind"] for entry in entries]
    assert kinds.count("release.climbed") == 2


def test_it_comes_down_by_one_steward_or_by_evidence_that_fails(hub: Run, version: str):
    for kind in FIGURES:
        file(hub, kind, version)
    for rung in ("red_team", "research"):
        hub("propose", version, rung, "--by", "ada.pem", "--by", "grace.pem")
    lowered = file(hub, "detector_rate", version, detection_rate=0.5)
    assert (lowered["approved"], lowered["served"]) == ("research", "red_team")
    shown = " ".join(hub("status", version).stdout.split())
    assert "approved for research, but: - detector_rate: detection_rate is 0.5, at least 0.95" in shown
    down = told(
        hub("rollback", version, "--to", "internal", "--by", "ada.pem", "--reason", "doubt", "--json")
    )
    assert down["approved"] == "internal"


def test_evidence_can_be_listed_and_withdrawn(hub: Run, version: str):
    file(hub, "model_card", version)
    hub("propose", version, "red_team", "--by", "ada.pem", "--by", "grace.pem")
    (item,) = told(hub("evidence", "list", version, "--json"))
    assert (item["kind"], item["withdrawn"]) == ("model_card", False)
    assert item["id"][:12] in hub("evidence", "list", version, columns=40).stdout
    done = told(
        hub("evidence", "withdraw", item["id"][:12], "--by", "grace.pem", "--reason", "flawed", "--json")
    )
    assert done["served"] == "internal"
    assert "withdrawn" in hub("evidence", "list", version).stdout


def test_what_cannot_be_done_is_refused_in_one_sentence(hub: Run, version: str, nowhere: Path):
    for arguments, error, sentence in (
        (("propose", version, "red_team", "--by", "ada.pem"), ReleaseError, "model_card is not on file"),
        (("propose", version, "public", "--by", "ada.pem"), ReleaseError, "one at a time"),
        (("rollback", version, "--by", "ada.pem", "--reason", "x"), ReleaseError, "not below it"),
        (("status", "ffff"), ReleaseError, "No version begins with"),
        (("approve", "ffff", "--by", "ada.pem"), ReleaseError, "No proposal begins with"),
        (("evidence", "file", "report.pdf"), EvidenceRefused, "no signed item"),
    ):
        done = hub(*arguments)
        assert isinstance(done.exception, error), arguments
        assert sentence in str(done.exception)
    file(hub, "model_card", version)
    done = hub("propose", version, "red_team", "--by", "laboratory.pem")
    assert isinstance(done.exception, NotApproved)
    forged = (nowhere / "model_card.json").read_bytes().replace(b"model_card", b"consent_report")
    (nowhere / "forged.json").write_bytes(forged)
    assert isinstance(hub("evidence", "file", "forged.json").exception, EvidenceRefused)


def test_the_ladder_can_be_read(run: Run):
    assert "detection_rate at least 0.99" in run("ladder").stdout
    rungs = told(run("ladder", "--json"))["rungs"]
    assert [rung["name"] for rung in rungs] == ["internal", "red_team", "research", "credentialed", "public"]


def test_whoever_writes_to_the_database_is_found_out_by_the_ledger(hub: Run, version: str):
    item = file(hub, "model_card", version)["evidence"][0]["id"]
    hub("propose", version, "red_team", "--by", "ada.pem", "--by", "grace.pem")
    assert told(hub("audit", "--json")) == {"versions": 1, "evidence": 1, "wrong": {}}
    for change, wrong in (
        ("UPDATE model_versions SET rung = 'public'", {version: "changed"}),
        ("UPDATE model_versions SET rung = 'red_team', known = '{}'", {version: "changed"}),
        ("DELETE FROM release_evidence", {version: "changed", item: "missing"}),
    ):
        with Hub.open() as opened, opened.database.transaction() as session:
            session.execute(text(change))
        done = hub("audit", "--json")
        assert (done.exit_code, json.loads(done.stdout)["wrong"]) == (1, wrong)
    assert f"{item} is missing" in hub("audit").stderr
