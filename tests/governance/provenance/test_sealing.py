"""A film exists only if it reads back as trusted and declares what was asked."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import av
import pytest

from governance.errors import SealError
from governance.provenance import Authority, Making, State, read, seal, to_manifest
from governance.provenance.certificates import Algorithm

TightDisk = Callable[[int], AbstractContextManager[None]]


@pytest.mark.parametrize("algorithm", ["es256", "ed25519"])
def test_a_sealed_film_is_trusted_and_says_how_it_was_made(
    film: Path, making: Making, tmp_path: Path, algorithm: Algorithm
) -> None:
    authority = Authority.init(tmp_path / "keys", algorithm, "The Daily House")
    returned = seal(film, tmp_path / "sealed.mp4", making, authority)
    reading = read(tmp_path / "sealed.mp4", [authority.root_pem])
    assert reading == returned
    assert reading.state is State.TRUSTED
    assert reading.signer is not None
    assert reading.signer.organisation == "The Daily House"
    assert reading.declaration is not None
    assert reading.declaration.ingredients == making.ingredients


def test_pictures_and_sound_are_untouched(film: Path, sealed: Path) -> None:
    def packets(path: Path) -> list[bytes]:
        with av.open(str(path)) as container:
            return [bytes(packet) for packet in container.demux() if packet.size]

    assert packets(sealed) == packets(film)


def test_a_film_moved_by_a_motion_file_in_silence(
    film: Path, making: Making, authority: Authority, tmp_path: Path
) -> None:
    motion = replace(making.portrait, role="motion", title="nod.csv")
    silent = replace(making, speech=None, motion=motion, weights=())
    reading = seal(film, tmp_path / "sealed.mp4", silent, authority)
    assert reading.declaration is not None
    assert [ingredient.role for ingredient in reading.declaration.ingredients] == ["portrait", "motion"]


def test_as_many_inputs_as_a_film_can_declare(
    film: Path, making: Making, authority: Authority, tmp_path: Path
) -> None:
    weights = tuple(
        replace(making.weights[0], title=f"{number}.safetensors", sha256=f"{number:064x}")
        for number in range(98)
    )
    reading = seal(film, tmp_path / "sealed.mp4", replace(making, weights=weights), authority)
    assert reading.declaration is not None
    assert reading.declaration.ingredients[2:] == weights


def test_in_place_and_again(film: Path, making: Making, authority: Authority, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(film.read_bytes())
    seal(path, path, making, authority)
    reading = seal(path, path, replace(making, seed=8), authority)
    assert reading.declaration is not None
    assert reading.declaration.seed == 8
    assert [entry.name for entry in tmp_path.iterdir()] == ["film.mp4"]


def test_others_may_see_the_film_as_the_umask_allows(
    film: Path, making: Making, authority: Authority, tmp_path: Path
) -> None:
    umask = os.umask(0o027)
    try:
        seal(film, tmp_path / "sealed.mp4", making, authority)
    finally:
        os.umask(umask)
    assert (tmp_path / "sealed.mp4").stat().st_mode & 0o777 == 0o640


class TestAFailedSealLeavesNoFilm:
    """Every way to fail: one clear ``SealError``, an empty folder."""

    def fails(self, unsigned: Path, making: Making, authority: Authority, folder: Path, message: str) -> None:
        before = sorted(folder.iterdir())
        with pytest.raises(SealError, match=message):
            seal(unsigned, folder / "sealed.mp4", making, authority)
        assert sorted(folder.iterdir()) == before

    def test_keys_that_do_not_belong_together(
        self, film: Path, making: Making, authority: Authority, stranger: Authority, tmp_path: Path
    ) -> None:
        self.fails(film, making, replace(authority, root=stranger.root), tmp_path, "unknown_signer")

    def test_a_manifest_that_leaves_an_input_out(
        self,
        film: Path,
        making: Making,
        authority: Authority,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        forgetful = replace(making, weights=making.weights[:1])
        monkeypatch.setattr("governance.provenance.sealing.to_manifest", lambda _: to_manifest(forgetful))
        self.fails(film, making, authority, tmp_path, "declares")

    def test_a_full_disk(
        self, film: Path, making: Making, authority: Authority, tmp_path: Path, tight_disk: TightDisk
    ) -> None:
        with tight_disk(film.stat().st_size // 2):
            self.fails(film, making, authority, tmp_path, "cannot be written .*free space")

    @pytest.mark.parametrize("data", [b"", b"not a film", b"\x00" * 4096, b"\xff\xd8\xff\xe0" + b"\x00" * 64])
    def test_no_film_to_seal(self, making: Making, authority: Authority, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "film.mp4").write_bytes(data)
        self.fails(tmp_path / "film.mp4", making, authority, tmp_path, "not a whole MP4 film")

    def test_half_a_film(self, film: Path, making: Making, authority: Authority, tmp_path: Path) -> None:
        data = film.read_bytes()
        (tmp_path / "film.mp4").write_bytes(data[: len(data) // 2])
        self.fails(tmp_path / "film.mp4", making, authority, tmp_path, "not a whole MP4 film")

    def test_a_film_that_is_not_there(self, making: Making, authority: Authority, tmp_path: Path) -> None:
        self.fails(tmp_path / "nothing.mp4", making, authority, tmp_path, "cannot be read")
        self.fails(tmp_path, making, authority, tmp_path, "cannot be read")

    def test_a_folder_that_is_not_there(
        self, film: Path, making: Making, authority: Authority, tmp_path: Path
    ) -> None:
        with pytest.raises(SealError, match="check the folder"):
            seal(film, tmp_path / "nowhere" / "sealed.mp4", making, authority)

    def test_a_folder_in_the_films_place(
        self, film: Path, making: Making, authority: Authority, tmp_path: Path
    ) -> None:
        (tmp_path / "sealed.mp4").mkdir()
        self.fails(film, making, authority, tmp_path, "check the folder")

    def test_what_stood_there_before_stays(
        self, making: Making, authority: Authority, tmp_path: Path
    ) -> None:
        (tmp_path / "sealed.mp4").write_bytes(b"yesterday's film")
        (tmp_path / "film.mp4").write_bytes(b"not a film")
        self.fails(tmp_path / "film.mp4", making, authority, tmp_path, "not a whole MP4 film")
        assert (tmp_path / "sealed.mp4").read_bytes() == b"yesterday's film"
