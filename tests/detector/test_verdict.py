"""From evidence to an answer: the rule, the words, and the JSON."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import detector.verdict
from detector import Answer, Evidence, Layer, Outcome, Verdict, deciding, job_name, job_number, wording
from detector.errors import VerdictError
from detector.verdict import (
    SCHEMA,
    Claim,
    Decision,
    Face,
    FalseAlarms,
    File,
    Instant,
    Opinion,
    Segment,
)

RATE = FalseAlarms(0.0, 0.001, 3000, "real clips")
FILE = File("film.mp4", 9, "0" * 64, 10.0, 512, 512, 25.0, "h264", "aac", None)
few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
shares = st.floats(0, 1)
RANK = {Answer.NO: 0, Answer.INCONCLUSIVE: 1, Answer.YES: 2}


def opinion(probability: float, threshold: float = 0.9, at_most: float = 0.001) -> Opinion:
    return Opinion(probability, threshold, FalseAlarms(None, at_most, 0, "bound"))


def found(layer: Layer, job: str, *spans: tuple[float, float], confidence: float = 0.999) -> Evidence:
    segments = tuple(Segment(start, end, job) for start, end in spans or ((0.0, 10.0),))
    return Evidence(
        layer,
        Outcome.FOUND,
        "It is there.",
        (Claim(job, confidence),),
        segments,
        opinion(confidence),
        seconds=10.0,
    )


def absent(layer: Layer, likeness: float | None = None) -> Evidence:
    one = None if likeness is None else opinion(likeness)
    return Evidence(layer, Outcome.ABSENT, "It is not there.", ours=one, synthetic=one, seconds=10.0)


def unsure(layer: Layer, likeness: float | None = None) -> Evidence:
    one = None if likeness is None else opinion(likeness)
    return Evidence(layer, Outcome.INCONCLUSIVE, "It cannot be said.", ours=one, synthetic=one)


NOTHING = tuple(absent(layer, 0.01 if layer is Layer.CLASSIFIER else None) for layer in Layer)


@st.composite
def evidence(draw: st.DrawFn, layer: Layer) -> Evidence:
    jobs = draw(st.lists(st.sampled_from(["a", "b", "c"]), unique=True, max_size=2))
    likely = st.none() | st.builds(opinion, shares, shares, shares)
    return Evidence(
        layer,
        draw(st.sampled_from(Outcome)),
        draw(st.text(max_size=9)),
        tuple(Claim(job, draw(shares)) for job in jobs),
        tuple(
            Segment(start, start + draw(st.floats(0, 9)), draw(st.none() | st.sampled_from(["a", "b"])))
            for start in draw(st.lists(st.floats(0, 99), max_size=2))
        ),
        draw(likely),
        draw(likely),
        draw(st.floats(0, 99)),
        draw(st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.floats(-9, 9), max_size=2)),
    )


layers = st.tuples(*(evidence(layer) for layer in Layer))
damages = st.none() | st.just("The rest cannot be decoded.")


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    told, damage = draw(layers), draw(damages)
    ours = deciding.ours(told, damage)
    box = draw(st.tuples(shares, shares, shares, shares))
    verdict = Verdict(
        replace(FILE, name=draw(st.text()), damage=damage),
        "2026-11-22T16:00:00+00:00",
        (),
        ours,
        deciding.synthetic(told, ours, damage),
        told,
        deciding.jobs(told),
        deciding.conflict(told),
        draw(st.sampled_from([(), (Face(0.0, 1.0, box, 0.1, 0.2),)])),
        draw(st.sampled_from([(), (Instant(0.5, box, 0.1, 0.2),)])),
        draw(st.none() | shares),
        draw(st.booleans()),
        tuple(draw(st.lists(st.text(), max_size=2))),
    )
    return replace(verdict, summary=wording.summary(verdict))


@few
@given(layers, damages)
def test_probabilities_are_shares_and_answers_have_their_reasons(
    told: tuple[Evidence, ...], damage: str | None
):
    ours = deciding.ours(told, damage)
    for decision in (ours, deciding.synthetic(told, ours, damage)):
        assert decision.probability is None or 0 <= decision.probability <= 1
        if decision.answer is not Answer.INCONCLUSIVE:
            assert decision.probability is not None
            assert decision.layer is not None
            assert decision.false_alarms is not None
        if decision.answer is Answer.NO:
            assert decision.probability is not None
            assert decision.probability <= deciding.NO_AT_MOST
            assert damage is None


@few
@given(layers, damages, st.sampled_from(Layer), shares, shares)
def test_more_evidence_for_ours_never_lowers_it(
    told: tuple[Evidence, ...], damage: str | None, layer: Layer, probability: float, threshold: float
):
    more = (*told, Evidence(layer, Outcome.FOUND, "", ours=opinion(probability, threshold)))
    before, after = deciding.ours(told, damage), deciding.ours(more, damage)
    assert RANK[after.answer] >= RANK[before.answer]
    assert after.probability is not None
    assert after.probability >= (before.probability or 0) - 1e-12


@few
@given(layers, damages)
def test_what_is_ours_is_synthetic(told: tuple[Evidence, ...], damage: str | None):
    ours = deciding.ours(told, damage)
    synthetic = deciding.synthetic(told, ours, damage)
    if ours.answer is Answer.YES:
        assert synthetic.answer is Answer.YES
    assert (synthetic.probability or 0) >= (ours.probability or 0)


@pytest.mark.parametrize("layer", Layer)
def test_one_sure_layer_is_enough(layer: Layer):
    told = tuple(found(one, "a") if one is layer else unsure(one) for one in Layer)
    decision = deciding.ours(told, None)
    assert (decision.answer, decision.layer) == (Answer.YES, layer)


def test_an_answer_rests_on_the_layer_with_the_fewest_false_alarms():
    told = [
        Evidence(Layer.CLASSIFIER, Outcome.FOUND, "", ours=opinion(0.99, 0.9, 1e-3)),
        Evidence(Layer.SOUND_MARK, Outcome.FOUND, "", ours=opinion(0.99, 0.9, 1e-8)),
    ]
    decision = deciding.ours(told, None)
    assert (decision.layer, decision.threshold) == (Layer.SOUND_MARK, 0.9)
    assert decision.false_alarms
    assert decision.false_alarms.at_most == 1e-8


def test_weak_hints_do_not_add_up_to_a_yes():
    told = [unsure(Layer.FINGERPRINT, 0.8), unsure(Layer.CLASSIFIER, 0.8)]
    decision = deciding.ours(told, None)
    assert decision.answer is Answer.INCONCLUSIVE
    assert decision.probability == pytest.approx(0.96)


def test_no_needs_every_layer_to_have_looked():
    assert deciding.ours(NOTHING, None).answer is Answer.NO
    for missing in range(len(NOTHING)):
        told = [unsure(one.layer) if index == missing else one for index, one in enumerate(NOTHING)]
        assert deciding.ours(told, None).answer is Answer.INCONCLUSIVE


def test_no_needs_the_whole_file():
    decision = deciding.ours(NOTHING, "The rest cannot be decoded.")
    assert decision.answer is Answer.INCONCLUSIVE
    assert deciding.synthetic(NOTHING, decision, "The rest cannot be decoded.").answer is Answer.INCONCLUSIVE


def test_absent_marks_alone_prove_nothing():
    assert deciding.ours([absent(Layer.PICTURE_MARK), absent(Layer.SOUND_MARK)], None).probability is None


def test_what_others_generated_is_synthetic_and_not_ours():
    told = (*NOTHING[:-1], replace(absent(Layer.CLASSIFIER, 0.01), synthetic=opinion(0.97)))
    ours = deciding.ours(told, None)
    assert ours.answer is Answer.NO
    assert deciding.synthetic(told, ours, None).answer is Answer.YES


def test_layers_that_name_one_job_make_it_surer():
    told = [found(Layer.FINGERPRINT, "a", confidence=0.9), found(Layer.SOUND_MARK, "a", confidence=0.8)]
    (job,) = deciding.jobs(told)
    assert (job.job, job.layers) == ("a", (Layer.FINGERPRINT, Layer.SOUND_MARK))
    assert job.confidence == pytest.approx(0.98)


def test_two_jobs_at_the_same_time_are_a_conflict_and_one_after_the_other_are_not():
    picture = found(Layer.PICTURE_MARK, "a", (0, 5))
    assert deciding.conflict([picture, found(Layer.SOUND_MARK, "b", (0, 5))])
    assert deciding.conflict([picture, found(Layer.SOUND_MARK, "b", (3, 9))])
    assert not deciding.conflict([picture, found(Layer.SOUND_MARK, "b", (5, 10))])
    assert not deciding.conflict([picture, found(Layer.SOUND_MARK, "a", (0, 5))])
    assert not deciding.conflict([picture, found(Layer.FINGERPRINT, "b", (0, 5), confidence=0.5)])


@given(st.lists(st.builds(Segment, st.floats(0, 50), st.floats(50, 99), st.sampled_from(["a", "b"]))))
def test_merged_segments_of_one_job_do_not_touch(segments: list[Segment]):
    kept = deciding.merged(segments)
    assert deciding.merged(kept) == kept
    for job in ("a", "b"):
        mine = [part for part in kept if part.job == job]
        assert all(later.start > part.end for part, later in pairwise(mine))


@few
@given(verdicts())
def test_a_verdict_survives_its_json(verdict: Verdict):
    text = verdict.to_json()
    assert text.isascii()
    assert Verdict.from_json(text) == verdict


@few
@given(verdicts())
def test_a_summary_has_two_to_five_sentences_and_no_jargon(verdict: Verdict):
    assert 2 <= len(verdict.summary) <= 5
    for sentence in verdict.summary:
        assert sentence[0].isupper() or sentence[0] == "“"
        assert sentence.endswith(".")
        for word in (
            "watermark",
            "hash",
            "payload",
            "C2PA",
            "classifier",
            "false-positive",
            "None",
            "inconclusive",
        ):
            assert word not in sentence


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema": "org.vernissage.verdict/2"}',
        '{"schema": "org.vernissage.verdict/1", "file": 3}',
        '{"schema": "org.vernissage.verdict/1"}',
    ],
)
def test_anything_else_is_no_verdict(text: str):
    with pytest.raises(VerdictError):
        Verdict.from_json(text)


def test_a_verdict_with_a_field_of_another_kind_is_none():
    verdict = _verdict()
    whole = json.loads(verdict.to_json())
    assert Verdict.from_json(json.dumps(whole)) == verdict
    for change in ({"conflict": "no"}, {"summary": "x"}, {"more": 1}, {"examined": None}):
        with pytest.raises(VerdictError):
            Verdict.from_json(json.dumps(whole | change))


def _verdict() -> Verdict:
    told = (found(Layer.PICTURE_MARK, "a"), absent(Layer.CLASSIFIER, 0.2))
    ours = deciding.ours(told, None)
    verdict = Verdict(
        FILE, "2026-11-22T16:00:00+00:00", (), ours, deciding.synthetic(told, ours, None), told,
        deciding.jobs(told), faces=(Face(0.0, 1.0, (0.1, 0.1, 0.5, 0.5), 0.9, 0.9),), notes=("No index.",),
    )  # fmt: skip
    return replace(verdict, summary=wording.summary(verdict))


SCHEMA_FILE = Path(detector.verdict.__file__).with_name("verdict.schema.json")


def test_the_schema_knows_every_field_and_every_word():
    schema = json.loads(SCHEMA_FILE.read_text())
    assert schema["properties"]["schema"]["const"] == SCHEMA
    assert schema["required"] == list(schema["properties"])
    assert set(schema["properties"]) == {"schema"} | {each.name for each in fields(Verdict)}
    described = schema["$defs"]
    kinds = {
        "file": File, "evidence": Evidence, "decision": Decision, "opinion": Opinion, "claim": Claim,
        "segment": Segment, "false_alarms": FalseAlarms, "face": Face, "instant": Instant,
        "job": detector.verdict.Job,
    }  # fmt: skip
    for name, kind in kinds.items():
        assert described[name]["required"] == [each.name for each in fields(kind)], name
        assert set(described[name]["properties"]) == set(described[name]["required"])
    assert described["layer"]["enum"] == list(Layer)
    assert described["answer"]["enum"] == list(Answer)
    assert described["evidence"]["properties"]["outcome"]["enum"] == list(Outcome)


def test_no_type_of_the_verdict_is_missing_from_the_schema():
    seen: set[Any] = set()

    def walk(kind: Any) -> None:
        if is_dataclass(kind) and kind not in seen:
            seen.add(kind)
            for each in get_type_hints(kind).values():
                walk(each)
        elif isinstance(kind, type) and issubclass(kind, StrEnum):
            seen.add(kind)
        for inner in get_args(kind):
            walk(inner)

    walk(Verdict)
    assert len([kind for kind in seen if is_dataclass(kind)]) == 11


@few
@given(verdicts())
def test_verdicts_keep_to_the_schema(verdict: Verdict):
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    jsonschema.validate(json.loads(verdict.to_json()), json.loads(SCHEMA_FILE.read_text()))


@given(st.integers(0, 2**40 - 1))
def test_a_job_has_one_name(number: int):
    assert job_number(job_name(number)) == number


@pytest.mark.parametrize("name", ["", "ff", "00000000FF", "00000000ff0", "00000000f\u0663", " 0000000ff"])
def test_nothing_else_names_a_job(name: str):
    with pytest.raises(ValueError, match="hexadecimal"):
        job_number(name)


@pytest.mark.parametrize("number", [-1, 2**40])
def test_job_numbers_have_forty_bits(number: int):
    with pytest.raises(ValueError, match="2\\^40"):
        job_name(number)
