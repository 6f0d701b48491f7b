"""Films are made from end to end, told as they go on, and refused before work that would be lost."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PIL import Image

from generator.errors import MotionError, PortraitError, SpeechError
from generator.motion import Motion, driver
from generator.motion.direction import Direction
from generator.sitters import Sitter
from generator.speech.audio import Speech
from governance.provenance import State
from service import films as making
from service.errors import OutputRefused, RightsUndeclared
from service.films import Film, Progress, View, animate, pose
from service.gate import Permission, sha256_of


@dataclass
class Told:
    """Everything a film's making told, in order."""

    stages: list[str] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    frames: int = 0

    def progress(self) -> Progress:
        return Progress(self.stages.append, self.totals.append, self._frame, self.notes.append)

    def _frame(self) -> None:
        self.frames += 1


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def ask(
    monkeypatch: pytest.MonkeyPatch, keys: Path, films: Path, own_sitter: Sitter, speech: Path, told: Told
) -> Callable[..., Film]:
    """``ask(right=...)``: ``animate`` with our own sitter and a few words, but for what is named."""
    monkeypatch.setenv("VERNISSAGE_KEYS", str(keys))
    monkeypatch.setenv("VERNISSAGE_HOME", str(keys.parent / "hub"))

    def run(**changed: object) -> Film:
        asked: dict[str, object] = {
            "picture": own_sitter.path,
            "speech": speech,
            "out": films / "a.mp4",
            "right": None,
            "driver_name": "rules",
            "seed": 3,
            "direction": None,
            "view": View(size=192),
            "progress": told.progress(),
        }
        return animate(**(asked | changed))  # type: ignore[arg-type]

    return run


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A driver that has not finished thinking when the test is over."""
    over = Event()

    @dataclass
    class Endless:
        weights: tuple[Path, ...] = ()

        def __call__(self, speech: Speech, *, seed: int, direction: Direction) -> Motion:
            over.wait()
            return Motion.rest(1)

    monkeypatch.setattr(driver, "get", lambda name: Endless())
    yield
    over.set()


def test_the_work_is_told_as_it_goes_on(ask: Callable[..., Film], films: Path, told: Told):
    film = ask()
    assert told.stages == [
        "reading the portrait and listening to the speech",
        "rendering",
        "reading the marks",
        "sealing",
    ]
    assert told.totals == [31]
    assert told.frames == film.stats.frames == 31
    assert told.notes == []
    assert film.path == film.reading.path == films / "a.mp4"
    assert film.reading.state is State.TRUSTED
    assert film.stats.seconds == pytest.approx(1.24)
    assert film.stats.frames_per_second > 1


def test_what_is_heard_is_what_was_listened_to(
    ask: Callable[..., Film], own_sitter: Sitter, speech: Path, films: Path, tmp_path: Path, told: Told
):
    """And is declared, whatever lies in its place by then."""
    mine = tmp_path / "words.wav"
    mine.write_bytes(speech.read_bytes())

    def exchange(stage: str) -> None:
        if stage == "rendering":
            mine.write_bytes(own_sitter.clip.path.read_bytes())

    with pytest.raises(SpeechError, match="changed while the film was made"):
        ask(speech=mine, progress=replace(told.progress(), stage=exchange))
    assert not list(films.iterdir())


def test_a_grant_is_for_the_face_that_was_compared(own_sitter: Sitter, told: Told):
    granted = Permission("granted", sha256_of(own_sitter.path), grant="0" * 64)
    with pytest.raises(PortraitError, match="leave --face out"):
        making._open_portrait(own_sitter.path, View(face=1), told.progress(), granted)


def test_a_motion_file_needs_no_sound(
    ask: Callable[..., Film], own_sitter: Sitter, films: Path, tmp_path: Path, told: Told
):
    Motion(np.zeros((3, 59), np.float32), fps=24).save(tmp_path / "rest.safetensors")
    film = pose(
        own_sitter.path,
        tmp_path / "rest.safetensors",
        films / "a.mp4",
        right=None,
        view=View(size=192),
        progress=told.progress(),
    )
    assert told.stages == ["reading the portrait", "rendering", "reading the marks", "sealing"]
    assert (film.stats.frames, film.stats.seconds) == (3, 0.125)
    assert film.reading.declaration is not None
    assert film.reading.declaration.driver == making.MOTION_FILE


def test_a_bad_portrait_does_not_wait_for_the_driver(
    ask: Callable[..., Film], endless: None, tmp_path: Path, films: Path
):
    Image.new("RGB", (200, 200)).save(tmp_path / "dark.png")
    with pytest.raises(PortraitError, match="No face was found"):
        ask(picture=tmp_path / "dark.png", right="fictional")
    assert list(films.iterdir()) == []


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"driver_name": "oracle"}, MotionError),
        ({"picture": Path("/dev/zero")}, PortraitError),
        ({"picture": Path(__file__)}, RightsUndeclared),
        ({"out": Path("a.avi")}, OutputRefused),
    ],
)
def test_what_cannot_be_made_is_refused_before_any_work(
    ask: Callable[..., Film], told: Told, changed: dict[str, object], error: type[Exception]
):
    with pytest.raises(error):
        ask(**changed)
    assert told.stages == []


def test_a_failing_driver_is_no_film(ask: Callable[..., Film], monkeypatch: pytest.MonkeyPatch, films: Path):
    @dataclass
    class Failing:
        weights: tuple[Path, ...] = ()

        def __call__(self, speech: Speech, *, seed: int, direction: Direction) -> Motion:
            raise MotionError(f"{speech.path.name} leaves me cold.")

    monkeypatch.setattr(driver, "get", lambda name: Failing())
    with pytest.raises(MotionError, match="leaves me cold"):
        ask()
    assert list(films.iterdir()) == []


def test_a_film_is_played_as_the_direction_file_says(ask: Callable[..., Film], tmp_path: Path):
    away = tmp_path / "away.json"
    away.write_text('{"gaze": [25, 0], "pose": [12, 0, 0]}')
    plain, turned = ask().path.read_bytes(), ask(direction=away).path.read_bytes()
    assert plain != turned
    with pytest.raises(MotionError, match="gaze"):
        ask(direction=_written(tmp_path / "wrong.json", '{"gaze": [250, 0]}'))


def test_the_learned_drivers_weights_are_named_in_the_film(ask: Callable[..., Film]):
    declared = ask(driver_name="learned").reading.declaration
    assert declared is not None
    weights = {i.title for i in declared.ingredients if i.role == "weights"}
    assert {"encoder.safetensors", "flow.safetensors", "decoder.safetensors"} <= weights


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
