"""A film made with a house's keys says so in its pictures and in its sound, and to that house alone."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detector.errors import WatermarkError
from generator.sitters import sitters
from generator.speech.audio import SAMPLE_RATE, Speech
from governance.errors import KeysMissing
from governance.markkeys import MarkKeys
from service.marking import Marking, Marks, new_job

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
    return Marking(marks, (SIDE, SIDE), FPS, JOB)


def test_pictures_bear_the_job(marks: Marks, marking: Marking, pictures):
    read = marks.pictures[0].read((at, marking.picture(frame, at)) for at, frame in pictures)
    assert read.payload is not None
    assert read.payload.job_id == JOB


def test_sound_bears_the_job(marks: Marks, marking: Marking, sound: NDArray[np.float32]):
    treatment = marking.sound(SAMPLE_RATE)
    marked = np.concatenate([treatment.push(sound[:, None]), treatment.finish()])
    assert marked.shape == (len(sound), 1)
    read = marks.sounds[0].read(marked, SAMPLE_RATE)
    assert read.payload is not None
    assert read.payload.job_id == JOB


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
    with pytest.raises(WatermarkError, match="128 pixels or more"):
        Marking(marks, (96, 96), FPS, JOB)


def test_without_keys_nothing_is_marked(tmp_path: Path):
    (tmp_path / "keys").mkdir(mode=0o700)
    with pytest.raises(KeysMissing, match="vernissage keys init --if-missing"):
        Marks.open(tmp_path / "keys")


def test_jobs_are_told_apart():
    jobs = {new_job() for _ in range(100)}
    assert len(jobs) == 100
    assert all(0 <= job < 1 << 40 for job in jobs)
