"""``vernissage evaluate``: how well a film, or a driver, moves its face."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from service.cli import console

if TYPE_CHECKING:
    from generator.evaluation.performance import Figures

MEANING = {
    "lip_corr": "lip opening against the speaker's, r",
    "width_corr": "mouth width against the speaker's, r",
    "bilabial_closed": "share of /p b m/ with lips closed",
    "vowels_open": "share of vowels with lips apart",
    "offset_frames": "frames by which lips are late",
    "sync_confidence": "lips and sound belong together",
    "sync_confidence_shuffled": "… with another's sound",
    "blinks_per_min": "blinks a minute (people: 10 to 32)",
    "blink_ms_median": "milliseconds of a blink (100 to 400)",
    "latched_s": "longest time with eyes shut, s",
    "spread_yaw_deg": "head yaw, standard deviation in degrees",
    "spread_pitch_deg": "head pitch",
    "spread_roll_deg": "head roll",
    "jitter_ratio": "roughness against real faces (1 = as rough)",
    "drift": "degrees wandered off",
}
"""What the table shows; ``--json`` has more."""


def evaluate(
    films: Annotated[list[Path] | None, typer.Argument(metavar="[VIDEO]...", help="Films of a face.")] = None,
    driver: Annotated[
        list[str] | None, typer.Option(help="A motion driver instead; may be given several times.")
    ] = None,
    corpus: Annotated[
        Path | None, typer.Option(help="With --driver: a corpus whose test clips hold the truth.")
    ] = None,
    plots: Annotated[Path | None, typer.Option(help="Folder for charts (PNG).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every figure as JSON.")] = False,
) -> None:
    """Measure lips, synchrony, blinks, head and jitter of films or of a motion driver."""
    if bool(films) == bool(driver):
        raise typer.BadParameter("Give either films, or --driver with the name of one.")
    if corpus and not driver:
        raise typer.BadParameter("A --corpus goes with --driver: films bring no truth to compare with.")
    if plots:
        plots.mkdir(parents=True, exist_ok=True)
    found = _of_films(films, plots) if films else _of_drivers(driver or [], corpus, plots)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        console.out.print(_table(found))


def _of_films(films: list[Path], plots: Path | None) -> dict[str, Figures]:
    from generator.evaluation import charts
    from generator.evaluation.films import evaluate_film
    from generator.evaluation.performance import Judge
    from generator.portrait.landmarks import FaceLandmarker

    landmarker, judge = FaceLandmarker(), Judge()
    found = {}
    for film in films:
        with console.err.status(f"tracking {film.name}"):
            evaluation = evaluate_film(film, landmarker, judge)
        found[str(film)] = _rounded(evaluation.figures)
        if plots:
            charts.film(evaluation).save(plots / f"{film.stem}.png")
    return found


def _of_drivers(names: list[str], corpus: Path | None, plots: Path | None) -> dict[str, Figures]:
    from generator.evaluation import charts
    from generator.evaluation.performance import Judge, evaluate_driver, reality, synchrony
    from generator.evaluation.pieces import held_out, house
    from generator.motion import driver
    from generator.training.corpus import Corpus

    judge = Judge()
    moved = [driver.get(name) for name in names]
    pieces = held_out(Corpus.open(corpus)) if corpus else house()
    real = reality(pieces, judge)
    found, fits = {}, {}
    for each in moved:
        with console.err.status(f"{each.name} speaks"):
            figures, played = evaluate_driver(each, pieces, real, judge)
        found[each.name] = _rounded(figures)
        fits[each.name] = synchrony(played, judge)
    if plots:
        charts.synchrony(fits).save(plots / "synchrony.png")
    return found


def _rounded(figures: Figures) -> Figures:
    return {name: None if value is None else round(value, 3) for name, value in figures.items()}


def _table(found: Mapping[str, Figures]) -> Table:
    table = Table("figure", *(Path(name).name for name in found), box=None, header_style="bold")
    for key, meaning in MEANING.items():
        values = [figures.get(key) for figures in found.values()]
        if any(value is not None for value in values):
            table.add_row(meaning, *("-" if value is None else f"{value:.2f}" for value in values))
    return table
