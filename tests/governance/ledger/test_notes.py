"""Signed notes and checkpoints as C2SP writes them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import CheckpointInvalid, KeysDamaged
from governance.keys import SigningKey
from governance.ledger import Checkpoint, Verifier, check_cosignature, cosign, notes
from governance.ledger.notes import COSIGNATURE, Note

NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
"""The published example of Go's note package."""
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY = SigningKey.generate()
LOG = Verifier("hub.example/ledger", KEY.public)
CHECKPOINT = Checkpoint.sign(LOG.name, 20852163, bytes(range(32)), KEY)


def test_the_published_note_verifies_and_is_written_the_same() -> None:
    verifier = Verifier.read(NEUMANN)
    note = Note.read(NEUMANN_NOTE.encode())
    note.verify(verifier)
    assert note.encode().decode() == NEUMANN_NOTE
    assert verifier.text == NEUMANN


def test_a_checkpoint_is_three_lines_and_a_signature() -> None:
    text, blank, signature = CHECKPOINT.text.partition("\n\n")
    assert text.split("\n") == [
        "hub.example/ledger",
        "20852163",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ]
    assert blank
    assert signature.startswith("— hub.example/ledger ")
    assert Checkpoint.read(CHECKPOINT.note.encode(), LOG) == CHECKPOINT


def test_any_flipped_bit_of_a_checkpoint_is_caught() -> None:
    data = CHECKPOINT.note.encode()
    for position in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[position] ^= 1 << bit
            with pytest.raises(CheckpointInvalid):
                Checkpoint.read(bytes(changed), LOG)


@given(st.binary(max_size=300))
def test_whatever_is_no_note_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(CheckpointInvalid):
        Checkpoint.read(data, LOG)


@pytest.mark.parametrize(
    "text",
    [
        "hub.example/ledger\n01\n{root}\n",
        "hub.example/ledger\n-1\n{root}\n",
        "hub.example/ledger\n1\nAAAA\n",
        "hub.example/ledger\n1\n",
        "hub.example/ledger\n1\n{root}\n\n",
        "hub.example/other\n1\n{root}\n",
    ],
)
def test_a_malformed_checkpoint_is_refused_although_it_is_signed(text: str) -> None:
    text = text.format(root=notes.to_base64(bytes(32)))
    note = Note(text, (notes.sign(text, LOG.name, KEY),))
    with pytest.raises(CheckpointInvalid):
        Checkpoint.read(note.encode(), LOG)


def test_the_signature_of_another_key_does_not_count_even_under_the_same_name_and_hash() -> None:
    other = Checkpoint.sign(LOG.name, 1, bytes(32), SigningKey.generate())
    with pytest.raises(CheckpointInvalid, match="no signature"):
        Checkpoint.read(other.note.encode(), LOG)
    forged = notes.Signature(LOG.name, LOG.keyhash, other.note.signatures[0].blob)
    with pytest.raises(CheckpointInvalid, match="not over this note"):
        Checkpoint.read(Note(other.note.text, (forged,)).encode(), LOG)


def test_signatures_of_unknown_keys_are_ignored() -> None:
    other = notes.sign(CHECKPOINT.note.text, "someone.example", SigningKey.generate())
    assert Checkpoint.read(CHECKPOINT.with_signature(other).note.encode(), LOG).size == CHECKPOINT.size


def test_a_cosignature_is_made_and_checked_as_specified() -> None:
    key = SigningKey.generate()
    witness = Verifier("witness.example/w1", key.public, COSIGNATURE)
    line = cosign(CHECKPOINT, witness.name, key, NOW)
    assert len(line.blob) == 8 + 64
    message = f"cosignature/v1\ntime {int(NOW.timestamp())}\n{CHECKPOINT.note.text}"
    key.public.verify(line.blob[8:], message.encode())
    cosigned = CHECKPOINT.with_signature(line)
    assert check_cosignature(cosigned, witness) == NOW
    assert Checkpoint.read(cosigned.note.encode(), LOG) == cosigned


def test_any_flipped_bit_of_a_cosignature_is_caught() -> None:
    key = SigningKey.generate()
    witness = Verifier("witness.example/w1", key.public, COSIGNATURE)
    line = cosign(CHECKPOINT, witness.name, key, NOW)
    for position in range(len(line.blob)):
        blob = bytearray(line.blob)
        blob[position] ^= 1
        changed = CHECKPOINT.with_signature(notes.Signature(line.name, line.keyhash, bytes(blob)))
        with pytest.raises(CheckpointInvalid, match="witness"):
            check_cosignature(changed, witness)


def test_a_cosignature_does_not_pass_for_another_checkpoint_or_a_plain_signature() -> None:
    key = SigningKey.generate()
    witness = Verifier("witness.example/w1", key.public, COSIGNATURE)
    other = Checkpoint.sign(LOG.name, 5, bytes(32), KEY)
    moved = other.with_signature(cosign(CHECKPOINT, witness.name, key, NOW))
    with pytest.raises(CheckpointInvalid, match="not over this checkpoint"):
        check_cosignature(moved, witness)
    with pytest.raises(CheckpointInvalid, match="no cosignature"):
        check_cosignature(CHECKPOINT, witness)
    plain = Verifier(LOG.name, KEY.public)
    with pytest.raises(CheckpointInvalid, match="no cosignature"):
        check_cosignature(CHECKPOINT, plain)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak"])
def test_a_name_that_no_note_can_bear_is_refused(name: str) -> None:
    with pytest.raises(KeysDamaged, match="name without spaces"):
        Verifier(name, KEY.public)


@given(st.integers(0, len(NEUMANN) - 1), st.integers(0, 6))
def test_a_mistyped_verifier_key_is_refused(position: int, bit: int) -> None:
    changed = NEUMANN[:position] + chr(ord(NEUMANN[position]) ^ 1 << bit) + NEUMANN[position + 1 :]
    with pytest.raises(KeysDamaged):
        Verifier.read(changed)
