"""``vernissage train``: make the weights again, or other ones. Needs the extra ``train``."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import typer

from service.errors import ExtraMissing

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""Every option, --help too, belongs to the training program."""

app = typer.Typer(help="Train the speech, motion and face models (extra `train`).", no_args_is_help=True)


@app.command(context_settings=PASS_ON)
def speech(context: typer.Context) -> None:
    """Train the speech encoder: --corpus DIR… [--config FILE] [--run DIR] [--out FILE] [--fast-dev-run]."""
    _train("speech", context)


@app.command(context_settings=PASS_ON)
def motion(context: typer.Context) -> None:
    """Train the motion model: --corpus DIR… --prior DIR [--config FILE] [--run DIR] [--out FILE]."""
    _train("motion", context)


@app.command(context_settings=PASS_ON)
def face(context: typer.Context) -> None:
    """Train the face decoder: --ict FILE --task FILE [--config FILE] [--run DIR] [--out FILE]."""
    _train("face", context)


def _train(model: str, context: typer.Context) -> None:
    if importlib.util.find_spec("lightning") is None:
        raise ExtraMissing("Training needs more than this install has: pip install 'vernissage-hub[train]'.")
    raise typer.Exit(subprocess.call([sys.executable, "-m", f"generator.training.{model}", *context.args]))
