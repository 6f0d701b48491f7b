"""``vernissage credential``: stewards decide in a terminal, each with a key of their own."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from governance.errors import GovernanceError, IdentityError, KeysUnsafe, NotApproved
from governance.hubkeys import HubKeys
from governance.keys import SigningKey
from service.cli.credential import app
from service.hub import Hub

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub with its own keys, and a folder where people keep theirs."""
    for name in ("VERNISSAGE_KEYS", "VERNISSAGE_DATABASE", "VERNISSAGE_LEDGER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VERNISSAGE_HOME", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    HubKeys.init(tmp_path / "hub" / "keys")
    return tmp_path


@pytest.fixture
def run(home: Path) -> Run:
    def command(*arguments: object, columns: int = 80) -> Result:
        return CliRunner().invoke(app, [str(one) for one in arguments], env={"COLUMNS": str(columns)})

    return command


@pytest.fixture
def hub(run: Run) -> Run:
    """With the first two stewards, Ada and Grace."""
    for name in ("ada", "grace", "rosalind"):
        run("key", f"{name}.pem")
    begun = run(
        "bootstrap", "--organisation", "House", "--steward", "Ada=ada.pem", "--steward", "Grace=grace.pem"
    )
    assert begun.exit_code == 0, begun.output
    return run


@pytest.fixture
def partner(hub: Run) -> str:
    """The id of a partner's credential."""
    done = issue(hub, "--by", "ada.pem", "--by", "grace.pem")
    assert done.exit_code == 0, done.output
    return credentials(hub)[-1]["id"]  # type: ignore[no-any-return]


def issue(run: Run, *more: object) -> Result:
    who = ("--organisation", "Studio Ostkreuz", "--person", "Rosalind", "--key", "rosalind.pem")
    return run("issue", *who, "--tier", "generate", *more)


def listed(run: Run) -> dict[str, Any]:
    return json.loads(run("list", "--json").stdout)  # type: ignore[no-any-return]


def credentials(run: Run) -> list[dict[str, Any]]:
    return sorted(listed(run)["credentials"], key=lambda one: one["tier"] == "generate")


def refusal(result: Result) -> str:
    assert isinstance(result.exception, GovernanceError), result.output
    assert result.stdout == ""
    return str(result.exception)


def test_a_key_is_made_for_its_owner_alone_and_shown_again(run: Run, home: Path) -> None:
    made = run("key", "ada.pem")
    assert stat.S_IMODE((home / "ada.pem").stat().st_mode) == 0o600
    public = SigningKey.load(home / "ada.pem").public
    assert made.stdout == f"{public.text}\n"
    assert "give the stewards the line above" in made.stderr
    again = run("key", "ada.pem", "--json")
    assert json.loads(again.stdout) == {"key": public.text, "keyid": public.keyid}
    assert "PRIVATE" not in made.output + again.output
    (home / "ada.pem").chmod(0o644)
    assert isinstance(run("key", "ada.pem").exception, KeysUnsafe)


def test_nobody_is_there_at_first(run: Run) -> None:
    assert "run `vernissage credential bootstrap`" in run("list").stdout
    assert listed(run) == {"credentials": [], "proposals": []}


def test_a_hub_begins_once(hub: Run) -> None:
    assert [one["tier"] for one in credentials(hub)] == ["steward", "steward"]
    again = hub("bootstrap", "--organisation", "Other", "--steward", "A=ada.pem", "--steward", "B=grace.pem")
    assert "has had its first stewards" in refusal(again)


def test_a_public_key_will_do_for_a_steward(run: Run) -> None:
    ada, grace = SigningKey.generate().public, SigningKey.generate().public
    stewards = ("--steward", f"Ada={ada.text}", "--steward", f"Grace={grace.text}", "--json")
    made = json.loads(run("bootstrap", "--organisation", "House", *stewards).stdout)
    assert [one["keyid"] for one in made["credentials"]] == [ada.keyid, grace.keyid]


def test_one_proposes_another_approves(hub: Run) -> None:
    assert "waits for a steward" in issue(hub, "--by", "ada.pem", "--scope", "weights").stdout
    (waiting,) = listed(hub)["proposals"]
    assert (waiting["person"], waiting["action"]) == ("Rosalind", "credential.issue")
    shown = hub("show", waiting["id"][:8]).stdout
    assert "scopes: weights" in shown
    assert f"vernissage credential approve {waiting['id'][:12]} --by KEYFILE" in shown
    assert "waits" in hub("approve", waiting["id"][:8], "--by", "ada.pem").stdout
    assert " generate active" in hub("approve", waiting["id"][:8], "--by", "grace.pem").stdout
    assert listed(hub)["proposals"] == []
    assert "No proposal" in refusal(hub("approve", waiting["id"][:8], "--by", "grace.pem"))


def test_who_is_no_steward_decides_nothing(hub: Run, partner: str) -> None:
    for command in (
        ("suspend", partner, "--reason", "theft"),
        ("propose", partner, "--quota", "generate=1"),
    ):
        result = hub(*command, "--by", "rosalind.pem")
        assert isinstance(result.exception, NotApproved)
        assert "only stewards decide" in refusal(result)


def test_from_narrower_to_the_end(hub: Run, partner: str) -> None:
    assert "generate 20" in hub("propose", partner, "--quota", "generate=20", "--by", "ada.pem").stdout
    assert "waits" in hub("propose", partner, "--tier", "research", "--by", "ada.pem").stdout
    assert " suspended" in hub("suspend", partner, "--reason", "odd_use", "--by", "grace.pem").stdout
    assert listed(hub)["proposals"] == []
    assert "waits" in hub("reinstate", partner, "--by", "ada.pem").stdout
    assert " active" in hub("reinstate", partner, "--by", "ada.pem", "--by", "grace.pem").stdout
    assert " revoked" in hub("revoke", partner, "--reason", "contract_ended", "--by", "ada.pem").stdout
    assert "final" in refusal(hub("reinstate", partner, "--by", "ada.pem", "--by", "grace.pem"))
    assert credentials(hub)[-1]["state"] == "revoked"


def test_two_stewards_renew_a_credential_but_not_each_other(hub: Run, partner: str) -> None:
    before = credentials(hub)[-1]["expires"]
    both = ("--by", "ada.pem", "--by", "grace.pem")
    assert " generate active" in hub("propose", partner, "--days", "366", *both).stdout
    assert credentials(hub)[-1]["expires"] > before
    ada = credentials(hub)[0]["id"]
    assert "waits" in hub("propose", ada, "--scope", "audit", *both).stdout
    assert "issue another soon" in hub("list").stderr


def test_a_holder_changes_the_key(hub: Run, partner: str, home: Path) -> None:
    done = hub("rotate", "--key", "rosalind.pem", "--new", "newer.pem", "--json")
    (shown,) = json.loads(done.stdout)["credentials"]
    assert shown["keyid"] == SigningKey.load(home / "newer.pem").keyid
    assert hub("show", partner).stdout.count("key ") == 2
    assert "current key" in refusal(hub("rotate", "--key", "rosalind.pem", "--new", "third.pem"))


def test_everything_is_on_the_ledger_and_agrees(hub: Run, partner: str) -> None:
    hub("suspend", partner, "--reason", "theft", "--by", "ada.pem")
    with Hub.open() as house:
        size = house.ledger.checkpoint().size
        kinds = [json.loads(entry)["kind"] for entry in house.ledger.entries(0, size)]
    assert kinds == [
        "credential.bootstrapped",
        "credential.bootstrapped",
        "act.approved",
        "credential.issued",
        "act.approved",
        "credential.suspended",
    ]
    audit = hub("audit")
    assert (audit.exit_code, audit.stdout) == (0, "3 credentials on the ledger, 0 of them or others wrong.\n")


def test_a_stolen_hub_key_locks_nobody_out(hub: Run, partner: str, home: Path) -> None:
    HubKeys.open(home / "hub" / "keys").rotate(stolen=True)
    assert "credential audit" in refusal(hub("list"))
    assert hub("audit").exit_code == 1
    assert json.loads(hub("audit", "--sign-again", "--json").stdout)["wrong"] == {}
    assert len(credentials(hub)) == 3


@pytest.mark.parametrize("columns", [40, 80])
def test_ids_stay_whole_in_a_narrow_terminal(hub: Run, partner: str, columns: int) -> None:
    issue(hub, "--by", "ada.pem")
    shown = hub("list", columns=columns).stdout
    assert f"{partner} generate active\n" in shown
    assert max(map(len, shown.splitlines())) <= max(
        columns, len(f"{'0' * 12} credential.issue waits for a steward")
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "cred_none"), "There is no credential cred_none"),
        (("suspend", "cred_none", "--reason", "x", "--by", "ada.pem"), "There is no credential"),
        (("suspend", "{partner}", "--reason", "odd use", "--by", "ada.pem"), "one plain word"),
        (("suspend", "{partner}", "--reason", "x", "--by", "none.pem"), "none.pem"),
        (("propose", "{partner}", "--by", "ada.pem"), "changes nothing"),
        (("propose", "{partner}", "--quota", "x", "--by", "ada.pem"), "write generate=100"),
        (("bootstrap", "--organisation", "H", "--steward", "Ada"), "write NAME=KEY"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    hub: Run, partner: str, arguments: tuple[str, ...], sentence: str
) -> None:
    result = hub(*(one.format(partner=partner) for one in arguments))
    assert sentence in refusal(result)
    assert isinstance(result.exception, GovernanceError)


def test_there_must_be_stewards_first(run: Run) -> None:
    run("key", "ada.pem")
    run("key", "rosalind.pem")
    result = issue(run, "--by", "ada.pem")
    assert isinstance(result.exception, IdentityError)
    assert "bootstrap` first" in refusal(result)
