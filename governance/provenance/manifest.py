"""What a film declares about its own making, as a C2PA manifest (C2PA 2.4).

Inputs go in as SHA-256 hashes, never as pictures or sound: whoever holds the portrait can check that it
is the one, and nobody can get it back out of the film.
"""

import base64
import hashlib
import mimetypes
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self, get_args

from governance.errors import MakingError

Role = Literal["portrait", "speech", "motion", "weights"]
Rights = Literal["public-domain", "fictional", "own-likeness", "sitter-of-the-house", "granted"]
GRANTED: Rights = "granted"
"""By a consent grant that the person shown has signed; its hash is in the manifest."""

SOFTWARE = "Vernissage"
FORMAT = "video/mp4"
MAX_TEXT = 200
MAX_INPUTS = 100
MAX_BINDINGS = 16
MAX_BINDING_BYTES = 4096
SHA256_NAME = "ni:///sha-256;"
"""How RFC 6920 names a SHA-256 hash; the digest follows in unpadded base64url."""

MAKING = "org.vernissage.making"
ROLE = "org.vernissage.role"
ACTIONS = "c2pa.actions.v2"
WATERMARKED = "c2pa.watermarked.bound"
ALGORITHM = "org.vernissage.algorithm"
SOFT_BINDING = "c2pa.soft-binding"
DISCLOSURE = "c2pa.ai-disclosure"
TRAINING = "cawg.training-mining"
TRAINING_ENTRIES = (
    "cawg.ai_generative_training",
    "cawg.ai_inference",
    "cawg.ai_training",
    "cawg.data_mining",
)
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
SOURCE_TYPE = SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"
"""The portrait's own pixels are moved by a trained model: a composite, not an image made from nothing."""


@dataclass(frozen=True)
class Ingredient:
    """A file a film was made from, known by its hash.

    Attributes:
        title: what to call it, usually a file name; 1 to 200 printable characters.
        mime: its media type, such as ``image/png``.
        sha256: its SHA-256 in lower-case hexadecimal.
        role: what it was used for.
    """

    title: str
    mime: str
    sha256: str
    role: Role

    def __post_init__(self) -> None:
        _check_text("An input's title", self.title)
        _check_text("An input's media type", self.mime)
        if not is_sha256(self.sha256):
            raise MakingError(f"The hash of {self.title!r} must be 64 lower-case hexadecimal digits.")
        if self.role not in get_args(Role):
            raise MakingError(
                f"{self.title!r} has role {self.role!r}: use one of {', '.join(get_args(Role))}."
            )

    @classmethod
    def from_file(cls, path: Path, role: Role) -> Self:
        """Hash the file at ``path``; its title is the file's name.

        Raises:
            MakingError: it cannot be read.
        """
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise MakingError(f"The {role} {path} cannot be read ({error.strerror}).") from error
        return cls(printable(path.name), mime_of(path), digest, role)


@dataclass(frozen=True)
class Entry:
    """Where the ledger tells of the request: the leaf at ``index`` of the log called ``origin``."""

    origin: str
    index: int

    def __post_init__(self) -> None:
        _check_text("A ledger's name", self.origin)
        if not 0 <= self.index < 2**63:
            raise MakingError("The index of a ledger entry must be from 0 to 2**63 - 1.")


@dataclass(frozen=True)
class SoftBinding:
    """What finds this manifest again when it was stripped from the film (C2PA 2.4, "Soft Bindings").

    Attributes:
        algorithm: its name, such as ``io.iscc.v0``.
        value: what that algorithm yields for the film; 1 to 4096 bytes.
        watermark: whether it was put into the pictures or the sound; otherwise it is a fingerprint of them.
    """

    algorithm: str
    value: bytes
    watermark: bool

    def __post_init__(self) -> None:
        _check_text("A soft binding's algorithm", self.algorithm)
        if not 1 <= len(self.value) <= MAX_BINDING_BYTES:
            raise MakingError(f"The value of a soft binding must be 1 to {MAX_BINDING_BYTES} bytes.")


@dataclass(frozen=True)
class Making:
    """How one film was made: all that its manifest will declare.

    Attributes:
        title: what to call the film; 1 to 200 printable characters.
        portrait: the still picture.
        speech: the sound it speaks, unless it moves in silence.
        motion: the motion file it follows, unless the motion was made from the speech.
        weights: the model files used.
        rights: by what right this face may be animated, as declared by whoever asked for the film.
        driver: the name of what turned speech into motion.
        seed: the seed of its randomness, 0 to 2**63 - 1.
        software_version: the version of this software.
        created: when, by this machine's clock; with a time zone.
        grant: the SHA-256 of the consent grant (lower-case hexadecimal) if, and only if, ``rights`` is
            ``granted``.
        request: the SHA-256 of the signed request that asked for the film, if one did.
        entry: where the ledger tells of that request.
        bindings: watermarks in the film and fingerprints of it, each algorithm once.
    """

    title: str
    portrait: Ingredient
    speech: Ingredient | None
    motion: Ingredient | None
    weights: tuple[Ingredient, ...]
    rights: Rights
    driver: str
    seed: int
    software_version: str
    created: datetime
    grant: str | None = None
    request: str | None = None
    entry: Entry | None = None
    bindings: tuple[SoftBinding, ...] = ()

    def __post_init__(self) -> None:
        _check_text("A film's title", self.title)
        _check_text("The driver", self.driver)
        _check_text("The software version", self.software_version)
        if self.rights not in get_args(Rights):
            raise MakingError(
                f"By what right is this face animated? Declare one of {', '.join(get_args(Rights))}."
            )
        if (self.rights == GRANTED) != (self.grant is not None):
            raise MakingError("A film is made by a grant if, and only if, it names the grant by its hash.")
        for what, sha256 in (("a grant", self.grant), ("a request", self.request)):
            if sha256 is not None and not is_sha256(sha256):
                raise MakingError(f"The hash of {what} must be 64 lower-case hexadecimal digits.")
        algorithms = {binding.algorithm for binding in self.bindings}
        if len(algorithms) != len(self.bindings) or len(self.bindings) > MAX_BINDINGS:
            raise MakingError(f"A film has at most {MAX_BINDINGS} soft bindings, one for each algorithm.")
        if not 0 <= self.seed < 2**63:
            raise MakingError("The seed must be from 0 to 2**63 - 1.")
        if self.created.tzinfo is None:
            raise MakingError("The time a film was created needs a time zone.")
        if self.speech is None and self.motion is None:
            raise MakingError("A film is made from speech, from a motion file or from both: name one.")
        if len(self.ingredients) > MAX_INPUTS:
            raise MakingError(f"A film can declare at most {MAX_INPUTS} inputs.")
        for field, role, ingredients in (
            ("portrait", "portrait", (self.portrait,)),
            ("speech", "speech", (self.speech,)),
            ("motion", "motion", (self.motion,)),
            ("weights", "weights", self.weights),
        ):
            if any(ingredient is not None and ingredient.role != role for ingredient in ingredients):
                raise MakingError(f"An input given as {field} must have the role {role!r}.")

    @property
    def ingredients(self) -> tuple[Ingredient, ...]:
        """Every input, the portrait first."""
        optional = tuple(ingredient for ingredient in (self.speech, self.motion) if ingredient is not None)
        return (self.portrait, *optional, *self.weights)


def to_manifest(making: Making) -> dict[str, Any]:
    """The manifest definition of ``making``, as the C2PA SDK takes it.

    Its actions are ``c2pa.created`` and, for each watermark, ``c2pa.watermarked.bound``. It holds every
    input as an ``inputTo`` ingredient that the first refers to; the AI disclosure; the refusal of training
    and mining; each soft binding; and ``org.vernissage.making``.
    """
    software = {"name": SOFTWARE, "version": making.software_version}
    labels = [f"input-{number}" for number in range(len(making.ingredients))]
    created = {
        "action": "c2pa.created",
        "when": making.created.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "digitalSourceType": SOURCE_TYPE,
        "softwareAgent": software,
        "parameters": {"ingredientIds": labels},
    }
    disclosure = {
        "modelType": "c2pa.types.model",
        "modelName": f"{SOFTWARE} {making.driver}",
        "contentProfile": {"humanOversightLevel": "prompt_guided"},
    }
    watermarked = [
        {"action": WATERMARKED, "softwareAgent": software, "parameters": {ALGORITHM: binding.algorithm}}
        for binding in making.bindings
        if binding.watermark
    ]
    own: dict[str, Any] = {"rights": making.rights, "driver": making.driver, "seed": making.seed}
    if making.grant is not None:
        own["grant"] = making.grant
    if making.request is not None:
        own["request"] = making.request
    if making.entry is not None:
        own["ledger"] = {"origin": making.entry.origin, "index": making.entry.index}
    bindings = [
        {"alg": binding.algorithm, "blocks": [{"scope": {}, "value": list(binding.value)}]}
        for binding in making.bindings
    ]
    return {
        "title": making.title,
        "format": FORMAT,
        "claim_generator_info": [software],
        "ingredients": [
            _to_ingredient(ingredient, label)
            for ingredient, label in zip(making.ingredients, labels, strict=True)
        ],
        "assertions": [
            {"label": label, "created": True, "data": data}
            for label, data in (
                (ACTIONS, {"actions": [created, *watermarked]}),
                (DISCLOSURE, disclosure),
                (TRAINING, {"entries": {entry: {"use": "notAllowed"} for entry in TRAINING_ENTRIES}}),
                (MAKING, own),
                *((SOFT_BINDING, binding) for binding in bindings),
            )
        ],
    }


def mime_of(path: Path) -> str:
    """The media type that a file's name tells."""
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def is_sha256(text: str) -> bool:
    """Whether ``text`` is a SHA-256 in lower-case hexadecimal."""
    return len(text) == 64 and not set(text) - set("0123456789abcdef")


def to_hash_name(sha256: str) -> str:
    """A hexadecimal SHA-256 as an RFC 6920 name."""
    return SHA256_NAME + base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode("ascii").rstrip("=")


def from_hash_name(name: str) -> str | None:
    """The hexadecimal SHA-256 an RFC 6920 name holds, or ``None`` if it names something else."""
    encoded = name.removeprefix(SHA256_NAME)
    try:
        digest = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    sha256 = digest.hex()
    return sha256 if len(digest) == hashlib.sha256().digest_size and to_hash_name(sha256) == name else None


def printable(text: str) -> str:
    """``text`` on one line of at most 200 characters, none of which can steer a terminal or a page."""
    cleaned = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
    return cleaned if len(cleaned) <= MAX_TEXT else cleaned[: MAX_TEXT - 1] + "…"


def _to_ingredient(ingredient: Ingredient, label: str) -> dict[str, Any]:
    definition: dict[str, Any] = {
        "title": ingredient.title,
        "format": ingredient.mime,
        "relationship": "inputTo",
        "label": label,
        "instance_id": to_hash_name(ingredient.sha256),
        "description": f"{ingredient.role}, sha256 {ingredient.sha256}",
        "metadata": {ROLE: ingredient.role},
    }
    if ingredient.role == "weights":
        definition["data_types"] = [{"type": "c2pa.types.model"}]
    return definition


def _check_text(what: str, text: str) -> None:
    if not (text.strip() and len(text) <= MAX_TEXT and text.isprintable()):
        raise MakingError(f"{what} must be 1 to {MAX_TEXT} printable characters.")
