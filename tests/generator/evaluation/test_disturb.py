"""Disturbed speech is what it says, and its truth stays in time with it."""

import numpy as np
import pytest

from generator.evaluation import disturb
from generator.evaluation.listener import Listener
from generator.evaluation.pieces import Piece, our_clips
from generator.motion.motion import Motion
from generator.speech import prosody
from generator.speech.phones import Phone


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return our_clips()[0].speech.samples


def voiced_share(samples: np.ndarray) -> float:
    sound = prosody.analyse(samples)
    return float(sound.voiced[sound.loudness > 0.5].mean())


def test_noise_lies_ten_decibels_below_the_speech(samples: np.ndarray):
    noise = disturb.noisy(samples).astype(float) - samples
    ratio = 10 * np.log10(np.mean(samples.astype(float) ** 2) / np.mean(noise**2))
    assert ratio == pytest.approx(disturb.NOISE_DB, abs=0.3)


def test_a_whisper_has_no_voice(samples: np.ndarray):
    assert voiced_share(disturb.whispered(samples)) < 0.35 * voiced_share(samples)


def test_a_sung_sentence_holds_its_note(samples: np.ndarray):
    pitch = prosody.analyse(disturb.sung(samples, note_hz=220)).f0_hz
    near = np.abs(12 * np.log2(pitch[pitch > 0] / 220)) < 1.5
    assert near.mean() > 0.8


def test_higher_speech_is_shorter_and_higher(samples: np.ndarray):
    faster = disturb.faster(samples, 1.2)
    assert len(faster) == pytest.approx(len(samples) / 1.2, abs=2)
    pitches = [prosody.analyse(sound).f0_hz for sound in (samples, faster)]
    before, after = (np.median(pitch[pitch > 0]) for pitch in pitches)
    assert after / before == pytest.approx(1.2, rel=0.08)


@pytest.mark.parametrize("name", list(disturb.DISTURBANCES))
def test_syllables_stay_where_they_were(samples: np.ndarray, name: str):
    change, factor = disturb.DISTURBANCES[name]
    listener = Listener.load()
    frames = round(25 * len(samples) / 16000)
    before = listener(samples, frames)
    changed = change(samples)
    after = listener(changed, round(frames / factor))
    at = np.linspace(0, len(before) - 1, len(after))
    assert np.corrcoef(np.interp(at, np.arange(len(before)), before), after)[0, 1] > 0.45
    assert np.isfinite(changed).all()
    assert changed.dtype == np.float32


def test_phones_and_truth_are_as_fast_as_the_sound(samples: np.ndarray):
    values = np.zeros((200, 59), np.float32)
    values[100:, 17] = 0.5
    clip = our_clips()[0].speech
    piece = Piece("a", "b", clip, (Phone("M", 3.0, 3.6),), Motion(values))
    higher = disturb.disturbed(piece, "higher")
    assert higher.phones is not None
    assert (higher.phones[0].start, higher.phones[0].end) == pytest.approx((2.5, 3.0))
    assert higher.truth is not None
    assert len(higher.truth) == pytest.approx(200 / 1.2, abs=1)
    assert int(np.argmax(higher.truth.values[:, 17] > 0.25)) == pytest.approx(100 / 1.2, abs=1)
    assert higher.speech.sha256 != clip.sha256
