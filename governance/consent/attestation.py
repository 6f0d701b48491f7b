"""An attestation: somebody vouches that a sitter never lived, or is a work in the public domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from governance.consent import kinds
from governance.consent.asking import Asking
from governance.consent.documents import Document
from governance.consent.kinds import Kind
from governance.errors import ConsentRefused
from governance.keys import SigningKey, VerifyKey

CLASSES = {
    "fictional": "the person in this picture never lived",
    "public-domain": "this picture is a work in the public domain, and nobody alive is shown in it",
}
MAX_STATEMENT = 500


@dataclass(frozen=True, kw_only=True)
class Attestation(Document):
    """Signed by who attests; it counts once a steward has reviewed it.

    Attributes:
        id: of its own.
        attester: the key of who vouches.
        portrait_sha256: of the picture file.
        sitter: one of ``CLASSES``.
        statement: how the attester knows: the work, its maker, its year, its licence.
        at: when it was signed.
    """

    NAME: ClassVar[str] = "attestation"
    SIGNER: ClassVar[str] = "attester"
    KINDS: ClassVar[Mapping[str, Kind[Any]]] = {
        "id": kinds.ID,
        "attester": kinds.KEY,
        "portrait_sha256": kinds.SHA256,
        "sitter": kinds.one_of(CLASSES),
        "statement": kinds.text(MAX_STATEMENT),
        "at": kinds.MOMENT,
    }

    id: str
    attester: VerifyKey
    portrait_sha256: str
    sitter: str
    statement: str
    at: datetime

    @classmethod
    def by(
        cls, key: SigningKey, id: str, portrait_sha256: str, sitter: str, statement: str, now: datetime
    ) -> Self:
        """Sign an attestation under a new ``id``."""
        return cls.signed(
            key,
            id=id,
            portrait_sha256=portrait_sha256,
            sitter=sitter,
            statement=statement,
            at=now.replace(microsecond=0),
        )

    def allow(self, asking: Asking) -> None:
        """Whether it is about the picture that is asked for. Raises ``ConsentRefused``."""
        if asking.portrait_sha256 != self.portrait_sha256:
            raise ConsentRefused("portrait_differs", "This attestation is for another picture.")
