# ruff: noqa: RUF001
"""Builders: what moved a face is read back from its film; sentences are aligned; names are mapped."""

import json
import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from generator import sitters
from generator.arkit import EXPRESSIONS, INDEX
from generator.film import render_film
from generator.motion import Motion
from generator.motion.driver import get
from generator.portrait.portrait import Portrait
from generator.speech.audio import Speech
from generator.training.corpora import facegood, flite, grid, kokoro, video
from generator.training.corpora.align import Aligner
from generator.training.corpus import Corpus, CorpusError


def test_a_code_spells_its_sentence() -> None:
    assert " ".join(grid.sentence("bbac3n")) == "bin blue at C three now"
    assert " ".join(grid.sentence("swwzzp")) == "set white with Z zero please"
    with pytest.raises(CorpusError, match="spell"):
        grid.sentence("bba")


def test_a_known_sentence_is_aligned() -> None:
    (clip,) = [clip for clip in sitters.clips() if clip.name == "cartoon"]
    speech = Speech.open(clip.path)
    first = "hey over here this morning i was only a sketch"
    samples = speech.samples[: round(3.9 * 16000)]
    aligned = Aligner({"hey": "HH EY"})(samples, first)
    assert aligned is not None
    phones, score = aligned
    said = [phone.name for phone in phones if phone.name != "SIL"]
    assert said[:5] == ["HH", "EY", "OW", "V", "ER"]
    assert said[-4:] == ["S", "K", "EH", "CH"]
    assert phones[0].start == 0
    assert all(a.end == b.start for a, b in pairwise(phones))
    assert phones[-1].end == pytest.approx(len(samples) / 16000)
    assert score > -40


def test_the_rig_becomes_arkit() -> None:
    names = sorted({source for _, source, _ in facegood._gains()})
    controls = np.zeros((2, len(names)))
    controls[1, names.index("mouth_stretch_c")] = 0.5
    controls[1, names.index("mouth_pucker_l")] = controls[1, names.index("mouth_pucker_r")] = 0.4
    weights = facegood.to_arkit(controls, names)
    assert weights.shape == (2, len(EXPRESSIONS))
    assert not weights[0].any()
    assert weights[1, INDEX["jawOpen"]] == pytest.approx(0.35)
    assert weights[1, INDEX["mouthPucker"]] == pytest.approx(0.4)
    with pytest.raises(CorpusError, match="another rig"):
        facegood.to_arkit(controls, ["something"] * len(names))


def test_phoneme_notations_agree() -> None:
    assert kokoro.arpabet("ʧˈɜɹʧ") == "CH ER CH"
    assert kokoro.arpabet("mˈɛʒəɹ") == "M EH ZH ER"
    assert flite._arpabet("ax") == "AH"
    assert flite._arpabet("pau") == "SIL"
    with pytest.raises(CorpusError, match="qq"):
        flite._arpabet("qq")


def test_voices_held_out_are_never_blended_into_training() -> None:
    names = [*sorted(kokoro.HELD_OUT_VOICES), "af_sky", "am_adam", "bf_lily"]
    drawn = [kokoro.Voice.draw(random.Random(i), names) for i in range(300)]
    assert any(voice.held_out for voice in drawn)
    assert len({voice.name for voice in drawn}) > 100
    for voice in drawn:
        held_out = {voice.first, voice.second} & kokoro.HELD_OUT_VOICES
        assert not held_out or voice.name in kokoro.HELD_OUT_VOICES


def test_films_without_consent_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="consent"):
        video.build(tmp_path, tmp_path / "out")


@pytest.mark.slow
def test_what_moved_a_face_is_read_back_from_its_film(tmp_path: Path, portrait: Portrait) -> None:
    films = tmp_path / "films"
    films.mkdir()
    sound = sitters.sitters()[0].clip.path
    played = get("rules")(Speech.open(sound), seed=1)[:100]
    render_film(portrait, played, films / "one.mp4", audio=sound)
    consent = {"name": "ours", "licence": "CC0-1.0", "source": "our own sitters", "used_for": "a test"}
    (films / "consent.json").write_text(json.dumps(consent | {"speakers": {"one.mp4": "somebody"}}))
    video.build(films, tmp_path / "corpus")
    (clip,) = Corpus.open(tmp_path / "corpus").clips("train")
    read = clip.motion()
    assert len(read) == pytest.approx(100, abs=1)
    assert clip.speech().seconds == pytest.approx(4.0, abs=0.1)
    count = min(len(read), len(played))
    assert correlation(aperture(read[:count]), aperture(played[:count])) > 0.7


def aperture(motion: Motion) -> np.ndarray:
    return np.asarray(motion["jawOpen"] - motion["mouthClose"])


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])
