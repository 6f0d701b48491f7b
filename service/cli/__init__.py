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
"""Exit status after Ctrl-C, as shells report it."""

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
        app(standalone_mode=False)
    except typer.Exit as done:
        sys.exit(done.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        complain("stopped; nothing was left behind")
        sys.exit(INTERRUPTED)
    except (AssetError, GeneratorError, GovernanceError, ServiceError) as error:
        complain(str(error))
        sys.exit(1)
