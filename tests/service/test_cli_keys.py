"""``vernissage keys``: made once, shown without a secret, renewed without losing a film."""

import json
import stat
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from generator.sitters import Sitter
from governance.provenance import Authority, certificates
from tests.governance.provenance.rfc3161 import TimeAuthority, serving

Outcome = subprocess.CompletedProcess[str]
Vernissage = Callable[..., Outcome]
Refusal = Callable[..., str]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "keys"


@pytest.fixture
def house(directory: Path) -> dict[str, str]:
    return {"VERNISSAGE_KEYS": str(directory)}


def content(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory.rglob("*.pem")}


@pytest.mark.parametrize("algorithm", ["es256", "ed25519"])
def test_keys_are_made_for_their_owner_alone_and_shown_without_a_secret(
    vernissage: Vernissage, directory: Path, house: dict[str, str], algorithm: str
):
    made = vernissage(
        "keys", "init", "--algorithm", algorithm, "--organisation", "Ateliers [Réunis]", env=house
    )
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.startswith(f"Ateliers [Réunis] signs with {algorithm} until ")
    assert f"keys in {directory}\n" in made.stdout
    assert vernissage("keys", "show", env=house).stdout == made.stdout
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for name in ("root-key.pem", "signer.pem"):
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o600
        assert b"PRIVATE KEY" in (directory / name).read_bytes()
    assert b"PRIVATE KEY" not in (directory / "root.pem").read_bytes()


def test_keys_are_never_overwritten(
    vernissage: Vernissage, refusal: Refusal, directory: Path, house: dict[str, str]
):
    made = vernissage("keys", "init", env=house)
    before = content(directory)
    assert "will not be overwritten" in refusal("keys", "init", env=house)
    kept = vernissage("keys", "init", "--if-missing", env=house)
    assert (kept.returncode, kept.stdout) == (0, made.stdout)
    assert content(directory) == before


def test_films_stay_trusted_when_the_signer_is_renewed(
    vernissage: Vernissage,
    films: Path,
    own_sitter: Sitter,
    speech: Path,
    house: dict[str, str],
    directory: Path,
):
    vernissage("keys", "init", env=house)
    asked = ("animate", own_sitter.name, speech, "--size", 192, "-o")
    assert vernissage(*asked, films / "a.mp4", env=house).returncode == 0
    before = (directory / "signer.pem").read_bytes()
    assert vernissage("keys", "renew", env=house).returncode == 0
    assert (directory / "signer.pem").read_bytes() != before
    assert vernissage("verify", films / "a.mp4", env=house).returncode == 0


def test_keys_past_their_year_are_found_out_before_any_work(
    refusal: Refusal, vernissage: Vernissage, films: Path, own_sitter: Sitter, speech: Path,
    directory: Path, house: dict[str, str],
):  # fmt: skip
    Authority.init(directory)
    issued = datetime.now(UTC) - timedelta(days=366)
    root_key, key = certificates.new_key("es256"), certificates.new_key("es256")
    root = certificates.root_certificate(root_key, "The Daily House", issued)
    signer = certificates.signer_certificate(key, root, root_key, issued)
    (directory / "root-key.pem").write_bytes(certificates.key_pem(root_key))
    (directory / "root.pem").write_bytes(certificates.certificate_pem(root))
    (directory / "signer.pem").write_bytes(certificates.key_pem(key) + certificates.certificate_pem(signer))
    said = refusal("animate", own_sitter.name, speech, "-o", films / "a.mp4", env=house)
    assert "vernissage keys renew" in said
    assert vernissage("keys", "renew", env=house).returncode == 0
    assert vernissage("keys", "show", env=house).returncode == 0


def test_without_keys_it_tells_how_to_make_them(refusal: Refusal, house: dict[str, str]):
    assert "vernissage keys init" in refusal("keys", "show", env=house)
    assert "vernissage keys init" in refusal("keys", "renew", env=house)


def test_the_roots_key_may_be_kept_elsewhere_until_it_is_needed(
    vernissage: Vernissage, refusal: Refusal, directory: Path, house: dict[str, str]
):
    vernissage("keys", "init", env=house)
    (directory / "root-key.pem").unlink()
    assert vernissage("keys", "show", env=house).returncode == 0
    assert "root-key.pem" in refusal("keys", "renew", env=house)


@pytest.mark.parametrize(("name", "mode"), [("", 0o755), ("signer.pem", 0o640), ("root.pem", 0o666)])
def test_keys_that_others_can_reach_are_refused_with_the_remedy(
    vernissage: Vernissage, refusal: Refusal, directory: Path, house: dict[str, str], name: str, mode: int
):
    vernissage("keys", "init", env=house)
    (directory / name).chmod(mode)
    assert f"chmod {'700' if not name else '644' if name == 'root.pem' else '600'} " in refusal(
        "keys", "show", env=house
    )


@pytest.mark.parametrize("organisation", ["", " ", 65 * "x", "two\nlines"])
def test_an_organisation_needs_a_name(
    refusal: Refusal, directory: Path, house: dict[str, str], organisation: str
):
    assert "1 to 64 printable" in refusal("keys", "init", "--organisation", organisation, env=house)
    assert not directory.exists()


def test_keys_need_a_directory_of_their_own(refusal: Refusal, tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    for place in (tmp_path / "file", tmp_path / "file" / "keys", "/proc/self/keys"):
        assert str(place) in refusal("keys", "init", env={"VERNISSAGE_KEYS": str(place)})


def test_the_hubs_own_key_is_rotated(vernissage: Vernissage, house: dict[str, str]):
    vernissage("keys", "init", "--origin", "example.org/log", env=house)
    before = json.loads(vernissage("keys", "show", "--json", env=house).stdout)["hub"]
    assert before["ledger"]["origin"] == "example.org/log"
    assert [key["kid"] for key in before["believed"]] == [before["keyid"]]
    assert vernissage("keys", "rotate", env=house).returncode == 0
    after = json.loads(vernissage("keys", "show", "--json", env=house).stdout)["hub"]
    assert [key["kid"] for key in after["believed"]] == [after["keyid"], before["keyid"]]
    assert after["ledger"] == before["ledger"]
    stolen = vernissage("keys", "rotate", "--stolen", env=house)
    assert "`vernissage credential audit --sign-again` comes next" in stolen.stderr
    last = json.loads(vernissage("keys", "show", "--json", env=house).stdout)["hub"]
    assert [key["kid"] for key in last["believed"]] == [last["keyid"]]


def test_a_house_from_before_there_was_a_hub_gets_its_hub_keys(
    vernissage: Vernissage, directory: Path, house: dict[str, str]
):
    authority = Authority.init(directory)
    assert "hub" not in json.loads(vernissage("keys", "show", "--json", env=house).stdout)
    assert vernissage("keys", "init", "--if-missing", env=house).returncode == 0
    assert (directory / "hub-key.pem").exists()
    assert Authority.open(directory).certificate == authority.certificate


def test_houses_go_by_each_others_lists_until_these_are_taken_back(
    vernissage: Vernissage, film: Path, tmp_path: Path, house: dict[str, str]
):
    vernissage("keys", "init", "--organisation", "Theirs", env=house)
    assert vernissage("verify", film, env=house).returncode == 2
    (tmp_path / "ours.json").write_text(vernissage("keys", "trust-list", "--own", "--json").stdout)
    told = vernissage("keys", "trust", tmp_path / "ours.json", "--json", env=house)
    assert (told.returncode, told.stderr) == (0, "")
    assert vernissage("verify", film, env=house).returncode == 0
    listed = vernissage("keys", "trust-list", env=house).stdout
    assert listed.count("BEGIN CERTIFICATE") == 2
    assert vernissage("keys", "trust-list", "--own", env=house).stdout.count("BEGIN CERTIFICATE") == 1
    Path(json.loads(told.stdout)["kept"]).unlink()
    assert vernissage("verify", film, env=house).returncode == 2


def test_a_list_is_enough_for_one_look(vernissage: Vernissage, film: Path, tmp_path: Path):
    (tmp_path / "ours.json").write_text(vernissage("keys", "trust-list", "--json").stdout)
    nobody = {"VERNISSAGE_KEYS": str(tmp_path / "none")}
    looked = vernissage("verify", film, "--anchor", tmp_path / "ours.json", env=nobody)
    assert looked.returncode == 0


def test_what_a_stolen_key_sealed_is_disowned(
    vernissage: Vernissage, films: Path, own_sitter: Sitter, speech: Path, house: dict[str, str]
):
    vernissage("keys", "init", env=house)
    vernissage("animate", own_sitter.name, speech, "--size", 192, "-o", films / "a.mp4", env=house)
    assert vernissage("keys", "renew", "--stolen-since", "2026-01-01", env=house).returncode == 0
    looked = vernissage("verify", films / "a.mp4", env=house)
    assert looked.returncode == 2
    assert "was stolen" in looked.stdout


def test_films_are_stamped_by_the_clock_that_is_named(
    vernissage: Vernissage, refusal: Refusal, films: Path, own_sitter: Sitter, speech: Path, tmp_path: Path,
    house: dict[str, str],
):  # fmt: skip
    vernissage("keys", "init", env=house)
    asked = ("animate", own_sitter.name, speech, "--size", 192, "-o", films / "a.mp4")
    with serving(TimeAuthority()) as clock:
        stamped = house | {"VERNISSAGE_CLOCK": clock.url}
        assert "vernissage keys trust --clock" in refusal(*asked, env=stamped)
        (tmp_path / "clock.pem").write_text(clock.root_pem)
        told = vernissage("keys", "trust", "--clock", tmp_path / "clock.pem", env=house)
        assert told.stdout.startswith("Trusted clock: CN=The Clock root\n")
        made = vernissage(*asked, env=stamped)
    assert (made.returncode, made.stderr) == (0, "")
    assert "A clock you trust saw the seal on" in vernissage("verify", films / "a.mp4", env=house).stdout


def test_what_is_no_trust_list_is_refused(refusal: Refusal, speech: Path, tmp_path: Path):
    assert "certificate in PEM" in refusal("keys", "trust", speech)
    assert "cannot be read" in refusal("keys", "trust", tmp_path / "none.pem")
