"""The command line as its users meet it: the installed program, real keys, real pictures and sound."""

import os
import subprocess
import sysconfig
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from generator.sitters import Sitter, sitters
from generator.speech.audio import SAMPLE_RATE, Speech

Outcome = subprocess.CompletedProcess[str]
Vernissage = Callable[..., Outcome]

SHORT_SECONDS = 1.21
"""Not a whole number of frames: the last one is begun and so it is shown."""


@pytest.fixture(scope="session")
def program() -> Path:
    """The installed ``vernissage``."""
    return Path(sysconfig.get_path("scripts")) / "vernissage"


@pytest.fixture(scope="session")
def keys(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this house keeps its keys."""
    directory = tmp_path_factory.mktemp("house") / "keys"
    made = subprocess.run(
        [program, "keys", "init", "--organisation", "The Daily House"],
        env=os.environ | {"VERNISSAGE_KEYS": str(directory)},
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    return directory


@pytest.fixture(scope="session")
def environment(keys: Path) -> dict[str, str]:
    named = {name: value for name, value in os.environ.items() if not name.startswith("VERNISSAGE_")}
    assets = {name: os.environ[name] for name in ("VERNISSAGE_ASSETS",) if name in os.environ}
    return (
        named
        | assets
        | {
            "VERNISSAGE_HOME": str(keys.parent / "hub"),
            "VERNISSAGE_KEYS": str(keys),
            "COLUMNS": "100",
        }
    )


@pytest.fixture(scope="session")
def vernissage(program: Path, environment: dict[str, str]) -> Vernissage:
    """``vernissage("verify", film, env={...}, cwd=...)`` runs the installed program to its end."""

    def run(*arguments: object, env: dict[str, str] | None = None, **options: object) -> Outcome:
        return subprocess.run(
            [program, *map(str, arguments)],
            env=environment | (env or {}),
            capture_output=True,
            text=True,
            timeout=120,
            **options,  # type: ignore[call-overload]
        )

    return run


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """An empty folder for films."""
    folder = tmp_path / "films"
    folder.mkdir()
    return folder


@pytest.fixture
def refusal(vernissage: Vernissage, films: Path) -> Callable[..., str]:
    """Run the program with arguments it must refuse: the one line it says, once nothing was left behind."""

    def run(*arguments: object, **options: object) -> str:
        before = {path: path.stat() for path in films.rglob("*")}
        done = vernissage(*arguments, **options)
        assert done.returncode == 1, done.stdout + done.stderr
        assert done.stdout == ""
        assert done.stderr.startswith("error ")
        assert done.stderr.count("\n") == 1, done.stderr
        assert {path: path.stat() for path in films.rglob("*")} == before
        return done.stderr.removeprefix("error ").rstrip("\n")

    return run


@pytest.fixture(scope="session")
def own_sitter() -> Sitter:
    """The demo's sitter."""
    return sitters()[0]


@pytest.fixture(scope="session")
def voice(own_sitter: Sitter) -> NDArray[np.int16]:
    """(N,) samples of somebody speaking, at 16 kHz."""
    return np.rint(Speech.open(own_sitter.clip.path).samples * 32767).astype("<i2")


@pytest.fixture(scope="session")
def speech(voice: NDArray[np.int16], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few words, ``SHORT_SECONDS`` long."""
    path = tmp_path_factory.mktemp("speech") / "words.wav"
    return _recorded(voice[: round(SHORT_SECONDS * SAMPLE_RATE)], path)


@pytest.fixture(scope="session")
def long_speech(voice: NDArray[np.int16], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a minute, so that whoever makes a film of it is met at work."""
    return _recorded(np.tile(voice, 5), tmp_path_factory.mktemp("speech") / "long.wav")


@pytest.fixture(scope="session")
def premiere(
    vernissage: Vernissage, own_sitter: Sitter, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Outcome]:
    """The demo: our own sitter, what they have to say, nothing else asked for; and what was told."""
    path = tmp_path_factory.mktemp("demo") / "film.mp4"
    return path, vernissage("animate", own_sitter.name, own_sitter.clip.name, "-o", path)


@pytest.fixture(scope="session")
def film(premiere: tuple[Path, Outcome]) -> Path:
    """The demo's film, sealed by the house of ``keys``."""
    path, told = premiere
    assert told.returncode == 0, told.stderr
    return path


def _recorded(samples: NDArray[np.int16], path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())
    return path
