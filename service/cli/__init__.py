"""The ``vernissage`` command. One module per noun; heavy imports wait until a command needs them."""

from __future__ import annotations

import os
import signal
import sys
import threading
from io import TextIOWrapper
from typing import NoReturn

import typer

from assets.errors import AssetError
from detector.errors import DetectorError
from generator.errors import GeneratorError
from governance.errors import GovernanceError
from service.cli import (
    assets,
    consent,
    credential,
    detect,
    evaluate,
    films,
    keys,
    ledger,
    policy,
    release,
    serve,
    sitters,
    train,
    verify,
)
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
app.command("animate")(films.animate)
app.command("pose")(films.pose)
app.command("verify")(verify.verify)
app.command("detect")(detect.detect)
app.command("evaluate")(evaluate.evaluate)
app.command("sitters")(sitters.sitters)
app.command("serve")(serve.serve)
app.add_typer(keys.app, name="keys")
app.add_typer(consent.app, name="consent")
app.add_typer(credential.app, name="credential")
app.add_typer(policy.app, name="policy")
app.add_typer(ledger.app, name="ledger")
app.add_typer(release.app, name="release")
app.add_typer(assets.app, name="assets")
app.add_typer(train.app, name="train")


def main() -> None:
    """Run the command line: one helpful line and exit status 1 on any error we know, 130 on Ctrl-C."""
    _tidy_up_when_ended()
    _speak_any_encoding()
    try:
        status = app(standalone_mode=False)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except typer.TyperException as error:
        _complain_of_usage(error)
        status = 1
    except (AssetError, DetectorError, GeneratorError, GovernanceError, ServiceError) as error:
        complain(str(error))
        status = 1
    except OSError as error:
        complain(f"{f'{error.filename}: ' if error.filename else ''}{error.strerror or error}.")
        status = 1
    except RuntimeError as error:
        if "cannot cache function" not in str(error):
            raise
        complain("Compiled code can be kept nowhere: set NUMBA_CACHE_DIR to a folder you may write to.")
        status = 1
    if status == INTERRUPTED:
        complain("stopped; nothing was left behind")
    _leave(status or 0)


def _leave(status: int) -> NoReturn:
    """End the process, also while an abandoned driver is still at work: taking the interpreter down under
    native code that runs on another thread can abort."""
    sys.stdout.flush()
    sys.stderr.flush()
    if threading.active_count() > 1:
        os._exit(status)
    sys.exit(status)


def _tidy_up_when_ended() -> None:
    """Let a polite end of the process (SIGTERM, a closed terminal) pass through every clean-up."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, lambda received, _: sys.exit(128 + received))


def _speak_any_encoding() -> None:
    """Put a question mark where a terminal or file has no such letter."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _complain_of_usage(error: typer.TyperException) -> None:
    """Say what is wrong with the command line, unless its help was printed instead."""
    message = error.format_message().rstrip(".")
    context: typer.Context | None = getattr(error, "ctx", None)
    if message and context:
        complain(f"{message}: see `{context.command_path} --help`.")
