"""A corpus gives back what was written, and keeps test speakers out of training."""

import json
from pathlib import Path

import numpy as np
import pytest

from generator.motion import Motion
from generator.speech.phones import Phone
from generator.training.corpus import Corpus, CorpusError, CorpusWriter, Description

PHONES = (Phone("SIL", 0.0, 0.4), Phone("B", 0.4, 0.48), Phone("IY", 0.48, 1.0))


def hum(seconds: float = 1.0) -> np.ndarray:
    time = np.arange(round(seconds * 16000)) / 16000
    return (0.3 * np.sin(2 * np.pi * 150 * time)).astype(np.float32)


def writer(folder: Path, name: str = "made") -> CorpusWriter:
    return CorpusWriter(folder, Description(name, "CC0", "a test", "testing"))


def test_a_clip_comes_back(tmp_path: Path) -> None:
    made = writer(tmp_path / "corpus")
    motion = Motion.rest(25)
    made.add("one", hum(), speaker="a", split="train", transcript="bee", phones=PHONES, motion=motion)
    made.add("two", hum(), speaker="b", split="test")
    corpus = Corpus.open(tmp_path / "corpus")
    (clip,) = corpus.clips("train")
    assert (clip.id, clip.speaker, clip.transcript, clip.licence) == ("one", "a", "bee", "CC0")
    assert clip.phones == PHONES
    assert clip.motion() == motion
    assert np.abs(clip.speech().samples - hum()).max() < 1e-4
    (silent,) = corpus.clips("test")
    assert silent.phones is None
    assert not silent.has_motion


@pytest.mark.parametrize("speaker", ["s33", "s34"])
@pytest.mark.parametrize("split", ["train", "validation"])
def test_test_speakers_of_grid_cannot_be_written_into_training(
    tmp_path: Path, speaker: str, split: str
) -> None:
    with pytest.raises(CorpusError, match="testing only"):
        writer(tmp_path / "grid", "grid").add("clip", hum(), speaker=speaker, split=split)  # type: ignore[arg-type]


def test_test_speakers_smuggled_into_training_stop_the_corpus_from_opening(tmp_path: Path) -> None:
    writer(tmp_path / "grid", "grid").add("clip", hum(), speaker="s33", split="test")
    record = tmp_path / "grid" / "clip.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"split": "train"}))
    with pytest.raises(CorpusError, match="s33"):
        Corpus.open(tmp_path / "grid")


def test_the_hash_follows_the_contents(tmp_path: Path) -> None:
    for name in ("one", "same", "other"):
        writer(tmp_path / name).add("clip", hum(1.0 if name != "other" else 1.5), speaker="a", split="train")
    one, same, other = (Corpus.open(tmp_path / name).sha256 for name in ("one", "same", "other"))
    assert one == same != other


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("corpus.json", "{}", "format"),
        ("corpus.json", "no json", "JSON"),
        ("clip.json", '{"speaker": "a"}', "record"),
    ],
)
def test_a_damaged_corpus_says_what_is_wrong(tmp_path: Path, file: str, text: str, complaint: str) -> None:
    writer(tmp_path / "corpus").add("clip", hum(), speaker="a", split="train")
    (tmp_path / "corpus" / file).write_text(text)
    with pytest.raises(CorpusError, match=complaint):
        Corpus.open(tmp_path / "corpus")


def test_unknown_phones_are_refused(tmp_path: Path) -> None:
    writer(tmp_path / "corpus").add("clip", hum(), speaker="a", split="train", phones=[Phone("XX", 0, 1)])
    with pytest.raises(CorpusError, match="XX"):
        Corpus.open(tmp_path / "corpus")


def test_a_corpus_is_not_built_over_something_else(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    with pytest.raises(CorpusError, match="something else"):
        writer(tmp_path)
    writer(tmp_path / "corpus")
    with pytest.raises(CorpusError, match="something else"):
        writer(tmp_path / "corpus", "another")


def test_a_build_that_was_interrupted_goes_on(tmp_path: Path) -> None:
    writer(tmp_path / "corpus").add("one", hum(), speaker="a", split="train")
    again = writer(tmp_path / "corpus")
    assert again.has("one")
    assert not again.has("two")
    again.add("two", hum(), speaker="a", split="train")
    assert [clip.id for clip in Corpus.open(tmp_path / "corpus").clips("train")] == ["one", "two"]
