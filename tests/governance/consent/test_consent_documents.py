"""A document has one spelling, one signer and one meaning; anything else is no document."""

from __future__ import annotations

import hashlib
import json
import string
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.motion.emotion import EMOTIONS
from governance.consent import (
    DIRECTIONS,
    NOTICE_VERSION,
    PURPOSES,
    Attestation,
    Grant,
    Refusal,
    Revocation,
    Terms,
    Withdrawal,
    notice,
)
from governance.consent.attestation import CLASSES
from governance.consent.documents import MAX_BYTES, Document, schema_of
from governance.consent.grant import MAX_TERM
from governance.errors import ConsentRefused
from governance.keys import SigningKey, to_base64url

ADA = SigningKey.generate()
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

ids = st.text("0123456789abcdef", min_size=32, max_size=32)
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)


def some(choices: Any) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sets(st.sampled_from(sorted(choices)), min_size=1).map(lambda found: tuple(sorted(found)))


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    begin = draw(moments)
    words = st.text(string.ascii_lowercase, min_size=2, max_size=8)
    return Terms(
        id=draw(ids),
        subject=ADA.public,
        portrait_sha256=draw(hashes),
        face=draw(hashes),
        voice=draw(st.none() | hashes),
        grantee=draw(st.sampled_from(["credential:c-1", "organisation:museum"])),
        purposes=draw(some(PURPOSES)),
        directions=draw(some(DIRECTIONS)),
        locales=draw(some(["en", "en-GB", "zh-Hant-TW", "es-419"])),
        max_uses=draw(st.integers(1, 1_000_000)),
        not_before=begin,
        expires=begin + draw(st.timedeltas(timedelta(seconds=1), MAX_TERM).map(whole_seconds)),
        phrase=" ".join(draw(st.lists(words, min_size=5, max_size=8))),
        evidence_sha256=draw(hashes),
    )


def whole_seconds(span: timedelta) -> timedelta:
    return timedelta(seconds=int(span.total_seconds()))


@st.composite
def documents(draw: st.DrawFn) -> Document:
    kind = draw(st.sampled_from(["grant", "revocation", "refusal", "withdrawal", "attestation"]))
    id, now = draw(ids), draw(moments)
    if kind == "grant":
        return Grant.by(ADA, draw(terms()))
    if kind == "revocation":
        return Revocation.by(ADA, id, now, forget=draw(st.booleans()))
    if kind == "refusal":
        return Refusal.by(ADA, id, draw(hashes), now)
    if kind == "withdrawal":
        return Withdrawal.by(ADA, id, now)
    statement = draw(st.sampled_from(["Painted by us.", "Île de la Cité, 1888", "モナ・リザ"]))
    return Attestation.by(ADA, id, draw(hashes), draw(st.sampled_from(sorted(CLASSES))), statement, now)


GRANT = Grant.by(
    ADA,
    Terms(
        id="0" * 32,
        subject=ADA.public,
        portrait_sha256="1" * 64,
        face="2" * 64,
        voice=None,
        grantee="organisation:museum",
        purposes=("dpv:PublicBenefit",),
        directions=("happy", "neutral"),
        locales=("en",),
        max_uses=3,
        not_before=NOON,
        expires=NOON + timedelta(days=1),
        phrase="amber candle lantern mango ocean robot",
        evidence_sha256="3" * 64,
    ),
)


def refusal_of(data: bytes, kind: type[Document] = Grant) -> str:
    with pytest.raises(ConsentRefused) as caught:
        kind.read(data)
    return caught.value.reason


def signed_anyway(**changes: Any) -> bytes:
    """What somebody who controls the key, but not this program, could write."""
    said = json.loads(GRANT.body) | changes
    said = {name: value for name, value in said.items() if value is not ...}
    return rfc8785.dumps(said | {"signature": to_base64url(ADA.sign(rfc8785.dumps(said)))})


@given(documents())
def test_what_was_signed_is_read_back(document: Document) -> None:
    assert type(document).read(document.data) == document
    assert type(document).read(document.data).sha256 == document.sha256
    assert schema_of(document.data) == document.schema()


@settings(max_examples=60)
@given(documents(), st.data())
def test_any_flipped_bit_is_caught(document: Document, data: st.DataObject) -> None:
    bit = data.draw(st.integers(0, 8 * len(document.data) - 1))
    flipped = bytearray(document.data)
    flipped[bit // 8] ^= 1 << bit % 8
    refusal_of(bytes(flipped), type(document))


def test_every_single_flipped_bit_of_a_grant_is_caught() -> None:
    for bit in range(8 * len(GRANT.data)):
        flipped = bytearray(GRANT.data)
        flipped[bit // 8] ^= 1 << bit % 8
        refusal_of(bytes(flipped))


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_no_other_bytes_are_a_document(data: bytes) -> None:
    refusal_of(data)
    with pytest.raises(ConsentRefused):
        schema_of(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"[" * 5000,
        b"{" * 5000,
        b'{"a":1e3}',
        b'{"a":NaN}',
        b'{"a":"\\ud800"}',
        b'{"a":123456789012345678901234567890}',
        GRANT.data + b"\n",
        b" " + GRANT.data,
        b"\xef\xbb\xbf" + GRANT.data,
        GRANT.data.replace(b'"max_uses":3', b'"max_uses":3.0'),
        GRANT.data.replace(b'"max_uses":3', b'"max_uses":3,"max_uses":3'),
        GRANT.data.replace(b"happy", b"\\u0068appy"),
        json.dumps(json.loads(GRANT.data), indent=1).encode(),
        GRANT.data[:-1] + b',"zzz":"' + b"z" * MAX_BYTES + b'"}',
    ],
)
def test_another_spelling_is_refused(data: bytes) -> None:
    assert refusal_of(data) in ("document_damaged", "signature_missing")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schema": "vernissage/grant/2"}, "document_kind"),
        ({"schema": "vernissage/refusal/1"}, "document_kind"),
        ({"extra": 1}, "document_fields"),
        ({"face": ...}, "document_fields"),
        ({"voice": ...}, "document_fields"),
        ({"max_uses": True}, "value_unfit"),
        ({"max_uses": "3"}, "value_unfit"),
        ({"max_uses": 0}, "value_unfit"),
        ({"max_uses": 1_000_001}, "value_unfit"),
        ({"purposes": []}, "value_unfit"),
        ({"purposes": "dpv:PublicBenefit"}, "value_unfit"),
        ({"purposes": ["dpv:PoliticalCampaign"]}, "value_unfit"),
        ({"directions": ["neutral", "happy"]}, "value_unfit"),
        ({"directions": ["happy", "happy"]}, "value_unfit"),
        ({"locales": ["english"]}, "value_unfit"),
        ({"locales": ["en\n"]}, "value_unfit"),
        ({"grantee": "museum"}, "value_unfit"),
        ({"portrait_sha256": "A" * 64}, "value_unfit"),
        ({"subject": "A"}, "value_unfit"),
        ({"subject": None}, "value_unfit"),
        ({"expires": "2026-11-23T12:00:00+00:00"}, "value_unfit"),
        ({"expires": "2026-11-23T12:00:60Z"}, "value_unfit"),
        ({"expires": "2026-1-2T12:00:00Z"}, "value_unfit"),
        ({"expires": "2026-11-22T12:00:00Z"}, "term_unfit"),
        ({"expires": "2036-11-22T12:00:00Z"}, "term_unfit"),
        ({"notice": "1999"}, "value_unfit"),
        ({"id": "../../etc/passwd"}, "value_unfit"),
    ],
)
def test_a_signature_does_not_make_nonsense_a_grant(changes: dict[str, Any], reason: str) -> None:
    assert refusal_of(signed_anyway(**changes)) == reason


def test_another_key_cannot_sign() -> None:
    thief = SigningKey.generate()
    unsigned = json.loads(GRANT.body)
    by_thief = rfc8785.dumps(unsigned | {"signature": to_base64url(thief.sign(GRANT.body))})
    assert refusal_of(by_thief) == "signature_invalid"
    assert refusal_of(GRANT.body) == "signature_missing"
    with pytest.raises(ConsentRefused, match="another person's key"):
        Grant.by(thief, Terms.read_body(GRANT.body))


def test_no_document_passes_for_another() -> None:
    revocation = Revocation.by(ADA, "0" * 32, NOON)
    assert refusal_of(revocation.data, Withdrawal) == "document_kind"
    assert refusal_of(GRANT.data, Refusal) == "document_kind"


def test_values_are_checked_in_python_too() -> None:
    with pytest.raises(ConsentRefused, match="32 hexadecimal digits"):
        Revocation.by(ADA, "not an id", NOON)
    with pytest.raises(ConsentRefused, match="one line"):
        Attestation.by(ADA, "0" * 32, "1" * 64, "fictional", "two\nlines", NOON)
    with pytest.raises(ConsentRefused, match="one of fictional"):
        Attestation.by(ADA, "0" * 32, "1" * 64, "living", "Me.", NOON)


def test_the_emotions_that_can_be_allowed_are_those_that_can_be_played() -> None:
    assert sorted(EMOTIONS) == list(DIRECTIONS)


def test_the_notice_tells_what_a_person_must_know_and_changes_only_with_its_version() -> None:
    for said in ("at any time", "encrypted", "deleted", "never kept"):
        assert said in notice()
    digest = hashlib.sha256(notice().encode()).hexdigest()
    assert (NOTICE_VERSION, digest) == (
        "2026-11",
        "36740151e4984ec95f59b7c0ad9942ea949b2b814e96bd185a2dfce5edbd315e",
    )
