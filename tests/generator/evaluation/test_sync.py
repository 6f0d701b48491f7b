"""Offsets are found to a fraction of a frame; controls lie far below the real thing."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from generator.evaluation import sync
from generator.evaluation.lips import BILABIALS
from generator.evaluation.listener import Listener
from generator.evaluation.pieces import house, our_clips


def syllables(seed: int, frames: int = 400) -> np.ndarray:
    return gaussian_filter1d(np.random.default_rng(seed).standard_normal(frames), 1.6)


@pytest.mark.parametrize("late", [-4, -1, 0, 3, 9])
def test_lips_that_lag_by_so_many_frames_are_said_to(late: int):
    heard = [syllables(seed) for seed in range(3)]
    lips = [np.roll(curve, late) for curve in heard]
    assert sync.compare(lips, heard).offset_frames == pytest.approx(late, abs=0.2)


def test_half_a_frame_is_measured_too():
    fine = gaussian_filter1d(np.random.default_rng(0).standard_normal(4000), 16)
    late = sync.compare([fine[5:-10:10]], [fine[10:-5:10]]).offset_frames
    assert late == pytest.approx(0.5, abs=0.15)


def test_controls_are_far_less_sure_than_lips_with_their_own_sound():
    heard = [syllables(seed) for seed in range(6)]
    lips = [curve + 0.5 * syllables(100 + seed) for seed, curve in enumerate(heard)]
    found = sync.measure(lips, heard)
    assert found.spoken.confidence > 3 * found.shuffled.confidence
    assert found.frozen.confidence == 0


def test_lips_that_hardly_move_are_not_believed_however_well_they_fit():
    heard = syllables(0)
    moving, trembling = sync.compare([heard], [heard]), sync.compare([0.01 * heard], [heard])
    assert trembling.offset_frames == pytest.approx(moving.offset_frames)
    assert trembling.confidence < 0.2 * moving.confidence


def test_one_clip_alone_is_shuffled_with_itself():
    heard = syllables(0)
    found = sync.measure([heard], [heard])
    assert found.spoken.confidence > 3 * found.shuffled.confidence


def test_rise_and_fall_of_whole_sentences_is_no_synchrony():
    arch = 2 * np.sin(np.linspace(0, np.pi, 400))
    heard = [arch + syllables(seed) for seed in range(6)]
    strangers = [arch + syllables(100 + seed) for seed in range(6)]
    assert sync.compare(strangers, heard).confidence < 0.4 * sync.compare(heard, heard).confidence


def test_the_listener_expects_lips_to_open_for_vowels_and_to_close_in_pauses_and_bilabials():
    listener = Listener.load()
    levels: dict[str, list[float]] = {"vowels": [], "bilabials": [], "pauses": []}
    for piece in house():
        expected = listener(piece.speech.samples, round(25 * piece.speech.seconds))
        for phone in piece.phones or ():
            kind = {"AA": "vowels", "AE": "vowels", "AY": "vowels", "SIL": "pauses"}.get(phone.name)
            kind = "bilabials" if phone.name in BILABIALS else kind
            frame = int(25 * phone.centre)
            if kind and 0 < frame < len(expected):
                levels[kind].append(expected[frame])
    means = {kind: np.mean(values) for kind, values in levels.items()}
    assert means["vowels"] > means["bilabials"] + 0.5
    assert means["vowels"] > means["pauses"] + 0.5


def test_loudness_does_not_change_what_the_listener_expects():
    samples = our_clips()[0].speech.samples[:48000]
    quiet, loud = Listener.load()(0.3 * samples, 75), Listener.load()(samples, 75)
    assert np.corrcoef(quiet, loud)[0, 1] > 0.98
