"""The X.509 certificates a C2PA claim signer needs (C2PA 2.4, "X.509 Certificates"; RFC 5280).

The signer's certificate is *valid* for ten years but *used* for one (its private key usage period,
RFC 3280 section 4.2.1.4). Films carry no independent time stamp, so a film stops being ``Trusted`` on
the day its signer's certificate ends: with this gap every film stays verifiable for nine years or
more, while a key is in use for no longer than a year.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Algorithm = Literal["es256", "ed25519"]
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

ROOT_VALIDITY = timedelta(days=20 * 365)
SIGNER_VALIDITY = timedelta(days=10 * 365)
SIGNER_USE = timedelta(days=365)
CLOCK_SKEW = timedelta(minutes=5)

C2PA_CLAIM_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1")


def new_key(algorithm: Algorithm) -> PrivateKey:
    """A fresh key: ECDSA on P-256 for ``es256``, Ed25519 for ``ed25519``."""
    if algorithm == "es256":
        return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.generate()


def algorithm_of(key: PrivateKey) -> Algorithm:
    """The C2PA name of the algorithm ``key`` signs with."""
    return "ed25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "es256"


def root_certificate(key: PrivateKey, organisation: str, issued: datetime) -> x509.Certificate:
    """A self-signed certificate authority that may issue signers and nothing else, for 20 years."""
    name = _name(organisation, "Vernissage root")
    return (
        _certificate(name, name, key, issued, issued + ROOT_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .sign(key, _digest(key))
    )


def signer_certificate(
    key: PrivateKey, root: x509.Certificate, root_key: PrivateKey, issued: datetime
) -> x509.Certificate:
    """A claim signer's certificate, issued by ``root`` to the same organisation.

    It names both extended key usages a C2PA validator may ask for: e-mail protection, which all accept by
    default, and the C2PA claim signing usage, which the C2PA trust list asks for.
    """
    ends = min(issued + SIGNER_VALIDITY, root.not_valid_after_utc)
    return (
        _certificate(_name(organisation_of(root), "Vernissage signer"), root.subject, key, issued, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False
        )
        .add_extension(_usage(certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION, C2PA_CLAIM_SIGNING]), critical=False
        )
        .add_extension(
            x509.PrivateKeyUsagePeriod(not_before=issued, not_after=min(issued + SIGNER_USE, ends)),
            critical=False,
        )
        .sign(root_key, _digest(root_key))
    )


def organisation_of(certificate: x509.Certificate) -> str:
    """The organisation a certificate names as its subject."""
    return str(certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value)


def last_use(certificate: x509.Certificate) -> datetime:
    """When a signer's certificate ceases to be used for new signatures (UTC)."""
    period = certificate.extensions.get_extension_for_class(x509.PrivateKeyUsagePeriod).value
    return period.not_after.astimezone(UTC) if period.not_after else certificate.not_valid_after_utc


def key_pem(key: PrivateKey) -> bytes:
    """``key`` as unencrypted PKCS #8 PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """``certificate`` as PEM."""
    return certificate.public_bytes(Encoding.PEM)


def load_key(pem: bytes) -> PrivateKey:
    """The private key in ``pem``; ``ValueError`` if there is none, or one of another algorithm."""
    key = load_pem_private_key(pem, password=None)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise ValueError("the key is neither P-256 nor Ed25519")


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins - CLOCK_SKEW)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(organisation: str, common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _digest(key: PrivateKey) -> hashes.SHA256 | None:
    return hashes.SHA256() if isinstance(key, ec.EllipticCurvePrivateKey) else None
