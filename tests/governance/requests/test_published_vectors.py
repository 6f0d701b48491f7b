"""The vectors that RFC 9421 and RFC 9530 publish, by our keys and the adapter that all our signatures use."""

import base64

import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_public_key
from http_message_signatures import (
    ContentDigest,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    InvalidSignature,
    MappingKeyResolver,
)

from governance.keys import SigningKey, VerifyKey
from governance.requests.messages import FieldLines, RequestView
from governance.requests.profile import Ed25519

# RFC 9421 appendix B.1.4, B.2 and B.2.6
PUBLIC = b"""-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----
"""
PRIVATE = base64.b64decode("MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF")
HEADERS = (
    ("Host", "example.com"),
    ("Date", "Tue, 20 Apr 2021 02:07:55 GMT"),
    ("Content-Type", "application/json"),
    (
        "Content-Digest",
        "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
    ),
    ("Content-Length", "18"),
)
BODY = b'{"hello": "world"}'
COVERED = ("date", "@method", "@path", "@authority", "content-type", "content-length")
PARAMETERS = (
    '("date" "@method" "@path" "@authority" "content-type" "content-length")'
    ';created=1618884473;keyid="test-key-ed25519"'
)
BASE = f"""\
"date": Tue, 20 Apr 2021 02:07:55 GMT
"@method": POST
"@path": /foo
"@authority": example.com
"content-type": application/json
"content-length": 18
"@signature-params": {PARAMETERS}""".encode()
SIGNATURE = base64.b64decode(
    "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
)


@pytest.fixture
def public() -> VerifyKey:
    return VerifyKey(load_pem_public_key(PUBLIC).public_bytes_raw())  # type: ignore[union-attr]


@pytest.fixture
def private() -> SigningKey:
    return SigningKey(load_der_private_key(PRIVATE, None))  # type: ignore[arg-type]


def message(headers: tuple[tuple[str, str], ...] = HEADERS) -> RequestView:
    return RequestView("POST", "https://example.com/foo?param=Value&Pet=dog", FieldLines(headers))


def verifier(public: VerifyKey) -> HTTPMessageVerifier:
    keys = MappingKeyResolver(public_keys={"test-key-ed25519": public}, private_keys={})  # type: ignore[dict-item]
    return HTTPMessageVerifier(signature_algorithm=Ed25519, key_resolver=keys)


def test_the_published_signature_is_made(private: SigningKey, public: VerifyKey) -> None:
    assert private.public == public
    assert Ed25519(private_key=private).sign(BASE) == SIGNATURE


def test_the_published_request_is_believed_and_no_other(public: VerifyKey) -> None:
    signed = (
        *HEADERS,
        ("Signature-Input", f"sig-b26={PARAMETERS}"),
        ("Signature", f"sig-b26=:{base64.b64encode(SIGNATURE).decode()}:"),
    )
    (result,) = verifier(public).verify(message(signed), max_age=None)
    base = "\n".join(f"{name}: {value}" for name, value in result.covered_components.items())
    assert base.encode() == BASE
    other = tuple((name, "19" if name == "Content-Length" else value) for name, value in signed)
    with pytest.raises(InvalidSignature):
        verifier(public).verify(message(other), max_age=None)


def test_the_published_text_is_what_is_signed() -> None:
    prepared = HTTPMessageSigner(signature_algorithm=Ed25519).prepare(
        message(),
        key_id="test-key-ed25519",
        include_alg=False,
        covered_component_ids=COVERED,
        use_existing_digest=True,
    )
    ours = prepared.signature_base.decode().split('"@signature-params"')[0]
    assert ours == BASE.decode().split('"@signature-params"')[0]


def test_published_digests() -> None:
    assert dict(HEADERS)["Content-Digest"].startswith("sha-512=")
    ContentDigest.verify(dict(HEADERS)["Content-Digest"], BODY)
    assert ContentDigest.create(BODY) == "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
    # RFC 9530 appendix B.1: the same with a line feed
    for published in (
        "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:",
        "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:",
    ):
        ContentDigest.verify(published, BODY + b"\n")
        with pytest.raises(InvalidSignature):
            ContentDigest.verify(published, BODY)
