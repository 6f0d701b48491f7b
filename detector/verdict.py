"""What was found out about a file: evidence by layer, then one answer for *ours* and one for *synthetic*.

    verdict = Verdict.from_json(text)
    verdict.ours.answer, verdict.ours.probability, verdict.summary

``verdict.schema.json`` describes the JSON form; ``detector.deciding`` says how evidence becomes an answer.
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Self, Union, get_args, get_origin, get_type_hints

from detector.errors import VerdictError

SCHEMA = "org.vernissage.verdict/1"
MAX_BYTES = 64 << 20

MOST_FALSE_ALARMS = 0.05
"""A threshold decides nothing by itself until it was shown to raise no more, with 95 % confidence."""


class Layer(StrEnum):
    """Where evidence comes from."""

    MANIFEST = "manifest"
    PICTURE_MARK = "picture_mark"
    SOUND_MARK = "sound_mark"
    FINGERPRINT = "fingerprint"
    CLASSIFIER = "classifier"


class Outcome(StrEnum):
    """What a layer says of *ours*. ``ABSENT``: it could look, and found nothing."""

    FOUND = "found"
    ABSENT = "absent"
    INCONCLUSIVE = "inconclusive"


class Answer(StrEnum):
    YES = "yes"
    NO = "no"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class FalseAlarms:
    """How often a file that is not meant passes a threshold.

    ``rate`` is what was measured (``None`` for an analytic bound), ``at_most`` its one-sided 95 % upper bound
    (or the analytic one), over ``samples``; ``where`` says of what and how.
    """

    rate: float | None
    at_most: float
    samples: int
    where: str


@dataclass(frozen=True)
class Opinion:
    """A layer's calibrated ``probability`` (0..1), and the ``threshold`` from which it counts by itself."""

    probability: float
    threshold: float
    false_alarms: FalseAlarms

    @property
    def passes(self) -> bool:
        """Whether the threshold is reached, and known to be seldom passed by what is not meant."""
        return self.probability >= self.threshold and self.false_alarms.at_most <= MOST_FALSE_ALARMS


@dataclass(frozen=True)
class Segment:
    """From ``start`` to ``end`` (s) of the file; of which ``job``, if that is known."""

    start: float
    end: float
    job: str | None = None


@dataclass(frozen=True)
class Claim:
    """A layer names a ``job``, with ``confidence`` (0..1)."""

    job: str
    confidence: float


@dataclass(frozen=True)
class Evidence:
    """What one layer found.

    ``ours`` and ``synthetic`` are ``None`` where the layer has no opinion, which is not a low one.
    ``seconds`` of the file were looked at. ``figures`` are numbers and words for whoever wants them.
    """

    layer: Layer
    outcome: Outcome
    sentence: str
    claims: tuple[Claim, ...] = ()
    segments: tuple[Segment, ...] = ()
    ours: Opinion | None = None
    synthetic: Opinion | None = None
    seconds: float = 0.0
    figures: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class ManifestEvidence:
    """What the caller read in the file's manifest: ``FOUND`` if it is whole and signed by this house.

    ``synthetic``: whether a signer the caller trusts declares the film as generated.
    """

    outcome: Outcome
    sentence: str
    job: str | None = None
    synthetic: bool = False


@dataclass(frozen=True)
class Decision:
    """One answer.

    ``probability`` (0..1) is calibrated as far as its layers are; ``None`` where no layer has an opinion.
    ``layer`` is the one the answer rests on (or the one that would have had to speak), with its ``threshold``
    and its ``false_alarms`` there.
    """

    answer: Answer
    probability: float | None
    sentence: str
    layer: Layer | None = None
    threshold: float | None = None
    false_alarms: FalseAlarms | None = None


@dataclass(frozen=True)
class Job:
    """A job that the file shows: ``confidence`` (0..1) of all ``layers`` that name it, and where in time."""

    job: str
    confidence: float
    layers: tuple[Layer, ...]
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Face:
    """A face followed from ``start`` to ``end`` (s): ``box`` (x, y, width, height) in shares of the picture
    at the middle of its track, and how probably (0..1) it is ``ours`` and ``synthetic``."""

    start: float
    end: float
    box: tuple[float, float, float, float]
    ours: float
    synthetic: float


@dataclass(frozen=True)
class Instant:
    """The classifier's probabilities (0..1) ``at`` a moment (s), for the face in ``box``."""

    at: float
    box: tuple[float, float, float, float]
    ours: float
    synthetic: float


@dataclass(frozen=True)
class File:
    """The file that was examined. Sizes and codecs are what it says of itself; zero or empty if it does not.

    ``seconds`` of its picture or sound were decoded; ``damage`` says why no more, ``None`` if that was all.
    """

    name: str
    bytes: int
    sha256: str
    seconds: float
    width: int
    height: int
    fps: float
    picture_codec: str
    sound_codec: str
    damage: str | None


@dataclass(frozen=True)
class Verdict:
    """See the module. ``summary``: two to five plain sentences. ``unfamiliar`` (0..1): how unlike what the
    classifier was tested on the pictures are; ``None`` if it was not asked. ``conflict``: layers name
    different jobs for the same moments. ``notes``: what this machine lacks to look further."""

    file: File
    examined: str
    summary: tuple[str, ...]
    ours: Decision
    synthetic: Decision
    evidence: tuple[Evidence, ...]
    jobs: tuple[Job, ...] = ()
    conflict: bool = False
    faces: tuple[Face, ...] = ()
    instants: tuple[Instant, ...] = ()
    unfamiliar: float | None = None
    is_unfamiliar: bool = False
    notes: tuple[str, ...] = ()

    def to_json(self, indent: int | None = 2) -> str:
        """The verdict as JSON of schema ``org.vernissage.verdict/1``, in ASCII."""
        return json.dumps({"schema": SCHEMA} | asdict(self), indent=indent, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of ``to_json``. Raises ``VerdictError`` on anything else."""
        if len(text) > MAX_BYTES:
            raise VerdictError(f"The verdict has more than {MAX_BYTES >> 20} MiB: it is none of ours.")
        try:
            found = json.loads(text)
            if found.pop("schema") != SCHEMA:
                raise VerdictError(f"The verdict is not of schema {SCHEMA}: write it anew.")
            verdict: Self = _build(cls, found)
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise VerdictError(f"The text is no verdict of schema {SCHEMA} ({error}).") from error
        return verdict


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _build(kind: Any, value: Any) -> Any:
    """``value``, as ``json`` gives it, as ``kind``: a dataclass, enumeration, tuple, mapping or scalar."""
    origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        known = {each.name for each in fields(kind)}
        if value.keys() != known:
            raise ValueError(f"{kind.__name__} has other fields: {sorted(value.keys() ^ known)}")
        return kind(**{name: _build(_hints(kind)[name], value[name]) for name in known})
    if origin is tuple:
        if not isinstance(value, list):
            raise ValueError(f"{str(value)[:40]!r} is no list")
        each = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(_build(one, item) for one, item in zip(each, value, strict=True))
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _build_scalar([one for one in arguments if one is not type(None)], value)
    if origin is Mapping:
        return {str(name): _build(arguments[1], item) for name, item in value.items()}
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(value)
    return _build_scalar([kind], value)


def _build_scalar(kinds: list[Any], value: Any) -> Any:
    for kind in kinds:
        if kind in (bool, int, str) and type(value) is kind:
            return value
        if kind is float and type(value) in (float, int):
            return value
        if isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, StrEnum)):
            return _build(kind, value)
    raise ValueError(f"{str(value)[:40]!r} is not of type {' or '.join(str(kind) for kind in kinds)}")
