"""``vernissage detect``: did our generator make this, and is it synthetic at all?"""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from service.cli import console
from service.cli.detect_table import table

if TYPE_CHECKING:
    from detector import Tools, Verdict
    from detector.watching import Progress as Tell

OURS, UNREADABLE, NOT_OURS, INCONCLUSIVE = 0, 5, 3, 4
"""Exit status by what was found, so that scripts need not read the words."""

MEDIA = frozenset(
    f".{ending}"
    for ending in (
        *("3gp", "avi", "flv", "gif", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "ogv", "ts", "webm"),
        *("aac", "flac", "m4a", "mp3", "oga", "ogg", "opus", "wav"),
    )
)
"""What is looked at in a folder, by the ends of names."""

STANDARD_OUTPUT = Path("-")
STYLE = {"yes": "red", "no": "green", "inconclusive": "yellow"}
HEADLINE = {"yes": "OURS", "no": "NOT OURS", "inconclusive": "INCONCLUSIVE"}


def detect(
    videos: Annotated[
        list[Path],
        typer.Argument(metavar="VIDEO…", help="Films or sound files, folders of them, or patterns."),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the verdict as JSON; of several files, one to a line.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(help="Write an illustrated page here; of several files, one each into this folder."),
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write a table of all files here; - prints it.")] = None,
) -> None:
    """Say whether our generator made a film, which job, where in time, and whether it is synthetic at all.

    Exits 0 if something is ours, 3 if nothing is, 4 if nothing is found but of some file it cannot be said,
    and 5 if a file cannot be examined.
    """
    from service import detection

    if as_json and csv == STANDARD_OUTPUT:
        raise typer.BadParameter("JSON and a table cannot both be printed.", param_hint="'--csv'")
    files = list(dict.fromkeys(_files(videos)))
    several = len(files) > 1 or not videos[0].is_file()
    tools = detection.tools()
    if not as_json:
        for sentence in tools.missing:
            console.note(sentence)
    pages = _pages(report, files, several)
    found: list[tuple[Path, Verdict | str]] = []
    with _progress(len(files)) as bars:
        for path in files:
            verdict = _examine(path, tools, pages.get(path), bars)
            found.append((path, verdict))
            if isinstance(verdict, str):
                console.complain(f"{path}: {verdict}" if several else verdict)
            elif as_json:
                typer.echo(verdict.to_json(indent=None if several else 2))
    told = [verdict for _, verdict in found if not isinstance(verdict, str)]
    if csv is not None:
        _write_table(found, csv)
    if not as_json and csv != STANDARD_OUTPUT and told:
        _tell(told[0]) if not several else _tell_all(found)
    raise typer.Exit(_status(told, len(found)))


def _files(named: Iterable[Path]) -> Iterator[Path]:
    """The files themselves, what of media lies in folders, and what patterns find."""
    for path in named:
        if path.is_dir():
            inside = sorted(
                each for each in path.rglob("*") if each.suffix.lower() in MEDIA and each.is_file()
            )
            if not inside:
                raise typer.BadParameter(f"There is no film or sound file in the folder {path}.")
            yield from inside
        elif path.exists() or not glob.has_magic(str(path)):
            yield path
        else:
            matching = sorted(Path(each) for each in glob.glob(str(path), recursive=True))  # noqa: PTH207
            if not matching:
                raise typer.BadParameter(f"No file is named like {path}.")
            yield from _files(matching)


def _pages(report: Path | None, files: list[Path], several: bool) -> dict[Path, Path]:
    """Where each file's page goes."""
    if report is None:
        return {}
    if not several:
        return {files[0]: report}
    report.mkdir(parents=True, exist_ok=True)
    pages: dict[Path, Path] = {}
    for path in files:
        name, number = f"{path.name}.html", 2
        while report / name in pages.values():
            name, number = f"{path.name}-{number}.html", number + 1
        pages[path] = report / name
    return pages


def _examine(path: Path, tools: Tools, page: Path | None, bars: _Bars) -> Verdict | str:
    """The verdict, or why there is none; ``page`` is written as well."""
    from detector import examine, inspect
    from detector.errors import MediaError
    from service import detection

    try:
        with bars.of(path) as tell:
            manifest = detection.manifest(path)
            if page is None:
                return inspect(path, tools, manifest=manifest, progress=tell)
            from detector.report import render

            examination = examine(path, tools, manifest=manifest, progress=tell)
            page.write_text(render(examination, tools.classifier), "utf-8", "replace")
            return examination.verdict
    except MediaError as error:
        return str(error)


class _Bars:
    """A bar for the file that is looked at."""

    def __init__(self, progress: Progress, files: int) -> None:
        self._progress, self._files, self._begun = progress, files, 0

    @contextmanager
    def of(self, path: Path) -> Iterator[Tell]:
        self._begun += 1
        counted = f"{self._begun}/{self._files} " if self._files > 1 else ""
        task = self._progress.add_task(counted + _plain(path.name), total=None)
        yield lambda done, total: self._progress.update(task, completed=done, total=total or None)
        self._progress.remove_task(task)


@contextmanager
def _progress(files: int) -> Iterator[_Bars]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:.0f} s"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console.err, transient=True, disable=not console.err.is_terminal
    ) as progress:
        yield _Bars(progress, files)


def _tell(verdict: Verdict) -> None:
    from detector.wording import LAYER_NAMES

    answer = verdict.ours.answer.value
    headline = f"{HEADLINE[answer]}: {_plain(Path(verdict.file.name).name)}"
    console.out.print(headline, style=f"bold {STYLE[answer]}", markup=False)
    for sentence in verdict.summary:
        console.out.print(sentence, markup=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    for one in verdict.evidence:
        table.add_row(LAYER_NAMES[one.layer], one.outcome.value, Text(_plain(one.sentence)))
    console.out.print()
    console.out.print(table)


def _tell_all(found: list[tuple[Path, Verdict | str]]) -> None:
    console.out.print(f"{'ours':<14}{'synthetic':<14}{'job':<12}{'seconds':>7}  file")
    for path, verdict in found:
        if isinstance(verdict, str):
            continue
        answer = verdict.ours.answer.value
        job = verdict.jobs[0].job if verdict.jobs else ""
        rest = (
            f"{verdict.synthetic.answer.value:<14}{job:<12}{verdict.file.seconds:>7.1f}  {_plain(str(path))}"
        )
        console.out.print(Text.assemble((f"{answer:<14}", STYLE[answer]), rest))


def _write_table(found: list[tuple[Path, Verdict | str]], where: Path) -> None:
    text = table(found)
    if where == STANDARD_OUTPUT:
        typer.echo(text, nl=False)
    else:
        where.write_text(text, "utf-8", "replace")


def _status(told: list[Verdict], files: int) -> int:
    answers = {verdict.ours.answer.value for verdict in told}
    if len(told) < files:
        return UNREADABLE
    if "yes" in answers:
        return OURS
    return INCONCLUSIVE if "inconclusive" in answers else NOT_OURS


def _plain(text: str) -> str:
    """On one line, with nothing that can steer a terminal."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
