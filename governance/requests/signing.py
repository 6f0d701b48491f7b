"""Signing requests (the client's side) and responses (the hub's side)."""

from __future__ import annotations

import base64
import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from http_message_signatures import ContentDigest, HTTPMessageSigner

from governance.errors import RequestRefused
from governance.keys import SigningKey, to_base64url
from governance.requests.messages import (
    FieldLines,
    Headers,
    Request,
    RequestView,
    Response,
    ResponseView,
    checked_view,
    origin_of,
    relevant_fields,
)
from governance.requests.profile import (
    LABEL,
    NONCE_BYTES,
    REQUEST_TAG,
    RESPONSE_TAG,
    WINDOW_SECONDS,
    Ed25519,
    request_components,
    response_components,
)

_OURS = ("content-digest", "signature", "signature-input")


def sign_request(
    request: Request, key: SigningKey, now: datetime, *, lifetime_seconds: int = WINDOW_SECONDS
) -> Request:
    """``request``, whose ``url`` is absolute, with ``Content-Digest``, ``Signature-Input`` and ``Signature``.
    Send it as it is; to send it again sign it again. An ``Idempotency-Key`` is signed along.

    Raises:
        RequestRefused: nobody would accept it, with the reason.
    """
    headers = _with_digest(request.headers, request.body)
    fields = relevant_fields(headers)
    if request.body and "content-type" not in fields:
        raise RequestRefused("coverage", "A request with content needs a Content-Type: say what it is.")
    view = checked_view(replace(request, headers=headers), origin_of(request.url))
    signed = _signed(
        view,
        headers,
        key,
        components=request_components(fields),
        now=now,
        lifetime_seconds=lifetime_seconds,
        tag=REQUEST_TAG,
        nonce=to_base64url(secrets.token_bytes(NONCE_BYTES)),
    )
    return replace(request, headers=signed)


def sign_response(response: Response, request: Request, key: SigningKey, now: datetime) -> Response:
    """``response`` signed by the hub as the answer to ``request`` and to no other. If that was not signed
    itself, so that a client that signs would not accept it, it is not bound to it."""
    headers = _with_digest(response.headers, response.body)
    signature = [line for line in request.headers if line[0].lower() == "signature"]
    asked = RequestView("GET", "https://unused.invalid/", FieldLines(tuple(signature)))
    signed = _signed(
        ResponseView(response.status, FieldLines(headers), asked),
        headers,
        key,
        components=response_components(relevant_fields(headers), answers_signed=len(signature) == 1),
        now=now,
        lifetime_seconds=WINDOW_SECONDS,
        tag=RESPONSE_TAG,
    )
    return replace(response, headers=signed)


def _with_digest(headers: Headers, body: bytes) -> Headers:
    """``headers`` without earlier signatures, with the digest of ``body`` (RFC 9530)."""
    kept = tuple(line for line in headers if line[0].lower() not in _OURS)
    return (*kept, ("Content-Digest", ContentDigest.create(body)))


def _signed(
    view: RequestView | ResponseView,
    headers: Headers,
    key: SigningKey,
    *,
    components: tuple[str, ...],
    now: datetime,
    lifetime_seconds: int,
    tag: str,
    nonce: str | None = None,
) -> Headers:
    prepared = HTTPMessageSigner(signature_algorithm=Ed25519).prepare(
        view,
        key_id=key.keyid,
        created=now,
        expires=now + timedelta(seconds=lifetime_seconds),
        nonce=nonce,
        label=LABEL,
        tag=tag,
        include_alg=False,
        covered_component_ids=components,
        use_existing_digest=True,
    )
    signature = base64.b64encode(key.sign(prepared.signature_base)).decode("ascii")
    return (
        *headers,
        ("Signature-Input", f"{LABEL}={prepared.signature_params}"),
        ("Signature", f"{LABEL}=:{signature}:"),
    )
