"""Which delivered film a clip shows, from where to where, and how sure that is.

Three witnesses: pictures find the portrait, motion and sound tell its films apart and align them. Sound is
judged by the chance that unrelated sound would agree so well, over all offsets of all films; motion by its
correlation and the lead over every other film of the same picture. Pictures alone name a job only where no
other shows them, and then with doubt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from detector.fingerprint import motion, picture, sound
from detector.fingerprint.index import Candidate, FingerprintIndex, Seen
from detector.fingerprint.prints import Fingerprint

MIN_MOTION = 0.7
MIN_MOTION_LEAD = 0.05
"""Over the next film, in Fisher's z."""

MOTION_CONFIDENCE = 0.9
"""What motion is worth: two films of one portrait with the same seed move almost alike."""

CONTRADICTED = 0.5
"""What is left of a job's confidence if the sound at the offset of its motion is not the job's."""

PICTURE_CONFIDENCE = 0.5
"""What pictures alone are worth: another film may have been made of the same portrait elsewhere."""

AGREEMENT_SECONDS = 0.5
MAX_CHANCE = 0.05
MAX_REACH_SECONDS = 300.0
_NEARLY_ONE = 0.9999


@dataclass(frozen=True)
class Match:
    """A job that a clip shows.

    ``start`` to ``end``: the clip's seconds that it covers; ``offset``: time in the job less time in the clip
    (s), ``None`` if only pictures agree. ``ours``: probability that the clip shows or sounds as this job
    does; ``confidence``: that it is this job's, not another's that looks or sounds so. ``witnesses``: which
    of ``picture``, ``motion`` and ``sound`` agree. ``crop``: share of the job's picture side that is left.
    ``speed``: how many times faster than the job the clip runs (``offset`` is that of its beginning).
    ``picture_share``: of the clip's sampled pictures those that are the job's; ``motion_score``: correlation;
    ``sound_errors``: share of wrong bits (each ``None`` if it was not compared).
    """

    job: str
    start: float
    end: float
    offset: float | None
    ours: float
    confidence: float
    witnesses: tuple[str, ...]
    mirrored: bool
    crop: float
    picture_share: float
    motion_score: float | None
    sound_errors: float | None
    speed: float = 1.0


@dataclass(frozen=True)
class _Weighed:
    candidate: Candidate
    alignment: motion.Alignment | None
    heard: tuple[float, int, int, int, int] | None
    view: Seen | None


def find(index: FingerprintIndex, query: Fingerprint) -> list[Match]:
    """The jobs that a clip's fingerprint shows, the surest first; empty if none does."""
    views = [query]
    if query.inside is not None:
        views.append(replace(query, sights=query.inside.sights, motion=query.inside.motion, inside=None))
    matches = max((_find(index, view, 1) for view in views), key=_strength)
    settled = matches and "sound" in matches[0].witnesses
    if settled or (not len(query.sound) and matches and "motion" in matches[0].witnesses):
        return matches
    if not any("picture" in match.witnesses for match in matches):
        views = [replace(query, sights=[])]
    others = (_find_sped(index, view, speed) for view in views for speed in sound.SPEEDS[1:])
    return max((matches, *others), key=_strength)


def _strength(matches: list[Match]) -> tuple[int, float, float]:
    if not matches:
        return 0, 0.0, 0.0
    first = matches[0]
    return len(first.witnesses), first.ours, first.motion_score or 0.0


def _find_sped(index: FingerprintIndex, query: Fingerprint, speed: float) -> list[Match]:
    found = _find(index, _slowed(query, speed), len(sound.SPEEDS))
    return [
        replace(
            match, start=round(match.start / speed, 2), end=round(match.end / speed, 2), speed=round(speed, 3)
        )
        for match in found
    ]


def _slowed(query: Fingerprint, speed: float) -> Fingerprint:
    """The clip's first minute as it was before it was sped up."""
    most = sound.RETUNED_SECONDS
    rows = query.motion[: round(most * motion.RATE)]
    heard = next((one for one in query.retuned if one.speed == speed and len(query.sound)), None)
    return Fingerprint(
        min(query.seconds, most) * speed,
        [replace(sight, at=sight.at * speed) for sight in query.sights if sight.at <= most],
        motion.slowed(rows, speed),
        heard.bits if heard else query.sound[:0],
        heard.loud if heard else query.loud[:0],
    )


def _find(index: FingerprintIndex, query: Fingerprint, speeds: int) -> list[Match]:
    """``speeds``: at how many it is tried in all."""
    weighed = [_weigh(query, candidate) for candidate in index.candidates(query)]
    tries = len(index) * speeds
    matches = []
    for one in weighed:
        rival = max((_score(other) for other in weighed if other is not one), default=0.0)
        match = _judge(query, one, rival, tries)
        if match is not None:
            matches.append(match)
    return sorted((_share(match, matches) for match in matches), key=lambda match: -match.confidence)


def _share(match: Match, matches: list[Match]) -> Match:
    """Jobs that claim the same moments compete: more witnesses win, as many share."""
    rivals = [other for other in matches if other.start < match.end and match.start < other.end]
    rank = len(match.witnesses)
    better = max((other.ours for other in rivals if len(other.witnesses) > rank), default=0.0)
    equals = sum(len(other.witnesses) == rank for other in rivals)
    return replace(match, confidence=min(match.confidence, 1 - better) / max(1, equals))


def _weigh(query: Fingerprint, candidate: Candidate) -> _Weighed:
    alignment, view = None, None
    if candidate.seen:
        views = {
            (seen.share, seen.mirrored): seen for seen in sorted(candidate.seen, key=lambda seen: -seen.bits)
        }
        likely = sorted(views.values(), key=lambda seen: seen.bits)[:2]
        tried = [(_align(query, candidate, seen), seen) for seen in likely]
        alignment, view = max(tried, key=lambda pair: pair[0].score if pair[0] else -1.0)
    heard = None
    aligned = (round(alignment.offset * sound.ROWS_PER_SECOND),) if alignment else ()
    for offset in candidate.offsets + aligned:
        wrong, at, rows = sound.errors(query.sound, query.loud, candidate.sound, offset)
        if len(rows) and (heard is None or wrong < heard[0]):
            heard = (wrong, at, len(rows), int(rows[0]), int(rows[-1]))
    return _Weighed(candidate, alignment, heard, view)


def _align(query: Fingerprint, candidate: Candidate, seen: Seen) -> motion.Alignment | None:
    """The motion around the moment that was seen, as far as the candidate reaches."""
    reach = min(candidate.seconds, MAX_REACH_SECONDS) + 1
    first, last = max(0, round((seen.at - reach) * motion.RATE)), round((seen.at + reach) * motion.RATE)
    found = motion.align(query.motion[first:last], candidate.motion, seen.share, seen.mirrored)
    return found and replace(found, offset=found.offset - first / motion.RATE)


def _score(one: _Weighed) -> float:
    return one.alignment.score if one.alignment else 0.0


def _fisher(correlation: float) -> float:
    return float(np.arctanh(np.clip(correlation, -_NEARLY_ONE, _NEARLY_ONE)))


def _judge(query: Fingerprint, one: _Weighed, rival: float, tries: int) -> Match | None:
    candidate, alignment, heard, view = one.candidate, one.alignment, one.heard, one.view
    witnesses: list[str] = []
    doubt, offset, kept = 1.0, None, 1.0
    start, end = _span([seen.at for seen in candidate.seen])
    if candidate.seen:
        witnesses.append("picture")
        doubt = 1 - PICTURE_CONFIDENCE
    if (
        alignment
        and alignment.score >= MIN_MOTION
        and _fisher(alignment.score) >= _fisher(rival) + MIN_MOTION_LEAD
    ):
        witnesses.append("motion")
        doubt, offset = 1 - MOTION_CONFIDENCE, alignment.offset
    if heard and heard[0] <= sound.MAX_ERRORS and heard[2] >= sound.MIN_SECONDS * sound.ROWS_PER_SECOND:
        trials = tries * (query.seconds + candidate.seconds) * sound.ROWS_PER_SECOND
        unlikely = min(1.0, trials * sound.chance(heard[0], heard[2]))
        if unlikely < MAX_CHANCE:
            witnesses.append("sound")
            where = heard[1] / sound.ROWS_PER_SECOND
            agree = offset is not None and abs(where - offset) <= AGREEMENT_SECONDS
            doubt = unlikely * (1 - MOTION_CONFIDENCE) if agree else unlikely
            offset = where
            first, last = (row / sound.ROWS_PER_SECOND for row in heard[3:])
            start, end = min(start, first), max(end, last)
    elif heard and offset is not None and heard[2] >= sound.MIN_SECONDS * sound.ROWS_PER_SECOND:
        kept = CONTRADICTED
    if not witnesses:
        return None
    if offset is not None:
        start, end = max(0.0, -offset), min(query.seconds, candidate.seconds - offset)
    return Match(
        candidate.job,
        round(start, 2),
        round(end, 2),
        None if offset is None else round(offset, 2),
        ours := float(np.clip(1 - doubt, 0.0, 1 - 1e-9)),
        ours * kept,
        tuple(witnesses),
        view.mirrored if view else False,
        round(view.share, 2) if view else 1.0,
        round(len(candidate.seen) / max(1, len(query.sights)), 3),
        round(alignment.score, 3) if alignment else None,
        round(heard[0], 3) if heard else None,
    )


def _span(times: list[float]) -> tuple[float, float]:
    return (times[0], times[-1] + 1 / picture.SAMPLES_PER_SECOND) if times else (np.inf, 0.0)
