"""Correlation, error and closure of lips mean what they say."""

import math

import numpy as np
import pytest

from generator.evaluation.lips import Closures, closures, correlation, error_cm, normalise, vowels_open
from generator.speech.phones import Phone

TIMES = np.arange(100) / 25


def test_correlation_ignores_range_and_tells_lips_that_move_the_other_way():
    truth = np.sin(2 * np.pi * TIMES)
    assert correlation(3 * truth + 1, truth) == pytest.approx(1)
    assert correlation(-truth, truth) == pytest.approx(-1)
    assert abs(correlation(np.cos(2 * np.pi * TIMES), truth)) < 0.05


def test_a_face_that_does_not_move_correlates_with_nothing():
    assert correlation(np.full(100, 0.3), np.sin(TIMES)) == 0


def test_normalising_takes_one_mean_and_spread_from_all_clips_of_a_speaker():
    first, second = normalise([np.zeros(50), np.full(50, 2.0)])
    assert first.mean() == pytest.approx(-1)
    assert second.mean() == pytest.approx(1)


def test_the_error_is_in_centimetres_at_the_speakers_own_range():
    truth = 0.5 + 0.4 * np.sin(2 * np.pi * TIMES)
    assert error_cm([7 * truth - 2], [truth]) == pytest.approx(0, abs=1e-9)
    assert error_cm([-truth], [truth]) == pytest.approx(2 * truth.std(), rel=1e-6)


def test_a_bilabial_counts_as_closed_only_if_the_lips_touch_during_it():
    opening = np.ones(100)
    opening[25:28] = 0.0
    spoken = [Phone("M", 1.0, 1.1), Phone("AA", 1.1, 2.0), Phone("B", 2.0, 2.1), Phone("S", 2.1, 2.2)]
    assert closures(opening, spoken, 25) == Closures(spoken=2, closed=1)
    assert closures(np.ones(100), spoken, 25).recall == 0
    opening[50] = 0.04
    assert closures(opening, spoken, 25).recall == 1


def test_closing_long_after_the_sound_does_not_count():
    opening = np.ones(100)
    opening[29:33] = 0.0
    assert closures(opening, [Phone("P", 1.0, 1.1)], 25).closed == 0


def test_no_bilabials_give_no_recall_and_counts_add_up():
    assert math.isnan(Closures().recall)
    assert Closures(3, 2) + Closures(1, 1) == Closures(4, 3)


def test_a_mouth_that_never_opens_closes_for_bilabials_but_not_for_free():
    spoken = [Phone("M", 1.0, 1.1), Phone("AA", 1.1, 2.0), Phone("IY", 2.0, 2.4), Phone("UW", 2.4, 2.6)]
    shut = np.zeros(100)
    assert closures(shut, spoken, 25).recall == 1
    assert vowels_open(shut, spoken, 25) == 0
    half = np.where(np.arange(100) < 45, 0.5, 0.0)
    assert vowels_open(half, spoken, 25) == 0.5
    assert math.isnan(vowels_open(half, spoken[:1], 25))
