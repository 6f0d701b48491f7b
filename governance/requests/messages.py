"""HTTP messages as signatures see them, free of any framework."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from governance.errors import RequestRefused

Headers = tuple[tuple[str, str], ...]
"""Field lines in their order, repeated ones apart."""

MAX_TARGET_CHARS = 8192
MAX_FIELD_CHARS = 4096

RELEVANT = frozenset(
    {
        "content-digest",
        "content-encoding",
        "content-type",
        "idempotency-key",
        "signature",
        "signature-input",
    }
)
"""Fields that a signature covers, or that would change what a covered one means."""

_METHOD = re.compile(r"[A-Z]{1,20}")
_CHARS = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})"
_TARGET = re.compile(rf"/{_CHARS}*(?:\?(?:{_CHARS}|\?)*)?")
_ORIGIN = re.compile(r"(https?)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?/?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True)
class Request:
    """``url`` as it came: absolute, or path and query as on the wire (not decoded); ``body`` as it came."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Response:
    """The answer to a request."""

    status: int
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class FieldLines:
    """Headers as the signature library reads them."""

    lines: Headers

    def items(self) -> Headers:
        """Name and value of each."""
        return self.lines


@dataclass(frozen=True)
class RequestView:
    """A request as the signature library reads it; its ``url`` is canonical."""

    method: str
    url: str
    headers: FieldLines


@dataclass(frozen=True)
class ResponseView:
    """A response as the signature library reads it, with the request it answers."""

    status_code: int
    headers: FieldLines
    request: RequestView


@lru_cache
def canonical_origin(origin: str) -> str:
    """Scheme, lower-case host and the port unless it is the usual one: ``https://hub.example``.

    Raises:
        RequestRefused: ``target``: it has a path or a user, or is no http(s) address.
    """
    found = _ORIGIN.fullmatch(origin)
    if not found:
        raise RequestRefused("target", f"{origin!r} is no public address: write https://host[:port].")
    scheme, host, port = found.groups()
    shown = "" if port in (None, _DEFAULT_PORTS[scheme]) else f":{port}"
    return f"{scheme}://{host.lower()}{shown}"


def origin_of(url: str) -> str:
    """The canonical origin of an absolute ``url``. Raises ``RequestRefused`` (``target``) if it has none."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise RequestRefused("target", "The address of the request is not valid.") from error
    return canonical_origin(f"{parts.scheme}://{parts.netloc}")


def checked_view(request: Request, origin: str) -> RequestView:
    """``request`` as it was addressed at the public ``origin``, whatever proxies made of the address.

    Raises:
        RequestRefused: ``target`` or ``malformed``.
    """
    if not _METHOD.fullmatch(request.method):
        raise RequestRefused("malformed", "The method of the request is not one word in capitals.")
    target = request.url
    if not target.startswith("/"):
        _, _, rest = target.partition("://")
        cut = min((place for place in (rest.find("/"), rest.find("?")) if place >= 0), default=len(rest))
        target = rest[cut:] if rest[cut:].startswith("/") else f"/{rest[cut:]}"
    if len(target) > MAX_TARGET_CHARS or not _TARGET.fullmatch(target):
        raise RequestRefused("target", "The address of the request is too long or not percent-encoded.")
    return RequestView(request.method, canonical_origin(origin) + target, FieldLines(request.headers))


def relevant_fields(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The ``RELEVANT`` fields by lower-case name.

    Raises:
        RequestRefused: ``ambiguous``: one of them comes twice; ``malformed``: one cannot be read in just one
            way; ``encoding``: the content is compressed.
    """
    found: dict[str, str] = {}
    for spelt, value in headers:
        name = spelt.lower()
        if name not in RELEVANT:
            continue
        if name in found:
            raise RequestRefused("ambiguous", f"{spelt} comes twice: send it once.")
        if len(value) > MAX_FIELD_CHARS or not (value.isascii() and value.isprintable()):
            raise RequestRefused("malformed", f"{spelt} is too long or holds characters that do not belong.")
        found[name] = value.strip(" ")
    if found.get("content-encoding", "identity") != "identity":
        raise RequestRefused("encoding", "The content is compressed: send it as it is.")
    return found
