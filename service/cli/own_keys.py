"""The keys of people, as they name them on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from governance.errors import KeysDamaged, KeysMissing

if TYPE_CHECKING:
    from governance.keys import SigningKey, VerifyKey


def signing_key(file: Path) -> SigningKey:
    """The key in ``file``. Raises ``KeysError``; where there is none, saying how to make one."""
    from governance.keys import SigningKey

    if not file.exists():
        raise KeysMissing(
            f"There is no key file {file}: name yours, or make one with `vernissage credential key {file}`."
        )
    return SigningKey.load(file)


def made_or_found(file: Path) -> SigningKey:
    """The key in ``file``, made if there is none. Raises ``KeysError``."""
    from governance.keys import SigningKey

    if not file.exists():
        SigningKey.generate().save(file)
    return SigningKey.load(file)


def public_key(text: str) -> VerifyKey:
    """The public key that ``text`` is, or whose private half is in the file of that name.

    Raises ``KeysError`` if it is neither.
    """
    from governance.keys import SigningKey, VerifyKey

    file = Path(text)
    if file.exists():
        return SigningKey.load(file).public
    try:
        return VerifyKey.from_text(text)
    except KeysDamaged as error:
        raise KeysDamaged(
            f"{text} is neither a key file nor a public key: give the 43 characters that "
            "`vernissage credential key FILE` prints."
        ) from error
