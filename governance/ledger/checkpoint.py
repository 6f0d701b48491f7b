"""Checkpoints (C2SP tlog-checkpoint): the log's signed word on how many entries it has, and which.

A witness who saw that a checkpoint continues the last one it knew says so with a cosignature (C2SP
tlog-cosignature v1), so that a log cannot show different people different histories.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from governance.errors import CheckpointInvalid, SignatureInvalid
from governance.keys import SigningKey
from governance.ledger import notes
from governance.ledger.merkle import HASH_BYTES
from governance.ledger.notes import Note, Signature, Verifier

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_TIME_BYTES = 8


@dataclass(frozen=True)
class Checkpoint:
    """A log of ``size`` entries under ``root`` (32 bytes), as ``note`` says and signs."""

    origin: str
    size: int
    root: bytes
    note: Note

    @classmethod
    def sign(cls, origin: str, size: int, root: bytes, key: SigningKey) -> Self:
        """The log's own statement."""
        text = f"{origin}\n{size}\n{notes.to_base64(root)}\n"
        return cls(origin, size, root, Note(text, (notes.sign(text, origin, key),)))

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """What a checkpoint claims; nothing is verified. Raises ``CheckpointInvalid`` if it is none."""
        note = Note.read(data)
        lines = note.text.split("\n")[:-1]
        if len(lines) < 3 or not all(lines) or not _SIZE.fullmatch(lines[1]):
            raise CheckpointInvalid("A checkpoint has three lines: the log's name, its size and its root.")
        try:
            root = notes.from_base64(lines[2])
        except ValueError as error:
            raise CheckpointInvalid("The root in the checkpoint is not base64.") from error
        if len(root) != HASH_BYTES:
            raise CheckpointInvalid(f"The root in the checkpoint is not {HASH_BYTES} bytes.")
        return cls(lines[0], int(lines[1]), root, note)

    @classmethod
    def read(cls, data: bytes, log: Verifier) -> Self:
        """A checkpoint that ``log`` signed under its own name. Raises ``CheckpointInvalid`` for any other."""
        checkpoint = cls.parse(data)
        if checkpoint.origin != log.name:
            raise CheckpointInvalid(f"The checkpoint is of the log {checkpoint.origin}, not of {log.name}.")
        checkpoint.note.verify(log)
        return checkpoint

    @property
    def text(self) -> str:
        """The signed note."""
        return self.note.encode().decode()

    def with_signature(self, signature: Signature) -> Checkpoint:
        """The same, with one more line under it."""
        others = tuple(
            old
            for old in self.note.signatures
            if (old.name, old.keyhash) != (signature.name, signature.keyhash)
        )
        return Checkpoint(self.origin, self.size, self.root, Note(self.note.text, (*others, signature)))


def cosign(checkpoint: Checkpoint, name: str, key: SigningKey, now: datetime) -> Signature:
    """The line by which the witness ``name`` says that it saw nothing, until ``now``, that contradicts it.

    Only a witness that remembers may say so: see ``governance.ledger.witness``.
    """
    seconds = int(now.timestamp())
    signature = key.sign(_cosigned(checkpoint, seconds))
    keyhash = Verifier(name, key.public, notes.COSIGNATURE).keyhash
    return Signature(name, keyhash, seconds.to_bytes(_TIME_BYTES, "big") + signature)


def check_cosignature(checkpoint: Checkpoint, witness: Verifier) -> datetime:
    """When ``witness`` cosigned ``checkpoint``. Raises ``CheckpointInvalid`` if it did not."""
    found = checkpoint.note.by(witness)
    if witness.kind != notes.COSIGNATURE or not found:
        raise CheckpointInvalid(f"The checkpoint bears no cosignature of the witness {witness.name}.")
    moments = []
    for signature in found:
        seconds = int.from_bytes(signature.blob[:_TIME_BYTES], "big")
        try:
            witness.key.verify(signature.blob[_TIME_BYTES:], _cosigned(checkpoint, seconds))
            moments.append(datetime.fromtimestamp(seconds, UTC))
        except (SignatureInvalid, ValueError, OverflowError, OSError) as error:
            raise CheckpointInvalid(
                f"The cosignature of {witness.name} is not over this checkpoint."
            ) from error
    return max(moments)


def _cosigned(checkpoint: Checkpoint, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{checkpoint.note.text}".encode()
