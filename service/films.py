"""Makes a film from end to end: read the inputs, move the portrait, seal the file, or leave nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from threading import Thread
from typing import TypeVar

import assets
from generator.errors import PortraitError, SpeechError, VideoError
from generator.face.decoder import WEIGHTS
from generator.film import FilmStats, render_film
from generator.motion import Motion, driver
from generator.motion.direction import NATURAL_DIRECTION, Direction
from generator.motion.emotion import EMOTIONS, Emotion
from generator.portrait.framing import Aspect
from generator.portrait.portrait import Portrait
from generator.speech.audio import Speech
from generator.video import packets_sha256
from governance.errors import SealError
from governance.provenance import Authority, Ingredient, Making, Reading, Rights, default_directory, seal
from governance.provenance.manifest import mime_of, printable
from service import gate
from service.gate import Occasion, Permission, Plan, sha256_of
from service.marking import Marking, Marks, registered
from service.output import check_output, hidden_beside

MOTION_FILE = "motion-file"
"""The driver's name in the manifest of a film whose motion was given."""
CLOCK = "VERNISSAGE_CLOCK"
"""Names the address of a time stamp authority (RFC 3161) for every seal."""
UNSAID = Occasion()

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
    right: Rights | Path | None,
    driver_name: str,
    seed: int,
    direction: Path | None,
    view: View,
    progress: Progress,
    occasion: Occasion = UNSAID,
) -> Film:
    """Make ``picture`` speak ``speech``, played as the ``direction`` file says.

    Args:
        picture: the portrait.
        speech: the sound.
        out: the film to write.
        right: by what right the face may be animated, or the file of a grant; ``None`` for our own sitters.
        driver_name: what turns speech into motion.
        seed: of its randomness.
        direction: how it is played.
        view: how the portrait is shown.
        progress: where the work is told.
        occasion: what the film is for.

    Raises:
        RightsUndeclared: the sitter is not ours and ``right`` is ``None``.
        NotAllowed: the policies forbid it.
        MarkLost: the finished film does not bear its marks.
        GeneratorError, GovernanceError, DetectorError, AssetError: as the wings say; no file is left.
    """
    perform = driver.get(driver_name)
    played = Direction.load(direction) if direction else NATURAL_DIRECTION
    right = gate.right_to(picture, right)
    check_output(out, picture, speech)
    authority, weights = _authority(), _weights(*perform.weights)
    progress.stage("reading the portrait and listening to the speech")
    voice = Speech.open(speech)
    heard = Ingredient(printable(speech.name), mime_of(speech), voice.sha256, "speech")
    plan = Plan(picture, right, occasion, _emotions(played), {"speech": voice.sha256, "seed": seed})
    with gate.permission(plan) as permission:
        performance = _in_background(lambda: perform(voice, seed=seed, direction=played))
        portrait = _open_portrait(picture, view, progress, permission)
        motion = performance.result()
        making = _making(out, picture, portrait, permission, weights, driver_name, seed, speech=heard)
        return _render_and_seal(portrait, motion, out, authority, progress, making, permission, audio=speech)


def pose(
    picture: Path,
    motion_file: Path,
    out: Path,
    *,
    right: Rights | Path | None,
    view: View,
    progress: Progress,
    occasion: Occasion = UNSAID,
) -> Film:
    """Move ``picture`` as a saved motion says, in silence. Raises as ``animate`` does.

    Nobody can tell which emotions a saved motion plays: a grant must allow them all.
    """
    right = gate.right_to(picture, right)
    check_output(out, picture, motion_file)
    authority, weights = _authority(), _weights()
    motion = Motion.load(motion_file)
    moved = Ingredient.from_file(motion_file, "motion")
    progress.stage("reading the portrait")
    silent = replace(occasion, locale=None, own_voice=False)
    with gate.permission(Plan(picture, right, silent, EMOTIONS, {"motion": moved.sha256})) as permission:
        portrait = _open_portrait(picture, view, progress, permission)
        making = _making(out, picture, portrait, permission, weights, MOTION_FILE, 0, motion=moved)
        return _render_and_seal(portrait, motion, out, authority, progress, making, permission, audio=None)


def _making(
    out: Path,
    picture: Path,
    portrait: Portrait,
    permission: Permission,
    weights: tuple[Ingredient, ...],
    driver_name: str,
    seed: int,
    *,
    speech: Ingredient | None = None,
    motion: Ingredient | None = None,
) -> Making:
    return Making(
        title=printable(out.name),
        portrait=Ingredient(printable(picture.name), portrait.mime, portrait.sha256, "portrait"),
        speech=speech,
        motion=motion,
        weights=weights,
        rights=permission.rights,
        driver=driver_name,
        seed=seed,
        software_version=version("vernissage-hub"),
        created=datetime.now(UTC),
        grant=permission.grant,
        request=permission.request,
        entry=permission.entry,
    )


def _emotions(played: Direction) -> tuple[str, ...]:
    """Every emotion that is ever played at more than no strength."""
    values = (value for _, value in played.emotion.keys)
    return tuple(
        sorted({value.name for value in values if isinstance(value, Emotion) and value.strength > 0})
    ) or ("neutral",)


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


def _open_portrait(picture: Path, view: View, progress: Progress, permission: Permission) -> Portrait:
    if permission.grant is not None and view.face:
        raise PortraitError("A grant is for the one face that was compared, the largest: leave --face out.")
    portrait = Portrait.open(picture, size=view.size, aspect=view.aspect, face=view.face)
    if portrait.sha256 != permission.portrait_sha256:
        raise PortraitError(f"{picture} was changed while it was read: try again.")
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
    making: Making,
    permission: Permission,
    *,
    audio: Path | None,
) -> Film:
    marking = Marking(Marks.open(most=1), portrait.size, motion.fps)
    unsealed = hidden_beside(out)
    try:
        progress.stage("rendering")
        progress.total(len(motion.values))
        stats = render_film(
            portrait, motion, unsealed, audio=audio, treatment=marking, on_frame=progress.frame
        )
        if audio is not None and making.speech is not None and sha256_of(audio) != making.speech.sha256:
            raise SpeechError(f"{audio} was changed while the film was made: try again.")
        progress.stage("reading the marks")
        found = marking.inscription(unsealed)
        played = packets_sha256(unsealed)

        def confirm(sealed: Path) -> None:
            if packets_sha256(sealed) != played:
                raise SealError(f"Sealing changed the pictures or the sound of {out}: please report it.")
            permission.confirm(sealed, marking.name)

        progress.stage("sealing")
        with registered(marking.name, found.fingerprint):
            reading = seal(
                unsealed,
                out,
                replace(making, bindings=found.bindings),
                authority,
                clock=os.environ.get(CLOCK),
                confirm=confirm,
            )
    except (VideoError, SealError) as error:
        raise type(error)(str(error).replace(str(unsealed), str(out))) from error
    finally:
        with suppress(OSError):
            unsealed.unlink(missing_ok=True)
    return Film(out, stats, reading)


def _weights(*of_driver: Path) -> tuple[Ingredient, ...]:
    files = (WEIGHTS, assets.path("face_landmarker.task"), *of_driver)
    return tuple(Ingredient.from_file(file, "weights") for file in files)
