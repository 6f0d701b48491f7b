"""A proof to hand out: checked with the log's public key and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import CheckpointInvalid, ProofInvalid
from governance.events import Event
from governance.keys import SigningKey
from governance.ledger import Checkpoint, Ledger, Proof, Verifier, merkle

KEY = SigningKey.generate()
LOG = Verifier("hub.example/ledger", KEY.public)
LEAVES = [b"entry %d" % number for number in range(6)]
HASHES = b"".join(map(merkle.leaf_hash, LEAVES))


def _node(height: int, index: int) -> bytes:
    return merkle.complete_root(HASHES[index * 32 << height : (index + 1) * 32 << height])


CHECKPOINT = Checkpoint.sign(LOG.name, 6, merkle.range_root(0, 6, _node), KEY)
PROOF = Proof(4, LEAVES[4], merkle.inclusion_proof(4, 6, _node), CHECKPOINT)


def test_a_proof_is_written_as_specified() -> None:
    lines = PROOF.text.split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra ZW50cnkgNA==", "index 4"]
    assert len(lines[3]) == len(lines[4]) == 44
    assert lines[5] == ""
    assert "\n".join(lines[6:]) == CHECKPOINT.text


def test_a_proof_is_read_as_it_was_written_and_holds() -> None:
    read = Proof.read(PROOF.text.encode())
    assert read == PROOF
    read.verify(LOG)


def test_any_flipped_bit_of_a_proof_is_caught() -> None:
    data = PROOF.text.encode()
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1 << position % 8
        with pytest.raises((ProofInvalid, CheckpointInvalid)):
            Proof.read(bytes(changed)).verify(LOG)


@given(st.binary(max_size=200))
def test_whatever_is_no_proof_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(ProofInvalid):
        Proof.read(data)


def test_a_ledger_proves_what_it_holds(ledger: Ledger, happenings: Callable[[int, int], list[Event]]) -> None:
    ledger.append(happenings(0, 300))
    for index in (0, 255, 256, 299):
        proof = ledger.prove(index)
        proof.verify(ledger.verifier)
        assert proof.entry == happenings(index, index + 1)[0].canonical()
        with pytest.raises(CheckpointInvalid):
            proof.verify(LOG)


def test_nothing_is_proved_from_files_that_were_changed(
    folder: Path, ledger: Ledger, happenings: Callable[[int, int], list[Event]]
) -> None:
    ledger.append(happenings(0, 300))
    ledger.checkpoint()
    tile = bytearray((folder / "tile/0/000").read_bytes())
    tile[5] ^= 1
    (folder / "tile/0/000").write_bytes(tile)
    with pytest.raises(ProofInvalid, match="entry 1 "):
        ledger.prove(1)
