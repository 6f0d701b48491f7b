"""Read a file's content credential and say what it is worth.

The C2PA state ``Valid`` means only that a file agrees with its own manifest, which anybody can bring
about. A file is *trusted* here when, besides, a certificate the reader holds vouches for the signer.
"""

import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

import c2pa
from cryptography import x509

from governance.provenance import certificates, explanation
from governance.provenance.declaration import Declaration, from_manifest
from governance.provenance.manifest import printable
from governance.provenance.trust import TrustList, trust_of

SCHEMA = "org.vernissage.reading/1"
MAX_BYTES = 4 * 1024**3
"""Larger files are not read: hashing one would take longer than a reader waits."""
MAX_REASONS = 20

SIGNED = "claimSignature.validated"
TRUSTED = "signingCredential.trusted"
DISTRUSTED = "signingCredential.distrusted"
UNTRUSTED = "signingCredential.untrusted"
TIMED = "timeStamp.trusted"
BOUND = frozenset(
    f"assertion.{kind}Hash.match" for kind in ("bmff", "data", "boxes", "collection", "multiAsset")
)
ABOUT_SIGNER = ("signingCredential.", "timeStamp.")

HOUSES = "urn:vernissage:houses"
CLOCKS = "urn:vernissage:clocks"
"""Which list a certificate was found in. The SDK lets a clock's root vouch for a signer, too: we do not."""


class State(StrEnum):
    """What a file's content credential is worth."""

    TRUSTED = "trusted"
    """Sealed by a signer the reader's anchors vouch for, and unchanged since."""
    UNKNOWN_SIGNER = "unknown_signer"
    """Sealed and unchanged since, but nobody the reader trusts vouches for the signer."""
    TAMPERED = "tampered"
    """There is a credential, and the file or the credential itself was changed after sealing."""
    STRIPPED = "stripped"
    """There is no credential in the file: it never had one, or it was removed."""
    UNREADABLE = "unreadable"
    """The file cannot be read, or is not a media file that could carry a credential."""


@dataclass(frozen=True)
class Signer:
    """Who signed, as the signing certificate names them (its holder's word, unless the file is trusted)."""

    organisation: str | None
    name: str | None
    algorithm: str | None
    serial: str | None


@dataclass(frozen=True)
class Reason:
    """One finding: a C2PA validation code (or one of ours) and what it means."""

    code: str
    explanation: str


@dataclass(frozen=True)
class Reading:
    """What was found in one file.

    Attributes:
        path: the file.
        state: what its credential is worth.
        signer: who signed it, if there is a credential to tell.
        declaration: what the credential declares; a fact about the maker's word, not about the world.
        reasons: the findings behind ``state``.
        sealed: when a time stamp authority whose word the reader takes saw the seal (UTC).
    """

    path: Path
    state: State
    signer: Signer | None
    declaration: Declaration | None
    reasons: tuple[Reason, ...]
    sealed: datetime | None = None

    def explain(self) -> str:
        """Several plain sentences, one a line, for a reader who has never heard of C2PA."""
        return "\n".join(explanation.sentences(self))

    def to_json(self) -> str:
        """The reading as JSON of schema ``org.vernissage.reading/1``, in ASCII."""
        declared = None
        if self.declaration is not None:
            declared = asdict(self.declaration)
            created = self.declaration.created
            declared["created"] = created.isoformat() if created else None
            for binding in declared["bindings"]:
                binding["value"] = binding["value"].hex()
        return json.dumps(
            {
                "schema": SCHEMA,
                "file": str(self.path),
                "state": self.state.value,
                "signer": asdict(self.signer) if self.signer else None,
                "sealed": self.sealed.isoformat() if self.sealed else None,
                "declared": declared,
                "reasons": [asdict(reason) for reason in self.reasons],
                "explanation": explanation.sentences(self),
            },
            indent=2,
        )


def read(
    path: Path, anchors: TrustList | Sequence[str | bytes] = (), *, max_bytes: int = MAX_BYTES
) -> Reading:
    """Read the credential of a film, picture or sound; nothing is fetched from anywhere.

    Args:
        path: any file; what kind it is, its bytes tell, not its name.
        anchors: whose word the reader takes: a trust list, or root certificates (PEM) of houses.
        max_bytes: larger files are ``UNREADABLE``.

    Raises:
        ReadError: an anchor is not a certificate. No file, however broken, raises anything.
    """
    settings: dict[str, Any] = {
        "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False}
    }
    trust = trust_of(anchors)
    lists = ((HOUSES, "manifest", trust.houses), (CLOCKS, "tsa", trust.clocks))
    settings["trust"] = {
        "anchors": [
            {"trust_uri": uri, "trust_kind": kind, "trust_anchors": _pem(roots)}
            for uri, kind, roots in lists
            if roots
        ]
    }
    try:
        with _open(path, max_bytes) as file, c2pa.Context.from_dict(settings) as context:
            return _judge(path, file, context, trust)
    except OSError as error:
        return _without_credential(path, State.UNREADABLE, "file.unreadable", error.strerror or str(error))
    except ValueError as error:
        return _without_credential(path, State.UNREADABLE, "file.unreadable", str(error))


def _open(path: Path, max_bytes: int) -> BinaryIO:
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")
    found = os.fstat(file.fileno())
    problem = None
    if not stat.S_ISREG(found.st_mode):
        problem = "it is not a plain file"
    elif found.st_size == 0:
        problem = "it is empty"
    elif found.st_size > max_bytes:
        problem = f"it is larger than {max_bytes:,} bytes"
    if problem:
        file.close()
        raise ValueError(problem)
    return file


def _judge(path: Path, file: BinaryIO, context: c2pa.Context, trust: TrustList) -> Reading:
    try:
        with c2pa.Reader(file, context=context) as reader:
            store = json.loads(reader.json())
    except c2pa.C2paError.ManifestNotFound:
        return _without_credential(path, State.STRIPPED, "manifest.missing", "no credential in the file")
    except c2pa.C2paError as error:
        state, code = _judge_failure(error)
        return _without_credential(path, state, code, str(error))
    except (ValueError, RecursionError):
        return _without_credential(path, State.TAMPERED, "manifest.malformed", "the credential is garbled")
    manifest = store.get("manifests", {}).get(store.get("active_manifest"), {})
    signer = _signer(manifest.get("signature_info"))
    sealed = _sealed(store, manifest)
    state, reasons = _judge_results(store)
    if state is State.TRUSTED and _is_distrusted(signer, sealed, trust):
        state = State.UNKNOWN_SIGNER
        reasons = (Reason(DISTRUSTED, "the house says that this signer's key was stolen"),)
    return Reading(path, state, signer, from_manifest(manifest), reasons, sealed)


def _judge_failure(error: c2pa.C2paError) -> tuple[State, str]:
    """The SDK gave up: was it on the file, or on a credential it found in the file?"""
    message = str(error)
    if isinstance(error, c2pa.C2paError.RemoteManifest) or message.startswith("Remote"):
        return State.STRIPPED, "manifest.elsewhere"
    if isinstance(error, c2pa.C2paError.NotSupported):
        return State.UNREADABLE, "file.unsupported"
    unnamed = type(error) is c2pa.C2paError
    if unnamed or isinstance(error, c2pa.C2paError.Io) or "asset could not be parsed" in message:
        return State.UNREADABLE, "file.damaged"
    return State.TAMPERED, "manifest.malformed"


def _judge_results(store: Mapping[str, Any]) -> tuple[State, tuple[Reason, ...]]:
    """The SDK's own verdict, believed only where its findings say the same."""
    results = store.get("validation_results", {})
    active = results.get("activeManifest", {})
    inputs = [delta.get("validationDeltas", {}) for delta in results.get("ingredientDeltas") or ()]
    passed = {finding["code"]: finding for finding in active.get("success", ())}
    failed = {finding["code"]: finding for part in (active, *inputs) for finding in part.get("failure", ())}
    unchanged = SIGNED in passed and not BOUND.isdisjoint(passed)
    vouched = TRUSTED in passed and results.get("trustListUri") == HOUSES
    if TRUSTED in passed and not vouched:
        failed[UNTRUSTED] = {"explanation": "only a time stamp authority vouches for the signer"}
    if store.get("validation_state") == "Trusted" and unchanged and vouched and not failed:
        vouching = {code: passed[code] for code in (TRUSTED, SIGNED, *sorted(BOUND)) if code in passed}
        return State.TRUSTED, _reasons(vouching)
    if unchanged and all(code.startswith(ABOUT_SIGNER) for code in failed):
        return State.UNKNOWN_SIGNER, _reasons(failed)
    return State.TAMPERED, _reasons(failed)


def _reasons(findings: Mapping[str, Mapping[str, Any]]) -> tuple[Reason, ...]:
    return tuple(
        Reason(printable(code), printable(str(finding.get("explanation", ""))))
        for code, finding in list(findings.items())[:MAX_REASONS]
    )


def _signer(info: object) -> Signer | None:
    if not isinstance(info, Mapping):
        return None

    def text(key: str) -> str | None:
        return printable(str(info[key])) if info.get(key) else None

    return Signer(text("issuer"), text("common_name"), text("alg"), text("cert_serial_number"))


def _without_credential(path: Path, state: State, code: str, detail: str) -> Reading:
    return Reading(path, state, None, None, (Reason(code, printable(detail)),))


def _sealed(store: Mapping[str, Any], manifest: Mapping[str, Any]) -> datetime | None:
    """The time in the seal, if a clock the reader trusts put it there."""
    active = store.get("validation_results", {}).get("activeManifest", {})
    if not any(finding["code"] == TIMED for finding in active.get("success", ())):
        return None
    try:
        time = datetime.fromisoformat(str(manifest.get("signature_info", {}).get("time")))
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _is_distrusted(signer: Signer | None, sealed: datetime | None, trust: TrustList) -> bool:
    """Whether the signer's house has disowned it, and no clock saw the seal before that."""
    return any(
        signer is not None
        and signer.serial == str(entry.certificate.serial_number)
        and (sealed is None or sealed >= entry.since)
        for entry in trust.distrusted
    )


def _pem(roots: Sequence[x509.Certificate]) -> str:
    return "".join(certificates.certificate_pem(root).decode("ascii") for root in roots)
