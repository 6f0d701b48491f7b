"""Clients that were not written by us, and a real wire in between."""

import base64
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver
from http_message_signatures.algorithms import ED25519

from governance.keys import SigningKey
from governance.requests import (
    Request,
    Response,
    SignedRequest,
    sign_request,
    sign_response,
    verify_request,
    verify_response,
)

ORIGIN = "https://hub.example"
KEY = SigningKey.generate()
HUB = SigningKey.generate()
BODY = b'{"portrait": "a"}'


def believe(request: Request, now: datetime) -> SignedRequest:
    return verify_request(request, origin=ORIGIN, keys={KEY.keyid: KEY.public}.__getitem__, now=now)


def test_a_signature_written_by_hand_after_the_standard_is_believed() -> None:
    now = datetime.now(UTC)
    digest = base64.b64encode(hashlib.sha512(BODY).digest()).decode()
    created = int(now.timestamp())
    parameters = (
        '("content-type" "content-digest" "@target-uri" "@method")'
        f';nonce="{"n" * 22}";keyid="{KEY.keyid}";alg="ed25519"'
        f';tag="vernissage-request";created={created};expires={created + 30}'
    )
    base = (
        '"content-type": application/json\n'
        f'"content-digest": sha-512=:{digest}:\n'
        '"@target-uri": https://hub.example/v1/films?draft=1\n'
        '"@method": POST\n'
        f'"@signature-params": {parameters}'
    )
    signature = base64.b64encode(KEY.sign(base.encode())).decode()
    headers = (
        ("content-type", "application/json"),
        ("content-digest", f"sha-512=:{digest}:"),
        ("signature-input", f"partner-7={parameters}"),
        ("signature", f"partner-7=:{signature}:"),
    )
    asked = believe(Request("POST", "/v1/films?draft=1", headers, BODY), now)
    assert asked.sha256 == hashlib.sha256(base.encode()).hexdigest()
    assert asked.expires - asked.created == timedelta(seconds=30)


@dataclass
class PartnersRequest:
    """What a partner's own HTTP library might have."""

    method: str
    url: str
    headers: dict[str, str]


def test_a_partner_may_sign_with_the_library_itself() -> None:
    now = datetime.now(UTC)
    message = PartnersRequest("POST", f"{ORIGIN}/v1/films", {"Content-Type": "application/json"})
    keys = MappingKeyResolver(public_keys={}, private_keys={KEY.keyid: KEY._key})
    HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=keys).sign(
        message,
        key_id=KEY.keyid,
        created=now,
        expires=now + timedelta(seconds=60),
        nonce="n" * 22,
        tag="vernissage-request",
        covered_component_ids=("@method", "@target-uri", "content-digest", "content-type"),
        body=BODY,
    )
    asked = believe(Request("POST", message.url, tuple(message.headers.items()), BODY), now)
    assert asked.keyid == KEY.keyid


class Handler(BaseHTTPRequestHandler):
    """Answers a signed request with a signed response that says what was believed."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = Request("POST", self.path, tuple(self.headers.items()), body)
        asked = believe(request, datetime.now(UTC))
        answer = sign_response(
            Response(200, (("Content-Type", "text/plain"),), asked.target.encode()),
            request,
            HUB,
            datetime.now(UTC),
        )
        self.send_response(answer.status)
        for name, value in (*answer.headers, ("Content-Length", str(len(answer.body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    """Of a server behind which the hub stands, under another name than its public one."""
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_survives_the_wire_both_ways(address: str) -> None:
    target = "/v1/films/%C3%A9?a=1&b=%20+x"
    headers = (("Content-Type", "application/json"), ("Idempotency-Key", "7"))
    signed = sign_request(Request("POST", ORIGIN + target, headers, BODY), KEY, datetime.now(UTC))
    got = httpx.post(address + target, headers=list(signed.headers), content=signed.body)
    response = Response(got.status_code, tuple(got.headers.multi_items()), got.content)
    verify_response(response, signed, HUB.public, datetime.now(UTC))
    assert got.text == ORIGIN + target
    with pytest.raises(Exception, match="not the one that was signed"):
        verify_response(replace(response, body=b"?"), signed, HUB.public, datetime.now(UTC))
