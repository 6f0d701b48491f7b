"""Each signed request counts once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete
from sqlalchemy.exc import IntegrityError

from governance.errors import RequestRefused
from governance.requests.tables import SeenNonce
from governance.requests.verification import SignedRequest
from governance.storage import Database

KEEP = timedelta(minutes=10)
"""Nonces outlive their requests by this, in case a host's clock or thread lags behind another's."""


@dataclass(frozen=True)
class Replay:
    """The nonces that keys have used, shared by all hosts on one ``database``."""

    database: Database

    def remember(self, signed: SignedRequest, now: datetime) -> None:
        """Note that ``signed`` came, durably, before anything is done for it, whatever becomes of it. Of any
        number of copies, at once or one after another, this returns for just one.

        Raises:
            RequestRefused: ``replayed``: it came before; ``expired``: it is too late for it.
        """
        if now >= signed.remember_until:
            raise RequestRefused("expired", "This signature has ended meanwhile: sign anew.")
        try:
            with self.database.transaction() as session:
                session.add(SeenNonce(keyid=signed.keyid, nonce=signed.nonce, expires=signed.remember_until))
        except IntegrityError as error:
            raise RequestRefused(
                "replayed", "This request came before: sign a new one with a new nonce."
            ) from error

    def purge(self, now: datetime) -> int:
        """Forget nonces that nobody could use again; how many."""
        with self.database.transaction() as session:
            result = session.execute(delete(SeenNonce).where(SeenNonce.expires < now - KEEP))
            return result.rowcount if isinstance(result, CursorResult) else 0
