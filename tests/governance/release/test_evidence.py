"""Evidence says exactly what its producer signed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.errors import EvidenceRefused
from governance.keys import SigningKey
from governance.release import Evidence, Signed, version_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = SigningKey.generate()
ITEM = Evidence(
    "detector_rate", "ab" * 32, "cd" * 32, {"detection_rate": 0.99, "films": 500}, NOW, NOW + timedelta(90)
)
SIGNED = Signed.by(KEY, ITEM)

words = st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True)
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e15, 1e15)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@settings(max_examples=60, deadline=None)
@given(kind=words, metrics=st.dictionaries(words, numbers, max_size=5), at=moments, days=st.integers(1, 999))
def test_what_was_signed_is_what_is_read(kind: str, metrics: dict[str, float], at: datetime, days: int):
    signed = Signed.by(KEY, Evidence(kind, "ab" * 32, "cd" * 32, metrics, at, at + timedelta(days)))
    read = Signed.read(signed.document)
    assert read == signed
    assert read.id == signed.id


@settings(max_examples=200, deadline=None)
@given(position=st.integers(0, len(SIGNED.document) - 1), flip=st.integers(1, 255))
def test_any_changed_byte_is_caught(position: int, flip: int):
    document = bytearray(SIGNED.document)
    document[position] ^= flip
    with pytest.raises(EvidenceRefused):
        Signed.read(bytes(document))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"0.99", b"1.00"),
        lambda text: text.replace(b'"films":500', b'"films":true'),
        lambda text: text.replace(b"{", b"{ ", 1),
        lambda text: text.replace(b"{", b'{"colour":"red",', 1),
        lambda text: text[:-1],
        lambda text: b"[]",
        lambda text: b"",
        lambda text: b" " * 100_000,
        lambda text: b"[" * 60_000,
    ],
)
def test_anything_else_is_refused(change):
    with pytest.raises(EvidenceRefused):
        Signed.read(change(SIGNED.document))


def test_nobody_signs_for_another():
    forged = replace(SIGNED, producer=SigningKey.generate().public)
    with pytest.raises(EvidenceRefused, match="changed after it was signed"):
        Signed.read(forged.document)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "Detector rate"},
        {"version": "abc"},
        {"report": "CD" * 32},
        {"metrics": {"rate": float("nan")}},
        {"metrics": {"rate": float("inf")}},
        {"metrics": {"films": 2**53}},
        {"metrics": {"passed": True}},
        {"metrics": {"Rate": 1}},
        {"made_at": datetime(2026, 1, 1)},
        {"expires": NOW},
    ],
)
def test_what_cannot_be_evidence_is_refused(wrong: dict[str, object]):
    with pytest.raises(EvidenceRefused):
        replace(ITEM, **wrong)


def test_other_weights_are_another_version():
    weights = {"a.safetensors": "ab" * 32, "b.safetensors": "cd" * 32}
    assert version_of(weights) == version_of(dict(reversed(weights.items())))
    assert version_of(weights) != version_of(weights | {"b.safetensors": "ce" * 32})
    assert version_of(weights) != version_of({"a.safetensors": "ab" * 32})
    for none in ({}, {"a.safetensors": "abc"}):
        with pytest.raises(EvidenceRefused):
            version_of(none)
