"""``vernissage verify``: where any file says it comes from, in words, as JSON and as an exit status."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from generator.sitters import Sitter

Outcome = subprocess.CompletedProcess[str]
Vernissage = Callable[..., Outcome]

TRUSTED, UNKNOWN_SIGNER, TAMPERED, STRIPPED, UNREADABLE = 0, 2, 3, 4, 5


@pytest.fixture(scope="session")
def elsewhere(vernissage: Vernissage, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of another house, with keys of its own."""
    house = {"VERNISSAGE_KEYS": str(tmp_path_factory.mktemp("elsewhere") / "keys")}
    assert vernissage("keys", "init", "--organisation", "Another House", env=house).returncode == 0
    return house


@pytest.fixture(scope="session")
def nowhere(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a reader who has no keys."""
    return {"VERNISSAGE_KEYS": str(tmp_path_factory.mktemp("nowhere") / "keys")}


@pytest.fixture(scope="session")
def tampered(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film with one bit of its pictures flipped."""
    content = bytearray(film.read_bytes())
    content[content.index(b"mdat") + 5_000] ^= 1
    path = tmp_path_factory.mktemp("tampered") / "film.mp4"
    path.write_bytes(content)
    return path


@pytest.fixture(scope="session")
def remuxed(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film as many a platform hands it on: the same pictures and sound in a new file."""
    path = tmp_path_factory.mktemp("remuxed") / "film.mp4"
    with av.open(str(film)) as source, av.open(str(path), "w") as copy:
        streams = {stream.index: copy.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                copy.mux(packet)
    return path


def test_a_film_of_this_house_is_trusted(vernissage: Vernissage, film: Path):
    done = vernissage("verify", film)
    assert (done.returncode, done.stderr) == (TRUSTED, "")
    assert done.stdout.startswith("TRUSTED: film.mp4 was sealed by “The Daily House”")
    assert "one this software is released with" in done.stdout


def test_a_film_of_a_house_nobody_vouches_for_has_an_unknown_signer(
    vernissage: Vernissage, film: Path, elsewhere: dict[str, str], nowhere: dict[str, str]
):
    for reader in (elsewhere, nowhere):
        done = vernissage("verify", film, env=reader)
        assert done.returncode == UNKNOWN_SIGNER
        assert done.stdout.startswith("UNKNOWN SIGNER: ")


def test_who_holds_another_houses_root_can_trust_its_films(
    vernissage: Vernissage, film: Path, keys: Path, elsewhere: dict[str, str], nowhere: dict[str, str]
):
    strangers_root = Path(elsewhere["VERNISSAGE_KEYS"]) / "root.pem"
    for reader in (elsewhere, nowhere):
        assert vernissage("verify", film, "--anchor", keys / "root.pem", env=reader).returncode == TRUSTED
    both = ("--anchor", strangers_root, "--anchor", keys / "root.pem")
    assert vernissage("verify", film, *both, env=nowhere).returncode == TRUSTED
    assert vernissage("verify", film, "--anchor", strangers_root, env=nowhere).returncode == UNKNOWN_SIGNER


def test_one_changed_bit_is_tampering(vernissage: Vernissage, tampered: Path):
    done = vernissage("verify", tampered)
    assert done.returncode == TAMPERED
    assert done.stdout.startswith("TAMPERED: ")


def test_a_film_copied_without_its_credential_is_stripped(
    vernissage: Vernissage, remuxed: Path, own_sitter: Sitter
):
    for path in (remuxed, own_sitter.path):
        done = vernissage("verify", path)
        assert done.returncode == STRIPPED
        assert done.stdout.startswith("STRIPPED: ")


@pytest.mark.parametrize("content", [b"", b"no media at all", None])
def test_what_is_no_media_file_is_unreadable(vernissage: Vernissage, tmp_path: Path, content: bytes | None):
    path = tmp_path / "film.mp4"
    if content is not None:
        path.write_bytes(content)
    for asked in (path, tmp_path):
        done = vernissage("verify", asked)
        assert (done.returncode, done.stderr) == (UNREADABLE, "")
        assert done.stdout.startswith("UNREADABLE: ")


def test_json_tells_programs_what_the_film_declares(vernissage: Vernissage, film: Path, own_sitter: Sitter):
    done = vernissage("verify", "--json", film)
    assert (done.returncode, done.stderr) == (TRUSTED, "")
    told = json.loads(done.stdout)
    assert (told["schema"], told["state"], told["file"]) == ("org.vernissage.reading/1", "trusted", str(film))
    assert told["signer"]["organisation"] == "The Daily House"
    said = told["declared"]
    assert (said["rights"], said["driver"], said["seed"]) == ("sitter-of-the-house", "learned", 0)
    hashes = {entry["role"]: entry["sha256"] for entry in said["ingredients"]}
    assert hashes["portrait"] == own_sitter.sha256
    assert hashes["speech"] == own_sitter.clip.sha256


def test_json_and_the_exit_status_agree(
    vernissage: Vernissage, tampered: Path, remuxed: Path, film: Path, nowhere: dict[str, str]
):
    for path, reader, state, status in (
        (tampered, {}, "tampered", TAMPERED),
        (remuxed, {}, "stripped", STRIPPED),
        (film, nowhere, "unknown_signer", UNKNOWN_SIGNER),
        (film.parent, {}, "unreadable", UNREADABLE),
    ):
        done = vernissage("verify", path, "--json", env=reader)
        assert (json.loads(done.stdout)["state"], done.returncode) == (state, status)


def test_a_mistaken_command_is_never_taken_for_a_finding(
    refusal: Callable[..., str], film: Path, tmp_path: Path
):
    assert "Missing argument" in refusal("verify")
    assert "nowhere.pem cannot be read" in refusal("verify", film, "--anchor", tmp_path / "nowhere.pem")
    assert "must be a certificate in PEM" in refusal("verify", film, "--anchor", film)


def test_a_name_cannot_steer_the_terminal(vernissage: Vernissage, film: Path, tmp_path: Path):
    path = Path(shutil.copy(film, tmp_path / "\x1b[2J[red]film\n.mp4"))
    done = vernissage("verify", path)
    assert done.returncode == TRUSTED
    assert "\x1b" not in done.stdout
    assert "[2J[red]film" in done.stdout.splitlines()[0]


def test_a_terminal_without_the_letters_still_gets_the_finding(vernissage: Vernissage, film: Path):
    done = vernissage("verify", film, env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (TRUSTED, "")
    assert done.stdout.startswith("TRUSTED: film.mp4 was sealed by ?The Daily House?")
