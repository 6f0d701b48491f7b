"""The profile of RFC 9421 that this hub speaks: Ed25519, one signature, set components, a short life."""

from __future__ import annotations

from collections.abc import Mapping

from http_message_signatures import HTTPSignatureAlgorithm

from governance.errors import RequestRefused
from governance.keys import SigningKey, VerifyKey

REQUEST_TAG = "vernissage-request"
RESPONSE_TAG = "vernissage-response"
LABEL = "sig"
ALGORITHM = "ed25519"

WINDOW_SECONDS = 60
"""A signature lives for so long at most."""
SKEW_SECONDS = 10
"""By so much the clocks of client and hub may differ."""
MAX_BODY_BYTES = 64 * 1024 * 1024
"""Larger contents are refused before anything is computed over them."""
NONCE_BYTES = 16

PARAMETERS = frozenset({"created", "expires", "keyid", "nonce", "tag"})


class Ed25519(HTTPSignatureAlgorithm):
    """RFC 9421 section 3.3.6, by this house's own keys."""

    algorithm_id = ALGORITHM

    def __init__(self, public_key: VerifyKey | None = None, private_key: SigningKey | None = None) -> None:
        self.public_key = public_key
        self.private_key = private_key

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        if self.private_key is None:
            raise TypeError("signing needs a private key")
        return self.private_key.sign(message)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raises ``SignatureInvalid`` unless the public key signed ``message`` so."""
        if self.public_key is None:
            raise TypeError("verifying needs a public key")
        self.public_key.verify(signature, message)


def request_components(fields: Mapping[str, str]) -> tuple[str, ...]:
    """What the signature of a request with these fields (lower-case names) covers, no more and no less."""
    optional = (name for name in ("content-type", "idempotency-key") if name in fields)
    return ("@method", "@target-uri", "content-digest", *optional)


def response_components(fields: Mapping[str, str], *, answers_signed: bool) -> tuple[str, ...]:
    """What the signature of a response covers: also the signature of the request, if it had one."""
    content = ("content-type",) if "content-type" in fields else ()
    return ("@status", "content-digest", *content, *(('"signature";req',) if answers_signed else ()))


def check_time(created: int, expires: int, now: float) -> None:
    """Raises ``RequestRefused`` (``window``, ``future``, ``expired``) unless a signature that lives from
    ``created`` to ``expires`` may be believed ``now`` (all in seconds since 1970)."""
    if not 0 < expires - created <= WINDOW_SECONDS:
        raise RequestRefused("window", f"A signature lives for 1 to {WINDOW_SECONDS} seconds: sign anew.")
    if created > now + SKEW_SECONDS:
        raise RequestRefused("future", f"This was signed {created - now:.0f} s from now: set the clock.")
    if now >= expires + SKEW_SECONDS:
        raise RequestRefused("expired", f"This signature ended {now - expires:.0f} s ago: sign anew.")
