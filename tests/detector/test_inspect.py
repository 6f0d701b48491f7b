"""Whole files, looked at with everything: real encoders, real marks, a real index."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector import Answer, Evidence, Layer, ManifestEvidence, Outcome, Tools, Verdict, examine, inspect
from detector.errors import MediaError, MediaRefused
from detector.fingerprint import FingerprintIndex, fingerprint
from detector.media import Limits
from detector.watermark.picture import PictureMark
from detector.watermark.sound import SoundMark
from tests.detector.filming import KEY, Take, children, take

JOB, OTHER = 0xC0FFEE, 0x1234567890
NAME, OTHER_NAME = "0000c0ffee", "1234567890"
LIMITS = Limits(seconds=60.0, wall_seconds=30.0, stall_seconds=10.0)


@pytest.fixture(scope="module")
def plain() -> Take:
    return take(10.0, seed=1)


@pytest.fixture(scope="module")
def marked(plain: Take) -> Take:
    return plain.marked(JOB)


@pytest.fixture(scope="module")
def films(plain: Take, marked: Take, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    plain.write(folder / "plain.mp4")
    marked.write(folder / "marked.mp4")
    return folder


@pytest.fixture(scope="module")
def index(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FingerprintIndex]:
    with FingerprintIndex.open(tmp_path_factory.mktemp("index")) as index:
        index.add(NAME, fingerprint(films / "marked.mp4"))
        yield index


@pytest.fixture(scope="module")
def marks() -> Tools:
    return Tools((PictureMark(KEY),), (SoundMark(KEY),))


def of(verdict: Verdict, layer: Layer) -> Evidence:
    return next(one for one in verdict.evidence if one.layer is layer)


def test_a_marked_film_is_ours_and_names_its_job(films: Path, marks: Tools, index: FingerprintIndex):
    verdict = inspect(films / "marked.mp4", replace(marks, index=index), limits=LIMITS)
    assert verdict.ours.answer is verdict.synthetic.answer is Answer.YES
    for layer in (Layer.PICTURE_MARK, Layer.SOUND_MARK, Layer.FINGERPRINT):
        told = of(verdict, layer)
        assert told.outcome is Outcome.FOUND
        assert {claim.job for claim in told.claims} == {NAME}
        (segment,) = told.segments
        assert segment.start <= 0.5
        assert segment.end >= 9.5
    (job,) = verdict.jobs
    assert (job.job, job.layers) == (NAME, (Layer.PICTURE_MARK, Layer.SOUND_MARK, Layer.FINGERPRINT))
    assert verdict.ours.false_alarms
    assert verdict.ours.false_alarms.at_most < 1e-6
    assert not verdict.conflict
    assert f"job {NAME} (0:00 to 0:10)" in " ".join(verdict.summary)
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_it_is_still_ours_when_it_was_cut_and_compressed(marked: Take, marks: Tools, tmp_path: Path):
    verdict = inspect(marked.cut(2.2, 9.0).write(tmp_path / "cut.mp4", crf=28), marks, limits=LIMITS)
    assert verdict.ours.answer is Answer.YES
    assert of(verdict, Layer.PICTURE_MARK).outcome is Outcome.FOUND
    assert verdict.jobs[0].job == NAME


def test_the_voice_alone_is_ours(marked: Take, marks: Tools, tmp_path: Path):
    verdict = inspect(marked.write(tmp_path / "voice.m4a", picture=False), marks, limits=LIMITS)
    assert (verdict.ours.answer, verdict.ours.layer) == (Answer.YES, Layer.SOUND_MARK)
    assert of(verdict, Layer.PICTURE_MARK).outcome is Outcome.ABSENT
    assert of(verdict, Layer.PICTURE_MARK).seconds == 0


def test_the_picture_alone_is_ours(marked: Take, marks: Tools, tmp_path: Path):
    verdict = inspect(marked.write(tmp_path / "silent.mp4", sound=False), marks, limits=LIMITS)
    assert (verdict.ours.answer, verdict.ours.layer) == (Answer.YES, Layer.PICTURE_MARK)
    assert of(verdict, Layer.SOUND_MARK).outcome is Outcome.ABSENT


def test_nothing_is_found_in_what_is_not_ours(films: Path, marks: Tools, tmp_path: Path):
    stranger = take(8.0, seed=7).write(tmp_path / "stranger.mp4")
    verdict = inspect(stranger, marks, limits=LIMITS)
    assert [of(verdict, layer).outcome for layer in (Layer.PICTURE_MARK, Layer.SOUND_MARK)] == [
        Outcome.ABSENT,
        Outcome.ABSENT,
    ]
    assert verdict.ours.answer is Answer.INCONCLUSIVE
    assert verdict.ours.probability is None
    assert "proves nothing" in verdict.summary[-1]


def test_a_film_that_lost_its_marks_is_known_by_its_fingerprint(
    plain: Take, index: FingerprintIndex, tmp_path: Path
):
    verdict = inspect(plain.cut(3, 9).write(tmp_path / "clip.mp4", crf=28), Tools(index=index), limits=LIMITS)
    told = of(verdict, Layer.FINGERPRINT)
    assert told.outcome is Outcome.FOUND
    assert told.claims[0].job == NAME
    assert (verdict.ours.answer, verdict.ours.layer) == (Answer.YES, Layer.FINGERPRINT)


def test_the_same_speech_alone_is_a_hint_and_no_proof(plain: Take, index: FingerprintIndex, tmp_path: Path):
    other = replace(take(10.0, seed=5), sound=plain.sound)
    verdict = inspect(other.write(tmp_path / "dubbed.mp4"), Tools(index=index), limits=LIMITS)
    told = of(verdict, Layer.FINGERPRINT)
    assert told.outcome is Outcome.INCONCLUSIVE
    assert told.claims[0].job == NAME
    assert verdict.ours.answer is Answer.INCONCLUSIVE
    assert verdict.ours.probability == 0.5


def test_both_jobs_of_a_spliced_film_are_in_its_segments(marked: Take, marks: Tools, tmp_path: Path):
    second = take(12.0, seed=2).marked(OTHER)
    verdict = inspect(marked.then(second).write(tmp_path / "spliced.mp4"), marks, limits=LIMITS)
    jobs = {job.job: job for job in verdict.jobs}
    assert set(jobs) == {NAME, OTHER_NAME}
    assert jobs[NAME].segments[0].start < 1
    assert jobs[OTHER_NAME].segments[-1].end > 20
    shown = of(verdict, Layer.PICTURE_MARK).segments
    assert [part.job for part in shown] == [NAME, OTHER_NAME]
    assert shown[0].end == pytest.approx(10, abs=2.1)
    assert not verdict.conflict


def test_picture_and_sound_of_two_films_are_a_conflict(marked: Take, marks: Tools, tmp_path: Path):
    other = take(10.0, seed=2).marked(OTHER)
    mixed = replace(marked, sound=other.sound).write(tmp_path / "mixed.mp4")
    verdict = inspect(mixed, marks, limits=LIMITS)
    assert verdict.conflict
    assert verdict.ours.answer is Answer.YES
    assert NAME in verdict.summary[1]
    assert OTHER_NAME in verdict.summary[1]


def test_a_manifest_of_ours_settles_it(films: Path):
    signed = ManifestEvidence(Outcome.FOUND, "It is signed.", NAME, synthetic=True)
    verdict = inspect(films / "plain.mp4", Tools(), manifest=signed, limits=LIMITS)
    assert (verdict.ours.answer, verdict.ours.layer) == (Answer.YES, Layer.MANIFEST)
    assert verdict.jobs[0].job == NAME


def test_without_tools_nothing_is_said_and_why(films: Path):
    verdict = inspect(films / "plain.mp4", Tools(missing=("There is no key here.",)), limits=LIMITS)
    assert {one.outcome for one in verdict.evidence} == {Outcome.INCONCLUSIVE}
    assert verdict.notes == ("There is no key here.",)
    assert verdict.ours.answer is verdict.synthetic.answer is Answer.INCONCLUSIVE


@pytest.mark.parametrize(("seconds", "side"), [(1.2, 256), (6.0, 64)])
def test_too_short_or_too_small_is_inconclusive(seconds: float, side: int, marks: Tools, tmp_path: Path):
    verdict = inspect(take(seconds, 3, side).write(tmp_path / "small.mp4"), marks, limits=LIMITS)
    assert of(verdict, Layer.PICTURE_MARK).outcome is Outcome.INCONCLUSIVE
    assert "seconds" in of(verdict, Layer.PICTURE_MARK).sentence


def test_a_damaged_film_is_judged_by_what_is_left_and_never_absent(
    marked: Take, plain: Take, marks: Tools, tmp_path: Path
):
    for source, answer in ((marked, Answer.YES), (plain, Answer.INCONCLUSIVE)):
        whole = source.write(tmp_path / "whole.mkv").read_bytes()
        body = bytearray(whole[: len(whole) * 3 // 4])
        (tmp_path / "cut.mkv").write_bytes(body)
        verdict = inspect(tmp_path / "cut.mkv", marks, limits=replace(LIMITS, seconds=6.0))
        assert verdict.file.damage is not None
        assert verdict.ours.answer is answer
        assert Outcome.ABSENT not in {one.outcome for one in verdict.evidence}


def test_a_layer_that_fails_is_inconclusive_and_stops_nobody(films: Path, marks: Tools):
    class Broken(PictureMark):
        def reader(self):
            raise ZeroDivisionError

    tools = replace(marks, picture_marks=(Broken(KEY),))
    verdict = inspect(films / "marked.mp4", tools, limits=LIMITS)
    told = of(verdict, Layer.PICTURE_MARK)
    assert told.outcome is Outcome.INCONCLUSIVE
    assert "ZeroDivisionError" in told.sentence
    assert of(verdict, Layer.SOUND_MARK).outcome is Outcome.FOUND


def test_what_is_no_film_is_an_error(tmp_path: Path, marks: Tools):
    (tmp_path / "text.mp4").write_text("no film")
    os.mkfifo(tmp_path / "pipe.mp4")
    for path in (tmp_path / "text.mp4", tmp_path / "none.mp4", tmp_path, tmp_path / "pipe.mp4"):
        with pytest.raises(MediaRefused):
            inspect(path, marks, limits=LIMITS)


def test_progress_is_told_on_the_callers_thread(films: Path):
    told: list[tuple[float, float]] = []

    def tell(done: float, total: float) -> None:
        assert threading.current_thread() is threading.main_thread()
        told.append((done, total))

    inspect(films / "plain.mp4", Tools(), limits=LIMITS, progress=tell)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1] == pytest.approx(10, abs=0.2)
    assert len(told) > 10


def test_whoever_interrupts_leaves_no_thread_and_no_process(films: Path, marks: Tools):
    def interrupt(done: float, total: float) -> None:
        if done > 1:
            raise KeyboardInterrupt

    before, running = threading.active_count(), children()
    with pytest.raises(KeyboardInterrupt):
        inspect(films / "plain.mp4", marks, limits=LIMITS, progress=interrupt)
    assert threading.active_count() == before
    assert children() <= running


def test_stills_are_spread_over_the_film_however_long(films: Path):
    for most in (3, 8):
        stills = examine(films / "plain.mp4", Tools(), limits=LIMITS, most_stills=most).stills
        assert most / 2 <= len(stills) <= most
        times = [still.at for still in stills]
        assert times[0] < 0.5
        assert times[-1] >= 10 / 2
        assert np.ptp(np.diff(times)) < 0.1
        assert all(max(still.picture.shape) <= 512 for still in stills)


@given(data=st.data())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_never_harms_the_caller(films: Path, marks: Tools, tmp_path: Path, data: st.DataObject):
    _survive(films, marks, tmp_path, data.draw)


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_much_damage_never_harms_the_caller(films: Path, marks: Tools, tmp_path: Path, data: st.DataObject):
    _survive(films, marks, tmp_path, data.draw)


def _survive(films: Path, marks: Tools, folder: Path, draw: Callable[..., int]) -> None:
    body = bytearray((films / "marked.mp4").read_bytes())
    for _ in range(draw(st.integers(0, 60))):
        body[draw(st.integers(0, len(body) - 1))] = draw(st.integers(0, 255))
    (folder / "damaged.mp4").write_bytes(body[: draw(st.integers(1, len(body)))])
    with suppress(MediaError):
        verdict = inspect(folder / "damaged.mp4", marks, limits=LIMITS)
        assert {job.job for job in verdict.jobs} <= {NAME}
        assert Verdict.from_json(verdict.to_json()) == verdict
