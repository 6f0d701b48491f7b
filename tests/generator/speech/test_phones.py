"""Phones of the house's own speech clips, whose words are known."""

import json
import re
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
import pocketsphinx
import pytest

from generator.speech import phones, prosody
from generator.speech.audio import Speech

FOLDER = Path(str(files("generator.sitters").joinpath("speech")))
CLIPS = json.loads((FOLDER / "clips.json").read_text())


@cache
def recognised(name: str) -> tuple[tuple[phones.Phone, ...], float]:
    speech = Speech.open(FOLDER / name)
    return phones.recognise(speech.samples, prosody.analyse(speech.samples)), speech.seconds


def recognise(samples: np.ndarray) -> tuple[phones.Phone, ...]:
    return phones.recognise(samples, prosody.analyse(samples))


def pronunciation(text: str) -> list[str]:
    words = re.sub(r"[^a-z' ]", " ", text.lower()).split()
    dictionary = {}
    path = pocketsphinx.get_model_path("en-us/cmudict-en-us.dict")
    for line in Path(path).read_text().splitlines():
        word, *spoken = line.split()
        dictionary[word] = spoken
    return [phone for word in words for phone in dictionary[word]]


def edit_distance(first: list[str], second: list[str]) -> int:
    row = list(range(len(second) + 1))
    for i, one in enumerate(first, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(second, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (one != other))
    return row[-1]


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip["file"])
def test_at_most_every_fifth_phone_of_clear_english_is_wrong(clip: dict[str, str]) -> None:
    spoken = [p.name for p in recognised(clip["file"])[0] if p.name != phones.SILENCE]
    expected = pronunciation(clip["text"])
    assert edit_distance(expected, spoken) <= 0.2 * len(expected)


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip["file"])
def test_phones_fill_the_clip_without_gap_or_overlap(clip: dict[str, str]) -> None:
    found, seconds = recognised(clip["file"])
    assert found[0].start == 0
    assert found[-1].end == pytest.approx(seconds)
    for before, after in pairwise(found):
        assert before.end == pytest.approx(after.start)
    assert all(phone.end > phone.start and 0 <= phone.confidence <= 1 for phone in found)


def test_phones_lie_where_the_sound_is() -> None:
    speech = Speech.open(FOLDER / CLIPS[0]["file"])
    energy = prosody.analyse(speech.samples).energy_db
    found = recognised(CLIPS[0]["file"])[0]

    def loudness(vowels: bool) -> float:
        chosen = [p for p in found if (p.name[0] in "AEIOU") == vowels and (vowels or p.name == "SIL")]
        return float(np.median([energy[round(p.centre * 100)] for p in chosen]))

    assert loudness(vowels=True) > loudness(vowels=False) + 15


def test_noise_is_not_spoken() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 32000).astype(np.float32)
    assert sum(p.seconds for p in recognise(noise) if p.name != phones.SILENCE) < 0.5


@pytest.mark.parametrize("samples", [1600, 1601, 4000])
def test_a_fraction_of_a_second_is_no_problem(samples: int) -> None:
    sound = Speech.open(FOLDER / CLIPS[0]["file"]).samples[6000 : 6000 + samples]
    assert recognise(sound)[-1].end == pytest.approx(samples / 16000)


def test_long_sound_is_cut_in_its_pauses() -> None:
    seconds = 60
    t = np.arange(seconds * 16000) / 16000
    sound = (np.sin(2 * np.pi * 200 * t) * (t % 5 < 4.5) * 0.3).astype(np.float32)
    cuts = list(phones._chunks(prosody.analyse(sound), len(sound)))
    assert cuts[0][0] == 0
    assert cuts[-1][1] == len(sound)
    assert all(before[1] == after[0] for before, after in pairwise(cuts))
    assert all(end - start <= 16 * 16000 for start, end in cuts)
    assert all(end / 16000 % 5 > 4.45 for _, end in cuts[:-1])


def test_a_second_chunk_has_times_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    speech = Speech.open(FOLDER / CLIPS[0]["file"])
    twice = np.concatenate([speech.samples, speech.samples])
    monkeypatch.setattr(phones, "CHUNK_SECONDS", (speech.seconds - 0.1, speech.seconds + 0.1))
    found = recognise(twice)
    first = [p.name for p in found if p.centre < speech.seconds and p.name != "SIL"]
    second = [p.name for p in found if p.centre > speech.seconds and p.name != "SIL"]
    assert edit_distance(first, second) <= 0.1 * len(first)
    assert found[-1].end == pytest.approx(2 * speech.seconds)


def test_the_recogniser_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    recognise(Speech.open(FOLDER / CLIPS[0]["file"]).samples[:16000])
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""
