"""A key is somebody's: what one signature fits under is no key."""

from __future__ import annotations

import pytest

from governance.errors import KeysDamaged
from governance.keys import SigningKey, VerifyKey

SMALL_ORDER = (
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)
"""Points of order 1, 2, 4 and 8 in every spelling (Chalkias et al., Taming the many EdDSAs, 2020)."""


@pytest.mark.parametrize("sign", [0, 0x80])
@pytest.mark.parametrize("point", SMALL_ORDER)
def test_a_key_for_which_anybody_could_sign_is_refused(point: str, sign: int) -> None:
    raw = bytearray.fromhex(point)
    raw[-1] |= sign
    with pytest.raises(KeysDamaged, match="anybody could sign"):
        VerifyKey(bytes(raw))


def test_any_other_key_is_somebodys() -> None:
    key = SigningKey.generate()
    assert VerifyKey.from_text(key.public.text) == key.public
