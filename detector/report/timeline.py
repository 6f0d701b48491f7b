"""When each layer found what: a lane each, drawn as SVG that stretches, with its text beside it in HTML."""

from __future__ import annotations

from html import escape

from detector.evidence import clock
from detector.verdict import Evidence, Layer, Outcome, Verdict
from detector.wording import LAYER_NAMES, likelihood, spans

WIDTH, HEIGHT = 1000, 24
TICKS = 5
_COLOURS = ("#8a3a1d", "#2d5872", "#5d4a7a", "#4c5a49")
"""A colour for each job, in order; the text says which."""
_CURVE = "#24201c"


def timeline(verdict: Verdict) -> str:
    """Empty if nothing was decoded."""
    seconds = verdict.file.seconds
    if seconds <= 0:
        return ""
    colours = {job.job: _COLOURS[index % len(_COLOURS)] for index, job in enumerate(verdict.jobs)}
    lanes = [_lane(verdict, one, colours) for one in verdict.evidence]
    times = (seconds * step / (TICKS - 1) for step in range(TICKS))
    ticks = "".join(f"<span>{clock(at) if seconds >= 60 else f'{at:.1f} s'}</span>" for at in times)
    return "\n".join(lanes) + (
        f'\n<div class="lane" aria-hidden="true"><span></span><div class="ticks">{ticks}</div></div>'
    )


def _lane(verdict: Verdict, one: Evidence, colours: dict[str, str]) -> str:
    name, told = LAYER_NAMES[one.layer], _told(verdict, one)
    drawn = "".join(
        _bar(
            part.start, part.end, verdict.file.seconds, colours.get(part.job or "", _COLOURS[0]), one.outcome
        )
        for part in one.segments
    )
    if one.layer is Layer.CLASSIFIER:
        drawn += _curve(verdict)
    return (
        f'<div class="lane"><span>{escape(name.capitalize())}</span>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(f"{name}: {told}")}">{drawn}</svg><small>{escape(told)}</small></div>'
    )


def _told(verdict: Verdict, one: Evidence) -> str:
    if one.layer is Layer.CLASSIFIER and verdict.instants:
        likeness = [instant.ours for instant in verdict.instants]
        low, high = likelihood(min(likeness)), likelihood(max(likeness))
        return f"how much faces look like ours, from none (floor) to wholly (ceiling): {low} to {high}"
    if not one.segments:
        return {Outcome.FOUND: "found", Outcome.ABSENT: "nothing found"}.get(one.outcome, "cannot be said")
    jobs = dict.fromkeys(part.job for part in one.segments)
    return "; ".join(
        f"{f'job {job}, ' if job else ''}{spans([part for part in one.segments if part.job == job], 6)}"
        for job in jobs
    )


def _bar(start: float, end: float, seconds: float, colour: str, outcome: Outcome) -> str:
    left = max(0.0, min(start, seconds)) / seconds * WIDTH
    width = max(2.0, (min(end, seconds) - max(0.0, start)) / seconds * WIDTH)
    faint = "" if outcome is Outcome.FOUND else ' fill-opacity="0.35"'
    return f'<rect x="{left:.1f}" y="3" width="{width:.1f}" height="{HEIGHT - 6}" fill="{colour}"{faint}/>'


def _curve(verdict: Verdict) -> str:
    """How much faces look like ours, from the lane's floor (0) to its ceiling (1)."""
    points = " ".join(
        f"{one.at / verdict.file.seconds * WIDTH:.1f},{HEIGHT - 2 - one.ours * (HEIGHT - 4):.1f}"
        for one in verdict.instants
        if one.at <= verdict.file.seconds
    )
    if not points:
        return ""
    return (
        f'<polyline points="{points}" fill="none" stroke="{_CURVE}" stroke-width="1.5" '
        'vector-effect="non-scaling-stroke"/>'
    )
