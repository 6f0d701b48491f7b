"""A witness cosigns only what continues what it saw before, and remembers across restarts."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from governance.errors import CheckpointInvalid, LedgerError, ProofInvalid, SplitView
from governance.events import Event
from governance.keys import SigningKey
from governance.ledger import Checkpoint, Ledger, Witness, check_cosignature

Open = Callable[[Path | str], Ledger]
Happenings = Callable[[int, int], list[Event]]
NOW = datetime(2026, 1, 2, tzinfo=UTC)
KEY = SigningKey.generate()


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path / "witness", "witness.example/w1", KEY)


def test_a_growing_log_is_cosigned_at_every_visit(
    witness: Witness, ledger: Ledger, happenings: Happenings
) -> None:
    for size in (0, 1, 2, 300, 300):
        ledger.append(happenings(0, size))
        ledger.checkpoint()
        cosigned = witness.visit(ledger, NOW)
        assert cosigned.size == size
        assert check_cosignature(cosigned, witness.verifier) == NOW
        assert ledger.add_cosignature(cosigned.note.signatures[-1], witness.verifier) == cosigned
        assert ledger.checkpoint() == cosigned


def test_a_split_view_is_not_cosigned_even_after_a_restart(
    tmp_path: Path, witness: Witness, ledger: Ledger, open_ledger: Open, happenings: Happenings
) -> None:
    ledger.append(happenings(0, 5))
    ledger.checkpoint()
    witness.visit(ledger, NOW)
    again = Witness(tmp_path / "witness", "witness.example/w1", KEY)
    other = open_ledger(tmp_path / "other")
    other.append(happenings(1, 6))
    other.checkpoint()
    with pytest.raises(SplitView, match="two different histories of 5"):
        again.visit(other, NOW)
    other.append(happenings(6, 9))
    other.checkpoint()
    with pytest.raises(ProofInvalid, match="does not continue"):
        again.visit(other, NOW)
    assert again.last(ledger.verifier) == ledger.checkpoint()


def test_an_older_checkpoint_is_not_cosigned(
    witness: Witness, ledger: Ledger, happenings: Happenings
) -> None:
    ledger.append(happenings(0, 5))
    old = ledger.checkpoint()
    ledger.append(happenings(5, 9))
    ledger.checkpoint()
    witness.visit(ledger, NOW)
    with pytest.raises(LedgerError, match="5 entries after having signed for 9"):
        witness.cosign(old, ledger.verifier, (), NOW)


def test_what_the_log_did_not_sign_is_not_cosigned(witness: Witness, ledger: Ledger) -> None:
    forged = Checkpoint.sign(ledger.origin, 3, bytes(32), SigningKey.generate())
    with pytest.raises(CheckpointInvalid):
        witness.cosign(forged, ledger.verifier, (), NOW)
    assert witness.last(ledger.verifier) is None
