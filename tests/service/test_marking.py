"""A film made with a house's keys says so in its pictures and in its sound, and to that house alone."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detector.errors import WatermarkError
from detector.fingerprint import find
from generator.sitters import sitters
from generator.speech.audio import SAMPLE_RATE, Speech
from generator.video import VideoWriter
from governance.errors import KeysMissing, SealError
from governance.markkeys import MarkKeys
from service.errors import MarkLost
from service.marking import (
    PICTURE_BINDING,
    SOUND_BINDING,
    Marking,
    Marks,
    has_register,
    register,
    registered,
)

SIDE, FPS, SECONDS = 256, 25, 4
JOB = 0x12_3456_789A


def house(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    MarkKeys.create(folder)
    return folder


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return house(tmp_path_factory.mktemp("house") / "keys")


@pytest.fixture(scope="module")
def pictures() -> list[tuple[float, NDArray[np.uint8]]]:
    """Somebody in front of a camera that trembles."""
    portrait = cv2.cvtColor(cv2.imread(str(sitters()[0].path)), cv2.COLOR_BGR2RGB)
    portrait = cv2.resize(portrait, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    rng = np.random.default_rng(1)
    return [
        (k / FPS, np.clip(portrait + rng.normal(0, 2, portrait.shape), 0, 255).astype(np.uint8))
        for k in range(SECONDS * FPS)
    ]


@pytest.fixture(scope="module")
def sound() -> NDArray[np.float32]:
    return Speech.open(sitters()[0].clip.path).samples


@pytest.fixture(scope="module")
def marks(keys: Path) -> Marks:
    return Marks.open(keys)


@pytest.fixture(scope="module")
def marking(marks: Marks) -> Marking:
    return Marking(marks, (SIDE, SIDE), FPS)


def test_pictures_bear_the_job(marks: Marks, marking: Marking, pictures):
    read = marks.pictures[0].read((at, marking.picture(frame, at)) for at, frame in pictures)
    assert read.payload is not None
    assert read.payload.job_id == marking.job


def test_sound_bears_the_job(marks: Marks, marking: Marking, sound: NDArray[np.float32]):
    treatment = marking.sound(SAMPLE_RATE)
    marked = np.concatenate([treatment.push(sound[:, None]), treatment.finish()])
    assert marked.shape == (len(sound), 1)
    read = marks.sounds[0].read(marked, SAMPLE_RATE)
    assert read.payload is not None
    assert read.payload.job_id == marking.job


def test_another_house_reads_nothing(tmp_path: Path, marking: Marking, pictures):
    others = Marks.open(house(tmp_path / "keys"))
    assert others.pictures[0].read((at, marking.picture(frame, at)) for at, frame in pictures).payload is None


def test_the_marks_of_former_keys_are_still_read(tmp_path: Path, sound: NDArray[np.float32]):
    keys = house(tmp_path / "keys")
    marked = Marks.open(keys).sounds[0].embed(sound, SAMPLE_RATE, JOB)
    MarkKeys.load(keys).rotate(keys)
    newest, former = Marks.open(keys).sounds
    assert newest.read(marked, SAMPLE_RATE).payload is None
    assert former.read(marked, SAMPLE_RATE).payload is not None
    assert len(Marks.open(keys, most=1).pictures) == 1


def test_what_is_too_small_is_refused(marks: Marks):
    with pytest.raises(WatermarkError, match="192 pixels or more"):
        Marking(marks, (96, 96), FPS)


def test_without_keys_nothing_is_marked(tmp_path: Path):
    (tmp_path / "keys").mkdir(mode=0o700)
    with pytest.raises(KeysMissing, match="vernissage keys init --if-missing"):
        Marks.open(tmp_path / "keys")


def test_each_film_is_another_job(marks: Marks):
    jobs = {Marking(marks, (SIDE, SIDE), FPS).name for _ in range(20)}
    assert len(jobs) == 20


@pytest.fixture(scope="module")
def film(marking: Marking, pictures, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "marked.mp4"
    audio = sitters()[0].clip.path
    with VideoWriter(path, (SIDE, SIDE), audio=audio, treat=marking.sound) as writer:
        for at, frame in pictures * 2:
            writer.write(marking.picture(frame, at))
    return path


def test_a_film_declares_the_marks_that_are_read_in_it(marking: Marking, film: Path):
    found = marking.inscription(film)
    values = {binding.algorithm: binding.value for binding in found.bindings}
    assert values.keys() == {PICTURE_BINDING, SOUND_BINDING, "io.iscc.v0"}
    assert {values[PICTURE_BINDING], values[SOUND_BINDING]} == {marking.job.to_bytes(5)}
    assert values["io.iscc.v0"].startswith(b"ISCC:")
    assert found.fingerprint.seconds == pytest.approx(2 * SECONDS, abs=0.1)


def test_a_film_without_the_mark_is_not_handed_over(marks: Marks, film: Path):
    with pytest.raises(MarkLost, match="not kept"):
        Marking(marks, (SIDE, SIDE), FPS).inscription(film)


def test_a_film_too_short_for_a_mark_declares_none(marks: Marks, marking: Marking, pictures, tmp_path: Path):
    with VideoWriter(tmp_path / "short.mp4", (SIDE, SIDE)) as writer:
        for at, frame in pictures[:20]:
            writer.write(marking.picture(frame, at))
    assert [binding.watermark for binding in marking.inscription(tmp_path / "short.mp4").bindings] == []


def test_a_damaged_film_is_not_handed_over(marking: Marking, film: Path, tmp_path: Path):
    (tmp_path / "cut.mp4").write_bytes(film.read_bytes()[:4_000])
    with pytest.raises(MarkLost, match="cannot be read back"):
        marking.inscription(tmp_path / "cut.mp4")


def test_a_film_that_is_not_handed_over_is_forgotten(
    marking: Marking, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VERNISSAGE_HOME", str(tmp_path / "hub"))
    assert not has_register()
    found = marking.inscription(film)
    with pytest.raises(SealError), registered(marking.name, found.fingerprint):
        raise SealError("the disk is full")
    assert has_register()
    with register() as index:
        assert len(index) == 0
    with registered(marking.name, found.fingerprint):
        pass
    with register() as index:
        assert [match.job for match in find(index, found.fingerprint)] == [marking.name]
