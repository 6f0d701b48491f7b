"""What each layer may say of what it read, and what it must leave open."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from assets.errors import AssetError
from detector import Layer, Outcome, Tools, evidence, inspect
from detector.errors import ClassifierError
from detector.evidence import MOST_INSTANTS, OURS_POINT, SYNTHETIC_POINT, Seen
from detector.fingerprint import Match
from detector.verdict import Segment
from detector.watermark import picture, sound
from detector.watermark.code import Payload
from tests.detector.filming import take

WHOLE = Seen(20.0, exists=True, side=512)
BOX = (0.2, 0.2, 0.5, 0.5)


@dataclass(frozen=True)
class Point:
    threshold: float
    fpr: float
    fpr_upper_95: float
    n: int


@dataclass(frozen=True)
class Moment:
    at: float
    ours: float
    synthetic: float
    box: tuple[float, float, float, float] = BOX


@dataclass(frozen=True)
class Told:
    ours: float | None
    synthetic: float | None
    moments: tuple[Moment, ...] = ()
    faces: tuple = ()
    unfamiliar: float = 0.1
    is_unfamiliar: bool = False


@dataclass
class Asked:
    operating_points: dict[str, Point] = field(
        default_factory=lambda: {
            OURS_POINT: Point(0.9, 0.0, 0.001, 3000),
            SYNTHETIC_POINT: Point(0.95, 0.0, 0.001, 3000),
        }
    )

    def watcher(self):
        raise NotImplementedError

    def heatmap(self, frames, box):
        raise NotImplementedError


def match(*witnesses: str, ours: float = 0.99) -> Match:
    return Match("a", 1.0, 5.0, 0.0, ours, ours, witnesses, False, 1.0, 1.0, 0.9, 0.1)


def test_faces_like_ours_are_found_where_they_are():
    moments = tuple(Moment(0.2 * step, 0.95 if 10 <= step < 20 else 0.1, 0.99) for step in range(50))
    twice = tuple(sorted(moments + moments, key=lambda moment: moment.at))
    told = evidence.classifier(Told(0.95, 0.99, twice), Asked(), WHOLE, None)
    assert told.outcome is Outcome.FOUND
    assert told.segments == (Segment(1.9, 3.9),)
    assert told.ours
    assert told.ours.passes


@pytest.mark.parametrize(
    ("ours", "outcome"), [(0.95, Outcome.FOUND), (0.5, Outcome.INCONCLUSIVE), (0.01, Outcome.ABSENT)]
)
def test_likeness_has_three_outcomes(ours: float, outcome: Outcome):
    assert evidence.classifier(Told(ours, 0.99), Asked(), WHOLE, None).outcome is outcome


def test_a_threshold_that_was_tested_too_little_is_a_hint():
    for points in ({}, {OURS_POINT: Point(0.9, 0.0, 0.15, 18)}):
        told = evidence.classifier(Told(0.97, 0.99), Asked(points), WHOLE, None)
        assert told.outcome is Outcome.INCONCLUSIVE
        assert told.ours
        assert told.ours.probability == 0.97
        assert not told.ours.passes


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (Told(None, None), "no face"),
        (None, "no face"),
        (Told(0.99, 0.99, is_unfamiliar=True), "unlike"),
    ],
)
def test_what_was_not_seen_well_gives_no_opinion(told: Told | None, why: str):
    said = evidence.classifier(told, Asked(), WHOLE, None)
    assert (said.outcome, said.ours, said.synthetic) == (Outcome.INCONCLUSIVE, None, None)
    assert why in said.sentence


def test_no_face_is_absent_from_what_was_not_decoded_to_its_end():
    damaged = replace(WHOLE, damage="The rest cannot be decoded.")
    assert evidence.classifier(Told(0.01, 0.01), Asked(), damaged, None).outcome is Outcome.INCONCLUSIVE


def test_very_many_moments_are_thinned():
    told = Told(0.5, 0.5, tuple(Moment(0.2 * step, 0.5, 0.5) for step in range(3 * MOST_INSTANTS + 1)))
    kept = evidence.instants(told)
    assert MOST_INSTANTS / 2 < len(kept) <= MOST_INSTANTS
    assert kept[0].at == 0


@pytest.mark.parametrize(
    ("witnesses", "outcome"),
    [
        (("picture",), Outcome.INCONCLUSIVE),
        (("sound",), Outcome.INCONCLUSIVE),
        (("picture", "sound"), Outcome.FOUND),
        (("picture", "motion"), Outcome.FOUND),
    ],
)
def test_one_witness_that_others_may_share_is_a_hint(witnesses: tuple[str, ...], outcome: Outcome):
    told = evidence.fingerprint([match(*witnesses)], 9, WHOLE, None)
    assert told.outcome is outcome
    assert told.ours
    assert told.ours.passes is (outcome is Outcome.FOUND)
    assert told.ours.probability == (0.99 if outcome is Outcome.FOUND else 0.5)


def test_an_empty_register_says_nothing():
    assert evidence.fingerprint([], 0, WHOLE, None).outcome is Outcome.INCONCLUSIVE
    assert evidence.fingerprint(None, 0, WHOLE, None).outcome is Outcome.INCONCLUSIVE
    assert evidence.fingerprint([], 9, WHOLE, None).outcome is Outcome.ABSENT


def test_films_that_only_look_alike_are_not_named():
    sure = match("picture", "motion", "sound")
    alike = replace(sure, job="b", confidence=0.001)
    assert [claim.job for claim in evidence.fingerprint([sure, alike], 9, WHOLE, None).claims] == ["a"]
    assert [claim.job for claim in evidence.fingerprint([alike], 9, WHOLE, None).claims] == ["b"]


def test_marks_name_the_bound_of_all_that_was_tried():
    heard = sound.Reading(Payload(10, 0.9), 1 - 2e-8, (sound.Segment(0.0, 9.0, 10, 20.0),))
    told = evidence.sound_mark([heard], True, WHOLE, None)
    assert told.ours
    assert told.ours.false_alarms.at_most == pytest.approx(2e-8)
    assert told.claims[0].job == "000000000a"


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [
        (WHOLE, Outcome.ABSENT),
        (Seen(0.0, exists=False), Outcome.ABSENT),
        (replace(WHOLE, seconds=1.0), Outcome.INCONCLUSIVE),
        (replace(WHOLE, side=64), Outcome.INCONCLUSIVE),
        (replace(WHOLE, damage="x"), Outcome.INCONCLUSIVE),
    ],
)
def test_no_mark_is_absent_only_if_it_could_have_been_read(seen: Seen, outcome: Outcome):
    nothing = picture.Reading(None, 0.0, (), 16)
    assert evidence.picture_mark([nothing], seen, None).outcome is outcome
    assert evidence.picture_mark([], seen, None).outcome is Outcome.INCONCLUSIVE
    assert evidence.picture_mark([], seen, "it failed").outcome is Outcome.INCONCLUSIVE


def test_the_classifier_has_no_opinion_of_a_film_without_faces(tmp_path):
    from detector.classifier import Classifier

    try:
        tools = Tools(classifier=Classifier.load())
        tools.classifier.watcher()  # type: ignore[union-attr]
    except (AssetError, ClassifierError) as error:
        pytest.skip(str(error))
    verdict = inspect(take(3.0, seed=1).write(tmp_path / "film.mp4"), tools)
    told = next(one for one in verdict.evidence if one.layer is Layer.CLASSIFIER)
    assert told.outcome is Outcome.INCONCLUSIVE
    assert "no face" in told.sentence
