"""A proof to hand out (C2SP tlog-proof): an entry, why it is on the log, and the log's signed word for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from governance.errors import CheckpointInvalid, ProofInvalid
from governance.ledger import merkle, notes
from governance.ledger.checkpoint import Checkpoint
from governance.ledger.notes import Verifier

HEADER = "c2sp.org/tlog-proof@v1"
MAX_BYTES = 256 * 1024

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True)
class Proof:
    """``entry`` is number ``index`` of the log that signed ``checkpoint``, by the ``path`` of RFC 6962."""

    index: int
    entry: bytes
    path: tuple[bytes, ...]
    checkpoint: Checkpoint

    @classmethod
    def read(cls, data: bytes) -> Self:
        """From a ``.tlog-proof`` file; nothing is verified. Raises ``ProofInvalid`` if it is none."""
        if len(data) > MAX_BYTES:
            raise ProofInvalid("The proof is too long.")
        try:
            head, blank, note = data.decode().partition("\n\n")
            header, extra, number, *path = head.split("\n")
            found = _INDEX.fullmatch(number)
            if header != HEADER or not extra.startswith("extra ") or not found or not blank:
                raise ProofInvalid("This is no proof that carries its entry: ask for it again.")
            return cls(
                int(found.group(1)),
                notes.from_base64(extra.removeprefix("extra ")),
                tuple(map(notes.from_base64, path)),
                Checkpoint.parse(note.encode()),
            )
        except (ValueError, CheckpointInvalid) as error:
            raise ProofInvalid("The proof is cut off or was changed: ask for it again.") from error

    @property
    def text(self) -> str:
        """The ``.tlog-proof`` file."""
        lines = [HEADER, f"extra {notes.to_base64(self.entry)}", f"index {self.index}"]
        lines += map(notes.to_base64, self.path)
        return "\n".join(lines) + "\n\n" + self.checkpoint.text

    def verify(self, log: Verifier) -> None:
        """Raises ``ProofInvalid`` or ``CheckpointInvalid`` unless ``log`` signed for the entry."""
        checkpoint = Checkpoint.read(self.checkpoint.note.encode(), log)
        leaf = merkle.leaf_hash(self.entry)
        merkle.check_inclusion(leaf, self.index, checkpoint.size, self.path, checkpoint.root)
