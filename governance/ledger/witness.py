"""A witness: remembers the last checkpoint it saw of each log, and cosigns only what continues it.

Run by someone else than the log's keeper, it makes a split view impossible to show to those who ask for its
cosignature (C2SP tlog-witness, without the network).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from governance.errors import LedgerError, SplitView
from governance.keys import SigningKey
from governance.ledger import merkle, notes
from governance.ledger.checkpoint import Checkpoint, cosign
from governance.ledger.notes import Signature, Verifier
from governance.ledger.published import Published
from governance.ledger.store import Folder


class Witness:
    """Signs as ``name`` and keeps its memory in ``folder``; losing that memory means losing its worth."""

    def __init__(self, folder: Path, name: str, key: SigningKey) -> None:
        self.verifier = Verifier(name, key.public, notes.COSIGNATURE)
        self._key = key
        self._store = Folder(folder)

    def last(self, log: Verifier) -> Checkpoint | None:
        """The checkpoint of ``log`` it saw last."""
        data = self._store.read(_memory(log))
        return None if data is None else Checkpoint.read(data, log)

    def cosign(
        self, checkpoint: Checkpoint, log: Verifier, proof: Sequence[bytes], now: datetime
    ) -> Signature:
        """Its line under ``checkpoint``, which by ``proof`` continues the last one it saw.

        The checkpoint is remembered, durably, before the line is given.

        Raises:
            CheckpointInvalid: ``log`` did not sign it.
            SplitView: it contradicts the last one.
            ProofInvalid: ``proof`` does not show that it continues the last one.
            LedgerError: it is older than the last one.
        """
        checkpoint = Checkpoint.read(checkpoint.note.encode(), log)
        with self._store.exclusive():
            last = self.last(log)
            if last:
                _compare(last, checkpoint, proof)
            self._store.write({_memory(log): checkpoint.note.encode()})
        return cosign(checkpoint, self.verifier.name, self._key, now)

    def visit(self, log: Published, now: datetime) -> Checkpoint:
        """The latest checkpoint of ``log``, cosigned, if its tiles prove that it continues the last."""
        checkpoint = log.checkpoint()
        last = self.last(log.verifier)
        proof = log.consistency(last.size, checkpoint.size) if last and last.size <= checkpoint.size else ()
        return checkpoint.with_signature(self.cosign(checkpoint, log.verifier, proof, now))


def _compare(last: Checkpoint, checkpoint: Checkpoint, proof: Sequence[bytes]) -> None:
    if checkpoint.size < last.size:
        raise LedgerError(
            f"{checkpoint.origin} shows {checkpoint.size} entries after having signed for {last.size}: "
            "this is an old copy, or entries were taken away."
        )
    if checkpoint.size == last.size and checkpoint.root != last.root:
        raise SplitView(
            f"Split view: {checkpoint.origin} signed two different histories of {last.size} entries. "
            "Keep both checkpoints: they are the evidence."
        )
    merkle.check_consistency(last.size, checkpoint.size, last.root, checkpoint.root, proof)


def _memory(log: Verifier) -> str:
    return sha256(log.text.encode()).hexdigest()
