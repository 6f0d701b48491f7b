"""The Merkle tree of RFC 6962 (RFC 9162, section 2): hashes, proofs and their checking.

A *node* ``(height, index)`` is the root of the complete subtree over the entries
``[index << height, (index + 1) << height)``; whoever can tell its hash can make every proof.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

from governance.errors import LedgerError, ProofInvalid

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()
"""The root of a tree without entries."""

_LEAF = b"\x00"
_NODE = b"\x01"

NodeHash = Callable[[int, int], bytes]
"""From height and index to the 32 bytes of a node."""


def leaf_hash(entry: bytes) -> bytes:
    """The 32 bytes by which ``entry`` stands in the tree."""
    return sha256(_LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The parent of two hashes."""
    return sha256(_NODE + left + right).digest()


def parents(row: bytes) -> bytes:
    """The hashes above ``row`` (hashes end to end, an odd last one is left out)."""
    return b"".join(
        sha256(_NODE + row[start : start + 2 * HASH_BYTES]).digest()
        for start in range(0, len(row) - HASH_BYTES, 2 * HASH_BYTES)
    )


def complete_root(row: bytes) -> bytes:
    """The root over ``row``: a power of two of hashes, end to end."""
    while len(row) > HASH_BYTES:
        row = parents(row)
    return row


def range_root(start: int, end: int, node: NodeHash) -> bytes:
    """MTH(D[start:end]) of RFC 6962, for a range that begins where a subtree of its size may begin."""
    if start == end:
        return EMPTY_ROOT
    peaks = []
    while start < end:
        height = (end - start).bit_length() - 1
        peaks.append(node(height, start >> height))
        start += 1 << height
    root = peaks.pop()
    while peaks:
        root = node_hash(peaks.pop(), root)
    return root


def inclusion_proof(index: int, size: int, node: NodeHash) -> tuple[bytes, ...]:
    """PATH(index, D[size]) of RFC 6962, section 2.1.1: from the leaf's sibling to the root's child.

    Raises:
        LedgerError: there is no such entry in a tree of this size.
    """
    if not 0 <= index < size:
        raise LedgerError(f"There is no entry {index} among the first {size}.")
    spans = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return tuple(range_root(first, last, node) for first, last in reversed(spans))


def consistency_proof(old: int, new: int, node: NodeHash) -> tuple[bytes, ...]:
    """PROOF(old, D[new]) of RFC 6962, section 2.1.2; empty when ``old`` is 0 or ``new``.

    Raises:
        LedgerError: ``old`` is larger than ``new``.
    """
    if not 0 <= old <= new:
        raise LedgerError(
            f"A log of {new} entries cannot be compared with one of {old}: give the older first."
        )
    if old in (0, new):
        return ()
    spans = []
    start, end = 0, new
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    if start:
        spans.append((start, end))
    return tuple(range_root(first, last, node) for first, last in reversed(spans))


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """RFC 9162, section 2.1.3.2. Raises ``ProofInvalid`` unless ``leaf`` is entry ``index`` of ``root``."""
    if not 0 <= index < size:
        raise ProofInvalid(f"The proof speaks of entry {index} in a log of {size} entries.")
    position, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofInvalid(f"The proof that entry {index} is in the log is too long.")
        if position & 1 or position == last:
            found = node_hash(sibling, found)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            found = node_hash(found, sibling)
        position >>= 1
        last >>= 1
    if last or found != root:
        raise ProofInvalid(f"The proof does not lead from entry {index} to the log's root at {size} entries.")


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Follow RFC 9162, section 2.1.4.2. Raises ``ProofInvalid`` unless the new tree continues the old one."""
    refusal = ProofInvalid(f"The log of {new} entries does not continue the one of {old} entries.")
    if not 0 <= old <= new:
        raise refusal
    if old in (0, new):
        if proof or old_root != (EMPTY_ROOT if old == 0 else new_root):
            raise refusal
        return
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise refusal
    position, last = old - 1, new - 1
    while position & 1:
        position >>= 1
        last >>= 1
    older = newer = path[0]
    for step in path[1:]:
        if last == 0:
            raise refusal
        if position & 1 or position == last:
            older = node_hash(step, older)
            newer = node_hash(step, newer)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            newer = node_hash(newer, step)
        position >>= 1
        last >>= 1
    if last or older != old_root or newer != new_root:
        raise refusal


def _split(size: int) -> int:
    """The largest power of two smaller than ``size`` (at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)
