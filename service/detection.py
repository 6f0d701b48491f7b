"""What this machine has to recognise films with, and what a file's manifest says to that."""

from __future__ import annotations

from pathlib import Path

from detector import ManifestEvidence, Outcome, Tools, job_name
from governance.provenance import Reading, State, house_trust, read

JOB_BINDING = "org.vernissage."
"""How the names of our own soft bindings begin; their values are job ids."""
JOB_BYTES = 5
_GENERATED = "trainedalgorithmicmedia"


def tools() -> Tools:
    """Marks, register and classifier, as far as they are here."""
    return Tools(
        missing=("This machine has no keys of a hub, so hidden marks cannot be read: make films here first.",)
    )


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
        if binding.algorithm.startswith(JOB_BINDING) and len(binding.value) == JOB_BYTES:
            return job_name(int.from_bytes(binding.value))
    return None
