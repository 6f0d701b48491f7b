"""What this machine has to recognise films with, and what a file's manifest says to that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from assets.errors import AssetError
from detector import Answer, ManifestEvidence, Outcome, Tools, inspect, job_name
from detector.errors import DetectorError
from detector.protocol import Classifier
from governance.consent.checks import PASSED, Finding
from governance.errors import KeysError
from governance.provenance import Reading, State, house_trust, read
from service.marking import PICTURE_BINDING, SOUND_BINDING, Marks, has_register, register

Opened = TypeVar("Opened")

_GENERATED = "trainedalgorithmicmedia"


def tools() -> Tools:
    """Marks, register and classifier, as far as they are here."""
    missing: list[str] = []
    marks = _or_missing(Marks.open, "Hidden marks cannot be looked for", missing)
    index = _or_missing(register, "Delivered films cannot be looked up", missing) if has_register() else None
    if index is None and not missing:
        missing.append("No film was delivered on this machine, so none can be looked up.")
    classifier = _or_missing(_classifier, "Faces cannot be judged", missing)
    return Tools(
        picture_marks=marks.pictures if marks else (),
        sound_marks=marks.sounds if marks else (),
        index=index,
        classifier=classifier,
        missing=tuple(missing),
    )


def check_filmed(video: Path) -> Finding:
    """Whether the film of a consent ceremony (``governance.consent.Checks``) was filmed: who cannot be told
    from a machine's work is not believed."""
    answer = inspect(video, tools(), manifest=manifest(video)).synthetic.answer
    if answer is Answer.NO:
        return PASSED
    if answer is Answer.YES:
        return Finding.failed(
            "synthetic", "The film looks as if a machine had made it: film yourself, with a camera, unedited."
        )
    return Finding.failed(
        "synthetic_unclear",
        "It cannot be told whether a camera filmed this: film your face larger and longer, in good light.",
    )


def _or_missing(open_one: Callable[[], Opened], sentence: str, missing: list[str]) -> Opened | None:
    try:
        return open_one()
    except (AssetError, DetectorError, KeysError) as error:
        missing.append(f"{sentence}: {error}")
        return None


def _classifier() -> Classifier:
    from detector.classifier import Classifier as Trained
    from detector.classifier.faces import Finder

    Finder()
    return Trained.load()


def manifest(path: Path) -> ManifestEvidence:
    """What the content credential of the file at ``path`` says to the question whether it is ours."""
    reading = read(path, house_trust())
    said = reading.declaration
    if reading.state is State.TRUSTED:
        generated = bool(said and said.source_type and _GENERATED in said.source_type.lower())
        return ManifestEvidence(
            Outcome.FOUND,
            f"It carries a content credential of {_signer(reading)}, and nothing was changed since.",
            _job(reading),
            generated,
        )
    if reading.state is State.UNKNOWN_SIGNER and said and said.software == "Vernissage":
        return ManifestEvidence(
            Outcome.INCONCLUSIVE,
            f"Its content credential names our software, but nobody here vouches for {_signer(reading)}.",
        )
    sentences = {
        State.UNKNOWN_SIGNER: (Outcome.ABSENT, "It carries a content credential, and not one of ours."),
        State.TAMPERED: (
            Outcome.INCONCLUSIVE,
            "It carries a content credential, but the file or the credential was changed after sealing.",
        ),
        State.STRIPPED: (Outcome.ABSENT, "It carries no content credential."),
    }
    unreadable = (Outcome.INCONCLUSIVE, "Its content credential cannot be read.")
    return ManifestEvidence(*sentences.get(reading.state, unreadable))


def _signer(reading: Reading) -> str:
    return (
        f"“{reading.signer.organisation}”" if reading.signer and reading.signer.organisation else "its signer"
    )


def _job(reading: Reading) -> str | None:
    for binding in reading.declaration.bindings if reading.declaration else ():
        if binding.algorithm in (PICTURE_BINDING, SOUND_BINDING):
            return job_name(int.from_bytes(binding.value))
    return None
