"""The verdict in words that need no glossary, and claim no more than was found."""

from __future__ import annotations

import math
from collections.abc import Sequence

from detector.evidence import clock
from detector.verdict import Answer, Decision, Job, Layer, Outcome, Segment, Verdict

MOST_JOBS = 3
SURE = 0.9
_LEAST = 1e-12

LAYER_NAMES = {
    Layer.MANIFEST: "content credential",
    Layer.PICTURE_MARK: "mark in the picture",
    Layer.SOUND_MARK: "mark in the sound",
    Layer.FINGERPRINT: "delivered films",
    Layer.CLASSIFIER: "faces",
}
_HOW = {
    Layer.MANIFEST: "it carries our signature, and nothing was changed since",
    Layer.FINGERPRINT: "it matches a film that we delivered",
}
_WHERE = {Layer.PICTURE_MARK: "picture", Layer.SOUND_MARK: "sound"}


def summary(verdict: Verdict) -> tuple[str, ...]:
    """Two to five sentences for a reader who has never heard of any of this."""
    sentences = [of_ours(verdict)]
    if verdict.ours.answer is Answer.YES and verdict.jobs:
        sentences.append(_of_jobs(verdict))
    sentences.append(of_synthetic(verdict))
    if verdict.is_unfamiliar:
        sentences.append(
            "Its pictures are unlike those that this software was tested on, so what their faces look like "
            "was left out of account."
        )
    if verdict.ours.answer is not Answer.YES:
        sentences.append("That no mark was found proves nothing: marks can be lost or removed.")
    return tuple(sentences)


def of_ours(verdict: Verdict) -> str:
    """The answer to: did our generator make any of it?"""
    decision = verdict.ours
    if decision.answer is Answer.YES:
        if decision.layer is Layer.CLASSIFIER:
            return (
                "This file was probably made with our generator: its faces look and move like ours. "
                f"Nothing else points to us, and {_one_in(decision)} look so too."
            )
        found = {one.layer for one in verdict.evidence if one.ours and one.ours.passes}
        ways = [_HOW[layer] for layer in (Layer.MANIFEST, Layer.FINGERPRINT) if layer in found]
        marked = [where for layer, where in _WHERE.items() if layer in found]
        if marked:
            ways.append(f"a hidden mark that only we can write was read in its {_and(marked)}")
        return f"This file holds material made with our generator: {_and(ways)}."
    if decision.answer is Answer.NO:
        return (
            "Nothing in this file points to our generator: no mark, no film of ours that matches, and faces "
            "unlike its work."
        )
    return f"Whether this file was made with our generator cannot be said: {_obstacle(verdict)}."


def of_synthetic(verdict: Verdict) -> str:
    """The answer to: was any of it generated, by whomever?"""
    decision = verdict.synthetic
    if decision.answer is Answer.YES:
        if verdict.ours.answer is Answer.YES:
            return "It is synthetic, at least in part, as every film of ours is."
        if decision.layer is Layer.MANIFEST:
            return "It is synthetic, at least in part: whoever signed it says so."
        return f"Its faces look generated, by whatever software; {_one_in(decision)} look so too."
    if decision.answer is Answer.NO:
        return "Its faces look recorded, not generated; software that it has not met may still deceive us."
    return "Whether it is a recording or was generated cannot be said."


def _of_jobs(verdict: Verdict) -> str:
    named = verdict.jobs[:MOST_JOBS]
    if verdict.conflict:
        names = _and([f"job {job.job}" for job in named])
        return (
            f"For the same moments it names different films of ours, {names}: they seem to have been mixed."
        )
    sure = [job for job in named if job.confidence >= SURE]
    if not sure:
        return f"It is most likely from job {named[0].job}{_times(named[0])}."
    if len(sure) == 1:
        return f"It is from job {sure[0].job}{_times(sure[0])}."
    return f"It holds parts of several films: {_and([f'job {job.job}{_times(job)}' for job in sure])}."


def _times(job: Job) -> str:
    return f" ({spans(job.segments)})" if job.segments else ""


def spans(segments: Sequence[Segment], most: int = 3) -> str:
    """Where in time, such as ``0:00 to 0:09, 0:12 to 0:20``."""
    told = [f"{clock(part.start)} to {clock(part.end)}" for part in segments[:most]]
    return ", ".join(told) + (f" and {len(segments) - most} more" if len(segments) > most else "")


def _obstacle(verdict: Verdict) -> str:
    if verdict.file.damage is not None:
        return "it could not be decoded to its end, and nothing was found in what could"
    if any(one.outcome is not Outcome.ABSENT and one.ours is not None for one in verdict.evidence):
        return "there are hints, but none is sure enough"
    return "nothing of ours was found, but not everything could be looked for"


def _one_in(decision: Decision) -> str:
    """How often others pass, by the upper bound: `up to one real recording in 1000`."""
    bound = decision.false_alarms.at_most if decision.false_alarms else 1.0
    return f"up to {one_in(bound)} recordings that are no such thing" if bound < 0.5 else "many others"


def one_in(share: float) -> str:
    """A small share, such as ``1 in 1,000``; never smaller than it is."""
    many = 1 / max(share, _LEAST)
    step = 10 ** max(0, math.floor(math.log10(many)) - 1)
    return f"1 in {math.floor(many / step + 1e-9) * step:,}"


def likelihood(probability: float) -> str:
    """In per cent, never rounded to certainty."""
    if probability > 0.999:
        return "more than 99.9 %"
    return (
        "less than 0.1 %"
        if probability < 0.001
        else f"{100 * probability:.{3 if probability > 0.99 else 2}g} %"
    )


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
