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
from detector.fingerprint import Fingerprint, FingerprintIndex, find, fingerprint, sound

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


def test_a_film_that_is_removed_is_named_no_more(tmp_path: Path, films: list[Fingerprint]) -> None:
    with FingerprintIndex.open(tmp_path) as index:
        for number, film in enumerate(films):
            index.add(f"job-{number}", film)
        assert index.remove("job-1")
        assert not index.remove("job-1")
        assert len(index) == 2
        assert find(index, films[1]) == []
        assert find(index, films[2])[0].job == "job-2"
        index.add("job-3", films[1])
        assert find(index, films[1])[0].job == "job-3"
    with FingerprintIndex.open(tmp_path) as index:
        assert [find(index, film)[0].job for film in films] == ["job-0", "job-3", "job-2"]


def test_nothing_of_a_removed_film_stays_in_any_file(tmp_path: Path, films: list[Fingerprint]) -> None:
    secrets = [
        b"job-told",
        films[0].sights[0].words[0].tobytes(),
        sound.words(films[0].sound, films[0].loud, sound.KNOWN_STEP)[1][0].tobytes(),
    ]

    def left() -> list[bool]:
        bodies = [path.read_bytes() for path in tmp_path.iterdir()]
        return [any(secret in body for body in bodies) for secret in secrets]

    with FingerprintIndex.open(tmp_path) as index:
        index.add("job-told", films[0])
        index.add("job-other", films[1])
        index.save()
        assert left() == [True, True, True]
        index.remove("job-told")
        assert left() == [False, False, False]


def test_pictures_stay_while_another_film_shows_them(tmp_path: Path, films: list[Fingerprint]) -> None:
    with FingerprintIndex.open(tmp_path) as index:
        index.add("first", films[0])
        index.add("again", films[0])
        index.remove("first")
        match = find(index, films[0])[0]
    assert (match.job, "picture" in match.witnesses) == ("again", True)


def test_other_processes_forget_too_and_do_not_bring_back(tmp_path: Path, films: list[Fingerprint]) -> None:
    with FingerprintIndex.open(tmp_path) as other:
        with FingerprintIndex.open(tmp_path) as one:
            one.add("told", films[0])
            one.add("kept", films[1])
            assert find(other, films[0])[0].job == "told"
            one.remove("told")
            assert find(other, films[0]) == []
        other.add("later", films[2])
    word = films[0].sights[0].words[0].tobytes()
    assert not any(word in path.read_bytes() for path in tmp_path.iterdir())
    with FingerprintIndex.open(tmp_path) as index:
        assert find(index, films[0]) == []
        assert [find(index, film)[0].job for film in films[1:]] == ["kept", "later"]


def test_a_crash_amid_removing_is_made_good_at_the_next_opening(
    tmp_path: Path, films: list[Fingerprint], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = FingerprintIndex.open(tmp_path)
    index.add("told", films[0])
    index.add("kept", films[1])
    index.save()
    monkeypatch.setattr(FingerprintIndex, "save", _crash)
    with pytest.raises(KeyboardInterrupt):
        index.remove("told")
    monkeypatch.undo()
    word = films[0].sights[0].words[0].tobytes()
    assert any(word in path.read_bytes() for path in tmp_path.glob("*.usearch"))
    del index
    with FingerprintIndex.open(tmp_path) as index:
        assert not any(word in path.read_bytes() for path in tmp_path.glob("*.usearch"))
        assert find(index, films[0]) == []


def _crash(index: FingerprintIndex) -> None:
    raise KeyboardInterrupt


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(FingerprintError, match="cannot be opened"):
        FingerprintIndex.open(tmp_path / "file")
    (tmp_path / "films.sqlite").write_bytes(b"not a table at all" * 100)
    with pytest.raises(FingerprintError, match="cannot be opened"):
        FingerprintIndex.open(tmp_path)
