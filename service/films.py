"""Makes a film from end to end: read the inputs, move the portrait, seal the file, or leave nothing."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import assets
from generator import sitters
from generator.errors import PortraitError, VideoError
from generator.face.decoder import WEIGHTS
from generator.film import FilmStats, render_film
from generator.motion import Motion, driver
from generator.portrait.framing import Aspect
from generator.portrait.portrait import Portrait
from generator.speech.audio import Speech
from governance.provenance import Authority, Ingredient, Making, Reading, Rights, default_directory, seal
from service.errors import RightsUndeclared

MOTION_FILE = "motion-file"
"""The driver's name in the manifest of a film whose motion was given."""


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
    view: View,
    progress: Progress,
) -> Film:
    """Make ``picture`` speak ``speech``.

    Raises:
        RightsUndeclared: the sitter is not ours and ``rights`` is ``None``.
        GeneratorError, GovernanceError, AssetError: as the wings say; no file is left at ``out``.
    """
    rights = _declared_rights(picture, rights)
    authority = _prepare(out)
    progress.stage("reading the portrait and listening to the speech")
    voice = Speech.open(speech)
    with ThreadPoolExecutor(1, thread_name_prefix="driver") as pool:
        thought = pool.submit(driver.get(driver_name), voice, seed=seed)
        portrait = _open_portrait(picture, view, progress)
        motion = thought.result()
    return _render_and_seal(
        portrait, motion, out, authority, progress,
        audio=speech,
        making=lambda: Making(
            title=out.name,
            portrait=Ingredient(picture.name, portrait.mime, portrait.sha256, "portrait"),
            speech=Ingredient.from_file(speech, "speech"),
            motion=None,
            weights=_weights(),
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
    authority = _prepare(out)
    motion = Motion.load(motion_file)
    progress.stage("reading the portrait")
    portrait = _open_portrait(picture, view, progress)
    return _render_and_seal(
        portrait, motion, out, authority, progress,
        audio=None,
        making=lambda: Making(
            title=out.name,
            portrait=Ingredient(picture.name, portrait.mime, portrait.sha256, "portrait"),
            speech=None,
            motion=Ingredient.from_file(motion_file, "motion"),
            weights=_weights(),
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
    try:
        digest = hashlib.sha256(picture.read_bytes()).hexdigest()
    except OSError as error:
        raise PortraitError(
            f"The picture {picture} cannot be read ({error.strerror}): check the path."
        ) from error
    if sitters.recognise(digest) is None:
        raise RightsUndeclared(
            f"{picture.name} is not one of our own sitters: say by what right it may be animated with "
            "--rights public-domain, fictional or own-likeness. What you declare is written into the film."
        )
    return "sitter-of-the-house"


def _prepare(out: Path) -> Authority:
    """Check early what would otherwise fail after minutes of rendering."""
    if not out.parent.is_dir():
        raise VideoError(f"The folder {out.parent} does not exist: create it first.")
    if out.suffix.lower() != ".mp4":
        raise VideoError(f"{out.name} would be an MP4 film: give it a name that ends in .mp4.")
    return Authority.open(default_directory())


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
    making: Callable[[], Making],
) -> Film:
    unsealed = out.with_name(f".{out.stem[:100]}.{secrets.token_hex(4)}.unsealed.mp4")
    try:
        progress.stage("rendering")
        progress.total(len(motion.values))
        stats = render_film(portrait, motion, unsealed, audio=audio, on_frame=progress.frame)
        progress.stage("sealing")
        reading = seal(unsealed, out, making(), authority)
    finally:
        with suppress(OSError):
            unsealed.unlink(missing_ok=True)
    return Film(out, stats, reading)


def _weights() -> tuple[Ingredient, ...]:
    files = (WEIGHTS, assets.path("face_landmarker.task"))
    return tuple(Ingredient.from_file(file, "weights") for file in files)
