"""From what a layer read to what it says: found, absent or inconclusive, in one plain sentence.

A layer that failed, had too little to look at, or saw a damaged file is inconclusive, never absent.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from detector.deciding import NEARLY_ONE, NO_AT_MOST, merged
from detector.fingerprint import Match
from detector.jobs import job_name
from detector.protocol import Classification, Classifier, OperatingPoint
from detector.verdict import (
    Claim,
    Evidence,
    Face,
    FalseAlarms,
    Instant,
    Layer,
    ManifestEvidence,
    Opinion,
    Outcome,
    Segment,
)
from detector.watermark import picture, sound
from detector.watermark.code import false_decode_bound

RATES = Path(__file__).with_name("rates.json")
"""Thresholds of the layers, and how often what is not ours passed them in the benchmarks."""

PICTURE_MARK_SECONDS = 2.0
PICTURE_MARK_PX = 96
"""A mark is embedded in frames of 192 pixels or more, and read at half of that."""

SOUND_MARK_SECONDS = 5.0
FINGERPRINT_SECONDS = 2.0

OURS_POINT = "fpr_0.1"
SYNTHETIC_POINT = "synthetic_fpr_0.1"
"""The classifier's thresholds that are gone by."""

SIGNATURE_BITS = 128

NAMED_AT_LEAST = 0.01
"""Confidence below which a film that only looks alike, such as another of the same portrait, is not named."""

MOST_INSTANTS = 2000
WEAK_WITNESS = 0.5
"""What a match by picture or by sound alone is worth at most: others may use the same portrait or speech."""


@dataclass(frozen=True)
class Seen:
    """How much of a track there was to look at.

    ``seconds`` were decoded; ``exists`` tells whether there is such a track at all; ``damage`` why it could
    not be decoded to its end; ``side`` is the shorter one of its largest picture (pixels, 0 for sound).
    """

    seconds: float
    exists: bool
    damage: str | None = None
    side: int = 0


def manifest(told: ManifestEvidence | None, seconds: float) -> Evidence:
    """What the caller read."""
    if told is None:
        return Evidence(
            Layer.MANIFEST, Outcome.INCONCLUSIVE, "The file's content credential was not looked at."
        )
    signed = Opinion(
        NEARLY_ONE,
        0.5,
        FalseAlarms(None, 2.0**-SIGNATURE_BITS, 0, "bound: a signature would have to be forged"),
    )
    found = told.outcome is Outcome.FOUND
    return Evidence(
        Layer.MANIFEST,
        told.outcome,
        told.sentence,
        claims=(Claim(told.job, NEARLY_ONE),) if found and told.job else (),
        segments=merged([Segment(0.0, seconds, told.job)]) if found and seconds else (),
        ours=signed if found else None,
        synthetic=signed if told.synthetic else None,
        seconds=round(seconds, 3),
    )


def picture_mark(readings: Sequence[picture.Reading], seen: Seen, failure: str | None) -> Evidence:
    """One reading for each key."""
    what = "A hidden mark in the picture"
    told = [(reading, reading.payload) for reading in readings if reading.payload is not None]
    if not told:
        enough = seen.seconds >= PICTURE_MARK_SECONDS and seen.side >= PICTURE_MARK_PX
        reason = _unread(seen, failure, enough, "picture", f"{PICTURE_MARK_SECONDS:.0f} seconds")
        if readings and not seen.exists:
            return Evidence(Layer.PICTURE_MARK, Outcome.ABSENT, "There is no moving picture to bear a mark.")
        if not readings and failure is None:
            reason = "no key for it is on this machine"
        return _not_found(Layer.PICTURE_MARK, what, reason, seen.seconds)
    segments = merged(
        Segment(part.start, part.end, job_name(part.job_id))
        for reading, _ in told
        for part in reading.segments
        if part.job_id is not None
    )
    claims = {job_name(payload.job_id): reading.confidence for reading, payload in told}
    for reading, _ in told:
        for part in reading.segments:
            if part.job_id is not None:
                claims.setdefault(job_name(part.job_id), reading.confidence)
    calls = sum(reading.calls for reading in readings)
    return Evidence(
        Layer.PICTURE_MARK,
        Outcome.FOUND,
        f"A hidden mark that only this house can write was read in the picture{_when(segments)}.",
        claims=tuple(Claim(job, confidence) for job, confidence in claims.items()),
        segments=segments,
        ours=_marked(Layer.PICTURE_MARK, calls),
        seconds=round(seen.seconds, 3),
        figures={
            "agreement": round(max(payload.agreement for _, payload in told), 3),
            "strongest": round(max(part.strength for reading, _ in told for part in reading.segments), 1),
            "tries": calls,
        },
    )


def sound_mark(readings: Sequence[sound.Reading], has_key: bool, seen: Seen, failure: str | None) -> Evidence:
    """One reading for each key, if there is sound."""
    what = "A hidden mark in the sound"
    told = [(reading, reading.payload) for reading in readings if reading.payload is not None]
    if not told:
        enough = seen.seconds >= SOUND_MARK_SECONDS
        reason = _unread(seen, failure, enough, "sound", f"{SOUND_MARK_SECONDS:.0f} seconds")
        if has_key and not seen.exists:
            return Evidence(Layer.SOUND_MARK, Outcome.ABSENT, "There is no sound to bear a mark.")
        if not has_key:
            reason = "no key for it is on this machine"
        return _not_found(Layer.SOUND_MARK, what, reason, seen.seconds)
    segments = merged(
        Segment(part.start_seconds, part.end_seconds, job_name(part.job_id))
        for reading, _ in told
        for part in reading.segments
        if part.job_id is not None
    )
    claims = {job_name(payload.job_id): reading.confidence for reading, payload in told}
    for reading, _ in told:
        for part in reading.segments:
            if part.job_id is not None:
                claims.setdefault(job_name(part.job_id), reading.confidence)
    return Evidence(
        Layer.SOUND_MARK,
        Outcome.FOUND,
        f"A hidden mark that only this house can write was heard in the sound{_when(segments)}.",
        claims=tuple(Claim(job, confidence) for job, confidence in claims.items()),
        segments=segments,
        ours=_passing(Layer.SOUND_MARK, min(reading.confidence for reading, _ in told)),
        seconds=round(seen.seconds, 3),
        figures={
            "agreement": round(max(payload.agreement for _, payload in told), 3),
            "strongest": round(max(part.score for reading, _ in told for part in reading.segments), 1),
            "speed": round(told[0][0].speed, 4),
        },
    )


def fingerprint(matches: Sequence[Match] | None, films: int, seen: Seen, failure: str | None) -> Evidence:
    """``matches`` against an index of ``films``; ``None`` if there is no index or nothing to look up."""
    what = "A film that this house delivered"
    if matches is None or not matches:
        enough = seen.seconds >= FINGERPRINT_SECONDS
        reason = _unread(seen, failure, enough, "file", f"{FINGERPRINT_SECONDS:.0f} seconds")
        if failure is None and matches is None:
            reason = "the register of delivered films is not on this machine"
        elif failure is None and films == 0:
            reason = "the register of delivered films is empty"
        return _not_found(Layer.FINGERPRINT, what, reason, seen.seconds)
    alone = all(_weak(match) for match in matches)
    best = max(matches, key=_worth)
    named = [match for match in matches if match is best or match.confidence >= NAMED_AT_LEAST]
    segments = merged(Segment(match.start, match.end, match.job) for match in named)
    likeness = "looks" if "picture" in best.witnesses else "sounds"
    return Evidence(
        Layer.FINGERPRINT,
        Outcome.INCONCLUSIVE if alone else Outcome.FOUND,
        f"It {likeness} like a film that this house delivered, but others may have used the same "
        f"{'portrait' if likeness == 'looks' else 'speech'}."
        if alone
        else f"It matches a film that this house delivered{_when(segments)}.",
        claims=tuple(Claim(match.job, min(match.confidence, _worth(match))) for match in named),
        segments=segments,
        ours=_passing(Layer.FINGERPRINT, _worth(best)),
        seconds=round(seen.seconds, 3),
        figures={
            "witnesses": ", ".join(best.witnesses),
            "picture_share": best.picture_share,
            "mirrored": "yes" if best.mirrored else "no",
            "crop": best.crop,
            **({} if best.offset is None else {"offset_s": best.offset}),
            **({} if best.motion_score is None else {"motion": best.motion_score}),
            **({} if best.sound_errors is None else {"sound_errors": best.sound_errors}),
        },
    )


def classifier(
    told: Classification | None, asked: Classifier | None, seen: Seen, failure: str | None
) -> Evidence:
    """What was told of faces, if a classifier was asked at all."""
    what = "Whether faces look like our work"
    reason = failure
    if asked is None:
        reason = "the classifier is not on this machine"
    elif not seen.exists:
        reason = "there is no moving picture"
    elif failure is None and (told is None or told.ours is None or told.synthetic is None):
        reason = "no face was seen clearly and long enough"
    elif told is not None and told.is_unfamiliar:
        reason = "the pictures are unlike those that this software was tested on"
    if reason or asked is None or told is None or told.ours is None or told.synthetic is None:
        sentence = f"{what} could not be told: {reason}."
        return Evidence(Layer.CLASSIFIER, Outcome.INCONCLUSIVE, sentence, seconds=round(seen.seconds, 3))
    ours = _likeness(told.ours, asked.operating_points.get(OURS_POINT))
    synthetic = _likeness(told.synthetic, asked.operating_points.get(SYNTHETIC_POINT))
    outcome, sentence = (
        Outcome.INCONCLUSIVE,
        "The faces look neither clearly like our work nor clearly unlike it.",
    )
    if ours.probability >= ours.threshold and not ours.passes:
        sentence = "The faces look like our work, but too little was tested to tell how often others do."
    elif ours.passes:
        outcome, sentence = Outcome.FOUND, "The faces look and move like our generator's."
    elif ours.probability <= NO_AT_MOST and seen.damage is None:
        outcome, sentence = Outcome.ABSENT, "The faces do not look like our generator's."
    steps = [later.at - one.at for one, later in pairwise(told.moments) if later.at > one.at]
    half = 0.5 * (median(steps) if steps else 1.0)
    return Evidence(
        Layer.CLASSIFIER,
        outcome,
        sentence,
        segments=merged(
            Segment(max(0.0, one.at - half), one.at + half)
            for one in told.moments
            if one.ours >= ours.threshold
        ),
        ours=ours,
        synthetic=synthetic,
        seconds=round(seen.seconds, 3),
        figures={
            "faces": len(told.faces),
            "moments": len(told.moments),
            "unfamiliar": round(told.unfamiliar, 3),
        },
    )


def faces(told: Classification | None) -> tuple[Face, ...]:
    """The face tracks, for the verdict."""
    if told is None:
        return ()
    return tuple(Face(one.start, one.end, one.box, one.ours, one.synthetic) for one in told.faces)


def instants(told: Classification | None) -> tuple[Instant, ...]:
    """The moments, every few of them if there are very many."""
    if told is None:
        return ()
    kept = told.moments[:: max(1, math.ceil(len(told.moments) / MOST_INSTANTS))]
    return tuple(Instant(one.at, one.box, one.ours, one.synthetic) for one in kept)


def clock(seconds: float) -> str:
    """Minutes and seconds, and hours if there are any."""
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    text = f"{rest // 60}:{rest % 60:02d}"
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else text


def _worth(match: Match) -> float:
    return min(match.ours, WEAK_WITNESS) if _weak(match) else match.ours


def _weak(match: Match) -> bool:
    return len(match.witnesses) < 2 and "motion" not in match.witnesses


def _likeness(probability: float, point: OperatingPoint | None) -> Opinion:
    """Without a threshold that was measured, no probability is enough."""
    if point is None:
        return Opinion(min(probability, NEARLY_ONE), 1.0, FalseAlarms(None, 1.0, 0, "not measured"))
    where = "real clips of people and sources that it was not trained on (benchmarks.classifier)"
    return Opinion(probability, point.threshold, FalseAlarms(point.fpr, point.fpr_upper_95, point.n, where))


def _unread(seen: Seen, failure: str | None, enough: bool, track: str, least: str) -> str | None:
    """Why a layer that found nothing may not say so; ``None`` if it may."""
    if failure is not None:
        return failure
    if seen.damage is not None:
        return f"the {track} could not be decoded to its end"
    if seen.exists and not enough:
        small = f", of pictures {PICTURE_MARK_PX} pixels wide and high" if seen.side else ""
        return f"it takes at least {least}{small}"
    return None


def _not_found(layer: Layer, what: str, reason: str | None, seconds: float) -> Evidence:
    if reason is not None:
        return Evidence(
            layer,
            Outcome.INCONCLUSIVE,
            f"{what} could not be looked for: {reason}.",
            seconds=round(seconds, 3),
        )
    return Evidence(layer, Outcome.ABSENT, f"{what} was looked for and not found.", seconds=round(seconds, 3))


def _marked(layer: Layer, calls: int) -> Opinion:
    return _passing(layer, 1.0 - false_decode_bound(calls))


def _passing(layer: Layer, probability: float) -> Opinion:
    rate = _rates()[layer.value]
    samples = int(rate["samples"])
    return Opinion(
        min(probability, NEARLY_ONE),
        float(rate["threshold"]),
        FalseAlarms(
            rate["false"] / samples if samples else None,
            float(rate["at_most"]) if rate["at_most"] is not None else max(0.0, 1.0 - probability),
            samples,
            str(rate["where"]),
        ),
    )


@cache
def _rates() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RATES.read_text())
    return found


def _when(segments: Sequence[Segment]) -> str:
    if not segments:
        return ""
    first = min(part.start for part in segments)
    last = max(part.end for part in segments)
    return f", between {clock(first)} and {clock(last)}"
