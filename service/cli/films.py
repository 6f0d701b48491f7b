"""``vernissage animate`` and ``vernissage pose``: make a film."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from service.cli import console

if TYPE_CHECKING:
    from governance.provenance import Rights
    from service.films import Film, Progress, View


class DeclaredRights(StrEnum):
    """By what right a face is animated."""

    PUBLIC_DOMAIN = "public-domain"
    FICTIONAL = "fictional"
    OWN_LIKENESS = "own-likeness"


class FrameAspect(StrEnum):
    """The shape of the film."""

    SQUARE = "square"
    OWN = "own"


Picture = Annotated[
    Path, typer.Argument(metavar="PORTRAIT", help="A picture, or the name of one of our sitters.")
]
Output = Annotated[Path, typer.Option("--output", "-o", help="The film to write, an .mp4 file.")]
RightsOption = Annotated[
    DeclaredRights | None,
    typer.Option("--rights", help="By what right this face may be animated; written into the film."),
]
Size = Annotated[int, typer.Option(help="The longer side of the film in pixels, 128 to 1024.")]
AspectOption = Annotated[
    FrameAspect, typer.Option(help="A square around the head, or the picture's own shape.")
]
FaceOption = Annotated[int | None, typer.Option("--face", help="Which face, counted from 0, largest first.")]


def animate(
    portrait: Picture,
    speech: Annotated[Path, typer.Argument(help="A sound file, or the name of one of our clips.")],
    output: Output,
    rights: RightsOption = None,
    driver: Annotated[str, typer.Option(help="What turns speech into motion.")] = "rules",
    seed: Annotated[int, typer.Option(min=0, help="Chooses among equally natural performances.")] = 0,
    direction: Annotated[
        Path | None, typer.Option(help="A JSON file: gaze, distance, pose, emotion, expressiveness, blinks.")
    ] = None,
    size: Size = 512,
    aspect: AspectOption = FrameAspect.SQUARE,
    face: FaceOption = None,
) -> None:
    """Make a portrait speak, and seal the film with its content credential."""
    from service import films

    with _progress() as progress:
        film = films.animate(
            _sitter(portrait),
            _clip(speech),
            output,
            rights=_rights(rights),
            driver_name=driver,
            seed=seed,
            direction=direction,
            view=_view(size, aspect, face),
            progress=progress,
        )
    _report(film)


def pose(
    portrait: Picture,
    motion: Annotated[Path, typer.Argument(help="A saved motion (.safetensors).")],
    output: Output,
    rights: RightsOption = None,
    size: Size = 512,
    aspect: AspectOption = FrameAspect.SQUARE,
    face: FaceOption = None,
) -> None:
    """Move a portrait as a saved motion says, and seal the film."""
    from service import films

    with _progress() as progress:
        film = films.pose(
            _sitter(portrait),
            motion,
            output,
            rights=_rights(rights),
            view=_view(size, aspect, face),
            progress=progress,
        )
    _report(film)


@contextmanager
def _progress() -> Iterator[Progress]:
    from service.films import Progress

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console.err, transient=True, disable=not console.err.is_terminal) as bar:
        task = bar.add_task("starting", total=None)
        yield Progress(
            stage=lambda name: bar.update(task, description=name),
            total=lambda frames: bar.update(task, total=frames),
            frame=lambda: bar.advance(task),
            note=console.note,
        )


def _view(size: int, aspect: FrameAspect, face: int | None) -> View:
    from generator.portrait.framing import Aspect
    from service.films import View

    return View(size, Aspect(aspect.value), face)


def _rights(declared: DeclaredRights | None) -> Rights | None:
    return declared.value if declared else None


def _sitter(portrait: Path) -> Path:
    """The picture of one of our sitters where ``portrait`` is a name and not a file."""
    from generator import sitters

    named = {sitter.name: sitter.path for sitter in sitters.sitters()}
    return named.get(str(portrait), portrait) if not portrait.is_file() else portrait


def _clip(speech: Path) -> Path:
    from generator import sitters

    named = {clip.name: clip.path for clip in sitters.clips()}
    return named.get(str(speech), speech) if not speech.is_file() else speech


def _report(film: Film) -> None:
    stats = film.stats
    console.out.print(
        f"{escape(str(film.path))}: {stats.seconds:.1f} s in {stats.frames} frames, "
        f"{stats.frames_per_second:.0f} frames a second, "
        f"[green]{film.reading.state.value.capitalize()}[/]"
    )
