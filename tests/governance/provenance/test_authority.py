"""Keys are made once, kept from others, refused when others may have had them, and renewed in good time."""

import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from governance.errors import (
    GovernanceError,
    KeysDamaged,
    KeysError,
    KeysExist,
    KeysExpired,
    KeysMissing,
    KeysUnsafe,
)
from governance.provenance import (
    Authority,
    Making,
    TrustList,
    certificates,
    default_directory,
    house_trust,
    read,
    seal,
)
from governance.provenance.certificates import Algorithm

TightDisk = Callable[[int], AbstractContextManager[None]]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def keys_of_age(directory: Path, age: timedelta) -> Authority:
    """Keys as ``init`` would have made them ``age`` ago."""
    Authority.init(directory)
    issued = datetime.now(UTC) - age
    root_key, key = certificates.new_key("es256"), certificates.new_key("es256")
    root = certificates.root_certificate(root_key, "The Daily House", issued)
    certificate = certificates.signer_certificate(key, root, root_key, issued)
    (directory / "root-key.pem").write_bytes(certificates.key_pem(root_key))
    (directory / "root.pem").write_bytes(certificates.certificate_pem(root))
    (directory / "signer.pem").write_bytes(
        certificates.key_pem(key) + certificates.certificate_pem(certificate)
    )
    return Authority.open(directory)


class TestInit:
    @pytest.mark.parametrize("algorithm", ["es256", "ed25519"])
    def test_opens_again_with_what_was_made(self, tmp_path: Path, algorithm: Algorithm) -> None:
        made = Authority.init(tmp_path / "keys", algorithm, "Ateliers Réunis")
        opened = Authority.open(tmp_path / "keys")
        assert opened.algorithm == algorithm
        assert opened.organisation == "Ateliers Réunis"
        assert opened.certificate == made.certificate
        assert opened.root_pem == (tmp_path / "keys" / "root.pem").read_text()

    def test_only_the_owner_can_enter_and_read_even_under_a_lax_umask(self, tmp_path: Path) -> None:
        umask = os.umask(0)
        try:
            directory = Authority.init(tmp_path / "deep" / "keys").directory
        finally:
            os.umask(umask)
        assert mode(directory) == mode(directory / "certificates") == 0o700
        assert mode(directory / "root-key.pem") == mode(directory / "signer.pem") == 0o600
        assert mode(directory / "root.pem") == 0o644

    def test_refuses_to_overwrite_and_leaves_the_keys_as_they_were(self, tmp_path: Path) -> None:
        directory = Authority.init(tmp_path / "keys").directory
        before = {path: path.read_bytes() for path in directory.rglob("*.pem")}
        with pytest.raises(KeysExist, match="will not be overwritten"):
            Authority.init(directory)
        assert {path: path.read_bytes() for path in directory.rglob("*.pem")} == before

    @pytest.mark.parametrize("name", ["root-key.pem", "signer.pem", "root.pem"])
    def test_a_single_old_file_stops_it_and_nothing_new_remains(self, tmp_path: Path, name: str) -> None:
        directory = tmp_path / "keys"
        directory.mkdir(mode=0o700)
        (directory / name).write_text("old")
        with pytest.raises(KeysExist):
            Authority.init(directory)
        assert [path.name for path in directory.iterdir()] == [name]
        assert (directory / name).read_text() == "old"

    def test_one_of_many_at_once_wins(self, tmp_path: Path) -> None:
        def attempt(_: int) -> bool:
            try:
                Authority.init(tmp_path / "keys")
            except KeysExist:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(attempt, range(8))) == 1
        Authority.open(tmp_path / "keys")

    def test_refuses_a_directory_others_can_enter(self, tmp_path: Path) -> None:
        directory = tmp_path / "keys"
        directory.mkdir()
        directory.chmod(0o755)
        with pytest.raises(KeysUnsafe, match="chmod 700"):
            Authority.init(directory)
        assert not list(directory.iterdir())

    def test_a_full_disk_leaves_no_half_made_keys(self, tmp_path: Path, tight_disk: TightDisk) -> None:
        with tight_disk(300), pytest.raises(KeysError, match="cannot be written"):
            Authority.init(tmp_path / "keys")
        assert not list((tmp_path / "keys").iterdir())
        Authority.init(tmp_path / "keys")

    @pytest.mark.parametrize("organisation", ["", "  ", "x" * 65, "two\nlines", "\x1b[31mred"])
    def test_refuses_a_name_that_is_empty_long_or_unprintable(
        self, tmp_path: Path, organisation: str
    ) -> None:
        with pytest.raises(KeysError, match="printable"):
            Authority.init(tmp_path / "keys", organisation=organisation)
        assert not (tmp_path / "keys").exists()

    def test_refuses_an_unknown_algorithm(self, tmp_path: Path) -> None:
        with pytest.raises(KeysError, match="es256 or ed25519"):
            Authority.init(tmp_path / "keys", "rsa")  # type: ignore[arg-type]


class TestCertificates:
    def test_the_root_may_issue_and_not_sign(self, authority: Authority) -> None:
        root = authority.root.extensions
        assert root.get_extension_for_class(x509.BasicConstraints).value.ca
        usage = root.get_extension_for_class(x509.KeyUsage).value
        assert usage.key_cert_sign
        assert not usage.digital_signature
        assert root.get_extension_for_class(x509.SubjectKeyIdentifier)
        years = (authority.root.not_valid_after_utc - datetime.now(UTC)).days / 365
        assert years == pytest.approx(20, abs=0.1)

    def test_the_signer_may_sign_and_not_issue(self, authority: Authority) -> None:
        assert authority.certificate.version is x509.Version.v3
        signer = authority.certificate.extensions
        assert not signer.get_extension_for_class(x509.BasicConstraints).value.ca
        usage = signer.get_extension_for_class(x509.KeyUsage).value
        assert usage.digital_signature
        assert not usage.key_cert_sign
        usages = signer.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert set(usages) == {ExtendedKeyUsageOID.EMAIL_PROTECTION, certificates.C2PA_CLAIM_SIGNING}
        assert signer.get_extension_for_class(x509.AuthorityKeyIdentifier)
        authority.certificate.verify_directly_issued_by(authority.root)

    def test_a_signer_is_in_use_for_a_year_and_its_films_verifiable_for_nine_more(
        self, authority: Authority
    ) -> None:
        assert authority.expires - datetime.now(UTC) < timedelta(days=365)
        assert authority.verifiable_until - authority.expires > timedelta(days=9 * 365 - 1)

    def test_a_signer_never_outlasts_its_root(self) -> None:
        root_key, key = certificates.new_key("es256"), certificates.new_key("es256")
        now = datetime.now(UTC)
        root = certificates.root_certificate(root_key, "House", now - timedelta(days=19.5 * 365))
        signer = certificates.signer_certificate(key, root, root_key, now)
        assert signer.not_valid_after_utc == root.not_valid_after_utc
        assert certificates.last_use(signer) <= root.not_valid_after_utc


class TestOpen:
    def test_no_keys_yet(self, tmp_path: Path) -> None:
        with pytest.raises(KeysMissing, match="vernissage keys init"):
            Authority.open(tmp_path / "keys")

    @pytest.mark.parametrize("name", ["signer.pem", "root.pem"])
    def test_a_file_is_missing(self, tmp_path: Path, name: str) -> None:
        directory = Authority.init(tmp_path / "keys").directory
        (directory / name).unlink()
        with pytest.raises(KeysMissing, match=name):
            Authority.open(directory)

    @pytest.mark.parametrize(
        ("name", "lax", "remedy"),
        [
            (".", 0o750, "chmod 700"),
            (".", 0o701, "chmod 700"),
            ("signer.pem", 0o640, "chmod 600"),
            ("signer.pem", 0o604, "chmod 600"),
            ("root-key.pem", 0o644, "chmod 600"),
            ("root.pem", 0o664, "chmod 644"),
        ],
    )
    def test_refuses_wider_permissions(self, tmp_path: Path, name: str, lax: int, remedy: str) -> None:
        directory = Authority.init(tmp_path / "keys").directory
        (directory / name).chmod(lax)
        with pytest.raises(KeysUnsafe, match=remedy):
            Authority.open(directory)

    def test_accepts_narrower_permissions(self, tmp_path: Path) -> None:
        directory = Authority.init(tmp_path / "keys").directory
        for path in directory.glob("*.pem"):
            path.chmod(0o400)
        Authority.open(directory)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
    def test_refuses_keys_of_another_user(self, tmp_path: Path) -> None:
        directory = Authority.init(tmp_path / "keys").directory
        os.chown(directory / "signer.pem", 12345, -1)
        with pytest.raises(KeysUnsafe, match="another user"):
            Authority.open(directory)

    def test_refuses_a_link_and_a_pipe(self, tmp_path: Path) -> None:
        directory = Authority.init(tmp_path / "keys").directory
        (directory / "signer.pem").rename(tmp_path / "elsewhere.pem")
        (directory / "signer.pem").symlink_to(tmp_path / "elsewhere.pem")
        with pytest.raises(KeysUnsafe, match="plain file"):
            Authority.open(directory)
        (directory / "signer.pem").unlink()
        os.mkfifo(directory / "signer.pem", 0o600)
        with pytest.raises(KeysUnsafe, match="plain file"):
            Authority.open(directory)

    @pytest.mark.parametrize("name", ["signer.pem", "root.pem"])
    @pytest.mark.parametrize("data", [b"", b"not a key", b"\x00" * 100_000])
    def test_refuses_what_is_no_key(self, tmp_path: Path, name: str, data: bytes) -> None:
        directory = Authority.init(tmp_path / "keys").directory
        (directory / name).write_bytes(data)
        with pytest.raises(KeysDamaged, match="copy"):
            Authority.open(directory)

    def test_refuses_a_signer_of_another_root(self, tmp_path: Path, stranger: Authority) -> None:
        directory = Authority.init(tmp_path / "keys").directory
        (directory / "signer.pem").write_bytes((stranger.directory / "signer.pem").read_bytes())
        with pytest.raises(KeysDamaged, match="not issued by its root"):
            Authority.open(directory)

    def test_refuses_a_key_that_is_not_the_certificates(self, tmp_path: Path) -> None:
        directory = Authority.init(tmp_path / "keys").directory
        certificate = certificates.certificate_pem(Authority.open(directory).certificate)
        (directory / "signer.pem").write_bytes(
            certificates.key_pem(certificates.new_key("es256")) + certificate
        )
        with pytest.raises(KeysDamaged, match="another certificate"):
            Authority.open(directory)

    def test_does_not_need_the_roots_key(self, tmp_path: Path) -> None:
        directory = Authority.init(tmp_path / "keys").directory
        (directory / "root-key.pem").unlink()
        Authority.open(directory).signer()

    def test_every_refusal_is_a_governance_error_and_shows_no_key(self, tmp_path: Path) -> None:
        authority = Authority.init(tmp_path / "keys")
        assert "PRIVATE" not in repr(authority)
        assert "_key" not in repr(authority)
        (authority.directory / "signer.pem").chmod(0o644)
        with pytest.raises(GovernanceError):
            Authority.open(authority.directory)


class TestRenewal:
    def test_after_a_year_the_signer_must_be_renewed(
        self, tmp_path: Path, film: Path, making: Making
    ) -> None:
        old = keys_of_age(tmp_path / "keys", timedelta(days=366))
        with pytest.raises(KeysExpired, match="vernissage keys renew"):
            seal(film, tmp_path / "sealed.mp4", making, old)
        assert not (tmp_path / "sealed.mp4").exists()
        seal(film, tmp_path / "sealed.mp4", making, old.renew())

    def test_films_of_the_old_signer_stay_trusted_and_its_certificate_is_kept(
        self, tmp_path: Path, film: Path, making: Making
    ) -> None:
        old = Authority.init(tmp_path / "keys", "ed25519", "House")
        seal(film, tmp_path / "old.mp4", making, old)
        new = old.renew()
        assert (new.algorithm, new.organisation, new.root) == (old.algorithm, old.organisation, old.root)
        assert new.certificate.serial_number != old.certificate.serial_number
        assert read(tmp_path / "old.mp4", [new.root_pem]).state == "trusted"
        kept = {path.read_bytes() for path in (tmp_path / "keys" / "certificates").iterdir()}
        assert kept == {certificates.certificate_pem(each.certificate) for each in (old, new)}
        assert mode(tmp_path / "keys" / "signer.pem") == 0o600

    def test_needs_the_roots_key(self, tmp_path: Path) -> None:
        authority = Authority.init(tmp_path / "keys")
        (authority.directory / "root-key.pem").unlink()
        with pytest.raises(KeysMissing, match="root-key"):
            authority.renew()

    def test_refuses_another_roots_key(self, tmp_path: Path, stranger: Authority) -> None:
        authority = Authority.init(tmp_path / "keys")
        (authority.directory / "root-key.pem").write_bytes((stranger.directory / "root-key.pem").read_bytes())
        before = (authority.directory / "signer.pem").read_bytes()
        with pytest.raises(KeysDamaged, match="another certificate"):
            authority.renew()
        assert (authority.directory / "signer.pem").read_bytes() == before

    def test_a_full_disk_keeps_the_old_signer(self, tmp_path: Path, tight_disk: TightDisk) -> None:
        authority = Authority.init(tmp_path / "keys")
        with tight_disk(800), pytest.raises(KeysError, match="cannot be written"):
            authority.renew()
        assert Authority.open(authority.directory).certificate == authority.certificate
        assert not list(authority.directory.glob(".*"))

    def test_an_ended_root_cannot_renew(self, tmp_path: Path) -> None:
        authority = keys_of_age(tmp_path / "keys", timedelta(days=20 * 365 + 1))
        with pytest.raises(KeysExpired, match="another directory"):
            authority.renew()

    def test_a_clock_before_the_signers_first_day_is_named(self, tmp_path: Path) -> None:
        authority = keys_of_age(tmp_path / "keys", timedelta(days=-2))
        with pytest.raises(KeysExpired, match="set the clock"):
            authority.signer()


class TestDirectory:
    def test_the_environment_names_it(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("VERNISSAGE_KEYS", str(tmp_path / "mine"))
        assert default_directory() == tmp_path / "mine"

    def test_else_it_is_in_the_users_data(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.delenv("VERNISSAGE_KEYS", raising=False)
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        assert default_directory().name == "keys"
        assert "vernissage" in default_directory().parts

    def test_a_new_house_trusts_its_own_root_alone(self, authority: Authority) -> None:
        assert house_trust(authority.directory) == TrustList(houses=(authority.root,))

    def test_without_keys_nobody_is_trusted(self, tmp_path: Path) -> None:
        assert house_trust(tmp_path / "keys") == TrustList()

    def test_a_root_others_could_have_planted_is_no_anchor(self, tmp_path: Path) -> None:
        directory = Authority.init(tmp_path / "keys").directory
        directory.chmod(0o777)
        with pytest.raises(KeysUnsafe):
            house_trust(directory)

    def test_a_key_is_no_anchor(self, tmp_path: Path) -> None:
        directory = Authority.init(tmp_path / "keys").directory
        (directory / "root.pem").write_bytes((directory / "root-key.pem").read_bytes())
        with pytest.raises(KeysDamaged):
            house_trust(directory)
