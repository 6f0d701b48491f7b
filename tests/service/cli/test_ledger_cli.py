"""``vernissage ledger``: what is on record, shown, proved and checked."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from governance.errors import CheckpointInvalid, LedgerError, SplitView
from governance.events import Event
from governance.hubkeys import HubKeys
from governance.keys import SigningKey
from governance.ledger import Ledger, Verifier
from governance.storage import record
from service.cli.ledger import app
from service.hub import Hub

SHA256 = "sha256:" + "ab" * 32


def ledger(*arguments: object, columns: int = 80) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": str(columns)})


def another_key() -> str:
    return Verifier("hub.example/ledger", SigningKey.generate().public).text


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub on which three things happened."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    for name in ("VERNISSAGE_DATABASE", "VERNISSAGE_LEDGER", "VERNISSAGE_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VERNISSAGE_HOME", str(home))
    HubKeys.init(home / "keys", "hub.example/ledger")
    happen(
        Event("grant.registered", {"grant": SHA256, "uses": 3}, id="first"),
        Event("request.refused", {"request": SHA256, "reason": "consent_revoked"}),
        Event("grant.revoked", {"grant": SHA256}),
    )
    return home


def happen(*events: Event) -> None:
    with Hub.open() as hub, hub.database.transaction() as session:
        for event in events:
            record(session, event)


@pytest.fixture
def key(home: Path) -> str:
    found: str = json.loads(ledger("checkpoint", "--json").stdout)["key"]
    return found


def test_what_was_recorded_is_shown_newest_last(home: Path) -> None:
    lines = ledger("show").stdout.splitlines()
    assert [line.split()[:2] for line in lines[::2]] == [
        ["0", "grant.registered"],
        ["1", "request.refused"],
        ["2", "grant.revoked"],
    ]
    assert "uses=3" in lines[1]


@pytest.mark.parametrize("columns", [40, 80])
def test_entries_fit_the_terminal(home: Path, columns: int) -> None:
    found = ledger("show", columns=columns).stdout
    assert max(map(len, found.splitlines())) <= columns
    assert "reason=consent_revoked" in found


def test_entries_are_chosen_by_kind_number_index_and_id(home: Path) -> None:
    def indices(*arguments: object) -> list[int]:
        return [entry["index"] for entry in json.loads(ledger("show", "--json", *arguments).stdout)]

    assert indices() == [0, 1, 2]
    assert indices("--last", 2) == [1, 2]
    assert indices("--kind", "grant.") == [0, 2]
    assert indices("--kind", "grant.", "--last", 1) == [2]
    assert indices(1) == [1]
    assert indices("first") == [0]
    assert f"grant: {SHA256}" in ledger("show", "first").stdout
    assert "no such entry among the 3" in ledger("show", "--kind", "release.").stdout


def test_what_is_not_on_record_is_refused_in_words(home: Path) -> None:
    with pytest.raises(LedgerError, match="has published 3"):
        raise_from(ledger("show", 3))
    with pytest.raises(LedgerError, match="no event never"):
        raise_from(ledger("prove", "never"))


def test_an_honest_ledger_holds_and_continues_what_was_kept(home: Path, key: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text(ledger("checkpoint").stdout)
    happen(Event("release.approved", {"version": "v1"}))
    assert ledger("checkpoint").exit_code == 0
    done = ledger("verify", home / "ledger", "--key", key, "--checkpoint", kept)
    assert done.exit_code == 0
    assert done.stdout.startswith("Holds: 4 entries of hub.example/ledger\n")
    assert "continues the checkpoint of 3 entries" in done.stdout
    assert ledger("verify").stdout.startswith("Holds: 4 entries")
    found = json.loads(ledger("verify", home / "ledger", "--key", key, "--checkpoint", kept, "--json").stdout)
    assert (found["verdict"], found["size"], found["continues"]) == ("holds", 4, [3])


def test_the_key_may_lie_in_a_file(home: Path, key: str, tmp_path: Path) -> None:
    (tmp_path / "log.vkey").write_text(key + "\n")
    assert ledger("verify", home / "ledger", "--key", tmp_path / "log.vkey").exit_code == 0


def test_a_changed_entry_exits_3(home: Path, key: str) -> None:
    (bundle,) = (home / "ledger" / "tile" / "entries").rglob("3")
    bundle.write_bytes(bundle.read_bytes().replace(b"consent_revoked", b"consent_expired"))
    done = ledger("verify", home / "ledger", "--key", key)
    assert done.exit_code == 3
    assert "tile/0/000.p/3 does not follow from the entries" in done.stderr
    assert (
        json.loads(ledger("verify", home / "ledger", "--key", key, "--json").stdout)["verdict"] == "damaged"
    )


def test_another_key_exits_2(home: Path, key: str) -> None:
    assert ledger("verify", home / "ledger", "--key", another_key()).exit_code == 2


def test_a_split_view_exits_4_and_is_named(home: Path, key: str, tmp_path: Path) -> None:
    with Hub.open() as hub:
        other = Ledger.open(str(tmp_path / "other"), hub.keys.ledger, origin=hub.keys.origin)
    other.append([Event("grant.registered", {"uses": number}) for number in range(3)])
    (tmp_path / "shown").write_text(other.checkpoint().text)
    done = ledger("verify", home / "ledger", "--key", key, "--checkpoint", tmp_path / "shown")
    assert done.exit_code == 4
    assert "Split view: hub.example/ledger signed two different histories of 3 entries" in done.stderr


def test_a_proof_is_handed_out_and_checked_alone(home: Path, key: str, tmp_path: Path) -> None:
    proof = tmp_path / "grant.tlog-proof"
    done = ledger("prove", "first", "-o", proof)
    assert f"vernissage ledger verify {proof} --key {key}" in done.stdout.replace("\n", " ")
    assert ledger("prove", "0").stdout == proof.read_text()
    checked = ledger("verify", proof, "--key", key)
    assert checked.exit_code == 0
    assert "entry 0 is among the 3" in checked.stdout
    assert SHA256 in checked.stdout
    assert json.loads(ledger("verify", proof, "--key", key, "--json").stdout)["event"]["id"] == "first"
    proof.write_text(proof.read_text().replace("index 0", "index 1"))
    assert ledger("verify", proof, "--key", key).exit_code == 3
    assert ledger("prove", "0", "-o", tmp_path / "grant.txt").exit_code == 2


def test_a_witness_vouches_for_a_ledger_and_is_believed(home: Path, key: str, tmp_path: Path) -> None:
    arguments = ("witness", home / "ledger", "--key", key, "--name", "witness.example/1")
    arguments += ("--memory", tmp_path / "witness")
    vouched = json.loads(ledger(*arguments, "--json").stdout)
    (tmp_path / "cosigned").write_text(vouched["checkpoint"])
    assert ledger("verify", "--witness", vouched["key"]).exit_code == 2
    done = ledger("checkpoint", "--cosignature", tmp_path / "cosigned", "--witness", vouched["key"])
    assert done.stdout == vouched["checkpoint"]
    assert (
        "witness.example/1 saw nothing against it until"
        in ledger("verify", "--witness", vouched["key"]).stdout
    )
    assert ledger(*arguments).stdout.startswith("hub.example/ledger\n3\n")


def test_a_witness_does_not_vouch_for_a_second_history(home: Path, key: str, tmp_path: Path) -> None:
    with Hub.open() as hub:
        other = Ledger.open(str(tmp_path / "other"), hub.keys.ledger, origin=hub.keys.origin)
    other.append([Event("grant.registered", {"uses": number}) for number in range(3)])
    other.checkpoint()
    common = ("--key", key, "--name", "witness.example/1", "--memory", tmp_path / "witness")
    assert ledger("witness", home / "ledger", *common).exit_code == 0
    with pytest.raises(SplitView):
        raise_from(ledger("witness", tmp_path / "other", *common))


def test_a_foreign_ledger_is_read_with_its_key_alone(
    home: Path, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERNISSAGE_HOME", str(tmp_path / "elsewhere"))
    foreign = ("--ledger", home / "ledger", "--key", key)
    assert "grant.revoked" in ledger("show", *foreign).stdout
    assert ledger("prove", "1", *foreign).stdout.startswith("c2sp.org/tlog-proof@v1\n")
    assert ledger("checkpoint", *foreign).stdout == (home / "ledger" / "checkpoint").read_text()
    assert not (tmp_path / "elsewhere").exists()
    assert ledger("show", "--ledger", home / "ledger").exit_code == 2
    with pytest.raises(CheckpointInvalid):
        raise_from(ledger("show", "--ledger", home / "ledger", "--key", another_key()))


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "nowhere"),
        ("verify", "nowhere", "--key", "a+b+c"),
        ("verify", "nowhere.tlog-proof", "--key", another_key()),
        ("checkpoint", "--cosignature", "nowhere"),
        ("show", "--last", "0"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_a_usage_error(home: Path, arguments: tuple[str, ...]) -> None:
    assert ledger(*arguments).exit_code == 2


def raise_from(done: Result) -> None:
    assert done.exception
    raise done.exception
