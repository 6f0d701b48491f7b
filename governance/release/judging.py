"""How far the evidence about a version carries it, at a moment. No state, no clock of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from governance.release.evidence import Evidence
from governance.release.ladder import Demand, Exemption, Ladder


@dataclass(frozen=True)
class Shortfall:
    """A ``demand`` (kind of evidence) of a ``rung`` or an exemption that is not met, and the ``reason``."""

    rung: str
    demand: str
    reason: str


@dataclass(frozen=True)
class Filed:
    """Evidence on file. ``id`` is empty for what comes with the source code."""

    id: str
    evidence: Evidence
    filed_at: datetime
    withdrawn: bool = False


@dataclass(frozen=True)
class Dossier:
    """All that is known about a version.

    Attributes:
        approved: the rung to which stewards, or an exemption, have let it climb.
        accepted: the evidence on which they did so, by kind.
        later: evidence that was not on file then.
        exemption: the class it belongs to, if any.
    """

    approved: str
    accepted: Mapping[str, Filed]
    later: Sequence[Filed]
    exemption: Exemption | None = None


@dataclass(frozen=True)
class Judgement:
    """The highest ``rung`` that the evidence carries, and what keeps the version from its approved one."""

    rung: str
    shortfalls: tuple[Shortfall, ...]


def judge(ladder: Ladder, dossier: Dossier, now: datetime) -> Judgement:
    """Go up from the lowest rung while everything demanded is met, and no higher than approved."""
    lapsed = tuple(_lapsed(dossier, now)) if dossier.exemption else ()
    exempt = dossier.exemption if not lapsed else None
    reached = ladder.rungs[0].name
    for rung in ladder.rungs[1 : ladder.height(dossier.approved) + 1]:
        short = tuple(
            shortfall
            for demand in rung.demands
            for shortfall in _short(rung.name, demand, dossier, now, exempt)
        )
        if short:
            return Judgement(reached, lapsed + short)
        reached = rung.name
    return Judgement(reached, lapsed)


def missing(
    ladder: Ladder, height: int, chosen: Mapping[str, Filed], now: datetime, exempt: Exemption | None = None
) -> tuple[Shortfall, ...]:
    """What the rungs up to ``height`` demand and ``chosen`` does not give."""
    dossier = Dossier(ladder.rungs[height].name, chosen, (), exempt)
    demanded = [(rung.name, demand) for rung in ladder.rungs[1 : height + 1] for demand in rung.demands]
    lapsed = tuple(_lapsed(dossier, now)) if exempt else ()
    exempt = exempt if not lapsed else None
    return lapsed + tuple(
        shortfall for rung, demand in demanded for shortfall in _short(rung, demand, dossier, now, exempt)
    )


def newest(filed: Sequence[Filed]) -> dict[str, Filed]:
    """Of each kind the evidence made last; withdrawn items are passed over."""
    chosen: dict[str, Filed] = {}
    for item in sorted(filed, key=lambda item: (item.evidence.made_at, item.filed_at, item.id)):
        if not item.withdrawn:
            chosen[item.evidence.kind] = item
    return chosen


def _short(
    rung: str, demand: Demand, dossier: Dossier, now: datetime, exempt: Exemption | None
) -> Iterator[Shortfall]:
    """At most one shortfall. An exemption waives a demand or puts its own in its place; evidence that fails
    counts against it all the same."""
    waived = exempt is not None and demand.kind in exempt.kinds
    item = dossier.accepted.get(demand.kind)
    reason = _contradiction(demand, dossier)
    if item is not None:
        reason = reason or demand.fault(item.evidence)
    if not waived:
        if item is None:
            reason = reason or f"{demand.kind} is not on file"
        elif item.withdrawn:
            reason = f"{demand.kind} was withdrawn"
        else:
            reason = reason or demand.stale(item.evidence, now)
    if reason:
        yield Shortfall(rung, demand.kind, reason)


def _contradiction(demand: Demand, dossier: Dossier) -> str | None:
    """A finding that those who approved did not know, and that fails. Withdrawing it does not unsay it: that
    takes a new approval."""
    for item in dossier.later:
        fault = demand.fault(item.evidence) if item.evidence.kind == demand.kind else None
        if fault:
            return f"{fault}, by evidence filed on {item.filed_at:%Y-%m-%d}"
    return None


def _lapsed(dossier: Dossier, now: datetime) -> Iterator[Shortfall]:
    """Why the exemption does not hold."""
    exemption = dossier.exemption
    assert exemption is not None
    if now >= exemption.review_by:
        yield Shortfall(
            exemption.name, "review", f"the exemption was to be reviewed by {exemption.review_by:%Y-%m-%d}"
        )
    for demand in exemption.demands:
        yield from _short(exemption.name, demand, dossier, now, None)
