"""The offline verifier: a changed bit anywhere, a cut-off log and a split view are each caught and named."""

import random
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.errors import CheckpointInvalid, LedgerDamaged, LedgerError, SplitView
from governance.events import Event
from governance.keys import SigningKey
from governance.ledger import Checkpoint, Ledger, Verifier, cosign, verify
from governance.ledger.notes import COSIGNATURE

Open = Callable[[Path | str], Ledger]
Happenings = Callable[[int, int], list[Event]]
NOW = datetime(2026, 1, 2, tzinfo=UTC)
SIZES = [3, 256, 300, 700]


@pytest.fixture(scope="module")
def logs(
    tmp_path_factory: pytest.TempPathFactory, open_ledger: Open, happenings: Happenings
) -> dict[int, tuple[Path, list[Checkpoint]]]:
    """Logs of several sizes that grew in steps, each with its checkpoints."""
    made = {}
    for size in SIZES:
        folder = tmp_path_factory.mktemp("log") / str(size)
        ledger = open_ledger(folder)
        checkpoints = []
        for start in range(0, size, 97):
            ledger.append(happenings(start, min(start + 97, size)))
            checkpoints.append(ledger.checkpoint())
        made[size] = folder, checkpoints
    return made


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory, open_ledger: Open) -> Verifier:
    return open_ledger(tmp_path_factory.mktemp("any")).verifier


@pytest.mark.parametrize("size", SIZES)
def test_an_honest_log_holds_against_all_it_ever_signed(
    logs: dict[int, tuple[Path, list[Checkpoint]]], log: Verifier, size: int
) -> None:
    folder, checkpoints = logs[size]
    found = verify(str(folder), log, older=checkpoints)
    assert found.checkpoint == checkpoints[-1]
    assert found.continues == tuple(old.size for old in checkpoints)
    assert found.unsigned == ()
    assert found.files == 1 + sum(path.is_file() for path in (folder / "tile").rglob("*"))


@pytest.mark.parametrize("size", SIZES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_flipped_bit_in_a_tile_a_bundle_or_the_checkpoint_is_caught(
    logs: dict[int, tuple[Path, list[Checkpoint]]], log: Verifier, size: int, data: st.DataObject
) -> None:
    folder, _ = logs[size]
    files = [folder / "checkpoint", *sorted(path for path in (folder / "tile").rglob("*") if path.is_file())]
    file = data.draw(st.sampled_from(files))
    whole = file.read_bytes()
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    changed = bytearray(whole)
    changed[bit // 8] ^= 1 << bit % 8
    try:
        file.write_bytes(changed)
        with pytest.raises((LedgerDamaged, CheckpointInvalid)):
            verify(str(folder), log)
    finally:
        file.write_bytes(whole)


@pytest.mark.parametrize("size", SIZES)
def test_a_file_cut_short_lengthened_or_taken_away_is_caught(
    logs: dict[int, tuple[Path, list[Checkpoint]]], log: Verifier, size: int
) -> None:
    folder, _ = logs[size]
    needed = {path for path in (folder / "tile").rglob("*") if path.is_file()}
    for file in needed:
        whole = file.read_bytes()
        for other in (whole[:-1], whole + b"\0", whole[:-32], whole + whole[:32], b""):
            file.write_bytes(other)
            with pytest.raises(LedgerDamaged):
                verify(str(folder), log)
        file.write_bytes(whole)
    for file in (folder / "tile").rglob("*"):
        widest = max((int(other.name) for other in file.parent.iterdir() if other.name.isdigit()), default=0)
        if file.is_file() and (not file.parent.name.endswith(".p") or int(file.name) == widest):
            whole = file.read_bytes()
            file.unlink()
            with pytest.raises(LedgerDamaged, match="missing"):
                verify(str(folder), log)
            file.write_bytes(whole)


def test_a_tile_that_lost_its_part_is_read_from_the_whole(
    tmp_path: Path, open_ledger: Open, happenings: Happenings
) -> None:
    ledger = open_ledger(tmp_path / "log")
    ledger.append(happenings(0, 250))
    early = ledger.checkpoint()
    ledger.append(happenings(250, 600))
    ledger.checkpoint()
    (tmp_path / "log" / "checkpoint").write_text(early.text)
    found = verify(str(tmp_path / "log"), ledger.verifier)
    assert found.checkpoint.size == 250
    assert "tile/0/001" in found.unsigned
    assert "tile/0/000" in found.unsigned


def test_a_rewritten_history_is_caught_even_if_every_tile_fits_it(
    tmp_path: Path, ledger: Ledger, folder: Path, open_ledger: Open, happenings: Happenings
) -> None:
    ledger.append(happenings(0, 300))
    honest = ledger.checkpoint()
    other = open_ledger(tmp_path / "other")
    other.append([*happenings(0, 100), *happenings(1000, 1200)])
    other.checkpoint()
    (tmp_path / "other" / "checkpoint").write_text(honest.text)
    with pytest.raises(LedgerDamaged, match="rewritten"):
        verify(str(tmp_path / "other"), ledger.verifier)


def test_two_histories_of_the_same_size_are_a_split_view(
    tmp_path: Path, ledger: Ledger, folder: Path, open_ledger: Open, happenings: Happenings
) -> None:
    ledger.append(happenings(0, 50))
    ledger.checkpoint()
    other = open_ledger(tmp_path / "other")
    other.append(happenings(1, 51))
    with pytest.raises(SplitView, match="two different histories of 50 entries"):
        verify(str(folder), ledger.verifier, older=[other.checkpoint()])


@pytest.mark.parametrize("old", [1, 49, 255, 256, 257])
def test_a_history_that_does_not_continue_the_old_one_is_a_split_view(
    tmp_path: Path, ledger: Ledger, folder: Path, open_ledger: Open, happenings: Happenings, old: int
) -> None:
    ledger.append(happenings(0, 300))
    ledger.checkpoint()
    other = open_ledger(tmp_path / "other")
    other.append(happenings(1, 1 + old))
    with pytest.raises(SplitView, match=f"history of {old} entries"):
        verify(str(folder), ledger.verifier, older=[other.checkpoint()])


def test_two_old_checkpoints_that_contradict_each_other_are_a_split_view(
    tmp_path: Path, ledger: Ledger, folder: Path, open_ledger: Open, happenings: Happenings
) -> None:
    ledger.append(happenings(0, 5))
    first = ledger.checkpoint()
    ledger.append(happenings(5, 9))
    ledger.checkpoint()
    other = open_ledger(tmp_path / "other")
    other.append(happenings(1, 6))
    with pytest.raises(SplitView, match="5 entries"):
        verify(str(folder), ledger.verifier, older=[first, other.checkpoint()])


def test_a_log_from_which_entries_were_taken_away_is_caught_by_an_old_checkpoint(
    tmp_path: Path, ledger: Ledger, folder: Path, happenings: Happenings
) -> None:
    ledger.append(happenings(0, 5))
    ledger.checkpoint()
    shutil.copytree(folder, tmp_path / "copy")
    ledger.append(happenings(5, 9))
    with pytest.raises(LedgerDamaged, match=r"has 5 entries, but .* signed for 9"):
        verify(str(tmp_path / "copy"), ledger.verifier, older=[ledger.checkpoint()])


def test_an_old_checkpoint_must_be_of_the_same_log(
    ledger: Ledger, folder: Path, happenings: Happenings
) -> None:
    ledger.append(happenings(0, 5))
    checkpoint = ledger.checkpoint()
    foreign = Checkpoint.sign(ledger.origin, 3, bytes(32), SigningKey.generate())
    with pytest.raises(CheckpointInvalid, match="no signature"):
        verify(str(folder), ledger.verifier, older=[foreign])
    with pytest.raises(CheckpointInvalid, match="does not hold"):
        verify(str(folder), Verifier(checkpoint.origin, SigningKey.generate().public))


def test_a_place_without_a_log_is_refused_in_words(tmp_path: Path, ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="no checkpoint in"):
        verify(str(tmp_path / "nowhere"), ledger.verifier)


def test_a_witness_that_was_asked_for_must_have_cosigned(
    ledger: Ledger, folder: Path, happenings: Happenings
) -> None:
    key = SigningKey.generate()
    witness = Verifier("witness.example/w1", key.public, COSIGNATURE)
    ledger.append(happenings(0, 5))
    with pytest.raises(CheckpointInvalid, match="no cosignature"):
        verify(str(folder), ledger.verifier, witnesses=[witness])
    ledger.add_cosignature(cosign(ledger.checkpoint(), witness.name, key, NOW), witness)
    assert verify(str(folder), ledger.verifier, witnesses=[witness]).witnessed == {witness.name: NOW}
    ledger.append(happenings(5, 6))
    ledger.checkpoint()
    with pytest.raises(CheckpointInvalid, match="no cosignature"):
        verify(str(folder), ledger.verifier, witnesses=[witness])


def test_files_that_nobody_signed_are_named(ledger: Ledger, folder: Path, happenings: Happenings) -> None:
    ledger.append(happenings(0, 5))
    ledger.checkpoint()
    strays = ["tile/0/000.p/x", "tile/0/007", "tile/0/000.p/05", "tile/7/000.p/300", "tile/notes"]
    for stray in strays:
        (folder / stray).parent.mkdir(parents=True, exist_ok=True)
        (folder / stray).write_bytes(random.Random(1).randbytes(64))
    assert verify(str(folder), ledger.verifier).unsigned == tuple(sorted(strays))
