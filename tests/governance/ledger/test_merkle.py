"""The tree against RFC 6962: published vectors, and a second implementation, word for word after its text."""

from collections.abc import Callable, Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import LedgerError, ProofInvalid
from governance.ledger import merkle

LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""The reference tree of the Certificate Transparency project, at sizes 0 to 8."""
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSION = {
    (0, 1): [],
    (0, 8): [A, B, C],
    (5, 8): [D, E, ROOTS[4]],
    (2, 3): [ROOTS[2]],
    (1, 5): [ROOTS[1], B, D],
}
CONSISTENCY = {(1, 1): [], (1, 8): [A, B, C], (6, 8): [F, E, ROOTS[4]], (2, 5): [B, D]}


def nodes(leaves: Sequence[bytes]) -> Callable[[int, int], bytes]:
    return lambda height, index: mth(leaves[index << height : (index + 1) << height])


def mth(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, 2.1: MTH."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = split(len(leaves))
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1: PATH."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def proof(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.2: PROOF."""
    return subproof(m, leaves, True)


def subproof(m: int, leaves: Sequence[bytes], b: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if b else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], b), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def hexes(hashes: Sequence[bytes]) -> list[str]:
    return [found.hex() for found in hashes]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size: int) -> None:
    assert merkle.range_root(0, size, nodes(LEAVES)).hex() == ROOTS[size]


@pytest.mark.parametrize(("place", "expected"), INCLUSION.items())
def test_inclusion_proofs_are_the_published_ones(place: tuple[int, int], expected: list[str]) -> None:
    index, size = place
    found = merkle.inclusion_proof(index, size, nodes(LEAVES))
    assert hexes(found) == expected
    root = bytes.fromhex(ROOTS[size])
    merkle.check_inclusion(merkle.leaf_hash(LEAVES[index]), index, size, found, root)


@pytest.mark.parametrize(("sizes", "expected"), CONSISTENCY.items())
def test_consistency_proofs_are_the_published_ones(sizes: tuple[int, int], expected: list[str]) -> None:
    old, new = sizes
    found = merkle.consistency_proof(old, new, nodes(LEAVES))
    assert hexes(found) == expected
    merkle.check_consistency(old, new, bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new]), found)


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[bytes], int]:
    leaves = [bytes([number]) for number in range(draw(st.integers(1, 70)))]
    return leaves, draw(st.integers(0, len(leaves)))


@given(logs())
def test_both_implementations_agree_and_proofs_hold(case: tuple[list[bytes], int]) -> None:
    leaves, part = case
    size, root = len(leaves), mth(leaves)
    assert merkle.range_root(0, size, nodes(leaves)) == root
    if part < size:
        inclusion = merkle.inclusion_proof(part, size, nodes(leaves))
        assert list(inclusion) == path(part, leaves)
        merkle.check_inclusion(merkle.leaf_hash(leaves[part]), part, size, inclusion, root)
    consistency = merkle.consistency_proof(part, size, nodes(leaves))
    assert list(consistency) == (proof(part, leaves) if part else [])
    merkle.check_consistency(part, size, mth(leaves[:part]), root, consistency)


@given(logs(), st.data())
def test_no_other_inclusion_proof_holds(case: tuple[list[bytes], int], data: st.DataObject) -> None:
    leaves, index = case
    size, root = len(leaves), mth(leaves)
    index %= size
    leaf = merkle.leaf_hash(leaves[index])
    honest = list(merkle.inclusion_proof(index, size, nodes(leaves)))
    lies = [(leaf, index, size, [*honest, leaf]), (mth([b"other"]), index, size, honest)]
    lies += [(leaf, other, size, honest) for other in range(-1, size + 2) if other != index]
    if honest:
        changed = data.draw(st.integers(0, len(honest) - 1))
        lies.append((leaf, index, size, honest[:-1]))
        lies.append((leaf, index, size, [flip(h) if n == changed else h for n, h in enumerate(honest)]))
    for lie in lies:
        with pytest.raises(ProofInvalid):
            merkle.check_inclusion(*lie, root)


@given(logs(), st.data())
def test_no_other_consistency_proof_holds(case: tuple[list[bytes], int], data: st.DataObject) -> None:
    leaves, old = case
    new = len(leaves)
    roots = mth(leaves[:old]), mth(leaves)
    honest = list(merkle.consistency_proof(old, new, nodes(leaves)))
    lies = [(old, new, flip(roots[0]), roots[1], honest), (old, new, *roots, [*honest, roots[0]])]
    if old:
        lies.append((old, new, roots[0], flip(roots[1]), honest))
    if honest:
        changed = data.draw(st.integers(0, len(honest) - 1))
        lies.append((old, new, *roots, honest[:-1]))
        lies.append((old, new, *roots, [flip(h) if n == changed else h for n, h in enumerate(honest)]))
    for lie in lies:
        with pytest.raises(ProofInvalid):
            merkle.check_consistency(*lie)


def flip(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def test_there_is_no_proof_of_what_is_not_there() -> None:
    with pytest.raises(LedgerError, match="no entry 8"):
        merkle.inclusion_proof(8, 8, nodes(LEAVES))
    with pytest.raises(LedgerError, match="older first"):
        merkle.consistency_proof(9, 8, nodes(LEAVES))
