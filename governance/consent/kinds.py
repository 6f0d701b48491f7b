"""What fits in a field of a document, and its one spelling in JSON."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from governance.keys import SIGNATURE_BYTES, VerifyKey, from_base64url, to_base64url

Value = TypeVar("Value")
Json = str | int | bool | None | list[str]

_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
MAX_LIST = 50


@dataclass(frozen=True)
class Kind(Generic[Value]):
    """``read`` a JSON value (``ValueError`` or ``TypeError`` if it does not fit), ``write`` it back; the
    ``sentence`` completes "it must be …"."""

    read: Callable[[object], Value]
    write: Callable[[Value], Json]
    sentence: str


def matching(pattern: str, sentence: str) -> Kind[str]:
    """A text that ``pattern`` matches as a whole."""
    compiled = re.compile(pattern, re.ASCII)

    def read(value: object) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise ValueError(sentence)
        return value

    return Kind(read, _same, sentence)


def whole(least: int, most: int) -> Kind[int]:
    """A whole number within limits."""
    sentence = f"a whole number from {least} to {most}"

    def read(value: object) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(sentence)
        return value

    return Kind(read, lambda value: value, sentence)


def one_of(choices: Collection[str]) -> Kind[str]:
    """One of a closed list."""
    sentence = f"one of {', '.join(choices)}"

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(sentence)
        return value

    return Kind(read, _same, sentence)


def several(of: Kind[str]) -> Kind[tuple[str, ...]]:
    """One or more of a kind, sorted, none twice."""
    sentence = f"a sorted list without repetition, each {of.sentence}"

    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not 0 < len(value) <= MAX_LIST:
            raise ValueError(sentence)
        found = tuple(of.read(item) for item in value)
        if list(found) != sorted(set(found)):
            raise ValueError(sentence)
        return found

    def write(value: tuple[str, ...]) -> Json:
        if not isinstance(value, tuple):
            raise TypeError(sentence)
        return [*value]

    return Kind(read, write, sentence)


def optional(of: Kind[str]) -> Kind[str | None]:
    """A value or null."""

    def read(value: object) -> str | None:
        return None if value is None else of.read(value)

    return Kind(read, lambda value: value, f"{of.sentence}, or null")


def text(most: int) -> Kind[str]:
    """Printable text on one line, in normal form (NFC)."""
    sentence = f"one line of 1 to {most} printable characters"

    def read(value: object) -> str:
        if (
            not isinstance(value, str)
            or not 0 < len(value) <= most
            or not value.isprintable()
            or value != value.strip()
            or unicodedata.normalize("NFC", value) != value
        ):
            raise ValueError(sentence)
        return value

    return Kind(read, _same, sentence)


def _same(value: str) -> Json:
    return value


def _read_moment(value: object) -> datetime:
    if not isinstance(value, str):
        raise TypeError("a moment is a text")
    moment = datetime.strptime(value, _MOMENT).replace(tzinfo=UTC)
    if _write_moment(moment) != value:
        raise ValueError(value)
    return moment


def _write_moment(value: datetime) -> str:
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def _read_key(value: object) -> VerifyKey:
    if not isinstance(value, str):
        raise TypeError("a key is a text")
    return VerifyKey.from_text(value)


def _read_signature(value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError("a signature is a text")
    signature = from_base64url(value)
    if len(signature) != SIGNATURE_BYTES:
        raise ValueError("a signature has 64 bytes")
    return signature


def _read_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value


ID = matching(r"[0-9a-f]{32}", "an id of 32 hexadecimal digits")
SHA256 = matching(r"[0-9a-f]{64}", "a hash of 64 hexadecimal digits")
KEY = Kind(_read_key, lambda key: key.text, "a public key of 43 characters")
SIGNATURE = Kind(_read_signature, to_base64url, "a signature of 86 characters")
MOMENT = Kind(_read_moment, _write_moment, "a time such as 2027-01-31T12:00:00Z, to the second")
FLAG = Kind(_read_flag, lambda flag: flag, "true or false")
