"""A time stamp authority (RFC 3161) on the loopback interface, with a certificate authority of its own."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SEQUENCE, SET, INTEGER, OCTETS, OID, NULL, GENERALIZED_TIME = 0x30, 0x31, 0x02, 0x04, 0x06, 0x05, 0x18
CONTEXT_0 = 0xA0

SIGNED_DATA = "1.2.840.113549.1.7.2"
TST_INFO = "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
SHA256 = "2.16.840.1.101.3.4.2.1"
SHA256_WITH_RSA = "1.2.840.113549.1.1.11"
POLICY = "1.3.6.1.4.1.99999.1"


def der(tag: int, *parts: bytes) -> bytes:
    """One value in DER (X.690)."""
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def integer(value: int) -> bytes:
    return der(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    first, second, *others = map(int, dotted.split("."))
    encoded = b""
    for arc in (40 * first + second, *others):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | arc & 0x7F)
        encoded += bytes(reversed(septets))
    return der(OID, encoded)


def algorithm(dotted: str) -> bytes:
    return der(SEQUENCE, oid(dotted), der(NULL))


def values(data: bytes) -> list[tuple[int, bytes]]:
    """Tag and content of each value that ``data`` strings together."""
    found = []
    while data:
        tag, length, start = data[0], data[1], 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[2:start], "big")
        found.append((tag, data[start : start + length]))
        data = data[start + length :]
    return found


@dataclass
class TimeAuthority:
    """Answers with the time of its own clock, which runs ``ahead`` of this machine's."""

    ahead: timedelta = timedelta(0)
    url: str = ""
    asked: int = 0
    _key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    _root_key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def __post_init__(self) -> None:
        began = datetime.now(UTC) - timedelta(days=365 * 15)
        ends = datetime.now(UTC) + timedelta(days=365 * 30)
        root_name, name = _name("The Clock root"), _name("The Clock")
        self.root = _sign(
            _certificate(root_name, root_name, self._root_key, began, ends)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True),
            self._root_key,
        )
        self.certificate = _sign(
            _certificate(name, root_name, self._key, began, ends)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._root_key.public_key()),
                critical=False,
            )
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True),
            self._root_key,
        )

    @property
    def root_pem(self) -> str:
        return self.root.public_bytes(Encoding.PEM).decode("ascii")

    def answer(self, request: bytes) -> bytes:
        """A TimeStampResp that grants a TimeStampReq over a SHA-256 hash."""
        self.asked += 1
        [(_, body)] = values(request)
        _, (_, imprint), *optional = values(body)
        nonces = [der(INTEGER, content) for tag, content in optional if tag == INTEGER]
        now = datetime.now(UTC) + self.ahead
        info = der(
            SEQUENCE,
            integer(1),
            oid(POLICY),
            der(SEQUENCE, imprint),
            integer(self.asked),
            der(GENERALIZED_TIME, now.strftime("%Y%m%d%H%M%SZ").encode()),
            *nonces,
        )
        return der(SEQUENCE, der(SEQUENCE, integer(0)), der(SEQUENCE, oid(SIGNED_DATA), self._signed(info)))

    def _signed(self, info: bytes) -> bytes:
        certificate = self.certificate.public_bytes(Encoding.DER)
        hashed = der(OCTETS, hashlib.sha256(certificate).digest())
        attributes = b"".join(
            sorted(
                (
                    _attribute(CONTENT_TYPE, oid(TST_INFO)),
                    _attribute(MESSAGE_DIGEST, der(OCTETS, hashlib.sha256(info).digest())),
                    _attribute(SIGNING_CERTIFICATE_V2, der(SEQUENCE, der(SEQUENCE, der(SEQUENCE, hashed)))),
                )
            )
        )
        signature = self._key.sign(der(SET, attributes), padding.PKCS1v15(), hashes.SHA256())
        signer = der(
            SEQUENCE,
            integer(1),
            der(SEQUENCE, self.certificate.issuer.public_bytes(), integer(self.certificate.serial_number)),
            algorithm(SHA256),
            der(CONTEXT_0, attributes),
            algorithm(SHA256_WITH_RSA),
            der(OCTETS, signature),
        )
        return der(
            CONTEXT_0,
            der(
                SEQUENCE,
                integer(3),
                der(SET, algorithm(SHA256)),
                der(SEQUENCE, oid(TST_INFO), der(CONTEXT_0, der(OCTETS, info))),
                der(CONTEXT_0, *sorted((certificate, self.root.public_bytes(Encoding.DER)))),
                der(SET, signer),
            ),
        )


@contextmanager
def serving(authority: TimeAuthority) -> Iterator[TimeAuthority]:
    """Let ``authority`` answer at its ``url``."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = authority.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    authority.url = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield authority
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _attribute(dotted: str, value: bytes) -> bytes:
    return der(SEQUENCE, oid(dotted), der(SET, value))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, began: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _sign(builder: x509.CertificateBuilder, key: rsa.RSAPrivateKey) -> x509.Certificate:
    return builder.sign(key, hashes.SHA256())
