"""Whose word a reader takes: houses for who sealed a film, clocks for when, and whose word no longer holds.

A house gives its trust list away (``vernissage keys trust-list``) and keeps the lists of others in
``trusted/`` beside its keys, one file each: taking the file away takes the trust away.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from governance import keyfiles
from governance.errors import KeysDamaged, KeysExist, KeysMissing, ReadError
from governance.provenance import certificates

SCHEMA = "org.vernissage.trust/1"
TRUSTED = "trusted"
DISTRUSTED = "distrusted.json"
MAX_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Distrusted:
    """A signer whose key was stolen: its seals hold only if a trusted clock saw them before ``since``."""

    certificate: x509.Certificate
    since: datetime


@dataclass(frozen=True)
class TrustList:
    """What to judge a credential by.

    Attributes:
        houses: root certificates of those who seal.
        clocks: root certificates of time stamp authorities (RFC 3161).
        distrusted: signers of ``houses`` that are not to be believed.
    """

    houses: tuple[x509.Certificate, ...] = ()
    clocks: tuple[x509.Certificate, ...] = ()
    distrusted: tuple[Distrusted, ...] = ()

    @classmethod
    def read(cls, data: bytes | str, *, clocks: bool = False) -> Self:
        """A list as ``to_json`` writes it, or certificates in PEM: of houses, or else of ``clocks``.

        Raises:
            ReadError: it is neither, or speaks of signers of houses that are not its own.
        """
        data = data.encode() if isinstance(data, str) else data
        if len(data) > MAX_BYTES:
            raise ReadError(f"A trust list has at most {MAX_BYTES:,} bytes.")
        if not data.lstrip().startswith(b"{"):
            found = tuple(_certificates(data))
            return cls(clocks=found) if clocks else cls(houses=found)
        try:
            content = json.loads(data)
            if content.get("schema") != SCHEMA:
                raise ReadError(f"This is no trust list this version knows (schema {SCHEMA}).")
            kinds: dict[str, list[x509.Certificate]] = {"house": [], "clock": []}
            for anchor in content["anchors"]:
                kinds[anchor["kind"]] += _certificates(anchor["pem"].encode())
            distrusted = [_distrusted(entry) for entry in content["distrusted"]]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ReadError("The trust list is damaged: ask for it again.") from error
        read = cls(tuple(kinds["house"]), tuple(kinds["clock"]), tuple(distrusted))
        for entry in read.distrusted:
            if not any(_issued(entry.certificate, house) for house in read.houses):
                raise ReadError("The trust list speaks of signers that none of its houses issued: refuse it.")
        return read

    @classmethod
    def of_house(cls, directory: Path, *, own: x509.Certificate | None = None) -> Self:
        """What the house whose keys are in ``directory`` goes by; nothing where no keys were made.

        Args:
            directory: where its keys are.
            own: its root, to take no house but this one.

        Raises:
            KeysUnsafe: somebody else could have put another root in its place.
            KeysDamaged: its root is not a certificate.
            ReadError: a list that it keeps is damaged.
        """
        root = directory / "root.pem"
        try:
            keyfiles.check_directory(directory)
            houses = (own,) if own else tuple(_certificates(keyfiles.read(root, private=False)))
        except KeysMissing:
            return cls()
        except ReadError as error:
            raise KeysDamaged(f"{root} is not a certificate: restore it from a copy.") from error
        distrusted = _own_distrusted(directory)
        others = list(_kept(directory))
        if own is not None:
            others = [cls(clocks=other.clocks) for other in others]
        return cls(houses, distrusted=distrusted).joined(*others)

    def joined(self, *others: TrustList) -> Self:
        """This list and ``others`` in one."""
        lists: tuple[TrustList, ...] = (self, *others)
        return type(self)(
            tuple(dict.fromkeys(house for each in lists for house in each.houses)),
            tuple(dict.fromkeys(clock for each in lists for clock in each.clocks)),
            tuple(dict.fromkeys(entry for each in lists for entry in each.distrusted)),
        )

    def keep(self, directory: Path) -> Path:
        """Go by this list, too, from now on; the file that says so.

        Raises:
            ReadError: there is nothing in it.
            KeysMissing: there are no keys in ``directory`` to keep it with.
        """
        if not (self.houses or self.clocks):
            raise ReadError("There is no certificate in it.")
        keyfiles.check_directory(directory)
        keyfiles.make_directory(directory / TRUSTED)
        data = self.to_json().encode("ascii")
        path = directory / TRUSTED / f"{hashlib.sha256(data).hexdigest()[:16]}.json"
        with suppress(KeysExist):
            keyfiles.create(path, data, keyfiles.PUBLIC)
        return path

    def to_pem(self) -> str:
        """The houses' certificates, as any C2PA reader takes them."""
        return "".join(_pem(house) for house in self.houses)

    def to_json(self) -> str:
        """The whole list as JSON of schema ``org.vernissage.trust/1``, in ASCII."""
        return json.dumps(
            {
                "schema": SCHEMA,
                "anchors": [
                    {
                        "kind": kind,
                        "name": anchor.subject.rfc4514_string(),
                        "sha256": hashlib.sha256(anchor.public_bytes(Encoding.DER)).hexdigest(),
                        "until": anchor.not_valid_after_utc.isoformat(),
                        "pem": _pem(anchor),
                    }
                    for kind, anchors in (("house", self.houses), ("clock", self.clocks))
                    for anchor in anchors
                ],
                "distrusted": [_to_entry(entry) for entry in self.distrusted],
            },
            indent=2,
        )


def trust_of(anchors: TrustList | Sequence[str | bytes]) -> TrustList:
    """A trust list, also where only the houses' root certificates (PEM) were named."""
    if isinstance(anchors, TrustList):
        return anchors
    return TrustList().joined(*(TrustList.read(anchor) for anchor in anchors))


def distrust(directory: Path, certificate: x509.Certificate, since: datetime) -> None:
    """Put the house's own signer ``certificate`` on its list of those not to be believed."""
    entries = [*_own_distrusted(directory), Distrusted(certificate, since.astimezone(UTC))]
    data = json.dumps([_to_entry(entry) for entry in entries], indent=2).encode("ascii")
    keyfiles.replace(directory / DISTRUSTED, data)


def _own_distrusted(directory: Path) -> tuple[Distrusted, ...]:
    try:
        data = keyfiles.read(directory / DISTRUSTED, private=True)
        return tuple(_distrusted(entry) for entry in json.loads(data))
    except KeysMissing:
        return ()
    except (ValueError, KeyError, TypeError) as error:
        raise ReadError(f"{directory / DISTRUSTED} is damaged: restore it from a copy.") from error


def _kept(directory: Path) -> Iterator[TrustList]:
    try:
        keyfiles.check_directory(directory / TRUSTED)
    except KeysMissing:
        return
    for path in sorted((directory / TRUSTED).glob("*.json")):
        yield TrustList.read(keyfiles.read(path, private=False, limit=MAX_BYTES))


def _certificates(pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise ReadError("A trust anchor must be a certificate in PEM, such as a house's root.pem.") from error


def _distrusted(entry: Any) -> Distrusted:
    [certificate] = _certificates(entry["pem"].encode())
    since = datetime.fromisoformat(entry["since"])
    if since.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return Distrusted(certificate, since)


def _to_entry(entry: Distrusted) -> dict[str, str]:
    return {"since": entry.since.isoformat(), "pem": _pem(entry.certificate)}


def _issued(certificate: x509.Certificate, house: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(house)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _pem(certificate: x509.Certificate) -> str:
    return certificates.certificate_pem(certificate).decode("ascii")
