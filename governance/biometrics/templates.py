"""What is remembered of a face or a voice: a unit vector, and a salted commitment to it.

A template is personal data. It shows itself in no ``repr``, belongs in no log, event or manifest, and is kept
only encrypted (``governance.biometrics.store``).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from governance.errors import TemplateDamaged

SALT_BYTES = 32
_SCALE = 32767
_UNIT_TOLERANCE = 0.01

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Template:
    """``data``: the vector's components, -1..1, as little-endian int16."""

    kind: ClassVar[str]
    size: ClassVar[int]

    data: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if (
            len(self.data) != 2 * self.size
            or abs(float(np.linalg.norm(self._floats())) - 1) > _UNIT_TOLERANCE
        ):
            raise TemplateDamaged(
                f"This is no {self.kind} template: it needs {self.size} numbers of unit length."
            )

    @classmethod
    def of(cls, vector: ArrayLike) -> Self:
        """From (size,) numbers of any length but zero. Raises ``TemplateDamaged`` if they are not that."""
        numbers = np.asarray(vector, np.float64)
        length = float(np.linalg.norm(numbers))
        if numbers.shape != (cls.size,) or not np.isfinite(length) or length == 0:
            raise TemplateDamaged(f"A {cls.kind} template needs {cls.size} numbers that are not all zero.")
        return cls(np.round(numbers / length * _SCALE).astype("<i2").tobytes())

    @cached_property
    def vector(self) -> Vector:
        """(size,) float32 of length 1, read-only."""
        numbers = self._floats()
        unit: Vector = (numbers / np.linalg.norm(numbers)).astype(np.float32)
        unit.setflags(write=False)
        return unit

    def _floats(self) -> NDArray[np.float64]:
        return np.frombuffer(self.data, "<i2").astype(np.float64) / _SCALE


@dataclass(frozen=True)
class FaceTemplate(Template):
    """128 numbers by SFace (Zhong et al., IEEE TIP 2021)."""

    kind = "face"
    size = 128


@dataclass(frozen=True)
class VoiceTemplate(Template):
    """256 numbers by GE2E (Wan et al., ICASSP 2018)."""

    kind = "voice"
    size = 256


def similarity(a: Template, b: Template) -> float:
    """The cosine between two templates of one kind, -1..1. Raises ``TemplateDamaged`` if the kinds differ."""
    if a.kind != b.kind:
        raise TemplateDamaged(f"A {a.kind} cannot be compared with a {b.kind}.")
    return float(np.dot(a.vector, b.vector))


def new_salt() -> bytes:
    """Fresh for every commitment; as secret as the template itself."""
    return secrets.token_bytes(SALT_BYTES)


def commit(template: Template, salt: bytes) -> str:
    """SHA-256 (hex) that binds whoever publishes it to ``template``, and tells nothing without ``salt``.

    Who is later shown template and salt can check them with ``opens``. It does *not* let anyone compare two
    people, or two pictures of one: templates of the same face differ, so their commitments have nothing in
    common. Nor does it hide a template from somebody who holds both the salt and a picture to try: the salt
    is kept encrypted with the template, and once both are deleted the commitment can be linked to nobody.

    Raises:
        ValueError: the salt has not ``SALT_BYTES`` bytes.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes")
    domain = f"vernissage {template.kind} template, version 1\n".encode("ascii")
    return hashlib.sha256(domain + salt + template.data).hexdigest()


def opens(commitment: str, template: Template, salt: bytes) -> bool:
    """Whether ``commitment`` was made of exactly this template and salt."""
    return secrets.compare_digest(commitment, commit(template, salt))
