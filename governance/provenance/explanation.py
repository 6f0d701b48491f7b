"""A reading in plain words, for a newsroom: what is certain, what is only claimed, what to do."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from governance.provenance.manifest import Ingredient, SoftBinding, printable

if TYPE_CHECKING:
    from governance.provenance.declaration import Declaration
    from governance.provenance.reading import Reading

SOURCE_TYPES = {
    "compositeWithTrainedAlgorithmicMedia": "an AI system made part of it: what it shows was not filmed",
    "trainedAlgorithmicMedia": "an AI system made all of it: what it shows was not filmed",
    "algorithmicMedia": "a computer program made it: what it shows was not filmed",
    "digitalCapture": "a camera or recorder captured it",
    "computationalCapture": "a camera or recorder captured it, with heavy processing",
    "screenCapture": "it is a recording of a screen",
    "humanEdits": "people edited it",
    "compositeCapture": "it combines several recordings",
    "digitalCreation": "people made it with digital tools",
}
RIGHTS = {
    "public-domain": "the portrait is in the public domain",
    "fictional": "the person shown is fictional",
    "own-likeness": "the person shown asked for it",
    "sitter-of-the-house": "the portrait is one this software is released with",
    "granted": "the person shown has signed a consent grant",
}
INPUTS = {"portrait": "portrait", "speech": "speech", "motion": "motion file"}


def sentences(reading: Reading) -> list[str]:
    """The reading's verdict first, then what is declared and with what force, then what to do."""
    return _WORDS[reading.state.value](reading)


def _trusted(reading: Reading) -> list[str]:
    return [
        f"TRUSTED: {_name(reading)} was sealed by {_signer(reading)}, whose certificate you trust, "
        "and its pictures and sound have not been changed since.",
        *_sealed(reading),
        *_declared(reading, "The signer declares", "Declared"),
        "The seal proves who says this and that nothing was altered; "
        "it does not prove that what is said is true.",
    ]


def _unknown(reading: Reading) -> list[str]:
    codes = {reason.code for reason in reading.reasons}
    if "signingCredential.distrusted" in codes:
        why = "but that house says the key it was sealed with was stolen: anyone may have made it."
    elif "signingCredential.expired" in codes:
        why = "but the signer's certificate has expired, so the name is no longer vouched for."
    else:
        why = "but no certificate you trust vouches for that name: anyone can write it."
    return [
        f"UNKNOWN SIGNER: {_name(reading)} was sealed by someone calling themselves {_signer(reading)} "
        f"and its pictures and sound have not been changed since, {why}",
        *_declared(reading, "They claim", "Claimed"),
        "If you know this house, ask it for its root certificate over another channel and verify again; "
        "until then treat the claims as unproven.",
    ]


def _tampered(reading: Reading) -> list[str]:
    changed = any("Hash.mismatch" in reason.code for reason in reading.reasons)
    what = (
        "the pictures, the sound or the film's structure differ from what was sealed"
        if changed
        else "the credential itself is damaged or was altered"
    )
    words = [f"TAMPERED: {_name(reading)} carries a credential that no longer fits it: {what}."]
    if reading.signer is not None:
        words.append(f"The credential names {_signer(reading)}; that does not mean they made this version.")
    return [
        *words,
        "Rely on neither the file nor what it declares; ask the source for the original file.",
        f"Finding: {', '.join(reason.code for reason in reading.reasons)}.",
    ]


def _stripped(reading: Reading) -> list[str]:
    if any(reason.code == "manifest.elsewhere" for reason in reading.reasons):
        absence = "only points to a credential kept elsewhere, which was not fetched"
    else:
        absence = "carries no credential"
    return [
        f"STRIPPED: {_name(reading)} {absence}.",
        "Either it never had one, or it was lost: "
        "uploading, converting, cutting or screen recording removes it.",
        "This says nothing about whether the file is genuine or made by AI; ask the source for the original.",
    ]


def _unreadable(reading: Reading) -> list[str]:
    [reason] = reading.reasons
    if reason.code == "file.unsupported":
        return [
            f"UNREADABLE: {_name(reading)} is not a film, picture or sound this software knows.",
            "Nothing can be said about where it comes from.",
        ]
    if reason.code == "file.damaged":
        return [
            f"UNREADABLE: {_name(reading)} is damaged or incomplete ({reason.explanation}).",
            "Get the file again from its source.",
        ]
    return [
        f"UNREADABLE: {_name(reading)} could not be read ({reason.explanation}).",
        "Check the name and that you may read it.",
    ]


_WORDS = {
    "trusted": _trusted,
    "unknown_signer": _unknown,
    "tampered": _tampered,
    "stripped": _stripped,
    "unreadable": _unreadable,
}


def _declared(reading: Reading, who: str, what: str) -> list[str]:
    declared = reading.declaration
    if declared is None:
        return []
    words = []
    if declared.source_type is not None:
        meaning = SOURCE_TYPES.get(declared.source_type, f"its source type is “{declared.source_type}”")
        words.append(f"{who} that {meaning}.")
    if maker := _maker(declared):
        words.append(f"{what} maker: {maker}.")
    if inputs := _inputs(declared.ingredients, declared.other_inputs):
        words.append(f"{what} inputs: {inputs}.")
    if declared.rights is not None:
        right = RIGHTS.get(declared.rights, f"“{declared.rights}”")
        granted = f" (sha256 {declared.grant[:12]}…)" if declared.grant else ""
        words.append(f"{what} right to show this face: {right}{granted}.")
    if record := _record(declared):
        words.append(f"{what} record: {record}.")
    if marks := _joined([_mark(binding) for binding in declared.bindings]):
        words.append(f"{what} marks, by which the film is known without its seal: {marks}.")
    if declared.training_refused:
        words.append(f"{what} limit: not to be used to train AI systems, nor mined for data.")
    return words


def _maker(declared: Declaration) -> str:
    parts = [" ".join(filter(None, (declared.software, declared.software_version)))]
    if declared.driver is not None:
        parts.append(f"driver {declared.driver}")
    if declared.seed is not None:
        parts.append(f"seed {declared.seed}")
    if declared.created is not None:
        parts.append(f"on {declared.created:%Y-%m-%d at %H:%M} UTC by its own clock")
    return ", ".join(filter(None, parts))


def _inputs(ingredients: tuple[Ingredient, ...], others: tuple[str, ...]) -> str:
    named = [
        f"the {INPUTS[ingredient.role]} “{ingredient.title}” (sha256 {ingredient.sha256[:12]}…)"
        for ingredient in ingredients
        if ingredient.role in INPUTS
    ]
    models = Counter(ingredient.role for ingredient in ingredients)["weights"]
    if models:
        named.append(f"{models} model file{'s' if models > 1 else ''}, recorded by hash")
    named += [f"“{title}”" for title in others]
    return _joined(named)


def _record(declared: Declaration) -> str:
    parts = []
    if declared.request is not None:
        parts.append(f"a request (sha256 {declared.request[:12]}…)")
    if declared.entry is not None:
        parts.append(f"entry {declared.entry.index} of the ledger “{declared.entry.origin}”")
    return _joined(parts)


def _mark(binding: SoftBinding) -> str:
    return f"a {'watermark' if binding.watermark else 'fingerprint'} “{binding.algorithm}”"


def _joined(parts: list[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def _sealed(reading: Reading) -> list[str]:
    if reading.sealed is None:
        return []
    return [f"A clock you trust saw the seal on {reading.sealed:%Y-%m-%d at %H:%M} UTC."]


def _signer(reading: Reading) -> str:
    signer = reading.signer
    if signer is None or signer.organisation is None:
        return "an unnamed signer" if signer is None or signer.name is None else f"“{signer.name}”"
    return f"“{signer.organisation}”" + (f" ({signer.name})" if signer.name else "")


def _name(reading: Reading) -> str:
    return printable(reading.path.name) or "the file"
