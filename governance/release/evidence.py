"""What was found out about a model version, signed by whoever found it out.

evidence = Evidence("detector_rate", version, report_sha256, {"detection_rate": 0.99}, made_at, expires)
signed = Signed.by(key, evidence)
Signed.read(signed.document) == signed
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Self

import rfc8785

from governance.errors import EvidenceRefused, KeysDamaged, SignatureInvalid
from governance.keys import SigningKey, VerifyKey, from_base64url, to_base64url

TYPE = "vernissage.evidence"
MAX_BYTES = 64 * 1024
EXACT = 2**53
"""Larger numbers cannot be written down in canonical JSON so that everybody reads the same."""
_WORD = re.compile(r"[a-z][a-z0-9_]{0,79}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def version_of(weights: Mapping[str, str]) -> str:
    """The id of the version made up of these files: 64 hexadecimal digits over their names and SHA-256.
    Raises ``EvidenceRefused`` if a hash is none."""
    if not weights or any(not _SHA256.fullmatch(sha256) for sha256 in weights.values()):
        raise EvidenceRefused("A model version is made up of named files with their SHA-256.")
    return hashlib.sha256(rfc8785.dumps({"weights": dict(weights)})).hexdigest()


@dataclass(frozen=True)
class Evidence:
    """One item, unsigned.

    Attributes:
        kind: what it is evidence of, such as ``detector_rate``.
        version: of the weights that were examined (``version_of``).
        report: SHA-256 of the report in which it is all written down.
        metrics: its figures by name; finite.
        made_at: when the examination ended, to the second.
        expires: from when on it is not to be relied upon, to the second.

    Raises ``EvidenceRefused`` if it cannot be evidence of anything.
    """

    kind: str
    version: str
    report: str
    metrics: Mapping[str, float]
    made_at: datetime
    expires: datetime

    def __post_init__(self) -> None:
        if not _WORD.fullmatch(self.kind):
            raise EvidenceRefused(f"{self.kind!r} is no kind of evidence: write one lower-case word.")
        if not (_SHA256.fullmatch(self.version) and _SHA256.fullmatch(self.report)):
            raise EvidenceRefused("Evidence names its version and its report by SHA-256.")
        for name, figure in self.metrics.items():
            if not _WORD.fullmatch(name) or isinstance(figure, bool) or not isinstance(figure, int | float):
                raise EvidenceRefused(f"The metric {name!r} must be a number with a lower-case name.")
            if not abs(figure) < EXACT:
                raise EvidenceRefused(f"The metric {name!r} must be a finite number below 2^53.")
        if self.made_at.tzinfo is None or self.expires.tzinfo is None:
            raise EvidenceRefused("The times in an item of evidence need a time zone.")
        object.__setattr__(self, "made_at", self.made_at.astimezone(UTC).replace(microsecond=0))
        object.__setattr__(self, "expires", self.expires.astimezone(UTC).replace(microsecond=0))
        if self.made_at >= self.expires:
            raise EvidenceRefused("Evidence is made before it expires: check its two dates.")

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "expires": _text(self.expires),
            "kind": self.kind,
            "made_at": _text(self.made_at),
            "metrics": dict(self.metrics),
            "report": self.report,
            "version": self.version,
        }

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """What ``facts`` say. Raises ``EvidenceRefused`` if it is not exactly one item."""
        try:
            evidence = cls(
                facts["kind"],
                facts["version"],
                facts["report"],
                dict(facts["metrics"]),
                datetime.fromisoformat(facts["made_at"]),
                datetime.fromisoformat(facts["expires"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise EvidenceRefused(
                "Evidence states kind, version, report, metrics, made_at and expires, and nothing else."
            ) from error
        if set(facts) != set(evidence.facts()):
            raise EvidenceRefused("Evidence states nothing but what it must.")
        return evidence


@dataclass(frozen=True)
class Signed:
    """An item of evidence and the ``producer`` who stands by it."""

    evidence: Evidence
    producer: VerifyKey
    signature: bytes

    @classmethod
    def by(cls, key: SigningKey, evidence: Evidence) -> Self:
        """Signed by ``key``."""
        return cls(evidence, key.public, key.sign(_body(evidence, key.public)))

    @cached_property
    def document(self) -> bytes:
        """Canonical JSON (RFC 8785) with the signature."""
        facts = _facts(self.evidence, self.producer)
        return rfc8785.dumps({**facts, "signature": to_base64url(self.signature)})

    @property
    def id(self) -> str:
        """SHA-256 of the document, in hexadecimal."""
        return hashlib.sha256(self.document).hexdigest()

    @classmethod
    def read(cls, document: bytes) -> Self:
        """Raises ``EvidenceRefused`` unless ``document`` is in canonical form and signed by its producer."""
        try:
            if len(document) > MAX_BYTES:
                raise ValueError("too large")
            facts = json.loads(document)
            kind, producer = facts.pop("type"), VerifyKey.from_text(facts.pop("producer"))
            signature = from_base64url(facts.pop("signature"))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, KeysDamaged) as error:
            raise EvidenceRefused("This is no signed item of evidence.") from error
        signed = cls(Evidence.of(facts), producer, signature)
        if kind != TYPE or signed.document != document.removesuffix(b"\n"):
            raise EvidenceRefused("This item of evidence is not in canonical form: sign it again.")
        try:
            producer.verify(signature, _body(signed.evidence, producer))
        except SignatureInvalid as error:
            raise EvidenceRefused("This item of evidence was changed after it was signed.") from error
        return signed


def _facts(evidence: Evidence, producer: VerifyKey) -> dict[str, Any]:
    return {**evidence.facts(), "producer": producer.text, "type": TYPE}


def _body(evidence: Evidence, producer: VerifyKey) -> bytes:
    return rfc8785.dumps(_facts(evidence, producer))


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
