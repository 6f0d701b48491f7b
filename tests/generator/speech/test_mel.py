"""Log-mel spectra: where a tone lands, and that pieces make the same as the whole."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.speech.mel import BANDS, HOP, MelStream, log_mel

SOUND = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 5000), max_size=12))
def test_pieces_make_the_same_as_the_whole(cuts: list[int]) -> None:
    stream = MelStream()
    edges = [0, *np.minimum(np.cumsum(cuts), len(SOUND)).tolist(), len(SOUND)]
    pieces = [stream.push(SOUND[a:b]) for a, b in pairwise(edges)]
    spectra = np.concatenate([*pieces, stream.finish()])
    assert spectra.shape == (len(SOUND) // HOP + 1, BANDS)
    assert np.allclose(spectra, log_mel(SOUND), atol=1e-4)


def test_a_spectrum_comes_as_soon_as_its_window_is_complete() -> None:
    stream = MelStream()
    assert len(stream.push(SOUND[:199])) == 0
    assert len(stream.push(SOUND[199:200])) == 1
    assert len(stream.push(SOUND[200:360])) == 1


@pytest.mark.parametrize("hertz", [100, 440, 1500, 5000])
def test_a_tone_is_loudest_in_a_band_that_rises_with_its_pitch(hertz: float) -> None:
    def loudest(tone: float) -> int:
        sound = np.sin(2 * np.pi * tone * np.arange(8000) / 16000).astype(np.float32)
        return int(log_mel(sound)[10:-10].mean(0).argmax())

    assert loudest(hertz) < loudest(hertz * 1.3)


def test_silence_is_finite() -> None:
    assert np.isfinite(log_mel(np.zeros(1600, np.float32))).all()
