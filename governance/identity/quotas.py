"""How often a credential may do something on one day: counted exactly, however many ask at once."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from governance.errors import QuotaExceeded
from governance.identity.credential import Credential
from governance.identity.tables import Usage


def spend(session: Session, credential: Credential, action: str, now: datetime, count: int = 1) -> int:
    """Count ``count`` (1 or more) times ``action`` on the day (UTC) of ``now``, all or none; how many are
    left. It holds if the transaction of ``session`` is committed.

    Raises:
        QuotaExceeded: that would be more than the credential may; nothing is counted.
    """
    if count < 1:
        raise ValueError("count must be 1 or more")
    limit = credential.quotas.get(action, 0)
    if count <= limit:
        day = now.astimezone(UTC).date()
        _begin(session, credential.id, action, day)
        spent = session.execute(
            update(Usage)
            .filter_by(credential=credential.id, action=action, day=day)
            .where(Usage.count + count <= limit)
            .values(count=Usage.count + count)
            .returning(Usage.count)
            .execution_options(synchronize_session=False)
        ).scalar_one_or_none()
        if spent is not None:
            return limit - spent
    if limit == 0:
        raise QuotaExceeded(f"This credential may not do {action}: ask the stewards for it.")
    raise QuotaExceeded(f"This credential may do {action} {limit:,} times a day: go on tomorrow (UTC).")


def _begin(session: Session, credential: str, action: str, day: date) -> None:
    """Have a row to count in; another transaction may be the one that makes it."""
    if session.get(Usage, (credential, action, day)) is None:
        with suppress(IntegrityError), session.begin_nested():
            session.add(Usage(credential=credential, action=action, day=day, count=0))
