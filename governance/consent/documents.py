"""Signed documents that have exactly one spelling: canonical JSON (RFC 8785) with every key and no other.

A document is signed over its canonical form without ``signature``; its SHA-256 is that of the whole file.
The ``schema`` is part of what is signed, so that no document can pass for one of another kind.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, Self

import rfc8785

from governance.consent.kinds import SIGNATURE, Kind
from governance.errors import ConsentRefused, GovernanceError, SignatureInvalid
from governance.keys import SigningKey, VerifyKey

MAX_BYTES = 16 * 1024
SCHEMA = "schema"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What a document says, before anybody signs it. Raises ``ConsentRefused`` if a value does not fit."""

    NAME: ClassVar[str]
    """Such as ``grant``."""
    VERSION: ClassVar[int] = 1
    KINDS: ClassVar[Mapping[str, Kind[Any]]]
    """Every field and what fits in it."""

    def __post_init__(self) -> None:
        for name, kind in self.KINDS.items():
            value = getattr(self, name)
            try:
                fits = kind.read(kind.write(value)) == value
            except (ValueError, TypeError, AttributeError, GovernanceError):
                fits = False
            if not fits:
                raise ConsentRefused("value_unfit", f"In this {self.NAME}, {name} must be {kind.sentence}.")
        self.check()

    def check(self) -> None:
        """Whether the values fit together. Raises ``ConsentRefused``."""

    @classmethod
    def schema(cls) -> str:
        """Its name and version, part of what is signed."""
        return f"vernissage/{cls.NAME}/{cls.VERSION}"

    @cached_property
    def body(self) -> bytes:
        """What is signed."""
        return rfc8785.dumps(self._spelled())

    @classmethod
    def read_body(cls, data: bytes) -> Self:
        """From ``body``. Raises ``ConsentRefused``."""
        return cls(**cls._values(_parse(data, cls.NAME)))

    def _spelled(self) -> dict[str, Any]:
        return {SCHEMA: self.schema()} | {
            name: kind.write(getattr(self, name)) for name, kind in self.KINDS.items()
        }

    @classmethod
    def _values(cls, parsed: dict[str, Any]) -> dict[str, Any]:
        if parsed.get(SCHEMA) != cls.schema():
            raise ConsentRefused("document_kind", f"This file is not a {cls.NAME} of version {cls.VERSION}.")
        if parsed.keys() != cls.KINDS.keys() | {SCHEMA}:
            odd = sorted(parsed.keys() ^ (cls.KINDS.keys() | {SCHEMA}))
            raise ConsentRefused(
                "document_fields", f"This {cls.NAME} lacks or adds something: {odd[0]!r:.60}."
            )
        values = {}
        for name, kind in cls.KINDS.items():
            try:
                values[name] = kind.read(parsed[name])
            except (ValueError, TypeError, GovernanceError) as error:
                raise ConsentRefused(
                    "value_unfit", f"In this {cls.NAME}, {name} must be {kind.sentence}."
                ) from error
        return values


@dataclass(frozen=True, kw_only=True)
class Document(Statement):
    """A statement with the signature of whom it binds."""

    SIGNER: ClassVar[str] = "subject"
    """The field that holds the signer's key."""

    signature: bytes

    @property
    def signer(self) -> VerifyKey:
        """By whose key it is signed."""
        key: VerifyKey = getattr(self, self.SIGNER)
        return key

    @classmethod
    def signed(cls, key: SigningKey, **values: Any) -> Self:
        """Let ``key`` sign ``values``; the signer's field is filled in."""
        unsigned = cls(signature=bytes(64), **{cls.SIGNER: key.public}, **values)
        return cls(signature=key.sign(unsigned.body), **{name: getattr(unsigned, name) for name in cls.KINDS})

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read and verify a file.

        Raises:
            ConsentRefused: it is not canonical, not such a document, or not signed by the key it names.
        """
        parsed = _parse(data, cls.NAME)
        try:
            signature = SIGNATURE.read(parsed.pop("signature", None))
        except (ValueError, TypeError) as error:
            raise ConsentRefused("signature_missing", f"This {cls.NAME} is not signed.") from error
        document = cls(signature=signature, **cls._values(parsed))
        try:
            document.signer.verify(signature, document.body)
        except SignatureInvalid as error:
            raise ConsentRefused(
                "signature_invalid", f"This {cls.NAME} was changed after it was signed, or is forged."
            ) from error
        return document

    @cached_property
    def data(self) -> bytes:
        """The file."""
        return rfc8785.dumps(self._spelled() | {"signature": SIGNATURE.write(self.signature)})

    @cached_property
    def sha256(self) -> str:
        """Of the file, in lower-case hexadecimal: how everything else refers to it."""
        return hashlib.sha256(self.data).hexdigest()


def schema_of(data: bytes) -> str:
    """What kind of document ``data`` says it is, verified in nothing else. Raises ``ConsentRefused``."""
    schema = _parse(data, "document").get(SCHEMA)
    if not isinstance(schema, str):
        raise ConsentRefused("document_kind", "This file is no document of consent.")
    return schema


def values_of(statement: Statement) -> dict[str, Any]:
    """Its fields, for building another document from them."""
    return {field.name: getattr(statement, field.name) for field in fields(statement)}


def _parse(data: bytes, name: str) -> dict[str, Any]:
    damaged = ConsentRefused(
        "document_damaged", f"This file is damaged or no {name}: its spelling is not ours."
    )
    if len(data) > MAX_BYTES:
        raise damaged
    try:
        parsed = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_float=_refuse,
            parse_constant=_refuse,
        )
        canonical = rfc8785.dumps(parsed)
    except (ValueError, RecursionError) as error:
        raise damaged from error
    if not isinstance(parsed, dict) or canonical != data:
        raise damaged
    return parsed


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is no whole number")
