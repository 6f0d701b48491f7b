"""What was acknowledged and is not in the published tiles yet: a file for each batch, named by its start."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from governance.errors import LedgerDamaged
from governance.ledger import tiles
from governance.ledger.store import Store

FOLDER = "journal"
_MAGIC = b"vernissage journal 1\n"
_DIGEST_BYTES = 32


def path(start: int) -> str:
    """Where the batch lies whose first entry has index ``start``."""
    return f"{FOLDER}/{start:020d}"


def write(store: Store, start: int, entries: Sequence[bytes]) -> bool:
    """Keep a batch for good; False if there is another at the same place."""
    batch = tiles.encode_bundle(entries)
    return store.create(path(start), _MAGIC + sha256(batch).digest() + batch)


def read(store: Store, start: int) -> list[bytes] | None:
    """The batch that begins at ``start``, or None. Raises ``LedgerDamaged`` if it was changed."""
    data = store.read(path(start))
    if data is None:
        return None
    digest, batch = data[len(_MAGIC) :][:_DIGEST_BYTES], data[len(_MAGIC) + _DIGEST_BYTES :]
    if not data.startswith(_MAGIC) or sha256(batch).digest() != digest:
        raise LedgerDamaged(f"{path(start)} in {store.place} was changed: restore it from a copy.")
    return tiles.decode_bundle(batch, path(start))


def starts(store: Store) -> list[int]:
    """The first indices of all batches, in order."""
    names = (name.rpartition("/")[2] for name in store.files(FOLDER))
    return sorted(int(name) for name in names if name.isdigit())
