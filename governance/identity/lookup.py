"""Finding the credential that a key belongs to, and believing it only if the hub signed it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from governance.errors import CredentialRefused
from governance.identity.credential import Credential
from governance.identity.tables import StoredCredential, StoredKey
from governance.keys import VerifyKey
from governance.storage import Database

_TRUSTED = "trusted_hub_keys"
_OF_KEY = (
    select(
        StoredCredential.id, StoredCredential.person, StoredCredential.document, StoredCredential.signature
    )
    .join(StoredKey, StoredKey.credential == StoredCredential.id)
    .where(StoredKey.keyid == bindparam("keyid"))
    .with_for_update(read=True, of=StoredCredential)
)
"""Written once, because writing it takes as long as running it."""


def trust(database: Database, *hub: VerifyKey) -> None:
    """Believe, for as long as ``database`` is open, credentials that any of the ``hub`` keys signed (several
    while the hub changes its key). They come from the hub's own files, never from the database."""
    database.engine.update_execution_options(**{_TRUSTED: hub})


def trusted(database: Database) -> tuple[VerifyKey, ...]:
    """The hub keys that ``database`` believes."""
    found: tuple[VerifyKey, ...] = database.engine.get_execution_options().get(_TRUSTED, ())
    return found


def find_credential(session: Session, keyid: str, now: datetime) -> Credential:
    """The credential whose holder may act by the key ``keyid`` at ``now``. Until the transaction of
    ``session`` ends nobody can suspend or revoke it.

    Raises:
        CredentialRefused: ``unknown``, ``forged``, ``revoked``, ``suspended``, ``not_yet``, ``expired`` or
            ``key_expired``.
    """
    stored = session.execute(_OF_KEY, {"keyid": keyid}).one_or_none()
    if stored is None:
        raise CredentialRefused("unknown", f"No credential here belongs to key {keyid}.")
    credential = believed(session, stored)
    credential.check(now)
    credential.key(keyid, now)
    return credential


def believed(session: Session, stored: StoredCredential | Row[str, str, str, bytes]) -> Credential:
    """What is in ``stored``, or in a row of its columns.

    Raises:
        CredentialRefused: ``forged``: no trusted hub key signed it, or it lies in another's place.
    """
    trusted: tuple[VerifyKey, ...] = session.get_bind().get_execution_options().get(_TRUSTED, ())
    credential = Credential.read(stored.document.encode(), stored.signature, trusted)
    if (credential.id, credential.person) != (stored.id, stored.person):
        raise CredentialRefused("forged", f"Credential {stored.id} was put in the place of another.")
    return credential
