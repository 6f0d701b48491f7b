"""Looks at a file once with everything there is, and says what was found.

    verdict = inspect(path, Tools(picture_marks=(PictureMark(key),), index=index))

The picture is decoded once and each frame shown to every layer; the sound once, beside it, on a thread.
Memory does not grow with the film but for its fingerprint (6 KB a second). A layer that fails is inconclusive
and stops nobody.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from detector import deciding, evidence, wording
from detector.errors import MediaError, NoPicture, NoSound
from detector.fingerprint import find
from detector.fingerprint.prints import Fingerprint
from detector.media import Facts, Limits
from detector.stills import Still, Stills
from detector.verdict import Evidence, File, ManifestEvidence, Verdict
from detector.watching import Ears, Eyes, Progress, Tools, attempt

__all__ = ["Examination", "Tools", "examine", "inspect"]

DEFAULT_LIMITS = Limits()
_POLL_SECONDS = 0.1
_MAX_CODEC_NAME = 20


@dataclass(frozen=True)
class Examination:
    """A verdict, and pictures of the file for a report."""

    verdict: Verdict
    stills: tuple[Still, ...]


def inspect(
    path: Path,
    tools: Tools,
    *,
    manifest: ManifestEvidence | None = None,
    limits: Limits = DEFAULT_LIMITS,
    progress: Progress | None = None,
) -> Verdict:
    """What can be said of a film or a sound file.

    Args:
        path: the file; nothing in it is trusted.
        tools: what to look with.
        manifest: what the caller read in its manifest.
        limits: how large it may be, and how much its decoding may cost.
        progress: called now and then, on the caller's thread.

    Raises:
        MediaError: none of the file can be decoded within ``limits``.
    """
    return examine(path, tools, manifest=manifest, limits=limits, progress=progress, most_stills=0).verdict


def examine(
    path: Path,
    tools: Tools,
    *,
    manifest: ManifestEvidence | None = None,
    limits: Limits = DEFAULT_LIMITS,
    progress: Progress | None = None,
    most_stills: int = 12,
) -> Examination:
    """``inspect``, and keep up to ``most_stills`` pictures spread over the film."""
    tell = progress or (lambda done, total: None)
    eyes = Eyes(tools, Stills(most_stills))
    ears = Ears(path, tools.sound_marks, limits, prints=tools.index is not None)
    ears.start()
    try:
        eyes.watch(path, limits, lambda done: tell(done, ears.announced))
        while ears.is_alive():
            ears.join(_POLL_SECONDS)
            tell(max(eyes.seen.seconds, ears.seen.seconds), ears.announced)
    finally:
        ears.stop()
    if not eyes.seen.seconds and not ears.seen.seconds:
        raise _error(eyes.error, ears.error)
    seconds = max(eyes.seen.seconds, ears.seen.seconds)
    tell(seconds, seconds)
    return Examination(_verdict(path, tools, manifest, eyes, ears), eyes.stills.done())


def _error(*errors: MediaError | None) -> MediaError:
    """The one that says most."""
    told = [error for error in errors if error is not None]
    if not told:
        return NoPicture("The file holds neither a moving picture nor sound: send the video itself.")
    return min(told, key=lambda error: isinstance(error, NoPicture | NoSound))


def _verdict(path: Path, tools: Tools, manifest: ManifestEvidence | None, eyes: Eyes, ears: Ears) -> Verdict:
    seconds = max(eyes.seen.seconds, ears.seen.seconds)
    damage = eyes.seen.damage or ears.seen.damage
    classified = eyes.faces.done(lambda watcher: watcher.done()) if eyes.faces else None
    found = (
        evidence.manifest(manifest, seconds),
        _picture_mark(eyes),
        _sound_mark(ears),
        _fingerprint(tools, eyes, ears),
        evidence.classifier(
            classified, tools.classifier, eyes.seen, eyes.faces.failure if eyes.faces else None
        ),
    )
    ours = deciding.ours(found, damage)
    synthetic = deciding.synthetic(found, ours, damage)
    verdict = Verdict(
        file=_file(path, ears, seconds, damage),
        examined=datetime.now(UTC).isoformat(timespec="seconds"),
        summary=(),
        ours=ours,
        synthetic=synthetic,
        evidence=found,
        jobs=deciding.jobs(found),
        conflict=deciding.conflict(found),
        faces=evidence.faces(classified),
        instants=evidence.instants(classified),
        unfamiliar=classified.unfamiliar if classified else None,
        is_unfamiliar=bool(classified and classified.is_unfamiliar),
        notes=tools.missing,
    )
    return replace(
        verdict,
        ours=replace(ours, sentence=wording.of_ours(verdict)),
        synthetic=replace(synthetic, sentence=wording.of_synthetic(verdict)),
        summary=wording.summary(verdict),
    )


def _picture_mark(eyes: Eyes) -> Evidence:
    readings = [mark.done(lambda reader: reader.done()) for mark in eyes.marks]
    failure = next((mark.failure for mark in eyes.marks if mark.failure), None)
    return evidence.picture_mark([one for one in readings if one is not None], eyes.seen, failure)


def _sound_mark(ears: Ears) -> Evidence:
    readings = [mark.done(lambda reader: reader.finish()) for mark in ears.marks]
    failure = next((mark.failure for mark in ears.marks if mark.failure), None)
    return evidence.sound_mark(
        [one for one in readings if one is not None], bool(ears.keys), ears.seen, failure
    )


def _fingerprint(tools: Tools, eyes: Eyes, ears: Ears) -> Evidence:
    seconds = max(eyes.seen.seconds, ears.seen.seconds)
    seen = replace(
        eyes.seen, seconds=round(seconds, 3), exists=True, side=0, damage=eyes.seen.damage or ears.seen.damage
    )
    index = tools.index
    if index is None or eyes.prints is None:
        return evidence.fingerprint(None, 0, seen, None)
    query: Fingerprint | None = eyes.prints.done(lambda watcher: watcher.done(*ears.heard()))
    matches, failure = attempt(lambda: find(index, query)) if query is not None else (None, None)
    return evidence.fingerprint(matches, len(index), seen, failure or eyes.prints.failure or ears.deaf)


def _file(path: Path, ears: Ears, seconds: float, damage: str | None) -> File:
    facts = ears.facts or Facts(0.0, 0, 0, 0.0, "", 0, "")
    return File(
        name=str(path),
        bytes=ears.bytes,
        sha256=ears.sha256,
        seconds=round(seconds, 3),
        width=facts.width,
        height=facts.height,
        fps=round(facts.fps, 3) if math.isfinite(facts.fps) else 0.0,
        picture_codec=facts.picture_codec[:_MAX_CODEC_NAME],
        sound_codec=facts.sound_codec[:_MAX_CODEC_NAME],
        damage=damage,
    )
