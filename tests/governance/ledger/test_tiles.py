"""Tiles and bundles as C2SP tlog-tiles lays them out."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import LedgerDamaged
from governance.ledger import tiles


@pytest.mark.parametrize(
    ("level", "number", "width", "expected"),
    [
        (0, 1234067, 256, "tile/0/x001/x234/067"),
        (0, 0, 256, "tile/0/000"),
        (2, 999, 1, "tile/2/999.p/1"),
        (1, 1000, 17, "tile/1/x001/000.p/17"),
        (tiles.ENTRIES, 273, 112, "tile/entries/273.p/112"),
    ],
)
def test_paths_are_those_of_the_specification(
    level: int | str, number: int, width: int, expected: str
) -> None:
    assert tiles.path(level, number, width) == expected


def test_a_log_of_70000_entries_has_the_tiles_of_the_specification() -> None:
    assert [tiles.width_at(70_000, 0, number) for number in (272, 273, 274)] == [256, 112, 0]
    assert [tiles.width_at(70_000, 1, number) for number in (0, 1)] == [256, 17]
    assert [tiles.width_at(70_000, 2, number) for number in (0, 1)] == [1, 0]
    assert [tiles.width_at(256, level, 0) for level in (0, 1)] == [256, 1]


def test_a_bundle_is_a_sequence_of_length_prefixed_entries() -> None:
    assert tiles.encode_bundle([b"ab", b"", b"c" * 256]) == b"\x00\x02ab\x00\x00\x01\x00" + b"c" * 256


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_is_read_as_it_was_written(entries: list[bytes]) -> None:
    assert tiles.decode_bundle(tiles.encode_bundle(entries), "bundle") == entries


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=5), st.data())
def test_a_bundle_that_was_cut_off_is_never_read_as_whole(entries: list[bytes], data: st.DataObject) -> None:
    whole = tiles.encode_bundle(entries)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with contextlib.suppress(LedgerDamaged):
        assert tiles.decode_bundle(cut, "bundle") != entries
