"""How evidence becomes an answer. The whole rule:

*Ours.* Each layer with an opinion gives a probability; together they leave the product of their doubts:
``1 - (1 - p1)(1 - p2)...``. The answer is **yes** if any layer's probability reaches its own threshold (and
at most ``MOST_FALSE_ALARMS`` of others do), and it rests on the layer with the fewest false alarms of those.
It is **no** if every layer could look, none found anything, the file could be decoded to its end, and the
probability is at most ``NO_AT_MOST``. All else is **inconclusive**. A layer that found nothing has no
opinion: marks can be removed.

*Synthetic.* The larger of the probability of ours (all our films are generated) and the classifier's (or a
trusted declaration's). **Yes** if ours is yes or an opinion reaches its threshold; **no** if the classifier
saw a familiar kind of face long enough and the probability is at most ``NO_AT_MOST``.

*Which job.* What layers claim of a job is combined like probabilities of ours. Two layers that are sure of
different jobs for the same moments are a conflict, which is said and lowers nothing: it is ours twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import combinations

from detector.verdict import (
    Answer,
    Claim,
    Decision,
    Evidence,
    Job,
    Layer,
    Opinion,
    Outcome,
    Segment,
)

NO_AT_MOST = 0.05
"""Probability up to which the answer may be no."""

NEARLY_ONE = 1.0 - 1e-9
"""The most that is ever claimed: keys can be stolen, and software has faults."""

SURE = 0.9
"""Confidence from which a layer's claim can contradict another's."""

OVERLAP_SECONDS = 1.0
GAP_SECONDS = 0.25
"""Segments of one job that are no farther apart are one."""


def ours(evidence: Sequence[Evidence], damage: str | None) -> Decision:
    """Whether the file holds anything that we made."""
    opinions = [(one.layer, one.ours) for one in evidence if one.ours is not None]
    probability = _together([opinion.probability for _, opinion in opinions])
    passing = [pair for pair in opinions if pair[1].passes]
    if passing:
        return _decision(Answer.YES, probability, min(passing, key=_false_alarms))
    speaker = max(opinions, key=lambda pair: pair[1].probability, default=None)
    looked = all(one.outcome is Outcome.ABSENT for one in evidence)
    if looked and damage is None and probability is not None and probability <= NO_AT_MOST:
        return _decision(Answer.NO, probability, speaker)
    return _decision(Answer.INCONCLUSIVE, probability, speaker)


def synthetic(evidence: Sequence[Evidence], made_by_us: Decision, damage: str | None) -> Decision:
    """Whether any of the file is generated, by whomever."""
    opinions = [(one.layer, one.synthetic) for one in evidence if one.synthetic is not None]
    known = [opinion.probability for _, opinion in opinions]
    if made_by_us.probability is not None:
        known.append(made_by_us.probability)
    probability = max(known, default=None)
    passing = [pair for pair in opinions if pair[1].passes]
    if made_by_us.answer is Answer.YES:
        return Decision(
            Answer.YES, probability, "", made_by_us.layer, made_by_us.threshold, made_by_us.false_alarms
        )
    if passing:
        return _decision(Answer.YES, probability, min(passing, key=_false_alarms))
    speaker = max(opinions, key=lambda pair: pair[1].probability, default=None)
    classified = any(layer is Layer.CLASSIFIER for layer, _ in opinions)
    if classified and damage is None and probability is not None and probability <= NO_AT_MOST:
        return _decision(Answer.NO, probability, speaker)
    return _decision(Answer.INCONCLUSIVE, probability, speaker)


def jobs(evidence: Sequence[Evidence]) -> tuple[Job, ...]:
    """The jobs that layers name, the surest first."""
    names = dict.fromkeys(claim.job for one in evidence for claim in one.claims)
    found = []
    for name in names:
        naming = [(one, claim) for one in evidence for claim in one.claims if claim.job == name]
        where = [part for one, _ in naming for part in one.segments if part.job == name]
        confidence = _together([claim.confidence for _, claim in naming])
        layers = tuple(dict.fromkeys(one.layer for one, _ in naming))
        found.append(Job(name, confidence or 0.0, layers, merged(where)))
    return tuple(sorted(found, key=lambda job: -job.confidence))


def conflict(evidence: Sequence[Evidence]) -> bool:
    """Whether two layers are sure of different jobs for the same moments."""
    return any(_contradict(one, other) for one, other in combinations(evidence, 2))


def merged(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """In order of time, those of one job that touch or overlap joined."""
    kept: list[Segment] = []
    for part in sorted(segments, key=lambda part: (part.job or "", part.start)):
        last = kept[-1] if kept else None
        if last and last.job == part.job and part.start <= last.end + GAP_SECONDS:
            kept[-1] = Segment(last.start, max(last.end, round(part.end, 2)), part.job)
        else:
            kept.append(Segment(round(part.start, 2), round(part.end, 2), part.job))
    return tuple(sorted(kept, key=lambda part: (part.start, part.end)))


def _contradict(one: Evidence, other: Evidence) -> bool:
    sure, otherwise = _sure(one.claims), _sure(other.claims)
    for mine in one.segments:
        for theirs in other.segments:
            together = min(mine.end, theirs.end) - max(mine.start, theirs.start)
            if (
                together >= OVERLAP_SECONDS
                and mine.job in sure - otherwise
                and theirs.job in otherwise - sure
            ):
                return True
    return False


def _sure(claims: Iterable[Claim]) -> set[str | None]:
    return {claim.job for claim in claims if claim.confidence >= SURE}


def _together(probabilities: Sequence[float]) -> float | None:
    if not probabilities:
        return None
    return min(NEARLY_ONE, 1.0 - math.prod(1.0 - probability for probability in probabilities))


def _false_alarms(pair: tuple[Layer, Opinion]) -> float:
    return pair[1].false_alarms.at_most


def _decision(answer: Answer, probability: float | None, speaker: tuple[Layer, Opinion] | None) -> Decision:
    if speaker is None:
        return Decision(answer, probability, "")
    layer, opinion = speaker
    return Decision(answer, probability, "", layer, opinion.threshold, opinion.false_alarms)
