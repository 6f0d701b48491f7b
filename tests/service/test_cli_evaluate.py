"""``vernissage evaluate`` as its user meets it."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from generator.film import render_film
from generator.motion.motion import Motion
from generator.portrait.portrait import Portrait
from generator.sitters import clips
from service.cli.evaluate import MEANING, evaluate

app = typer.Typer()
app.command()(evaluate)


@pytest.fixture
def film(portrait: Portrait, tmp_path: Path) -> Path:
    path = tmp_path / "still.mp4"
    render_film(portrait, Motion.rest(40), path, audio=clips()[0].path)
    return path


def test_a_film_whose_lips_do_not_move_is_not_in_time_and_never_blinks(film: Path, tmp_path: Path):
    result = CliRunner().invoke(app, [str(film), "--json", "--plots", str(tmp_path / "plots")])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)[str(film)]
    assert figures["blinks_per_min"] == 0
    assert figures["sync_confidence"] < 0.25
    assert (tmp_path / "plots" / "still.png").is_file()


def test_without_json_it_explains_each_figure(film: Path):
    result = CliRunner().invoke(app, [str(film)], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    assert MEANING["blinks_per_min"] in result.stdout
    assert MEANING["lip_corr"] not in result.stdout, "a film brings no truth"


@pytest.mark.slow
def test_a_driver_is_measured_on_our_clips(tmp_path: Path):
    result = CliRunner().invoke(app, ["--driver", "rules", "--json", "--plots", str(tmp_path)])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)["rules"]
    assert figures["bilabial_closed"] > 0.9
    assert abs(figures["offset_frames"]) < 2
    assert (tmp_path / "synchrony.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "either films, or --driver"),
        (["film.mp4", "--driver", "rules"], "either films, or --driver"),
        (["film.mp4", "--corpus", "c"], "goes with --driver"),
    ],
)
def test_what_cannot_be_asked_for_is_explained(arguments: list[str], sentence: str):
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    assert result.exit_code != 0
    assert sentence in result.output
