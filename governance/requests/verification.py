"""Believing a signed request (the hub's side) or response (the client's), or refusing it with a reason."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from http_message_signatures import (
    ContentDigest,
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    VerifyResult,
)

from governance.errors import GovernanceError, RequestRefused
from governance.keys import VerifyKey
from governance.requests.messages import (
    FieldLines,
    Request,
    RequestView,
    Response,
    ResponseView,
    checked_view,
    relevant_fields,
)
from governance.requests.profile import (
    MAX_BODY_BYTES,
    PARAMETERS,
    REQUEST_TAG,
    RESPONSE_TAG,
    SKEW_SECONDS,
    Ed25519,
    check_time,
    request_components,
    response_components,
)

_SIGNATURE = re.compile(r"[a-z*][a-z0-9_.*-]{0,63}=:[A-Za-z0-9+/]{85}[AQgw]==:")
"""64 bytes in the only base64 that spells them."""
_PARAMS = '"@signature-params"'
_NONCE = re.compile(r"[A-Za-z0-9_-]{22,64}")


@dataclass(frozen=True)
class SignedRequest:
    """What the holder of the key ``keyid`` asked for. Only what is here was covered by the signature; nothing
    else in the request may be believed. ``sha256`` (hexadecimal) names the signed text, and so all of it."""

    keyid: str
    nonce: str
    sha256: str
    created: datetime
    expires: datetime
    method: str
    target: str
    content_type: str | None
    idempotency_key: str | None
    body: bytes = field(repr=False)

    @property
    def remember_until(self) -> datetime:
        """From then on it is too old for any clock that we accept."""
        return self.expires + timedelta(seconds=SKEW_SECONDS)


def verify_request(
    request: Request,
    *,
    origin: str,
    keys: Callable[[str], VerifyKey],
    now: datetime,
    max_bytes: int = MAX_BODY_BYTES,
) -> SignedRequest:
    """What was signed, if it was signed by the key that ``keys`` finds for its keyid, for the public
    ``origin`` of this hub, and lately. Whether it came before is for ``Replay`` to say. The content is hashed
    only after the signature has been found good.

    Raises:
        RequestRefused: ``unsigned``, ``malformed``, ``ambiguous``, ``too_large``, ``target``, ``encoding``,
            ``coverage``, ``tag``, ``nonce``, ``window``, ``future``, ``expired``, ``signature``, ``digest``.
        GovernanceError: whatever ``keys`` raises.
    """
    if len(request.body) > max_bytes:
        raise RequestRefused("too_large", f"The content is larger than {max_bytes:,} bytes: send less.")
    fields = relevant_fields(request.headers)
    view = checked_view(request, origin)
    if request.body and "content-type" not in fields:
        raise RequestRefused("coverage", "A request with content needs a Content-Type: say what it is.")
    result = _verify(view, fields, keys, now, REQUEST_TAG, request_components(fields), nonce=True)
    _check_digest(fields, request.body)
    parameters: dict[str, Any] = result.parameters
    return SignedRequest(
        keyid=parameters["keyid"],
        nonce=parameters["nonce"],
        sha256=hashlib.sha256(_base(result)).hexdigest(),
        created=datetime.fromtimestamp(parameters["created"], UTC),
        expires=datetime.fromtimestamp(parameters["expires"], UTC),
        method=request.method,
        target=view.url,
        content_type=fields.get("content-type"),
        idempotency_key=fields.get("idempotency-key"),
        body=request.body,
    )


def verify_response(
    response: Response, request: Request, hub: VerifyKey, now: datetime, *, max_bytes: int = MAX_BODY_BYTES
) -> None:
    """Return only if the ``hub`` gave this ``response``, lately, to this signed ``request``.

    Raises:
        RequestRefused: as ``verify_request``; ``key``: another key than the hub's signed it.
    """
    if len(response.body) > max_bytes:
        raise RequestRefused("too_large", f"The content is larger than {max_bytes:,} bytes.")
    fields = relevant_fields(response.headers)
    signature = tuple(line for line in request.headers if line[0].lower() == "signature")
    asked = RequestView("GET", "https://unused.invalid/", FieldLines(signature))
    view = ResponseView(response.status, FieldLines(response.headers), asked)

    def only_the_hub(keyid: str) -> VerifyKey:
        if keyid != hub.keyid:
            raise RequestRefused("key", "The response is signed by another key than the hub's.")
        return hub

    components = response_components(fields, answers_signed=True)
    _verify(view, fields, only_the_hub, now, RESPONSE_TAG, components, nonce=False)
    _check_digest(fields, response.body)


class _Keys(HTTPSignatureKeyResolver):
    """Asks ``find``, and remembers why it refused, which the library would wrap."""

    def __init__(self, find: Callable[[str], VerifyKey]) -> None:
        self.find = find
        self.refusal: GovernanceError | None = None

    def resolve_public_key(self, key_id: str) -> Any:
        try:
            return self.find(key_id)
        except GovernanceError as error:
            self.refusal = error
            return None


class _Verifier(HTTPMessageVerifier):
    """The library's, with this profile's rules about parameters in the place of its own about time."""

    def __init__(self, keys: _Keys, now: datetime, tag: str, *, nonce: bool) -> None:
        super().__init__(signature_algorithm=Ed25519, key_resolver=keys)
        self._now = now.timestamp()
        self._tag = tag
        self._expected = PARAMETERS if nonce else PARAMETERS - {"nonce"}

    def validate_created_and_expires(self, sig_input: Any, max_age: timedelta | None = None) -> None:
        found = sig_input.params
        if found.keys() - {"alg"} != self._expected:
            raise RequestRefused(
                "malformed", f"The parameters of the signature must be {', '.join(sorted(self._expected))}."
            )
        if found["tag"] != self._tag:
            raise RequestRefused("tag", f"The tag of the signature is not {self._tag}.")
        if "nonce" in self._expected and not _NONCE.fullmatch(found["nonce"]):
            raise RequestRefused("nonce", "The nonce must be 22 to 64 characters of base64url.")
        check_time(found["created"], found["expires"], self._now)


def _verify(
    view: RequestView | ResponseView,
    fields: Mapping[str, str],
    keys: Callable[[str], VerifyKey],
    now: datetime,
    tag: str,
    components: tuple[str, ...],
    *,
    nonce: bool,
) -> VerifyResult:
    """The one signature of ``view``, which covers exactly ``components``."""
    if not ("signature" in fields and "signature-input" in fields):
        raise RequestRefused("unsigned", "There is no signature: sign it (RFC 9421).")
    if not _SIGNATURE.fullmatch(fields["signature"]):
        raise RequestRefused("malformed", "Signature must be one Ed25519 signature in plain base64.")
    if "content-digest" not in fields:
        raise RequestRefused("coverage", "There is no Content-Digest: add it and sign it along (RFC 9530).")
    resolver = _Keys(keys)
    try:
        (result,) = _Verifier(resolver, now, tag, nonce=nonce).verify(view, max_age=None)
    except RequestRefused:
        raise
    except HTTPMessageSignaturesException as error:
        if resolver.refusal is not None:
            raise resolver.refusal from error
        raise RequestRefused("signature", "The signature does not belong to this message.") from error
    covered = result.covered_components
    expected = {name if name.startswith('"') else f'"{name}"' for name in components}
    if covered.keys() - {_PARAMS} != expected:
        raise RequestRefused("coverage", f"The signature must cover exactly {', '.join(sorted(expected))}.")
    if fields["signature-input"] != f"{result.label}={covered[_PARAMS]}":
        raise RequestRefused("malformed", "Signature-Input is not in its canonical form (RFC 8941).")
    return result


def _check_digest(fields: Mapping[str, str], body: bytes) -> None:
    try:
        ContentDigest.verify(fields["content-digest"], body)
    except HTTPMessageSignaturesException as error:
        raise RequestRefused("digest", "The content is not the one that was signed.") from error


def _base(result: VerifyResult) -> bytes:
    """The text that was signed (RFC 9421 section 2.5)."""
    return "\n".join(f"{name}: {value}" for name, value in result.covered_components.items()).encode()
