"""What a manifest found in a file says. Anybody may have written it: nothing in it is taken for granted."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast, get_args

from governance.errors import MakingError
from governance.provenance.manifest import (
    ACTIONS,
    ALGORITHM,
    MAKING,
    MAX_BINDINGS,
    MAX_INPUTS,
    ROLE,
    SOFT_BINDING,
    SOFTWARE,
    SOURCE_TYPE,
    SOURCE_TYPES,
    TRAINING,
    TRAINING_ENTRIES,
    WATERMARKED,
    Entry,
    Ingredient,
    Making,
    Role,
    SoftBinding,
    from_hash_name,
    is_sha256,
    printable,
)


@dataclass(frozen=True)
class Declaration:
    """What a manifest declares, ``None`` (or nothing) where it is silent. Texts are safe to print.

    Attributes:
        title: the film's title.
        software: the program that made it, with ``software_version``.
        created: when it was made, by the maker's own clock (UTC).
        source_type: the last part of the IPTC digital source type, such as
            ``compositeWithTrainedAlgorithmicMedia``.
        rights: by what right the face was animated; one of ``Rights`` in our films.
        driver: what turned speech into motion.
        seed: the seed of its randomness.
        ingredients: the inputs recorded by hash and role, as our films do.
        other_inputs: titles of inputs recorded in any other way.
        training_refused: whether every kind of training and mining is refused.
        grant: the SHA-256 of the consent grant the film was made by.
        request: the SHA-256 of the signed request for it.
        entry: where a ledger tells of that request.
        bindings: what finds the manifest again when the film has lost it.
    """

    title: str | None
    software: str | None
    software_version: str | None
    created: datetime | None
    source_type: str | None
    rights: str | None
    driver: str | None
    seed: int | None
    ingredients: tuple[Ingredient, ...]
    other_inputs: tuple[str, ...]
    training_refused: bool
    grant: str | None
    request: str | None
    entry: Entry | None
    bindings: tuple[SoftBinding, ...]


def declared_by(making: Making) -> Declaration:
    """What the manifest of ``making`` must be found to say."""
    return Declaration(
        title=making.title,
        software=SOFTWARE,
        software_version=making.software_version,
        created=making.created.astimezone(UTC).replace(microsecond=0),
        source_type=SOURCE_TYPE.removeprefix(SOURCE_TYPES),
        rights=making.rights,
        driver=making.driver,
        seed=making.seed,
        ingredients=making.ingredients,
        other_inputs=(),
        training_refused=True,
        grant=making.grant,
        request=making.request,
        entry=making.entry,
        bindings=making.bindings,
    )


def from_manifest(manifest: Mapping[str, Any]) -> Declaration:
    """Read a manifest as the C2PA SDK reports it; whatever has an unexpected shape counts as not declared."""
    making = _assertion(manifest, MAKING)
    actions = list(_mappings(_assertion(manifest, ACTIONS).get("actions")))
    action = actions[0] if actions else {}
    generator = next(_mappings(manifest.get("claim_generator_info")), {})
    entries = _mapping(_assertion(manifest, TRAINING).get("entries"))
    inputs = [
        (entry, _ingredient(entry))
        for entry, _ in zip(_mappings(manifest.get("ingredients")), range(MAX_INPUTS), strict=False)
    ]
    return Declaration(
        title=_text(manifest.get("title")),
        software=_text(generator.get("name")),
        software_version=_text(generator.get("version")),
        created=_time(action.get("when")),
        source_type=_source_type(action.get("digitalSourceType")),
        rights=_text(making.get("rights")),
        driver=_text(making.get("driver")),
        seed=_whole(making.get("seed")),
        ingredients=tuple(ingredient for _, ingredient in inputs if ingredient is not None),
        other_inputs=tuple(
            _text(entry.get("title")) or "untitled" for entry, ingredient in inputs if ingredient is None
        ),
        training_refused=all(
            _mapping(entries.get(entry)).get("use") == "notAllowed" for entry in TRAINING_ENTRIES
        ),
        grant=_sha256(making.get("grant")),
        request=_sha256(making.get("request")),
        entry=_entry(_mapping(making.get("ledger"))),
        bindings=tuple(_bindings(manifest, actions)),
    )


def _ingredient(entry: Mapping[str, Any]) -> Ingredient | None:
    role = _mapping(entry.get("metadata")).get(ROLE)
    sha256 = from_hash_name(str(entry.get("instance_id")))
    if sha256 is None or role not in get_args(Role) or entry.get("relationship") != "inputTo":
        return None
    try:
        return Ingredient(
            _text(entry.get("title")) or "untitled",
            _text(entry.get("format")) or "application/octet-stream",
            sha256,
            cast(Role, role),
        )
    except MakingError:
        return None


def _entry(ledger: Mapping[str, Any]) -> Entry | None:
    origin, index = _text(ledger.get("origin")), _whole(ledger.get("index"))
    try:
        return None if origin is None or index is None else Entry(origin, index)
    except MakingError:
        return None


def _bindings(manifest: Mapping[str, Any], actions: Sequence[Mapping[str, Any]]) -> Iterator[SoftBinding]:
    watermarks = {
        _text(_mapping(action.get("parameters")).get(ALGORITHM))
        for action in actions
        if action.get("action") == WATERMARKED
    }
    for data, _ in zip(_assertions(manifest, SOFT_BINDING), range(MAX_BINDINGS), strict=False):
        algorithm = _text(data.get("alg"))
        blocks = list(_mappings(data.get("blocks")))
        if algorithm is None or len(blocks) != 1:
            continue
        with suppress(ValueError, MakingError):
            yield SoftBinding(algorithm, _octets(blocks[0].get("value")), algorithm in watermarks)


def _assertion(manifest: Mapping[str, Any], label: str) -> Mapping[str, Any]:
    return next(_assertions(manifest, label), {})


def _assertions(manifest: Mapping[str, Any], label: str) -> Iterator[Mapping[str, Any]]:
    for assertion in _mappings(manifest.get("assertions")):
        if assertion.get("label") == label:
            yield _mapping(assertion.get("data"))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: object) -> Iterator[Mapping[str, Any]]:
    return (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else iter(())


def _text(value: object) -> str | None:
    return printable(value) if isinstance(value, str) and value.strip() else None


def _octets(value: object) -> bytes:
    """A byte string as the SDK takes it (a list of octets) or gives it back (base64); or ``ValueError``."""
    if isinstance(value, list) and all(isinstance(octet, int) for octet in value):
        return bytes(value)
    return base64.b64decode(str(value), validate=True)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _sha256(value: object) -> str | None:
    return value if isinstance(value, str) and is_sha256(value) else None


def _source_type(value: object) -> str | None:
    text = _text(value)
    return text.removeprefix(SOURCE_TYPES) if text else None


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(value))
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):
        return None
