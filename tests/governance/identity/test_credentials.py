"""A credential is what the hub signed, to the bit; and no step by one steward ever widens it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import CredentialRefused, IdentityError
from governance.identity import Credential, HeldKey, State, Terms, Tier, amend, changes
from governance.keys import SigningKey, VerifyKey

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HUB = SigningKey.generate()
KEY = SigningKey.generate()


def credential(terms: Terms | None = None) -> Credential:
    return changes.issued(
        changes.issue(
            "org_1", "person_1", KEY.public, terms or Terms(Tier.GENERATE, NOW, NOW + 90 * DAY), NOW
        )
    )


WORDS = st.sampled_from(["detect", "generate", "download", "models/portrait", "stream:live"])


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    begins = NOW + draw(st.integers(0, 3)) * DAY
    return Terms(
        draw(st.sampled_from(Tier)),
        begins,
        begins + draw(st.integers(1, 4)) * DAY,
        tuple(draw(st.lists(WORDS, max_size=3))),
        draw(st.dictionaries(WORDS, st.integers(0, 3), max_size=3)),
    )


@given(terms=terms())
def test_it_is_read_back_as_it_was_signed(terms: Terms) -> None:
    made = credential(terms)
    assert Credential.read(made.canonical(), made.sign(HUB), [HUB.public]) == made
    assert Terms.of(made).facts() == terms.facts()
    assert Terms.read(terms.facts()).facts() == terms.facts()


def test_every_flipped_bit_is_refused() -> None:
    made = credential()
    document, signature = made.canonical(), made.sign(HUB)
    for text, other, order in ((document, signature, 1), (signature, document, -1)):
        for place in range(len(text) * 8):
            flipped = bytearray(text)
            flipped[place // 8] ^= 1 << place % 8
            with pytest.raises(CredentialRefused):
                Credential.read(*(bytes(flipped), other)[::order], [HUB.public])


def test_another_hubs_signature_is_none() -> None:
    made = credential()
    with pytest.raises(CredentialRefused, match="not signed by the hub") as caught:
        Credential.read(made.canonical(), made.sign(SigningKey.generate()), [HUB.public])
    assert caught.value.reason == "forged"


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"id": 1}', b"null"])
def test_a_signed_document_of_another_kind_is_no_credential(document: bytes) -> None:
    with pytest.raises(CredentialRefused):
        Credential.read(document, HUB.sign(document), [HUB.public])


@pytest.mark.parametrize(
    ("change", "moment", "reason"),
    [
        ({}, NOW - timedelta(seconds=1), "not_yet"),
        ({}, NOW + 90 * DAY, "expired"),
        ({"state": State.SUSPENDED}, NOW, "suspended"),
        ({"state": State.REVOKED}, NOW, "revoked"),
    ],
)
def test_it_may_be_used_in_its_time_unless_stopped(
    change: dict[str, State], moment: datetime, reason: str
) -> None:
    credential().check(NOW)
    with pytest.raises(CredentialRefused) as caught:
        replace(credential(), **change).check(moment)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "make",
    [
        lambda: replace(credential(), keys=()),
        lambda: replace(credential(), scopes=("b", "a")),
        lambda: replace(credential(), scopes=("a b",)),
        lambda: replace(credential(), quotas={"generate": -1}),
        lambda: replace(credential(), expires=NOW),
        lambda: Terms(Tier.DETECT, NOW, NOW + 367 * DAY),
    ],
)
def test_one_that_makes_no_sense_is_not_made(make: Callable[[], object]) -> None:
    with pytest.raises(IdentityError):
        make()


@given(first=terms(), second=terms())
def test_of_two_different_terms_one_is_wider_or_each_in_its_way(first: Terms, second: Terms) -> None:
    one, two = credential(first), credential(second)
    assert not one.widens(one)
    if not one.widens(two) and not two.widens(one):
        assert positive(first.facts()) == positive(second.facts())


def positive(facts: dict[str, str | int]) -> dict[str, str | int]:
    """A quota of nothing is no quota."""
    given = " ".join(part for part in str(facts["quotas"]).split() if not part.endswith("=0"))
    return {**facts, "quotas": given}


@given(steps=st.lists(terms() | st.sampled_from(["suspend", "revoke", "rotate", "reinstate"]), max_size=8))
def test_no_sequence_of_narrow_steps_widens(steps: list[Terms | str]) -> None:
    first = now = credential(Terms(Tier.RESEARCH, NOW, NOW + 3 * DAY, ("detect",), {"generate": 2}))
    for step in steps:
        match step:
            case "suspend":
                act = changes.suspend(now.id, "theft", NOW)
            case "revoke":
                act = changes.revoke(now.id, "theft", NOW)
            case "reinstate":
                act = changes.reinstate(now, NOW)
            case "rotate":
                act = changes.rotate(now, SigningKey.generate().public, DAY, NOW)
            case other:
                assert isinstance(other, Terms)
                act = amend(now, other, NOW)
        try:
            after = changes.changed(now, act, NOW)
        except IdentityError:
            continue
        if not after.widens(now):
            now = after
    assert not now.widens(first)
    if "revoke" in steps:
        assert now.state is State.REVOKED


class TestRotation:
    """A new key takes over while the old one is still good for a while."""

    made = credential()
    new = SigningKey.generate()

    def rotated(self, overlap: timedelta, key: VerifyKey | None = None) -> Credential:
        now = NOW + DAY
        return changes.changed(
            self.made, changes.rotate(self.made, key or self.new.public, overlap, now), now
        )

    def test_both_are_good_until_the_old_one_ends(self) -> None:
        after = self.rotated(7 * DAY)
        assert (after.id, after.keyid, after.revision) == (self.made.id, self.new.keyid, 2)
        assert after.key(KEY.keyid, NOW + 7.9 * DAY) == KEY.public
        assert after.key(self.new.keyid, NOW + DAY) == self.new.public
        with pytest.raises(CredentialRefused, match="replaced by a newer one") as caught:
            after.key(KEY.keyid, NOW + 8 * DAY)
        assert caught.value.reason == "key_expired"
        assert not after.widens(self.made)

    def test_without_overlap_the_old_one_is_gone_at_once(self) -> None:
        after = self.rotated(timedelta(0))
        assert after.keys == (HeldKey(self.new.public, NOW + DAY, self.made.expires),)

    def test_the_overlap_is_bounded(self) -> None:
        for overlap in (31 * DAY, -DAY):
            with pytest.raises(IdentityError, match="30 days at most"):
                self.rotated(overlap)

    def test_an_old_key_never_outlives_the_credential(self) -> None:
        short = credential(Terms(Tier.GENERATE, NOW, NOW + 2 * DAY))
        after = changes.changed(short, changes.rotate(short, self.new.public, 9 * DAY, NOW), NOW)
        assert all(key.expires <= short.expires for key in after.keys)
