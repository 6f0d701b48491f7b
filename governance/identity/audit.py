"""Comparing the roster with the ledger, which whoever writes to the database cannot change."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from governance.errors import CredentialRefused
from governance.identity.credential import Credential
from governance.identity.lookup import believed
from governance.identity.tables import StoredCredential
from governance.keys import SigningKey, VerifyKey


def told(entries: Iterable[bytes]) -> dict[str, str]:
    """The SHA-256 of the latest document of each credential, as the ``entries`` of a ledger tell."""
    latest: dict[str, tuple[int, str]] = {}
    for entry in entries:
        event = json.loads(entry)
        facts = event["facts"]
        if event["kind"].startswith("credential.") and {"credential", "document", "revision"} <= facts.keys():
            name, found = facts["credential"], (facts["revision"], facts["document"])
            latest[name] = max(latest.get(name, found), found)
    return {name: document for name, (_, document) in latest.items()}


def discrepancies(session: Session, told: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with which credential: ``forged``, ``unknown`` to the ledger, ``changed`` (rolled back,
    say) since it was told of, or ``missing`` from the database."""
    wrong = dict.fromkeys(told, "missing")
    for stored in session.scalars(select(StoredCredential)):
        wrong.pop(stored.id, None)
        try:
            credential = believed(session, stored)
        except CredentialRefused as refused:
            wrong[stored.id] = refused.reason
            continue
        if told.get(stored.id) != credential.sha256:
            wrong[stored.id] = "changed" if stored.id in told else "unknown"
    return wrong


def sign_again(
    session: Session, told: Mapping[str, str], hub: SigningKey, former: Collection[VerifyKey]
) -> list[str]:
    """Sign with the ``hub`` key, because ``former`` ones are believed no more, every credential that one of
    these signed and whose document is the one the ledger tells of; their ids. What a thief of a former key
    signed is not among them, nor what somebody wrote to the database, from where the ledger is told."""
    done = []
    for stored in session.scalars(select(StoredCredential).with_for_update().order_by(StoredCredential.id)):
        document = stored.document.encode()
        try:
            credential = Credential.read(document, stored.signature, [hub.public, *former])
        except CredentialRefused:
            continue
        if (credential.id, credential.person) == (stored.id, stored.person) and (
            told.get(stored.id) == credential.sha256
        ):
            stored.signature = hub.sign(document)
            done.append(stored.id)
    return done
