"""What is asked of a right to animate a face, and what is given in return."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Asking:
    """What one film needs.

    Attributes:
        request_sha256: of the signed request: one request, one film.
        grantees: whom the requester may act for: ``credential:ID`` and ``organisation:ID``.
        portrait_sha256: of the picture file to be animated.
        purposes: what the film is for, as declared.
        directions: every emotion it plays.
        locale: the language spoken in it.
        own_voice: whether it is, or imitates, the voice of the person shown.
    """

    request_sha256: str
    grantees: tuple[str, ...]
    portrait_sha256: str
    purposes: tuple[str, ...]
    directions: tuple[str, ...] = ("neutral",)
    locale: str = "en"
    own_voice: bool = False


@dataclass(frozen=True)
class Use:
    """A film that may be made, once; it must be confirmed before it is handed over.

    Attributes:
        id: of this use.
        right: the id of the grant or attestation it rests on.
        right_sha256: of that document, for the film's manifest and the ledger.
        request_sha256: as it was asked for.
    """

    id: str
    right: str
    right_sha256: str
    request_sha256: str
