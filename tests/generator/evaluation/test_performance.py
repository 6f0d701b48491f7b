"""Whoever moves as the speaker did scores perfectly; whoever does not is found out."""

from pathlib import Path

import numpy as np
import pytest

from generator.evaluation.performance import (
    Judge,
    Performance,
    drift_figures,
    evaluate_driver,
    face_figures,
    reality,
    truth_figures,
)
from generator.evaluation.pieces import Piece, held_out, house, one_after_the_other, our_clips
from generator.evaluation.track import track_motion
from generator.motion import driver
from generator.motion.direction import NATURAL_DIRECTION, Direction
from generator.motion.motion import Motion
from generator.speech.audio import Speech
from generator.training.corpus import Corpus, CorpusError, CorpusWriter, Description


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge()


@pytest.fixture(scope="module")
def pieces() -> list[Piece]:
    """Two of our clips; the rules driver stands for their speaker."""
    rules = driver.get("rules")
    return [
        Piece(piece.name, "somebody", piece.speech, piece.phones, rules(piece.speech, seed=1))
        for piece in house()[:2]
    ]


class _Copy:
    """Plays what it was given for each sound, ``late`` frames too late."""

    name = "copy"

    def __init__(self, pieces: list[Piece], late: int = 0) -> None:
        self._known = {piece.speech.sha256: piece.truth for piece in pieces}
        self._late = late

    def __call__(self, speech: Speech, *, seed: int = 0, direction: Direction = NATURAL_DIRECTION) -> Motion:
        truth = self._known[speech.sha256]
        assert truth is not None
        return Motion(np.roll(truth.values, self._late, axis=0))


def test_a_copy_of_the_truth_is_perfect(pieces: list[Piece], judge: Judge):
    figures, _ = evaluate_driver(_Copy(pieces), pieces, reality(pieces, judge), judge)
    assert figures["lip_corr"] == pytest.approx(1)
    assert figures["width_corr"] == pytest.approx(1)
    assert figures["lip_error_cm"] == pytest.approx(0, abs=1e-6)
    assert figures["offset_truth_frames"] == pytest.approx(0, abs=0.1)
    assert figures["bilabial_closed"] > 0.9
    assert figures["bilabials_spoken"] > 5


def test_a_late_copy_is_late_by_as_much_for_the_truth_and_for_the_listener(pieces: list[Piece], judge: Judge):
    real = reality(pieces, judge)
    prompt, _ = evaluate_driver(_Copy(pieces), pieces, real, judge)
    late, _ = evaluate_driver(_Copy(pieces, late=4), pieces, real, judge)
    assert late["offset_truth_frames"] == pytest.approx(4, abs=0.2)
    assert late["offset_frames"] - prompt["offset_frames"] == pytest.approx(4, abs=0.5)
    assert late["lip_corr"] < 0.6
    assert late["bilabial_closed"] < prompt["bilabial_closed"]


def test_the_right_lips_on_the_wrong_sound_are_not_believed(pieces: list[Piece], judge: Judge):
    figures, _ = evaluate_driver(_Copy(pieces), pieces, reality(pieces, judge), judge)
    assert figures["sync_confidence"] > 2 * figures["sync_confidence_shuffled"]
    assert figures["sync_confidence_frozen"] == 0


def test_a_frozen_face_scores_nothing(pieces: list[Piece], judge: Judge):
    still = [track_motion(Motion.rest(len(piece.truth)), judge.decoder) for piece in pieces if piece.truth]
    figures = truth_figures(Performance(pieces, still), reality(pieces, judge))
    assert figures["lip_corr"] == 0
    faces = face_figures(still)
    assert faces["blinks_per_min"] == 0
    assert faces["blink_ms_median"] is None
    assert faces["blink_share_of_clips"] == 0


def test_without_a_truth_there_is_no_correlation(pieces: list[Piece], judge: Judge):
    own = our_clips()[:1]
    figures, _ = evaluate_driver(driver.get("rules"), own, reality(own, judge), judge)
    assert "lip_corr" not in figures
    assert figures["bilabial_closed"] is None
    assert figures["offset_frames"] is not None


def test_a_head_that_turns_away_over_the_minutes_drifts(judge: Judge):
    values = np.zeros((25 * 40, 59), np.float32)
    values[:, 51] = np.linspace(0, 12, len(values))
    figures = drift_figures(track_motion(Motion(values), judge.decoder), window_seconds=4)
    assert figures["drift"] == pytest.approx(12 * 0.9, abs=0.2)
    assert figures["drift_shift_cm"] == 0


def test_pieces_one_after_the_other_fill_the_time_asked_for():
    own = our_clips()
    speech = one_after_the_other(own, 30)
    assert speech.seconds == 30
    np.testing.assert_array_equal(speech.samples[: len(own[0].speech.samples)], own[0].speech.samples)


def test_only_held_out_clips_with_motion_are_compared_with(tmp_path: Path, pieces: list[Piece]):
    writer = CorpusWriter(tmp_path / "c", Description("mine", "CC0-1.0", "here", "tests"))
    samples = pieces[0].speech.samples
    writer.add("trained", samples, speaker="a", split="train", motion=pieces[0].truth)
    writer.add("heard", samples, speaker="b", split="test")
    with pytest.raises(CorpusError, match="no held-out clip with motion"):
        held_out(Corpus.open(tmp_path / "c"))
    writer.add("seen", samples, speaker="b", split="test", motion=pieces[0].truth)
    assert [piece.name for piece in held_out(Corpus.open(tmp_path / "c"))] == ["seen"]
