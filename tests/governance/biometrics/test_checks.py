"""The checks of a ceremony on whole films: who passes, who fails, and what the person is told."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from generator.sitters import clips
from generator.speech.audio import Speech
from governance.biometrics import all_checks
from governance.biometrics.checks import FilmedFace, HeardVoice, SpokenPhrase
from governance.consent.phrase import words
from governance.errors import MediaRefused, NoFace, NoVoice
from tests.governance.biometrics.films import HOUSE, write_film

CLIPS = {clip.name: clip for clip in clips()}


def test_the_person_of_the_portrait_passes_also_while_turning(turning: Path):
    assert FilmedFace()(HOUSE["terracotta_bust"].path, turning).passed


def test_somebody_else_fails(turning: Path):
    found = FilmedFace()(HOUSE["cartoon"].path, turning)
    assert (found.passed, found.reason) == (False, "face_differs")
    assert "film the person in it" in found.sentence


def test_a_film_spliced_from_two_people_fails_for_either(film, turning_frames, picture: Callable):
    spliced = film([*turning_frames[:75], *[picture("cartoon")] * 50])
    assert FilmedFace()(HOUSE["terracotta_bust"].path, spliced).reason == "face_changes"


def test_two_people_in_one_film_fail(film, picture: Callable):
    both = np.hstack([picture("terracotta_bust"), picture("oil_portrait")])
    assert FilmedFace()(HOUSE["terracotta_bust"].path, film([both] * 60)).reason == "several_faces"


def test_a_film_that_is_too_short_fails(film, picture: Callable):
    assert (
        FilmedFace()(HOUSE["oil_portrait"].path, film([picture("oil_portrait")] * 20)).reason == "film_short"
    )


def test_a_portrait_without_a_face_is_refused(turning: Path, tmp_path: Path):
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((128, 128, 3), 90, np.uint8))
    with pytest.raises(NoFace):
        FilmedFace()(blank, turning)


def spoken(tmp_path: Path, picture: Callable, name: str) -> Path:
    """A film in which one of our clips is heard."""
    frames = [picture("oil_portrait")[::4, ::4]] * round(CLIPS[name].seconds * 5)
    return write_film(tmp_path / "spoken.mp4", frames, CLIPS[name].path, fps=5)


def said(name: str) -> str:
    """The words of a clip, as a phrase is written."""
    letters = "".join(c for c in CLIPS[name].text.lower() if c.isalpha() or c in "' ")
    return " ".join(letters.split())


@pytest.mark.parametrize("name", ["painting", "welcome"])
def test_a_phrase_that_is_spoken_passes_and_another_fails(tmp_path: Path, picture: Callable, name):
    video = spoken(tmp_path, picture, name)
    check = SpokenPhrase(words())
    assert check(video, said(name)).passed
    found = check(video, "amber dolphin chimney cobalt basket dragon")
    assert (found.passed, found.reason) == (False, "phrase_differs")


def test_the_words_in_another_order_fail(tmp_path: Path, picture: Callable):
    video = spoken(tmp_path, picture, "painting")
    assert not SpokenPhrase(words())(video, " ".join(reversed(said("painting").split()))).passed


def test_a_silent_film_has_no_phrase(turning: Path):
    with pytest.raises(MediaRefused, match="microphone"):
        SpokenPhrase(words())(turning, "amber dolphin chimney cobalt basket")


def test_an_empty_phrase_is_never_spoken(tmp_path: Path, picture: Callable):
    assert not SpokenPhrase(words())(spoken(tmp_path, picture, "painting"), "").passed


def write_sound(path: Path, samples: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def test_the_same_voice_passes_and_another_fails(tmp_path: Path):
    samples = Speech.open(CLIPS["welcome"].path).samples
    half = len(samples) // 2
    first = write_sound(tmp_path / "first.wav", samples[:half])
    second = write_sound(tmp_path / "second.wav", samples[half:])
    other = write_sound(tmp_path / "other.wav", Speech.open(CLIPS["painting"].path).samples)
    assert HeardVoice()(first, second).passed
    found = HeardVoice()(first, other)
    assert (found.passed, found.reason) == (False, "voice_differs")


def test_a_word_is_not_enough_to_know_a_voice_by(tmp_path: Path):
    samples = Speech.open(CLIPS["welcome"].path).samples
    word = write_sound(tmp_path / "word.wav", samples[: 16_000 * 2])
    with pytest.raises(NoVoice, match="some seconds"):
        HeardVoice()(word, CLIPS["welcome"].path)


def test_without_a_detector_the_question_of_synthesis_stays_open(keys: Path):
    assert all_checks(keys, words()).missing(voice=True) == ("synthetic",)
