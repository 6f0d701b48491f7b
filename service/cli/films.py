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


DECLARED: tuple[Rights, ...] = ("public-domain", "fictional", "own-likeness")
GRANT = "grant:"


class FrameAspect(StrEnum):
    """The shape of the film."""

    SQUARE = "square"
    OWN = "own"


Picture = Annotated[
    Path, typer.Argument(metavar="PORTRAIT", help="A picture, or the name of one of our sitters.")
]
Output = Annotated[Path, typer.Option("--output", "-o", help="The film to write, an .mp4 file.")]
RightsOption = Annotated[
    str | None,
    typer.Option(
        "--rights",
        metavar="RIGHT",
        help="By what right this face may be animated: public-domain, fictional, own-likeness, or grant:FILE "
        "with a grant that the person shown has signed and your hub knows. It is written into the film.",
    ),
]
PurposeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--purpose",
        metavar="TERM",
        help="What the film is for, such as dpv:AcademicResearch; may be repeated.",
    ),
]
KeyOption = Annotated[
    Path | None, typer.Option("--key", help="The key of the credential that the grant was given to.")
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
    driver: Annotated[str, typer.Option(help="What turns speech into motion.")] = "learned",
    seed: Annotated[int, typer.Option(min=0, help="Chooses among equally natural performances.")] = 0,
    direction: Annotated[
        Path | None, typer.Option(help="A JSON file: gaze, distance, pose, emotion, expressiveness, blinks.")
    ] = None,
    size: Size = 512,
    aspect: AspectOption = FrameAspect.SQUARE,
    face: FaceOption = None,
    purpose: PurposeOption = None,
    locale: Annotated[str, typer.Option(help="The language spoken, such as en-GB.")] = "en",
    other_voice: Annotated[
        bool, typer.Option("--other-voice", help="It is not the voice of the person shown, nor like it.")
    ] = False,
    key: KeyOption = None,
) -> None:
    """Make a portrait speak, and seal the film with its content credential."""
    from service import films
    from service.gate import Occasion

    with _progress() as progress:
        film = films.animate(
            _sitter(portrait),
            _clip(speech),
            output,
            right=_right(rights),
            occasion=Occasion(tuple(purpose or ()), locale, not other_voice, key),
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
    purpose: PurposeOption = None,
    key: KeyOption = None,
) -> None:
    """Move a portrait as a saved motion says, and seal the film."""
    from service import films
    from service.gate import Occasion

    with _progress() as progress:
        film = films.pose(
            _sitter(portrait),
            motion,
            output,
            right=_right(rights),
            occasion=Occasion(tuple(purpose or ()), key=key),
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


def _right(named: str | None) -> Rights | Path | None:
    if named is None or named in DECLARED:
        return named
    if named.startswith(GRANT) and len(named) > len(GRANT):
        return Path(named.removeprefix(GRANT))
    choices = ", ".join(repr(right) for right in DECLARED)
    raise typer.BadParameter(f"{named!r} is not one of {choices} or 'grant:FILE'.", param_hint="'--rights'")


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
