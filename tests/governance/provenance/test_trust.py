"""A reader goes by houses for who sealed a film and by clocks for when; a stolen key's word is not taken."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import rfc3161_client
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from governance.errors import KeysError, KeysMissing, KeysUnsafe, ReadError, SealError
from governance.provenance import (
    Authority,
    Distrusted,
    Making,
    State,
    TrustList,
    certificates,
    house_trust,
    read,
    seal,
)
from tests.governance.provenance.rfc3161 import TimeAuthority, serving

YEAR = timedelta(days=365)


@pytest.fixture
def house(tmp_path: Path) -> Authority:
    return Authority.init(tmp_path / "house" / "keys", organisation="The Daily House")


@pytest.fixture
def clock() -> Iterator[TimeAuthority]:
    with serving(TimeAuthority()) as authority:
        yield authority


@pytest.fixture
def short_lived(house: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The house with a signer that ends within seconds."""
    monkeypatch.setattr(certificates, "SIGNER_VALIDITY", timedelta(seconds=4))
    return house.renew()


def wait_for_the_end_of(house: Authority) -> None:
    while datetime.now(UTC) <= house.verifiable_until + timedelta(seconds=1):
        time.sleep(0.2)


class TestClocks:
    def test_the_tests_own_authority_is_one_by_an_independent_verifier(self) -> None:
        clock = TimeAuthority()
        request = (
            rfc3161_client.TimestampRequestBuilder()
            .data(b"seal")
            .hash_algorithm(rfc3161_client.HashAlgorithm.SHA256)
            .build()
        )
        answer = rfc3161_client.decode_timestamp_response(clock.answer(request.as_bytes()))
        verifier = rfc3161_client.VerifierBuilder.from_request(request).add_root_certificate(clock.root)
        assert verifier.build().verify_message(answer, b"seal")

    def test_a_seal_is_stamped_and_says_when(
        self, film: Path, making: Making, house: Authority, clock: TimeAuthority, tmp_path: Path
    ) -> None:
        TrustList(clocks=(clock.root,)).keep(house.directory)
        reading = seal(film, tmp_path / "sealed.mp4", making, house, clock=clock.url)
        assert reading.state is State.TRUSTED
        assert reading.sealed is not None
        assert abs(reading.sealed - datetime.now(UTC)) < timedelta(minutes=5)
        assert "A clock you trust saw the seal on" in reading.explain()
        assert json.loads(reading.to_json())["sealed"] == reading.sealed.isoformat()
        assert read(tmp_path / "sealed.mp4", [house.root_pem]).sealed is None

    def test_a_film_outlives_its_signer_by_the_word_of_a_clock(
        self, film: Path, making: Making, short_lived: Authority, clock: TimeAuthority, tmp_path: Path
    ) -> None:
        TrustList(clocks=(clock.root,)).keep(short_lived.directory)
        seal(film, tmp_path / "stamped.mp4", making, short_lived, clock=clock.url)
        seal(film, tmp_path / "unstamped.mp4", making, short_lived)
        wait_for_the_end_of(short_lived)
        trust = house_trust(short_lived.directory)
        assert read(tmp_path / "stamped.mp4", trust).state is State.TRUSTED
        alone = read(tmp_path / "stamped.mp4", TrustList(trust.houses))
        assert (alone.state, alone.sealed) == (State.UNKNOWN_SIGNER, None)
        unstamped = read(tmp_path / "unstamped.mp4", trust)
        assert unstamped.state is State.UNKNOWN_SIGNER
        assert "certificate has expired" in unstamped.explain()

    def test_a_clock_that_tells_a_time_after_the_signers_end_stamps_nothing(
        self, film: Path, making: Making, house: Authority, clock: TimeAuthority, tmp_path: Path
    ) -> None:
        TrustList(clocks=(clock.root,)).keep(house.directory)
        clock.ahead = 11 * YEAR
        with pytest.raises(SealError):
            seal(film, tmp_path / "sealed.mp4", making, house, clock=clock.url)
        assert not (tmp_path / "sealed.mp4").exists()

    def test_a_clock_vouches_for_no_signer(self, film: Path, making: Making, tmp_path: Path) -> None:
        """Whoever keeps the clock may not seal films in anybody's name."""
        house = Authority.init(tmp_path / "clockmaker", organisation="The Daily House")
        seal(film, tmp_path / "sealed.mp4", making, house)
        reading = read(tmp_path / "sealed.mp4", TrustList(clocks=(house.root,)))
        assert reading.state is State.UNKNOWN_SIGNER
        assert [reason.code for reason in reading.reasons] == ["signingCredential.untrusted"]

    def test_no_film_is_sealed_by_a_clock_the_house_does_not_go_by(
        self, film: Path, making: Making, house: Authority, clock: TimeAuthority, tmp_path: Path
    ) -> None:
        with pytest.raises(SealError, match="keys trust --clock"):
            seal(film, tmp_path / "sealed.mp4", making, house, clock=clock.url)
        assert not (tmp_path / "sealed.mp4").exists()

    def test_no_film_is_sealed_when_the_clock_is_out_of_reach(
        self, film: Path, making: Making, house: Authority, tmp_path: Path
    ) -> None:
        with serving(TimeAuthority()) as gone:
            TrustList(clocks=(gone.root,)).keep(house.directory)
        with pytest.raises(SealError, match="time stamp authority"):
            seal(film, tmp_path / "sealed.mp4", making, house, clock=gone.url)
        assert list(tmp_path.glob("*.mp4")) == []

    def test_a_clock_needs_an_address(self, house: Authority) -> None:
        with pytest.raises(KeysError, match="no address"):
            house.signer("file:///etc/passwd")


class TestStolenKeys:
    def test_what_a_stolen_key_sealed_is_trusted_no_more(
        self, film: Path, making: Making, house: Authority, tmp_path: Path
    ) -> None:
        seal(film, tmp_path / "before.mp4", making, house)
        assert read(tmp_path / "before.mp4", house_trust(house.directory)).state is State.TRUSTED
        renewed = house.renew(stolen_since=datetime.now(UTC) + timedelta(days=1))
        reading = read(tmp_path / "before.mp4", house_trust(house.directory))
        assert reading.state is State.UNKNOWN_SIGNER
        assert "the key it was sealed with was stolen" in reading.explain()
        seal(film, tmp_path / "after.mp4", making, renewed)
        assert read(tmp_path / "after.mp4", house_trust(house.directory)).state is State.TRUSTED

    def test_but_what_a_clock_saw_before_the_theft_is(
        self, film: Path, making: Making, house: Authority, clock: TimeAuthority, tmp_path: Path
    ) -> None:
        TrustList(clocks=(clock.root,)).keep(house.directory)
        seal(film, tmp_path / "early.mp4", making, house, clock=clock.url)
        clock.ahead = timedelta(hours=2)
        seal(film, tmp_path / "late.mp4", making, house, clock=clock.url)
        house.renew(stolen_since=datetime.now(UTC) + timedelta(hours=1))
        trust = house_trust(house.directory)
        assert read(tmp_path / "early.mp4", trust).state is State.TRUSTED
        assert read(tmp_path / "late.mp4", trust).state is State.UNKNOWN_SIGNER

    def test_others_learn_of_it_from_the_list(
        self, film: Path, making: Making, house: Authority, tmp_path: Path
    ) -> None:
        seal(film, tmp_path / "film.mp4", making, house)
        house.renew(stolen_since=datetime.now(UTC) - timedelta(days=1))
        given = TrustList.read(Authority.open(house.directory).trust().to_json())
        assert [entry.certificate for entry in given.distrusted] == [house.certificate]
        assert read(tmp_path / "film.mp4", given).state is State.UNKNOWN_SIGNER


class TestRenewal:
    def test_films_stay_trusted_through_renewals_of_the_signer(
        self, film: Path, making: Making, house: Authority, tmp_path: Path
    ) -> None:
        for number in range(3):
            seal(film, tmp_path / f"{number}.mp4", making, house)
            house = house.renew()
        for number in range(3):
            assert read(tmp_path / f"{number}.mp4", [house.root_pem]).state is State.TRUSTED

    def test_and_through_a_change_of_the_root(
        self, film: Path, making: Making, house: Authority, tmp_path: Path
    ) -> None:
        seal(film, tmp_path / "old.mp4", making, house)
        new = Authority.init(tmp_path / "new" / "keys", "ed25519", "The Daily House")
        assert read(tmp_path / "old.mp4", house_trust(new.directory)).state is State.UNKNOWN_SIGNER
        house.trust().keep(new.directory)
        seal(film, tmp_path / "new.mp4", making, new)
        for name in ("old.mp4", "new.mp4"):
            assert read(tmp_path / name, house_trust(new.directory)).state is State.TRUSTED


class TestTrustList:
    def test_it_is_read_back_as_it_was_given(self, house: Authority, stranger: Authority) -> None:
        clock = TimeAuthority()
        given = TrustList(
            (house.root, stranger.root),
            (clock.root,),
            (Distrusted(house.certificate, datetime(2026, 11, 1, tzinfo=UTC)),),
        )
        assert TrustList.read(given.to_json()) == given
        assert given.to_json().isascii()
        assert TrustList.read(given.to_pem()) == TrustList(given.houses)

    def test_it_holds_no_secret(self, house: Authority) -> None:
        listed = house.trust()
        assert "PRIVATE" not in listed.to_json() + listed.to_pem()
        with pytest.raises(ValueError, match=r"(?i)key"):
            load_pem_private_key(listed.to_pem().encode(), None)

    def test_what_is_kept_is_gone_by_and_what_is_removed_is_not(
        self, house: Authority, stranger: Authority
    ) -> None:
        kept = stranger.trust().keep(house.directory)
        assert stranger.trust().keep(house.directory) == kept
        assert house_trust(house.directory).houses == (house.root, stranger.root)
        assert Authority.open(house.directory).trust().houses == (house.root,)
        kept.unlink()
        assert house_trust(house.directory).houses == (house.root,)

    def test_a_list_that_others_could_have_planted_is_refused(
        self, house: Authority, stranger: Authority
    ) -> None:
        stranger.trust().keep(house.directory).chmod(0o666)
        with pytest.raises(KeysUnsafe):
            house_trust(house.directory)

    def test_no_house_speaks_of_the_signers_of_another(self, house: Authority, stranger: Authority) -> None:
        slander = TrustList((stranger.root,), distrusted=(Distrusted(house.certificate, datetime.now(UTC)),))
        with pytest.raises(ReadError, match="none of its houses issued"):
            TrustList.read(slander.to_json())

    @pytest.mark.parametrize(
        "data",
        [
            "{}",
            "{",
            '{"schema": "org.vernissage.trust/2", "anchors": [], "distrusted": []}',
            '{"schema": "org.vernissage.trust/1"}',
            '{"schema": "org.vernissage.trust/1", "anchors": [{}], "distrusted": []}',
            '{"schema": "org.vernissage.trust/1", "anchors": [7], "distrusted": []}',
            '{"schema": "org.vernissage.trust/1", "anchors": [{"kind": "k", "pem": ""}], "distrusted": []}',
            b"{\xff",
            "{" * 2000,
            "-----BEGIN CERTIFICATE-----",
            " " * (2 << 20),
        ],
    )
    def test_anything_else_is_refused(self, data: str | bytes) -> None:
        with pytest.raises(ReadError):
            TrustList.read(data)

    def test_there_is_nothing_to_keep_in_an_empty_list_or_without_keys(
        self, house: Authority, tmp_path: Path
    ) -> None:
        with pytest.raises(ReadError, match="no certificate"):
            TrustList().keep(house.directory)
        with pytest.raises(KeysMissing):
            house.trust().keep(tmp_path / "nowhere")
