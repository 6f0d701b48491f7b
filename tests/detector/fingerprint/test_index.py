"""The index outlives crashes: the table is the truth, and everything else is made again from it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from detector.errors import FingerprintError
from detector.fingerprint import Fingerprint, FingerprintIndex, find, fingerprint

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory, make: Callable, save: Callable) -> list[Fingerprint]:
    folder = tmp_path_factory.mktemp("films")
    return [fingerprint(save(make(number, number, 4.0), folder / f"{number}.mp4")) for number in (1, 2, 3)]


def test_what_was_added_is_there_after_opening_again(tmp_path: Path, films: list[Fingerprint]) -> None:
    with FingerprintIndex.open(tmp_path) as index:
        for number, film in enumerate(films):
            index.add(f"job-{number}", film)
    with FingerprintIndex.open(tmp_path) as index:
        assert len(index) == 3
        assert [find(index, film)[0].job for film in films] == ["job-0", "job-1", "job-2"]


def test_a_job_is_registered_once(tmp_path: Path, films: list[Fingerprint]) -> None:
    with FingerprintIndex.open(tmp_path) as index:
        index.add("job", films[0])
        index.add("job", films[1])
        assert len(index) == 1
        assert find(index, films[0])[0].job == "job"
        assert find(index, films[1]) == []


def test_a_crash_after_adding_loses_nothing(tmp_path: Path, films: list[Fingerprint]) -> None:
    index = FingerprintIndex.open(tmp_path)
    index.add("job", films[0])
    del index
    assert not list(tmp_path.glob("*.usearch"))
    with FingerprintIndex.open(tmp_path) as index:
        assert find(index, films[0])[0].job == "job"


@pytest.mark.parametrize("harm", ["lost", "flipped", "cut"])
def test_a_damaged_graph_is_made_again(tmp_path: Path, films: list[Fingerprint], harm: str) -> None:
    with FingerprintIndex.open(tmp_path) as index:
        index.add("job", films[0])
    for path in tmp_path.glob("*.usearch"):
        body = bytearray(path.read_bytes())
        body[len(body) // 2] ^= 255
        path.write_bytes(body[: len(body) // 3] if harm == "cut" else body)
        if harm == "lost":
            path.unlink()
    with FingerprintIndex.open(tmp_path) as index:
        assert find(index, films[0])[0].job == "job"


def test_each_process_sees_what_the_other_added(tmp_path: Path, films: list[Fingerprint]) -> None:
    with FingerprintIndex.open(tmp_path) as one, FingerprintIndex.open(tmp_path) as other:
        one.add("first", films[0])
        other.add("second", films[1])
        for index in (one, other):
            assert [find(index, film)[0].job for film in films[:2]] == ["first", "second"]


def test_a_process_killed_at_any_moment_leaves_a_whole_index(
    tmp_path: Path, films: list[Fingerprint]
) -> None:
    script = (
        "import sys, pickle; from pathlib import Path; from detector.fingerprint import FingerprintIndex\n"
        "film = pickle.loads(Path(sys.argv[2]).read_bytes())\n"
        "index = FingerprintIndex.open(Path(sys.argv[1]))\n"
        "for number in range(10_000):\n"
        "    index.add(f'job-{number}', film); index.save(); print(number, flush=True)\n"
    )
    import pickle

    (tmp_path / "film").write_bytes(pickle.dumps(films[0]))
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "index"), str(tmp_path / "film")],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "7":
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with FingerprintIndex.open(tmp_path / "index") as index:
        assert len(index) >= 8
        assert find(index, films[0])[0].ours > 0.99


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(FingerprintError, match="cannot be opened"):
        FingerprintIndex.open(tmp_path / "file")
    (tmp_path / "films.sqlite").write_bytes(b"not a table at all" * 100)
    with pytest.raises(FingerprintError, match="cannot be opened"):
        FingerprintIndex.open(tmp_path)
