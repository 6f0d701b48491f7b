"""A change that the sound masks counts as such, and one that it does not, not."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.audibility import RATE, noise_to_mask

TIME = np.arange(RATE) / RATE
TONE = 0.1 * np.sin(2 * np.pi * 1000 * TIME)


def test_noise_far_below_a_noise_is_masked():
    noise = 0.1 * np.random.default_rng(1).standard_normal(RATE)
    ratio = noise_to_mask(noise, noise * 1.01)
    assert ratio.max_db < -20
    assert ratio.disturbed == 0.0


def test_a_tone_far_from_a_tone_is_not():
    assert noise_to_mask(TONE, TONE + 0.01 * np.sin(2 * np.pi * 6000 * TIME)).disturbed == 1.0


def test_the_same_tone_beside_the_tone_is():
    assert noise_to_mask(TONE, TONE + 0.001 * np.sin(2 * np.pi * 1020 * TIME)).max_band_db < 0


def test_what_nobody_hears_is_masked_in_silence():
    """-100 dB re full scale plays at -8 dB SPL."""
    silence = np.zeros(RATE)
    assert noise_to_mask(silence, silence + 1e-5 * np.sin(2 * np.pi * 1000 * TIME)).max_band_db < 0


def test_a_click_before_the_sound_is_heard():
    late = np.where(TIME > 0.5, TONE, 0.0)
    early = late + np.where((TIME > 0.3) & (TIME < 0.31), 0.01 * np.sin(2 * np.pi * 3000 * TIME), 0.0)
    ratio = noise_to_mask(late, early)
    assert ratio.max_band_db > 20
    assert ratio.disturbed < 0.1


@pytest.mark.parametrize("factor_db", [3.0, 10.0])
def test_ratio_follows_the_noise(factor_db):
    noise = np.random.default_rng(2).standard_normal(RATE) * 1e-3
    low = noise_to_mask(TONE, TONE + noise)
    high = noise_to_mask(TONE, TONE + noise * 10 ** (factor_db / 20))
    assert high.mean_db - low.mean_db == pytest.approx(factor_db, abs=0.01)
