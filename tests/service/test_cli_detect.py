"""``vernissage detect``: one file or many, in words, JSON, a table or a page, and as an exit status."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from detector import Answer, Tools, Verdict
from detector.watermark.picture import PictureMark
from detector.watermark.sound import SoundMark
from service import detection
from service.cli import app
from service.cli.detect_table import COLUMNS
from tests.detector.filming import KEY, take

Vernissage = Callable[..., subprocess.CompletedProcess[str]]
OURS, NOT_OURS, INCONCLUSIVE, UNREADABLE = 0, 3, 4, 5
JOB, NAME = 0xC0FFEE, "0000c0ffee"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of ours, a film of others, a text, and in a folder a film that is none."""
    folder = tmp_path_factory.mktemp("watched")
    take(4.0, seed=1).marked(JOB).write(folder / "ours.mp4")
    take(4.0, seed=2).write(folder / "theirs.mp4")
    (folder / "notes.txt").write_text("no film")
    (folder / "deeper").mkdir()
    (folder / "deeper" / "=broken.MP4").write_bytes(b"no film")
    return folder


@pytest.fixture
def detect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command, with the key that the films are marked with."""
    tools = Tools((PictureMark(KEY),), (SoundMark(KEY),))
    monkeypatch.setattr(detection, "tools", lambda: tools)
    return lambda *arguments: CliRunner().invoke(app, ["detect", *map(str, arguments)])


def test_a_film_of_ours_is_told_in_words(detect: Callable[..., Result], folder: Path):
    done = detect(folder / "ours.mp4")
    assert done.exit_code == OURS
    assert done.stdout.startswith("OURS: ours.mp4\n")
    assert f"job {NAME}" in done.stdout
    assert "mark in the picture" in done.stdout


def test_what_cannot_be_said_is_not_said(detect: Callable[..., Result], folder: Path):
    done = detect(folder / "theirs.mp4")
    assert done.exit_code == INCONCLUSIVE
    assert done.stdout.startswith("INCONCLUSIVE: theirs.mp4\n")
    assert "proves nothing" in done.stdout


def test_json_is_a_verdict(detect: Callable[..., Result], folder: Path):
    done = detect(folder / "ours.mp4", "--json")
    verdict = Verdict.from_json(done.stdout)
    assert (done.exit_code, verdict.ours.answer) == (OURS, Answer.YES)
    assert verdict.file.name == str(folder / "ours.mp4")
    assert verdict.jobs[0].job == NAME


def test_a_folder_is_looked_through_and_what_is_broken_is_named(detect: Callable[..., Result], folder: Path):
    done = detect(folder, "--json")
    assert done.exit_code == UNREADABLE
    told = [Verdict.from_json(line) for line in done.stdout.splitlines()]
    assert [Path(verdict.file.name).name for verdict in told] == ["ours.mp4", "theirs.mp4"]
    assert done.stderr.count("\n") == 1
    assert "=broken.MP4: This is no video" in done.stderr


def test_of_several_films_one_of_ours_decides_the_status(detect: Callable[..., Result], folder: Path):
    done = detect(folder / "theirs.mp4", folder / "ours.mp4")
    assert done.exit_code == OURS
    first, *rows = done.stdout.splitlines()
    assert first.split() == ["ours", "synthetic", "job", "seconds", "file"]
    assert [row.split()[0] for row in rows] == ["inconclusive", "yes"]


def test_a_pattern_names_files(detect: Callable[..., Result], folder: Path):
    done = detect(folder / "th*.mp4", "--json")
    assert [json.loads(line)["file"]["name"] for line in done.stdout.splitlines()] == [
        str(folder / "theirs.mp4")
    ]


def test_a_table_has_a_line_for_each_file(detect: Callable[..., Result], folder: Path, tmp_path: Path):
    assert detect(folder, "--csv", tmp_path / "all.csv").exit_code == UNREADABLE
    with (tmp_path / "all.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    ours, theirs, broken = (
        next(row for row in rows if row["file"].endswith(name))
        for name in ("ours.mp4", "theirs.mp4", "=broken.MP4")
    )
    assert (ours["ours"], ours["job"], ours["picture_mark"], ours["sound_mark"]) == (
        "yes",
        NAME,
        "found",
        "found",
    )
    assert (theirs["ours"], theirs["job"], theirs["ours_probability"]) == ("inconclusive", "", "")
    assert broken["ours"] == ""
    assert "no video" in broken["error"]


def test_a_table_can_be_printed_and_no_cell_is_a_formula(
    detect: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(folder / "deeper")
    done = detect("=broken.MP4", "--csv", "-")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["file"] for row in rows] == ["'=broken.MP4"]


def test_pages_are_written_for_one_file_and_for_many(
    detect: Callable[..., Result], folder: Path, tmp_path: Path
):
    assert detect(folder / "ours.mp4", "--report", tmp_path / "one.html").exit_code == OURS
    assert "This file holds material of ours" in (tmp_path / "one.html").read_text()
    detect(folder, folder / "ours.mp4", "--report", tmp_path / "all")
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == ["ours.mp4.html", "theirs.mp4.html"]


def test_a_film_that_carries_our_credential_is_ours(vernissage: Vernissage, film: Path):
    done = vernissage("detect", film, "--json")
    assert done.returncode == OURS, done.stderr
    told = Verdict.from_json(done.stdout)
    assert told.ours.answer is told.synthetic.answer is Answer.YES
    assert told.evidence[0].outcome.value == "found"
    assert "“The Daily House”" in told.evidence[0].sentence


def test_a_mistaken_command_is_never_taken_for_a_finding(refusal: Callable[..., str], tmp_path: Path):
    assert "Missing argument" in refusal("detect")
    (tmp_path / "empty").mkdir()
    assert "no film or sound file in the folder" in refusal("detect", tmp_path / "empty")
    assert "No file is named like" in refusal("detect", tmp_path / "*.mp4")
    assert "cannot both be printed" in refusal("detect", tmp_path, "--json", "--csv", "-")


def test_what_is_no_film_is_one_line_and_a_status(vernissage: Vernissage, folder: Path, tmp_path: Path):
    for path in (folder / "notes.txt", tmp_path / "none.mp4"):
        done = vernissage("detect", path, "--json")
        assert (done.returncode, done.stdout) == (UNREADABLE, "")
        assert done.stderr.startswith("error ")
        assert done.stderr.count("\n") == 1


def test_a_name_cannot_steer_the_terminal(detect: Callable[..., Result], folder: Path, tmp_path: Path):
    path = tmp_path / "\x1b[2J[red]film\n.mp4"
    path.write_bytes((folder / "ours.mp4").read_bytes())
    for asked in ([path], [path, folder / "theirs.mp4"]):
        done = detect(*asked)
        assert "\x1b" not in done.stdout
        assert "[2J[red]film" in done.stdout


def test_who_interrupts_is_obeyed_and_no_process_is_left(
    environment: dict[str, str], program: Path, tmp_path: Path
):
    long = take(4.0, seed=1)
    for _ in range(4):
        long = long.then(long)
    path = long.write(tmp_path / "long.mp4", crf=40)
    asked = [program, "detect", path, "--csv", tmp_path / "table.csv"]
    with subprocess.Popen(asked, env=environment, stderr=subprocess.PIPE, text=True) as running:
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        while not children.read_text():
            assert running.poll() is None, "it ended too early"
            time.sleep(0.01)
        decoding = children.read_text().split()
        running.send_signal(signal.SIGINT)
        _, complaint = running.communicate(timeout=60)
    assert (running.returncode, complaint.splitlines()[-1]) == (130, "error stopped; nothing was left behind")
    assert not (tmp_path / "table.csv").exists()
    assert not [number for number in decoding if Path(f"/proc/{number}").exists()]
