"""Everybody in the house is in its catalogue, byte for byte, with a licence."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import generator.sitters
from generator.sitters import clips, recognise, sitters
from generator.speech.audio import Speech

HOUSE = Path(generator.sitters.__file__).parent
LEAST_SIDE_PX = 768
CLIP_SECONDS = (6.0, 10.0)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("catalogue", "entries"),
    [("sitters.json", sitters), ("speech/clips.json", clips)],
    ids=["sitters", "clips"],
)
def test_every_entry_of_the_catalogue_is_offered(catalogue: str, entries):
    listed = json.loads((HOUSE / catalogue).read_text())
    assert [entry["file"] for entry in listed] == [entry.path.name for entry in entries()]
    assert len({entry.name for entry in entries()}) == len(listed) > 0


def test_no_picture_or_clip_is_left_out_of_the_catalogue():
    pictures = {p for p in HOUSE.iterdir() if p.suffix in {".jpg", ".png", ".webp"}}
    sounds = {p for p in (HOUSE / "speech").iterdir() if p.suffix in {".flac", ".wav", ".opus"}}
    assert pictures == {sitter.path for sitter in sitters()}
    assert sounds == {clip.path for clip in clips()}


def test_a_sitter_is_the_picture_that_was_catalogued(sitter):
    assert sha256(sitter.path) == sitter.sha256
    with Image.open(sitter.path) as image:
        assert min(image.size) >= LEAST_SIDE_PX
        assert image.mode == "RGB"
    assert sitter.title
    assert sitter.medium
    assert sitter.licence == "CC0-1.0"
    assert sitter.clip in clips()


@pytest.mark.parametrize("clip", clips(), ids=lambda clip: clip.name)
def test_a_clip_is_the_sound_that_was_catalogued(clip):
    assert sha256(clip.path) == clip.sha256
    assert clip.licence == "Apache-2.0"
    assert clip.text
    assert clip.voice
    assert CLIP_SECONDS[0] <= clip.seconds <= CLIP_SECONDS[1]
    speech = Speech.open(clip.path)
    assert speech.seconds == pytest.approx(clip.seconds, abs=0.02)
    assert np.abs(speech.samples).max() > 0.1


def test_the_house_has_a_painting_a_sculpture_and_a_drawing():
    assert {sitter.name for sitter in sitters()} >= {"oil_portrait", "terracotta_bust", "cartoon"}
    assert sitters()[0].name == "oil_portrait", "the demo's sitter comes first"


def test_a_sitter_is_recognised_by_the_bytes_of_the_picture(sitter):
    assert recognise(sha256(sitter.path)) == sitter


def test_a_picture_with_one_bit_changed_is_nobody_of_ours(sitter):
    content = bytearray(sitter.path.read_bytes())
    content[len(content) // 2] ^= 1
    assert recognise(hashlib.sha256(content).hexdigest()) is None
    assert recognise("") is None
