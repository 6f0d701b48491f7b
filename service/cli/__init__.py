"""The ``vernissage`` command. One module per noun; heavy imports wait until a command needs them."""

from __future__ import annotations

import sys

import typer

from assets.errors import AssetError
from generator.errors import GeneratorError
from governance.errors import GovernanceError
from service.cli import assets, films, keys, serve, sitters, verify
from service.cli.console import complain
from service.errors import ServiceError

INTERRUPTED = 130
"""Exit status after Ctrl-C."""

app = typer.Typer(
    name="vernissage",
    help="One still portrait, one speech clip: a talking film that says where it came from.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(assets.app, name="assets")
app.add_typer(keys.app, name="keys")
app.command("animate")(films.animate)
app.command("pose")(films.pose)
app.command("verify")(verify.verify)
app.command("sitters")(sitters.sitters)
app.command("serve")(serve.serve)


def main() -> None:
    """Run the command line: one helpful line and exit status 1 on any error we know, 130 on Ctrl-C."""
    try:
        app()
    except SystemExit as done:
        if done.code == INTERRUPTED:
            complain("stopped; nothing was left behind")
        raise
    except (AssetError, GeneratorError, GovernanceError, ServiceError) as error:
        complain(str(error))
        sys.exit(1)
