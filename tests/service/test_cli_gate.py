"""``vernissage animate`` with a face that is not ours: by a grant the hub knows, or by what is declared."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from generator.sitters import Sitter
from governance.biometrics import FaceGallery
from tests.service.machine import PURPOSE, Machine

Vernissage = Callable[..., subprocess.CompletedProcess[str]]
Refusal = Callable[..., str]


@pytest.fixture
def somebody(own_sitter: Sitter, tmp_path: Path) -> Path:
    """A picture this software was not released with."""
    path = tmp_path / "somebody.png"
    Image.open(own_sitter.path).save(path)
    return path


@pytest.fixture
def at_home(tmp_path: Path) -> dict[str, str]:
    return {"VERNISSAGE_HOME": str(tmp_path / "home"), "VERNISSAGE_KEYS": str(tmp_path / "home" / "keys")}


@pytest.fixture
def machine(vernissage: Vernissage, somebody: Path, at_home: dict[str, str]) -> Machine:
    made = vernissage("keys", "init", "--origin", "example.org/log", env=at_home)
    assert made.returncode == 0, made.stderr
    return Machine.make(Path(at_home["VERNISSAGE_HOME"]), somebody)


def test_a_film_by_grant_says_so_and_where_it_is_on_record(
    vernissage: Vernissage, machine: Machine, speech: Path, films: Path, at_home: dict[str, str]
):
    grant = machine.grant()
    made = vernissage(
        "animate", machine.picture, speech, "-o", films / "a.mp4", "--size", 192,
        "--rights", f"grant:{grant}", "--purpose", PURPOSE, "--other-voice", "--key", machine.key,
        env=at_home,
    )  # fmt: skip
    assert (made.returncode, made.stderr) == (0, "")
    read = vernissage("verify", films / "a.mp4", env=at_home)
    assert read.returncode == 0
    assert "the person shown has signed a consent grant (sha256" in read.stdout
    assert "of the ledger “example.org/log”" in read.stdout
    declared = json.loads(vernissage("verify", films / "a.mp4", "--json", env=at_home).stdout)["declared"]
    assert declared["rights"] == "granted"
    assert machine.uses() == ["delivered"]


def test_what_a_grant_does_not_cover_is_refused_in_a_sentence(
    refusal: Refusal, machine: Machine, speech: Path, films: Path, at_home: dict[str, str]
):
    asked = (
        "animate",
        machine.picture,
        speech,
        "-o",
        films / "a.mp4",
        "--rights",
        f"grant:{machine.grant()}",
    )
    assert "--key" in refusal(*asked, env=at_home)
    held = (*asked, "--key", machine.key)
    assert "does not cover the person's voice" in refusal(*held, env=at_home)
    assert "Say what the film is for" in refusal(*held, "--other-voice", env=at_home)
    advert = refusal(*held, "--other-voice", "--purpose", "dpv:Advertising", env=at_home)
    assert "does not allow advertising" in advert


def test_whoever_refused_is_not_animated_by_a_declared_right(
    refusal: Refusal, machine: Machine, speech: Path, films: Path, at_home: dict[str, str]
):
    machine.refuse(machine.picture)
    asked = ("animate", machine.picture, speech, "-o", films / "a.mp4", "--rights", "fictional")
    assert "never to be animated" in refusal(*asked, env=at_home)


def test_nor_from_another_picture_of_the_same_face(
    refusal: Refusal, machine: Machine, own_sitter: Sitter, speech: Path, films: Path, tmp_path: Path,
    at_home: dict[str, str],
):  # fmt: skip
    """With the faces that this hub really measures and keeps."""
    other = tmp_path / "other.jpg"
    with Image.open(own_sitter.path) as picture:
        width, height = picture.size
        turned = ImageOps.mirror(picture.crop((width // 16, 0, width, height)).resize((700, 700)))
        turned.convert("RGB").save(other, quality=85)
    keys = Path(at_home["VERNISSAGE_KEYS"])
    machine.refuse(other, FaceGallery(keys / "templates.json"))
    asked = ("animate", machine.picture, speech, "-o", films / "a.mp4", "--rights", "fictional")
    assert "(policy standing-refusal)" in refusal(*asked, env=at_home)


def test_a_declared_right_is_on_record_where_there_is_a_hub(
    vernissage: Vernissage, machine: Machine, speech: Path, films: Path, at_home: dict[str, str]
):
    made = vernissage(
        "animate", machine.picture, speech, "-o", films / "a.mp4", "--size", 192, "--rights", "fictional",
        env=at_home,
    )  # fmt: skip
    assert (made.returncode, made.stderr) == (0, "")
    declared = json.loads(vernissage("verify", films / "a.mp4", "--json", env=at_home).stdout)["declared"]
    assert (declared["rights"], declared["entry"]["origin"]) == ("fictional", "example.org/log")
    assert len(declared["request"]) == 64


@pytest.mark.parametrize("rights", ["grant:", "grant:nothing.json"])
def test_a_grant_that_is_not_there_is_refused(
    refusal: Refusal, somebody: Path, speech: Path, films: Path, rights: str
):
    said = refusal("animate", somebody, speech, "-o", films / "a.mp4", "--rights", rights)
    assert "grant:FILE" in said or "cannot be read" in said


def test_prohibited_purposes_name_the_policy(refusal: Refusal, own_sitter: Sitter, speech: Path, films: Path):
    asked = ("animate", own_sitter.name, speech, "-o", films / "a.mp4", "--purpose", "dpv:PoliticalCampaign")
    assert "(policy political-persuasion)" in refusal(*asked)
