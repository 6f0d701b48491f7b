"""The public side of a log: all that its files and its public key tell, and proofs made from them."""

from __future__ import annotations

from collections.abc import Iterator

from governance.errors import CheckpointInvalid, LedgerDamaged
from governance.ledger.checkpoint import Checkpoint
from governance.ledger.notes import Verifier
from governance.ledger.proof import Proof
from governance.ledger.store import Store, open_store
from governance.ledger.tiles import Tiles

CHECKPOINT = "checkpoint"


class Published:
    """What a log has signed. Threads may share it."""

    def __init__(self, store: Store, verifier: Verifier) -> None:
        self.verifier = verifier
        self._store = store
        self._tiles = Tiles(store)

    @property
    def place(self) -> str:
        """The folder or address where it lies."""
        return self._store.place

    @property
    def origin(self) -> str:
        """Its name in every checkpoint."""
        return self.verifier.name

    def checkpoint(self) -> Checkpoint:
        """Its latest signed word on what it holds.

        Raises:
            LedgerError: there is no log, or it is not the one of this key.
        """
        data = self._store.read(CHECKPOINT)
        if data is None:
            raise LedgerDamaged(f"There is no checkpoint in {self.place}: name the folder of a ledger.")
        try:
            return Checkpoint.read(data, self.verifier)
        except CheckpointInvalid as error:
            raise CheckpointInvalid(f"The checkpoint in {self.place} does not hold. {error}") from error

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Proof (RFC 6962, 2.1.1) that entry ``index`` is among the first ``size``, which are published."""
        return self._tiles.inclusion(index, size, self._size(size))

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Proof (RFC 6962, 2.1.2) that ``new`` published entries continue the first ``old``."""
        return self._tiles.consistency(old, new, self._size(new))

    def entry(self, index: int) -> bytes:
        """The published entry at ``index``: an event in canonical JSON. Raises ``LedgerError``."""
        return next(self.entries(index, index + 1))

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """The published entries from ``start`` to ``stop`` (exclusive). Raises ``LedgerError``."""
        return self._tiles.entries(start, stop, self._size(stop))

    def prove(self, index: int) -> Proof:
        """All one needs to see, without us, that entry ``index`` is on the log.

        Raises:
            LedgerError: it is not.
            ProofInvalid: the log's files are not what it signed, so that nothing can be proved from them.
        """
        checkpoint = self.checkpoint()
        proof = Proof(index, self.entry(index), self.inclusion(index, checkpoint.size), checkpoint)
        proof.verify(self.verifier)
        return proof

    def _size(self, wanted: int) -> int:
        """How many entries are published; ``wanted`` tells how many would do."""
        return self.checkpoint().size


def open_published(url: str, verifier: Verifier) -> Published:
    """The log at ``url`` whose public key is ``verifier``, for reading."""
    return Published(open_store(url), verifier)
