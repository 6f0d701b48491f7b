"""Any file, however broken or hostile, gets one of five verdicts, and only our own films get the first."""

import json
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import c2pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from governance.errors import ReadError
from governance.provenance import Authority, Making, Reading, State, certificates, read, seal, to_manifest

any_file = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

Signing = Callable[..., Path]

SIGNATURES = (
    b"\0\0\0 ftypisom",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0",
    b"RIFF\0\0\0\0WEBP",
    b"GIF89a",
    b"II*\0",
    b"ID3\4",
    b"fLaC",
    b"%PDF-1.7\n",
    b"PK\3\4",
    b"<svg>",
    b"\0\0\0\x0cJXL \r\n\x87\n",
)
"""How the files of each kind the SDK knows begin."""


def boxes(data: bytes) -> Iterator[tuple[str, int, int]]:
    """(kind, start, end) of the top-level boxes of an MP4."""
    position = 0
    while position < len(data):
        size, kind = struct.unpack(">I4s", data[position : position + 8])
        yield kind.decode("latin-1"), position, position + size
        position += size


def box(data: bytes, kind: str) -> bytes:
    return next(data[start:end] for found, start, end in boxes(data) if found == kind)


def unbound(data: bytes) -> list[tuple[int, int]]:
    """Where C2PA lets bytes change: the credential's own box and boxes without pictures, sound or timing."""
    return [(start, end) for kind, start, end in boxes(data) if kind in {"uuid", "ftyp", "free"}]


@pytest.fixture
def elsewhere(tmp_path: Path, stranger: Authority) -> Signing:
    """Another house's software, which writes whatever manifest it likes."""

    def sign(source: Path, manifest: dict[str, Any], authority: Authority = stranger, url: str = "") -> Path:
        target = tmp_path / f"elsewhere{source.suffix}"
        options = {"builder": {"thumbnail": {"enabled": False}}}
        builder = c2pa.Builder(manifest, context=c2pa.Context.from_dict(options, signer=authority.signer()))
        if url:
            builder.set_no_embed()
            builder.set_remote_url(url)
        builder.sign_file(source, target)
        return target

    return sign


def created(source_type: str) -> dict[str, Any]:
    prefix = "http://cv.iptc.org/newscodes/digitalsourcetype/"
    action = {"action": "c2pa.created", "digitalSourceType": prefix + source_type}
    return {"label": "c2pa.actions.v2", "data": {"actions": [action]}}


class TestTrust:
    def test_valid_is_not_trusted(self, sealed: Path) -> None:
        """The SDK itself calls the film ``Valid`` without any anchor."""
        with c2pa.Reader(sealed) as reader:
            assert reader.get_validation_state() == "Valid"
        assert read(sealed).state is State.UNKNOWN_SIGNER

    def test_another_house_of_the_same_name_is_unknown(self, sealed: Path, stranger: Authority) -> None:
        reading = read(sealed, [stranger.root_pem])
        assert reading.state is State.UNKNOWN_SIGNER
        assert [reason.code for reason in reading.reasons] == ["signingCredential.untrusted"]

    def test_one_right_anchor_among_several_is_enough(
        self, sealed: Path, authority: Authority, stranger: Authority
    ) -> None:
        assert read(sealed, [stranger.root_pem, authority.root_pem]).state is State.TRUSTED
        assert read(sealed, [(stranger.root_pem + authority.root_pem).encode()]).state is State.TRUSTED

    def test_the_signers_own_certificate_is_no_root(self, sealed: Path, authority: Authority) -> None:
        leaf = certificates.certificate_pem(authority.certificate)
        assert read(sealed, [leaf]).state is State.UNKNOWN_SIGNER

    @pytest.mark.parametrize(
        "anchor", ["", "root", b"\xff\xfe", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END"]
    )
    def test_an_anchor_that_is_no_certificate_is_an_error(self, sealed: Path, anchor: str | bytes) -> None:
        with pytest.raises(ReadError, match=r"root\.pem"):
            read(sealed, [anchor])

    def test_a_private_key_is_no_anchor(self, sealed: Path, authority: Authority) -> None:
        with pytest.raises(ReadError):
            read(sealed, [(authority.directory / "root-key.pem").read_bytes()])

    def test_an_expired_signer_is_no_longer_known(self, film: Path, making: Making, tmp_path: Path) -> None:
        issued = datetime.now(UTC) - certificates.SIGNER_VALIDITY + timedelta(seconds=2)
        root_key, key = certificates.new_key("es256"), certificates.new_key("es256")
        root = certificates.root_certificate(root_key, "The Late House", issued)
        certificate = certificates.signer_certificate(key, root, root_key, issued)
        signer = c2pa.Signer.from_info(
            c2pa.C2paSignerInfo(
                "es256", certificates.certificate_pem(certificate), certificates.key_pem(key), None
            )
        )
        path = tmp_path / "late.mp4"
        c2pa.Builder(to_manifest(making), context=c2pa.Context(signer=signer)).sign_file(film, path)
        while datetime.now(UTC) <= certificate.not_valid_after_utc + timedelta(seconds=1):
            time.sleep(0.1)
        reading = read(path, [certificates.certificate_pem(root)])
        assert reading.state is State.UNKNOWN_SIGNER
        assert "signingCredential.expired" in {reason.code for reason in reading.reasons}
        assert "has expired" in reading.explain()


class TestTampering:
    def test_one_bit_of_the_pictures(self, sealed: Path, authority: Authority, tmp_path: Path) -> None:
        data = bytearray(sealed.read_bytes())
        start = next(start for kind, start, _ in boxes(sealed.read_bytes()) if kind == "mdat")
        data[start + 1000] ^= 1
        (tmp_path / "changed.mp4").write_bytes(data)
        reading = read(tmp_path / "changed.mp4", [authority.root_pem])
        assert reading.state is State.TAMPERED
        assert [reason.code for reason in reading.reasons] == ["assertion.bmffHash.mismatch"]
        assert "pictures, the sound" in reading.explain()

    def test_a_word_of_the_declaration(self, sealed: Path, authority: Authority, tmp_path: Path) -> None:
        data = sealed.read_bytes()
        assert data.count(b"public-domain") == 1
        (tmp_path / "changed.mp4").write_bytes(data.replace(b"public-domain", b"own-likeness!"))
        assert read(tmp_path / "changed.mp4", [authority.root_pem]).state is State.TAMPERED

    def test_the_credential_of_another_film(
        self, sealed: Path, other_film: Path, making: Making, authority: Authority, tmp_path: Path
    ) -> None:
        seal(other_film, tmp_path / "other.mp4", making, authority)
        data, credential = (tmp_path / "other.mp4").read_bytes(), box(sealed.read_bytes(), "uuid")
        (tmp_path / "moved.mp4").write_bytes(data.replace(box(data, "uuid"), credential))
        assert read(tmp_path / "moved.mp4", [authority.root_pem]).state is State.TAMPERED

    def test_more_film_after_the_end(self, sealed: Path, authority: Authority, tmp_path: Path) -> None:
        extra = struct.pack(">I4s", 16, b"mdat") + b"a picture"[:8]
        (tmp_path / "longer.mp4").write_bytes(sealed.read_bytes() + extra)
        assert read(tmp_path / "longer.mp4", [authority.root_pem]).state is State.TAMPERED

    @any_file
    @given(st.data())
    def test_no_flipped_bit_of_the_film_stays_trusted(
        self, sealed: Path, authority: Authority, tmp_path: Path, data: st.DataObject
    ) -> None:
        """Where bytes may change by the standard, a film still trusted has the same film and declaration."""
        original = sealed.read_bytes()
        index = data.draw(st.integers(0, len(original) - 1) | st.integers(0, 6000))
        changed = bytearray(original)
        changed[index] ^= 1 << data.draw(st.integers(0, 7))
        (tmp_path / "changed.mp4").write_bytes(changed)
        reading = read(tmp_path / "changed.mp4", [authority.root_pem])
        if reading.state is State.TRUSTED:
            assert any(start <= index < end for start, end in unbound(original))
            assert box(bytes(changed), "mdat") == box(original, "mdat")
            assert box(bytes(changed), "moov") == box(original, "moov")
            assert reading.declaration == read(sealed, [authority.root_pem]).declaration
        assert reading.explain()

    @any_file
    @given(st.data())
    def test_no_part_of_a_film_is_trusted(
        self, sealed: Path, authority: Authority, tmp_path: Path, data: st.DataObject
    ) -> None:
        original = sealed.read_bytes()
        length = data.draw(st.integers(0, len(original) - 1) | st.integers(0, 200))
        (tmp_path / "part.mp4").write_bytes(original[:length])
        reading = read(tmp_path / "part.mp4", [authority.root_pem])
        assert reading.state not in {State.TRUSTED, State.UNKNOWN_SIGNER}

    @any_file
    @given(st.data())
    def test_no_garbled_credential_breaks_the_reader(
        self, sealed: Path, authority: Authority, tmp_path: Path, data: st.DataObject
    ) -> None:
        original = sealed.read_bytes()
        start, end = next((start, end) for kind, start, end in boxes(original) if kind == "uuid")
        at = data.draw(st.integers(start + 24, end - 1))
        noise = data.draw(st.binary(min_size=1, max_size=64))[: end - at]
        changed = original[:at] + noise + original[at + len(noise) :]
        (tmp_path / "garbled.mp4").write_bytes(changed)
        reading = read(tmp_path / "garbled.mp4", [authority.root_pem])
        json.loads(reading.to_json())
        if reading.state is State.TRUSTED:
            assert reading.declaration == read(sealed, [authority.root_pem]).declaration


class TestStripping:
    def test_a_film_never_sealed(self, film: Path, authority: Authority) -> None:
        reading = read(film, [authority.root_pem])
        assert reading.state is State.STRIPPED
        assert reading.signer is None
        assert reading.declaration is None

    def test_a_film_copied_stream_by_stream(self, sealed: Path, authority: Authority, tmp_path: Path) -> None:
        with av.open(str(sealed)) as source, av.open(str(tmp_path / "copy.mp4"), "w") as target:
            streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = streams[packet.stream.index]
                    target.mux(packet)
        assert read(tmp_path / "copy.mp4", [authority.root_pem]).state is State.STRIPPED

    def test_a_film_whose_credential_was_cut_out(
        self, sealed: Path, authority: Authority, tmp_path: Path
    ) -> None:
        data = sealed.read_bytes()
        (tmp_path / "cut.mp4").write_bytes(data.replace(box(data, "uuid"), b""))
        assert read(tmp_path / "cut.mp4", [authority.root_pem]).state is State.STRIPPED

    def test_a_credential_kept_elsewhere_is_not_fetched(self, film: Path, elsewhere: Signing) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            url = f"http://127.0.0.1:{server.getsockname()[1]}/manifest"
            reading = read(elsewhere(film, {"assertions": [created("digitalCapture")]}, url=url))
            server.settimeout(0.2)
            with pytest.raises(TimeoutError):
                server.accept()
        assert reading.state is State.STRIPPED
        assert "not fetched" in reading.explain()


class TestUnreadable:
    def unreadable(self, path: Path, detail: str, max_bytes: int = 2**30) -> None:
        reading = read(path, max_bytes=max_bytes)
        assert reading.state is State.UNREADABLE
        assert detail in reading.explain()

    def test_nothing_there(self, tmp_path: Path) -> None:
        self.unreadable(tmp_path / "nothing.mp4", "No such file")

    def test_a_folder(self, tmp_path: Path) -> None:
        self.unreadable(tmp_path, "directory")

    def test_an_empty_file(self, tmp_path: Path) -> None:
        (tmp_path / "empty.mp4").touch()
        self.unreadable(tmp_path / "empty.mp4", "empty")

    def test_a_pipe_does_not_hang(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.mp4")
        self.unreadable(tmp_path / "pipe.mp4", "not a plain file")

    def test_an_endless_device(self) -> None:
        self.unreadable(Path("/dev/zero"), "not a plain file")

    def test_a_name_no_file_can_have(self) -> None:
        self.unreadable(Path("a\0b.mp4"), "null")

    def test_a_huge_file_is_refused_unread(self, tmp_path: Path) -> None:
        with (tmp_path / "huge.mp4").open("wb") as file:
            file.truncate(2**40)
        self.unreadable(tmp_path / "huge.mp4", "larger than")

    def test_a_limit_of_the_callers(self, sealed: Path) -> None:
        self.unreadable(sealed, "larger than 1,000 bytes", max_bytes=1000)

    def test_a_text(self, tmp_path: Path) -> None:
        (tmp_path / "text.mp4").write_text("To be, or not to be" * 100)
        self.unreadable(tmp_path / "text.mp4", "is not a film, picture or sound")

    @any_file
    @given(
        st.sampled_from([b"", *SIGNATURES]),
        st.binary(max_size=300),
    )
    @example(b"\0\0\0\0ftyp", b"")
    @example(b"\0\0\0\x01ftyp", b"\xff" * 8)
    def test_garbage_is_never_more_than_stripped(self, tmp_path: Path, magic: bytes, noise: bytes) -> None:
        (tmp_path / "garbage").write_bytes(magic + noise)
        assert read(tmp_path / "garbage").state in {State.UNREADABLE, State.STRIPPED}


class TestOtherFiles:
    @pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff", ".gif"])
    def test_pictures_too(self, elsewhere: Signing, stranger: Authority, tmp_path: Path, suffix: str) -> None:
        Image.new("RGB", (32, 32), "teal").save(tmp_path / f"picture{suffix}")
        path = elsewhere(tmp_path / f"picture{suffix}", {"assertions": [created("digitalCapture")]})
        assert read(path, [stranger.root_pem]).state is State.TRUSTED
        assert "a camera or recorder captured it" in read(path, [stranger.root_pem]).explain()
        data = bytearray(path.read_bytes())
        data[-8 if suffix != ".png" else -20] ^= 1
        path.write_bytes(data)
        assert read(path, [stranger.root_pem]).state is not State.TRUSTED

    def test_the_name_does_not_matter(self, sealed: Path, authority: Authority, tmp_path: Path) -> None:
        for name in ("film", "film.jpg", "film.txt"):
            (tmp_path / name).write_bytes(sealed.read_bytes())
            assert read(tmp_path / name, [authority.root_pem]).state is State.TRUSTED

    def test_a_different_claim_by_a_stranger_is_reported_as_a_claim(
        self, film: Path, elsewhere: Signing, authority: Authority
    ) -> None:
        manifest = {
            "title": "Caught on camera",
            "claim_generator_info": [{"name": "PhoneCam", "version": "9"}],
            "assertions": [created("digitalCapture")],
        }
        reading = read(elsewhere(film, manifest), [authority.root_pem])
        assert reading.state is State.UNKNOWN_SIGNER
        assert reading.declaration is not None
        assert reading.declaration.software == "PhoneCam"
        assert reading.declaration.rights is None
        assert not reading.declaration.training_refused
        text = reading.explain()
        assert "They claim that a camera or recorder captured it." in text
        assert "train AI" not in text
        assert "unproven" in text

    def test_a_film_of_ours_sealed_over_by_a_stranger_is_the_strangers(
        self, sealed: Path, elsewhere: Signing, authority: Authority
    ) -> None:
        path = elsewhere(sealed, {"assertions": [created("digitalCapture")]})
        reading = read(path, [authority.root_pem])
        assert reading.state is State.UNKNOWN_SIGNER
        assert reading.declaration is not None
        assert reading.declaration.rights is None

    def test_words_that_steer_a_terminal_are_disarmed(
        self, film: Path, tmp_path: Path, elsewhere: Signing
    ) -> None:
        manifest = {
            "title": "\x1b[2JTRUSTED\n\u202eevil",
            "claim_generator_info": [{"name": "x\x07y", "version": "z" * 5000}],
            "assertions": [created("\x1b]0;title\x07")],
            "ingredients": [{"title": "in\rput", "relationship": "inputTo", "format": "image/png"}],
        }
        path = elsewhere(film, manifest).rename(tmp_path / "a\x1b[31mb.mp4")
        reading = read(path)
        lines = reading.explain().splitlines()
        assert all(line.isprintable() for line in lines)
        assert lines[0].startswith("UNKNOWN SIGNER")
        assert reading.to_json().isascii()
        assert max(map(len, lines)) < 1000


class TestReport:
    def test_schema(self, sealed: Path, authority: Authority) -> None:
        report = json.loads(read(sealed, [authority.root_pem]).to_json())
        assert report["schema"] == "org.vernissage.reading/1"
        assert list(report) == [
            "schema",
            "file",
            "state",
            "signer",
            "sealed",
            "declared",
            "reasons",
            "explanation",
        ]
        assert set(report["signer"]) == {"organisation", "name", "algorithm", "serial"}
        assert set(report["declared"]) == {
            "title",
            "software",
            "software_version",
            "created",
            "source_type",
            "rights",
            "driver",
            "seed",
            "ingredients",
            "other_inputs",
            "training_refused",
            "grant",
            "request",
            "entry",
            "bindings",
        }
        assert set(report["declared"]["ingredients"][0]) == {"title", "mime", "sha256", "role"}
        assert set(report["reasons"][0]) == {"code", "explanation"}
        assert report["declared"]["created"] == "2026-11-22T10:30:00+00:00"
        assert all(isinstance(sentence, str) for sentence in report["explanation"])

    def test_schema_without_credential(self, film: Path) -> None:
        report = json.loads(read(film).to_json())
        assert list(report) == [
            "schema",
            "file",
            "state",
            "signer",
            "sealed",
            "declared",
            "reasons",
            "explanation",
        ]
        assert (report["state"], report["signer"], report["declared"]) == ("stripped", None, None)

    def test_states(self) -> None:
        assert [state.value for state in State] == [
            "trusted",
            "unknown_signer",
            "tampered",
            "stripped",
            "unreadable",
        ]

    def test_a_trusted_film_in_plain_words(self, sealed: Path, authority: Authority) -> None:
        text = read(sealed, [authority.root_pem]).explain()
        assert text.startswith("TRUSTED: sealed.mp4 was sealed by “The Daily House” (Vernissage signer)")
        for phrase in (
            "what it shows was not filmed",
            "Vernissage 0.1.0, driver rules, seed 7, on 2026-11-22 at 10:30 UTC",
            "the portrait “ada.png” (sha256 1a1a1a1a1a1a…)",
            "2 model files",
            "in the public domain",
            "not to be used to train AI",
            "does not prove that what is said is true",
        ):
            assert phrase in text

    def test_no_verdict_but_the_first_begins_like_it(self, sealed: Path, film: Path, tmp_path: Path) -> None:
        readings: list[Reading] = [read(sealed), read(film), read(tmp_path)]
        with suppress(ReadError):
            readings.append(read(sealed, ["no anchor"]))
        assert {reading.explain().split(":")[0] for reading in readings} == {
            "UNKNOWN SIGNER",
            "STRIPPED",
            "UNREADABLE",
        }
