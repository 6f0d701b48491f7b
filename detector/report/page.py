"""The page: its sections, from the verdict's words and numbers. Whatever a file brings is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path, PurePath
from string import Template

from detector.evidence import clock
from detector.inspection import Examination
from detector.protocol import Classifier
from detector.report.pictures import gallery
from detector.report.timeline import timeline
from detector.verdict import (
    MOST_FALSE_ALARMS,
    Answer,
    Decision,
    Evidence,
    FalseAlarms,
    Job,
    Opinion,
    Verdict,
)
from detector.wording import LAYER_NAMES, likelihood, one_in, spans

TEMPLATE = Path(__file__).with_name("page.html")

_HEADLINES = {
    Answer.YES: "This file holds material of ours",
    Answer.NO: "Nothing in this file points to us",
    Answer.INCONCLUSIVE: "Whether this file is ours cannot be said",
}
_ANSWERS = {Answer.YES: "Yes", Answer.NO: "No", Answer.INCONCLUSIVE: "Cannot be said"}
LIMITS = (
    "That no mark was found proves nothing: marks can be removed, and films made elsewhere never had any.",
    "A hidden mark says who made the material, not that what is said or shown is true, nor who spread it.",
    "What faces look like is a likelihood from a trained model. It can err on people, cameras and editing "
    "unlike those it was tested on, and on generators that are newer than itself.",
    "The false-alarm rates hold for the recordings named beside them; on other material they may differ.",
    "“Cannot be said” is an answer: it means that what there was to look at does not decide the question.",
)


def render(examination: Examination, classifier: Classifier | None = None) -> str:
    """One HTML file without scripts; nothing is loaded from anywhere. With ``classifier``, pictures of faces
    show where it saw what speaks for ours."""
    verdict = examination.verdict
    name = PurePath(verdict.file.name).name
    sections = (
        _section("Where in time", timeline(verdict)),
        _section("What it shows", gallery(examination, classifier)),
        _section("Which films of ours", _jobs(verdict.jobs)),
        _section("What was looked for", _evidence(verdict.evidence)),
        _section("The file", _facts(verdict)),
        _section("What this method cannot do", _list((*LIMITS, *verdict.notes))),
    )
    return Template(TEMPLATE.read_text("utf-8")).substitute(
        title=escape(f"{_HEADLINES[verdict.ours.answer]}: {name}"),
        name=escape(name),
        headline=escape(_HEADLINES[verdict.ours.answer]),
        summary="\n  ".join(f"<p>{escape(sentence)}</p>" for sentence in verdict.summary),
        answers=_answer("Made with our generator?", verdict.ours)
        + _answer("Synthetic at all?", verdict.synthetic),
        sections="\n".join(section for section in sections if section),
        footer=escape(f"Examined {verdict.examined.replace('T', ' ').replace('+00:00', ' UTC')}."),
    )


def _section(title: str, body: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>" if body else ""


def _answer(question: str, decision: Decision) -> str:
    answer = decision.answer
    lines = []
    if decision.probability is not None:
        lines.append(f"Probability {likelihood(decision.probability)}.")
    if decision.layer is not None and decision.threshold is not None and decision.false_alarms is not None:
        rests = "It rests on" if answer is Answer.YES else "Most telling would be"
        usable = decision.false_alarms.at_most <= MOST_FALSE_ALARMS
        counts = (
            "it counts as a yes" if usable else "it would be a yes, if that were tested on more recordings"
        )
        lines.append(
            f"{rests}: {LAYER_NAMES[decision.layer]}. From {likelihood(decision.threshold)} {counts}; "
            f"{_false_alarms(decision.false_alarms)}."
        )
    if not lines:
        lines.append("No layer had anything to go by.")
    text = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return (
        f'<section class="answer {answer.value}"><h2>{escape(question)}</h2>'
        f"<strong>{_ANSWERS[answer]}</strong>{text}</section>"
    )


def _jobs(jobs: Iterable[Job]) -> str:
    rows = [
        _row(
            f"<code>{escape(job.job)}</code>",
            ("Confidence", escape(likelihood(job.confidence))),
            ("Named by", escape(", ".join(LAYER_NAMES[layer] for layer in job.layers))),
            ("When", escape(spans(job.segments, 6) or "not said")),
        )
        for job in jobs
    ]
    return _table("The surest first.", ("Job", "Confidence", "Named by", "When"), rows)


def _evidence(evidence: Iterable[Evidence]) -> str:
    rows = [
        _row(
            escape(LAYER_NAMES[one.layer].capitalize()),
            ("Outcome", f'<span class="{one.outcome.value}">{one.outcome.value}</span>'),
            ("What was found", escape(one.sentence) + _figures(one)),
            ("Ours", _opinion(one.ours)),
            ("Synthetic", _opinion(one.synthetic)),
            ("Looked at", f"{one.seconds:.1f} s"),
        )
        for one in evidence
    ]
    head = ("Layer", "Outcome", "What was found", "Ours", "Synthetic", "Looked at")
    return _table("Each layer for itself; a dash where it has no opinion.", head, rows)


def _figures(one: Evidence) -> str:
    if not one.figures:
        return ""
    told = "; ".join(f"{name.replace('_', ' ')} {value}" for name, value in one.figures.items())
    return f"<small>{escape(told)}</small>"


def _opinion(opinion: Opinion | None) -> str:
    if opinion is None:
        return "&ndash;"
    alarms = f"counts from {likelihood(opinion.threshold)}; {_false_alarms(opinion.false_alarms)}"
    return f"{escape(likelihood(opinion.probability))}<small>{escape(alarms)}</small>"


def _false_alarms(alarms: FalseAlarms) -> str:
    count = "" if alarms.rate is None else f"{round(alarms.rate * alarms.samples):,} of {alarms.samples:,}, "
    return f"false alarms: {count}at most {one_in(alarms.at_most)} ({alarms.where})"


def _facts(verdict: Verdict) -> str:
    file = verdict.file
    picture = f"{file.width} by {file.height} pixels, {file.fps:g} a second, {file.picture_codec}"
    facts = {
        "Name": escape(file.name),
        "SHA-256": f"<code>{escape(file.sha256)}</code>",
        "Size": f"{file.bytes:,} bytes",
        "Decoded": f"{clock(file.seconds)} ({file.seconds:.1f} s)",
        "Picture": escape(picture if file.width else "none"),
        "Sound": escape(file.sound_codec or "none"),
    }
    if file.damage:
        facts["Not decoded further"] = escape(file.damage)
    if verdict.unfamiliar is not None:
        judged = "unlike" if verdict.is_unfamiliar else "like"
        facts["Familiarity"] = escape(
            f"{judged} what the face model was tested on (score {verdict.unfamiliar:.2f} of 1)"
        )
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts.items()) + "</dl>"


def _list(sentences: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences) + "</ul>"


def _row(head: str, *cells: tuple[str, str]) -> str:
    filled = "".join(f'<td data-name="{escape(name)}">{cell}</td>' for name, cell in cells)
    return f'<tr><th scope="row">{head}</th>{filled}</tr>'


def _table(caption: str, head: Iterable[str], rows: list[str]) -> str:
    if not rows:
        return ""
    titles = "".join(f'<th scope="col">{escape(title)}</th>' for title in head)
    body = "\n".join(rows)
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr>{titles}</tr></thead>"
        f"<tbody>\n{body}\n</tbody></table>"
    )
