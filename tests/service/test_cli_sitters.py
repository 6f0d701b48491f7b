"""``vernissage sitters``: who is there to be animated, and what they can say."""

import hashlib
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from generator.sitters import clips, sitters

Outcome = subprocess.CompletedProcess[str]
Vernissage = Callable[..., Outcome]


@pytest.mark.parametrize("columns", ["40", "200"])
def test_every_sitter_and_clip_is_listed_on_any_terminal(vernissage: Vernissage, columns: str):
    done = vernissage("sitters", env={"COLUMNS": columns})
    assert (done.returncode, done.stderr) == (0, "")
    for name in (*(sitter.name for sitter in sitters()), *(clip.name for clip in clips())):
        assert name in done.stdout
    assert "\x1b" not in done.stdout


def test_what_it_says_to_try_works(vernissage: Vernissage, films: Path):
    told = vernissage("sitters").stdout
    (suggestion,) = (line for line in told.splitlines() if line.startswith("Try: "))
    program, *arguments = shlex.split(suggestion.removeprefix("Try: "))
    assert program == "vernissage"
    assert vernissage(*arguments, "--size", 192, cwd=films).returncode == 0
    assert [path.name for path in films.iterdir()] == ["film.mp4"]


def test_pictures_and_clips_can_be_copied_as_they_are(vernissage: Vernissage, tmp_path: Path):
    done = vernissage("sitters", "--copy", tmp_path / "new" / "[folder]")
    assert done.returncode == 0
    assert done.stdout.endswith(f"Copied to {tmp_path / 'new' / '[folder]'}\n")
    copied = {path.name: path for path in (tmp_path / "new" / "[folder]").iterdir()}
    for original in (*sitters(), *clips()):
        copy = copied.pop(original.path.name)
        assert hashlib.sha256(copy.read_bytes()).hexdigest() == original.sha256
    assert not copied


def test_a_folder_that_cannot_be_written_is_refused(vernissage: Vernissage):
    done = vernissage("sitters", "--copy", "/proc/self/copies")
    assert done.returncode == 1
    assert "/proc/self/copies cannot be written" in done.stderr
    assert done.stderr.count("\n") == 1
