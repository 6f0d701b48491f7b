"""The house's own certificate authority: one root, made once, and the signer it issues.

A directory only its owner can enter holds

====================  ====  ==================================================================================
``root.pem``          0644  the root certificate: give it to those who should recognise the house's films
``root-key.pem``      0600  the root's key: needed to renew the signer only, so it may be kept elsewhere
``signer.pem``        0600  the signer's key and certificate: what a film is sealed with
``certificates/``     0700  every signer certificate ever issued, by serial number
``distrusted.json``   0600  signers whose key was stolen
``trusted/``          0700  trust lists of others (``governance.provenance.trust``)
====================  ====  ==================================================================================
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self, TypeVar, get_args

import c2pa
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from governance import home, keyfiles
from governance.errors import KeysDamaged, KeysError, KeysExpired
from governance.provenance import certificates, trust
from governance.provenance.certificates import Algorithm, PrivateKey
from governance.provenance.trust import TrustList

ROOT = "root.pem"
ROOT_KEY = "root-key.pem"
SIGNER = "signer.pem"
ISSUED = "certificates"

Parsed = TypeVar("Parsed")


def default_directory() -> Path:
    """Where keys live: what ``VERNISSAGE_KEYS`` names, else ``keys`` in the hub's own folder."""
    return home.keys_directory()


def house_trust(directory: Path | None = None) -> TrustList:
    """Whose word this house takes: its own, and theirs whose trust lists it keeps.

    Raises:
        KeysUnsafe: somebody else could have put another root in its place.
        KeysDamaged: the root is not a certificate.
        ReadError: a list that it keeps is damaged.
    """
    return TrustList.of_house(directory or default_directory())


@dataclass(frozen=True)
class Authority:
    """A root certificate and a signer it issued, ready to seal films.

    Attributes:
        directory: where its files are.
        root: the certificate that verifiers trust.
        certificate: the signer's certificate, issued by ``root``.
    """

    directory: Path
    root: x509.Certificate
    certificate: x509.Certificate
    _key: PrivateKey = field(repr=False)

    @classmethod
    def init(
        cls, directory: Path, algorithm: Algorithm = "es256", organisation: str = "Vernissage house"
    ) -> Self:
        """Make a root and a signer once, in an empty or new ``directory`` (0700).

        Args:
            directory: where the keys will live.
            algorithm: ``es256`` (ECDSA P-256, read everywhere) or ``ed25519``.
            organisation: the name readers of a film will see, 1 to 64 characters.

        Raises:
            KeysExist: there are keys already; they are left as they are.
            KeysUnsafe: the directory exists and others may enter it.
            KeysError: an argument is not allowed, or the files cannot be written.
        """
        if algorithm not in get_args(Algorithm):
            raise KeysError(
                f"There is no algorithm {algorithm!r}: choose {' or '.join(get_args(Algorithm))}."
            )
        if not (organisation.strip() and len(organisation) <= 64 and organisation.isprintable()):
            raise KeysError("The organisation's name must be 1 to 64 printable characters.")
        keyfiles.make_directory(directory)
        issued = datetime.now(UTC)
        root_key, key = certificates.new_key(algorithm), certificates.new_key(algorithm)
        root = certificates.root_certificate(root_key, organisation, issued)
        certificate = certificates.signer_certificate(key, root, root_key, issued)
        made: list[Path] = []
        try:
            for name, data, mode in (
                (ROOT_KEY, certificates.key_pem(root_key), keyfiles.PRIVATE),
                (SIGNER, _signer_pem(key, certificate), keyfiles.PRIVATE),
                (ROOT, certificates.certificate_pem(root), keyfiles.PUBLIC),
            ):
                keyfiles.create(directory / name, data, mode)
                made.append(directory / name)
            _keep(directory, certificate)
        except KeysError:
            for path in made:
                path.unlink(missing_ok=True)
            raise
        return cls.open(directory)

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Read the keys in ``directory`` and check that they are safe and belong together.

        Raises:
            KeysMissing: a file is not there.
            KeysUnsafe: others can read the keys or replace the root.
            KeysDamaged: the files do not hold a root and a signer it issued.
        """
        keyfiles.check_directory(directory)
        signer_pem = keyfiles.read(directory / SIGNER, private=True)
        root_pem = keyfiles.read(directory / ROOT, private=False)
        if (directory / ROOT_KEY).exists():
            keyfiles.read(directory / ROOT_KEY, private=True)
        root = _parse(x509.load_pem_x509_certificate, root_pem, directory / ROOT)
        certificate = _parse(x509.load_pem_x509_certificate, signer_pem, directory / SIGNER)
        key = _parse(certificates.load_key, signer_pem, directory / SIGNER)
        try:
            certificate.verify_directly_issued_by(root)
            certificates.last_use(certificate)
            certificates.organisation_of(certificate)
        except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound, IndexError) as error:
            raise KeysDamaged(
                f"The signer in {directory} was not issued by its root: restore the keys from a copy."
            ) from error
        _check_pair(key, certificate, directory / SIGNER)
        return cls(directory, root, certificate, key)

    def renew(self, *, stolen_since: datetime | None = None) -> Self:
        """Issue a new signer, in use for a year from now; the old one's films stay ``Trusted``.

        Args:
            stolen_since: when somebody else may have had the old signer's key. Of what it sealed, only
                that stays ``Trusted`` which a trusted clock saw earlier.

        Raises:
            KeysMissing: ``root-key.pem`` is kept elsewhere; bring it back for the renewal.
            KeysExpired: the root itself is at its end.
            KeysDamaged: ``root-key.pem`` is not the key of ``root.pem``.
        """
        root_key = _parse(
            certificates.load_key,
            keyfiles.read(self.directory / ROOT_KEY, private=True),
            self.directory / ROOT_KEY,
        )
        _check_pair(root_key, self.root, self.directory / ROOT_KEY)
        issued = datetime.now(UTC)
        _check_time(self.root, self.root.not_valid_after_utc, issued, "make new keys in another directory")
        key = certificates.new_key(self.algorithm)
        certificate = certificates.signer_certificate(key, self.root, root_key, issued)
        _keep(self.directory, certificate)
        if stolen_since is not None:
            trust.distrust(self.directory, self.certificate, stolen_since)
        keyfiles.replace(self.directory / SIGNER, _signer_pem(key, certificate))
        return type(self).open(self.directory)

    @property
    def algorithm(self) -> Algorithm:
        """What the signer signs with."""
        return certificates.algorithm_of(self._key)

    @property
    def organisation(self) -> str:
        """Whose keys these are, as readers of a film see it."""
        return certificates.organisation_of(self.certificate)

    @property
    def expires(self) -> datetime:
        """When the signer must be renewed (UTC); its films read ``Trusted`` until ``verifiable_until``."""
        return certificates.last_use(self.certificate)

    @property
    def verifiable_until(self) -> datetime:
        """When films sealed by this signer cease to read ``Trusted`` (UTC)."""
        return self.certificate.not_valid_after_utc

    @property
    def root_pem(self) -> str:
        """The root certificate, the trust anchor of everything this authority seals."""
        return certificates.certificate_pem(self.root).decode("ascii")

    def trust(self) -> TrustList:
        """What its own films are judged by: its root alone, the clocks it goes by, and what it disowned.

        Raises ``KeysUnsafe`` and ``ReadError`` as ``house_trust`` does.
        """
        return TrustList.of_house(self.directory, own=self.root)

    def signer(self, clock: str | None = None) -> c2pa.Signer:
        """A signer for one C2PA context (which consumes it).

        Args:
            clock: the address of a time stamp authority (RFC 3161) to have each seal stamped by.

        Raises:
            KeysExpired: its year is over, or has not begun by this machine's clock.
            KeysError: ``clock`` is no address.
        """
        if clock is not None and not clock.startswith(("http://", "https://")):
            raise KeysError(f"{clock!r} is no address of a time stamp authority: give one of http or https.")
        _check_time(self.certificate, self.expires, datetime.now(UTC), "run `vernissage keys renew`")
        return c2pa.Signer.from_info(
            c2pa.C2paSignerInfo(
                self.algorithm,
                certificates.certificate_pem(self.certificate),
                certificates.key_pem(self._key),
                clock,
            )
        )


def _signer_pem(key: PrivateKey, certificate: x509.Certificate) -> bytes:
    return certificates.key_pem(key) + certificates.certificate_pem(certificate)


def _keep(directory: Path, certificate: x509.Certificate) -> None:
    keyfiles.make_directory(directory / ISSUED)
    path = directory / ISSUED / f"{certificate.serial_number:x}.pem"
    keyfiles.create(path, certificates.certificate_pem(certificate), keyfiles.PUBLIC)


def _parse(parse: Callable[[bytes], Parsed], pem: bytes, path: Path) -> Parsed:
    try:
        return parse(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeysDamaged(
            f"{path} does not hold what it should ({error}): restore it from a copy."
        ) from error


def _check_pair(key: PrivateKey, certificate: x509.Certificate, path: Path) -> None:
    if key.public_key() != certificate.public_key():
        raise KeysDamaged(f"The key in {path} belongs to another certificate: restore the keys from a copy.")


def _check_time(certificate: x509.Certificate, ends: datetime, now: datetime, remedy: str) -> None:
    if now > ends:
        raise KeysExpired(f"These keys were for use until {ends:%Y-%m-%d}: {remedy}.")
    if now < certificate.not_valid_before_utc:
        raise KeysExpired(
            f"These keys are for use from {certificate.not_valid_before_utc:%Y-%m-%d}, "
            "which this machine's clock has not reached: set the clock."
        )
