"""Makes a film from end to end: read the inputs, move the portrait, seal the file, or leave nothing."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from threading import Thread
from typing import TypeVar

import assets
from generator import sitters
from generator.errors import PortraitError, VideoError
from generator.face.decoder import WEIGHTS
from generator.film import FilmStats, render_film
from generator.motion import Motion, driver
from generator.motion.direction import NATURAL_DIRECTION, Direction
from generator.portrait.framing import Aspect
from generator.portrait.portrait import Portrait
from generator.speech.audio import Speech
from governance.errors import SealError
from governance.provenance import Authority, Ingredient, Making, Reading, Rights, default_directory, seal
from governance.provenance.manifest import printable
from service.errors import OutputRefused, RightsUndeclared

MOTION_FILE = "motion-file"
"""The driver's name in the manifest of a film whose motion was given."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Progress:
    """Where the work is told as it goes on.

    Attributes:
        stage: called with the name of each stage as it begins.
        total: called once with the number of frames.
        frame: called after each frame.
        note: called with a sentence the user should know.
    """

    stage: Callable[[str], None]
    total: Callable[[int], None]
    frame: Callable[[], None]
    note: Callable[[str], None]


@dataclass(frozen=True)
class Film:
    """A finished, sealed film."""

    path: Path
    stats: FilmStats
    reading: Reading


@dataclass(frozen=True)
class View:
    """How a portrait is shown: the frame's longer side (px), its shape, and which face speaks."""

    size: int = 512
    aspect: Aspect = Aspect.SQUARE
    face: int | None = None


def animate(
    picture: Path,
    speech: Path,
    out: Path,
    *,
    rights: Rights | None,
    driver_name: str,
    seed: int,
    direction: Path | None,
    view: View,
    progress: Progress,
) -> Film:
    """Make ``picture`` speak ``speech``, played as the ``direction`` file says.

    Raises:
        RightsUndeclared: the sitter is not ours and ``rights`` is ``None``.
        GeneratorError, GovernanceError, AssetError: as the wings say; no file is left at ``out``.
    """
    perform = driver.get(driver_name)
    played = Direction.load(direction) if direction else NATURAL_DIRECTION
    rights = _declared_rights(picture, rights)
    _check_output(out, picture, speech)
    authority, weights = _authority(), _weights(*perform.weights)
    progress.stage("reading the portrait and listening to the speech")
    voice = Speech.open(speech)
    performance = _in_background(lambda: perform(voice, seed=seed, direction=played))
    portrait = _open_portrait(picture, view, progress)
    motion = performance.result()
    return _render_and_seal(
        portrait, motion, out, authority, progress,
        audio=speech,
        making=Making(
            title=printable(out.name),
            portrait=Ingredient(printable(picture.name), portrait.mime, portrait.sha256, "portrait"),
            speech=Ingredient.from_file(speech, "speech"),
            motion=None,
            weights=weights,
            rights=rights,
            driver=driver_name,
            seed=seed,
            software_version=version("vernissage-hub"),
            created=datetime.now(UTC),
        ),
    )  # fmt: skip


def pose(
    picture: Path, motion_file: Path, out: Path, *, rights: Rights | None, view: View, progress: Progress
) -> Film:
    """Move ``picture`` as a saved motion says, in silence. Raises as ``animate`` does."""
    rights = _declared_rights(picture, rights)
    _check_output(out, picture, motion_file)
    authority, weights = _authority(), _weights()
    motion = Motion.load(motion_file)
    progress.stage("reading the portrait")
    portrait = _open_portrait(picture, view, progress)
    return _render_and_seal(
        portrait, motion, out, authority, progress,
        audio=None,
        making=Making(
            title=printable(out.name),
            portrait=Ingredient(printable(picture.name), portrait.mime, portrait.sha256, "portrait"),
            speech=None,
            motion=Ingredient.from_file(motion_file, "motion"),
            weights=weights,
            rights=rights,
            driver=MOTION_FILE,
            seed=0,
            software_version=version("vernissage-hub"),
            created=datetime.now(UTC),
        ),
    )  # fmt: skip


def _declared_rights(picture: Path, rights: Rights | None) -> Rights:
    if rights is not None:
        return rights
    if not picture.is_file():
        raise PortraitError(f"There is no picture at {picture}: give the path of a picture file.")
    with picture.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if sitters.recognise(digest) is None:
        raise RightsUndeclared(
            f"{picture.name} is not one of our own sitters: say by what right it may be animated with "
            "--rights public-domain, fictional or own-likeness. What you declare is written into the film."
        )
    return "sitter-of-the-house"


def _check_output(out: Path, *inputs: Path) -> None:
    """Refuse early what would otherwise fail after minutes of rendering."""
    if out.suffix.lower() != ".mp4":
        raise OutputRefused(f"{out} is no name for an MP4 film: give one that ends in .mp4.")
    if not out.parent.is_dir():
        raise OutputRefused(f"The folder {out.parent} does not exist: create it first.")
    if out.is_dir():
        raise OutputRefused(f"{out} is a folder: give the name of a file in it.")
    if out.exists() and any(file.exists() and file.samefile(out) for file in inputs):
        raise OutputRefused(f"{out} is what the film is made from: give the film another name.")
    trial = _hidden_beside(out)
    try:
        trial.touch(exist_ok=False)
        trial.unlink()
    except OSError as error:
        raise OutputRefused(
            f"{out} cannot be written ({error.strerror}): choose a folder that you may write to."
        ) from error


def _hidden_beside(out: Path) -> Path:
    """A name nobody uses, in the folder of ``out``, so that the film can take its place in one step."""
    return out.with_name(f".{secrets.token_hex(8)}.unsealed.mp4")


def _authority() -> Authority:
    authority = Authority.open(default_directory())
    authority.signer().close()
    return authority


def _in_background(work: Callable[[], Result]) -> Future[Result]:
    """Start ``work`` on a thread that neither an error elsewhere nor Ctrl-C waits for."""
    outcome: Future[Result] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:
            outcome.set_exception(error)

    Thread(target=run, daemon=True).start()
    return outcome


def _open_portrait(picture: Path, view: View, progress: Progress) -> Portrait:
    portrait = Portrait.open(picture, size=view.size, aspect=view.aspect, face=view.face)
    if portrait.faces_found > 1 and view.face is None:
        progress.note(
            f"The picture holds {portrait.faces_found} faces; the largest speaks. "
            f"Choose another with --face 0 to {portrait.faces_found - 1}."
        )
    return portrait


def _render_and_seal(
    portrait: Portrait,
    motion: Motion,
    out: Path,
    authority: Authority,
    progress: Progress,
    *,
    audio: Path | None,
    making: Making,
) -> Film:
    unsealed = _hidden_beside(out)
    try:
        progress.stage("rendering")
        progress.total(len(motion.values))
        stats = render_film(portrait, motion, unsealed, audio=audio, on_frame=progress.frame)
        progress.stage("sealing")
        reading = seal(unsealed, out, making, authority)
    except (VideoError, SealError) as error:
        raise type(error)(str(error).replace(str(unsealed), str(out))) from error
    finally:
        with suppress(OSError):
            unsealed.unlink(missing_ok=True)
    return Film(out, stats, reading)


def _weights(*of_driver: Path) -> tuple[Ingredient, ...]:
    files = (WEIGHTS, assets.path("face_landmarker.task"), *of_driver)
    return tuple(Ingredient.from_file(file, "weights") for file in files)
