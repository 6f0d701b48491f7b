"""The speech encoder: a stream gives what the whole clip gives, in time, and without growing."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.errors import ModelError
from generator.speech.encoder import LOOK_AHEAD_SECONDS, PHONES, RATE, WEIGHTS, SpeechEncoder, SpeechFeatures

NAMES = ("phones", "voicing", "energy", "pitch")


@pytest.fixture(scope="module")
def encoder() -> SpeechEncoder:
    return SpeechEncoder.load()


def babble(seconds: float, seed: int = 0) -> np.ndarray:
    """Syllables: a gliding buzz that comes and goes, and hiss between."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * 16000)) / 16000
    pitch = 130 + 30 * np.sin(2 * np.pi * 0.7 * time)
    buzz = np.sign(np.sin(2 * np.pi * np.cumsum(pitch) / 16000)) * (np.sin(2 * np.pi * 2 * time) > 0)
    return (0.2 * buzz + 0.02 * rng.normal(size=len(time))).astype(np.float32)


def streamed(encoder: SpeechEncoder, samples: np.ndarray, cuts: list[int]) -> SpeechFeatures:
    stream = encoder.stream()
    parts = [stream.push(samples[a:b]) for a, b in pairwise([0, *cuts, len(samples)])]
    return SpeechFeatures.joined([*parts, stream.finish()])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 32000), max_size=40))
def test_a_stream_gives_what_the_whole_clip_gives(encoder: SpeechEncoder, cuts: list[int]) -> None:
    samples = babble(2.0)
    whole, parts = encoder.features(samples), streamed(encoder, samples, sorted(cuts))
    for name in NAMES:
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), atol=1e-4)


@pytest.mark.parametrize("count", [1, 319, 320, 321, 16000, 16001])
def test_every_clip_has_fifty_frames_a_second(encoder: SpeechEncoder, count: int) -> None:
    features = encoder.features(babble(2.0)[:count])
    assert len(features) == -(-count // 320)
    assert features.phones.shape == (len(features), len(PHONES))
    np.testing.assert_allclose(features.phones.sum(1), 1.0, atol=1e-4)
    assert ((features.voicing >= 0) & (features.voicing <= 1)).all()
    assert ((features.energy >= 0) & (features.energy <= 1)).all()


def test_frames_come_no_later_than_promised(encoder: SpeechEncoder) -> None:
    assert LOOK_AHEAD_SECONDS <= 0.160
    stream, samples, given_frames = encoder.stream(), babble(3.0), 0
    for i in range(0, len(samples), 160):
        given_frames += len(stream.push(samples[i : i + 160]))
        heard = (i + 160) / 16000
        assert given_frames >= (heard - LOOK_AHEAD_SECONDS) * RATE - 0.5


def test_what_was_said_does_not_depend_on_what_comes_after_the_look_ahead(encoder: SpeechEncoder) -> None:
    one, other = babble(2.0), babble(2.0)
    other[16000:] = babble(1.0, seed=9)
    certain = round((1.0 - LOOK_AHEAD_SECONDS) * RATE)
    first, second = encoder.features(one), encoder.features(other)
    np.testing.assert_allclose(first.phones[:certain], second.phones[:certain], atol=1e-4)


def test_a_stream_does_not_grow(encoder: SpeechEncoder) -> None:
    stream, chunk = encoder.stream(), babble(1.0)

    def size() -> int:
        held = [stream._samples, stream._mel, stream._energy, *stream._past]
        return sum(array.nbytes for array in held)

    sizes = []
    for _ in range(20):
        stream.push(chunk)
        sizes.append(size())
    assert len(set(sizes[1:])) == 1


def test_silence_is_heard_as_silence(encoder: SpeechEncoder) -> None:
    features = encoder.features(np.random.default_rng(0).normal(0, 1e-4, 32000).astype(np.float32))
    assert (features.phones.argmax(1) == PHONES.index("SIL")).mean() > 0.95
    assert (features.voicing < 0.5).mean() > 0.95
    assert not features.pitch[features.voicing <= 0.5].any()


def test_weights_that_were_tampered_with_are_refused(tmp_path: Path) -> None:
    data = bytearray(WEIGHTS.read_bytes())
    data[-1] ^= 1
    (tmp_path / WEIGHTS.name).write_bytes(data)
    (tmp_path / "encoder.json").write_text(WEIGHTS.with_suffix(".json").read_text())
    with pytest.raises(ModelError, match="not the one released"):
        SpeechEncoder.load(tmp_path / WEIGHTS.name)
    with pytest.raises(ModelError, match="cannot be read"):
        SpeechEncoder.load(tmp_path / "missing.safetensors")
