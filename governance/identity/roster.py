"""Who may, in the database: every change is an approved act, a document signed anew and an event, at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from governance.errors import IdentityError, MoreNeeded, NotApproved, SignatureInvalid
from governance.events import Event
from governance.identity import changes, proposals, tables
from governance.identity.acts import Act, Approval, require
from governance.identity.changes import Terms
from governance.identity.credential import Credential, Tier
from governance.identity.lookup import believed, find_credential, trust, trusted
from governance.keys import SigningKey, VerifyKey
from governance.storage import Database, record

BOOTSTRAP_STEWARDS = 2
MAX_NAME = 200

_DONE = {
    changes.ISSUE: "credential.issued",
    changes.AMEND: "credential.amended",
    changes.SUSPEND: "credential.suspended",
    changes.REINSTATE: "credential.reinstated",
    changes.REVOKE: "credential.revoked",
    changes.ROTATE: "credential.rotated",
}


@dataclass(frozen=True)
class Listed:
    """A credential, the hub's signature under its document, and the names of its holder."""

    credential: Credential
    signature: bytes
    organisation: str
    person: str


class Roster:
    """All credentials of the hub that signs with ``hub``; from now on ``database`` believes that key too."""

    def __init__(self, database: Database, hub: SigningKey) -> None:
        self.database = database
        self.hub = hub
        trust(database, *{hub.public, *trusted(database)})

    def bootstrap(
        self,
        organisation: str,
        stewards: Sequence[tuple[str, VerifyKey]],
        now: datetime,
        term: timedelta = changes.MAX_TERM,
    ) -> tuple[Credential, ...]:
        """Make the first two ``stewards`` (name, key), once, in a database that knows nobody.

        Raises:
            IdentityError: it knows somebody, or these are not two people with two keys.
        """
        names, keys = {name for name, _ in stewards}, {key for _, key in stewards}
        if not len(stewards) == len(names) == len(keys) == BOOTSTRAP_STEWARDS:
            raise IdentityError("The first stewards are two people with a key each: name exactly two.")
        terms = Terms(Tier.STEWARD, now, now + term)
        with self.database.transaction() as session:
            try:
                with session.begin_nested():
                    session.add(tables.Roster(id=1, since=now))
            except IntegrityError as error:
                raise IdentityError(
                    "This hub has had its first stewards: let two of them approve another."
                ) from error
            house = _organisation(session, organisation)
            return tuple(
                self._store(
                    session,
                    changes.issued(changes.issue(house, _person(session, house, name), key, terms, now)),
                    Event("credential.bootstrapped", {}, now),
                )
                for name, key in stewards
            )

    def organisation(self, name: str) -> str:
        """The id of the organisation called ``name``, which is noted if it is new."""
        with self.database.transaction() as session:
            _lock(session)
            return _organisation(session, name)

    def person(self, organisation: str, name: str) -> str:
        """The id of the person called ``name`` at the ``organisation`` with that id, noted if new."""
        with self.database.transaction() as session:
            _lock(session)
            return _person(session, organisation, name)

    def submit(self, act: Act, approvals: Sequence[Approval], now: datetime) -> Credential | None:
        """Carry ``act`` out if enough stewards have signed it by now (two where it widens access, else one);
        if another is needed keep it, and those ``approvals``, as a proposal, and return None.

        Raises:
            NotApproved: nobody signed, a signature does not count, or the act is too old or was carried out.
            IdentityError: it cannot be done.
        """
        with self.database.transaction() as session:
            _lock(session)
            before = None if act.action == changes.ISSUE else _load(session, act.subject)
            after = changes.issued(act) if before is None else changes.changed(before, act, now)
            if act.action == changes.ROTATE:
                raise NotApproved("The holder of a credential changes its key: use rotate.")
            _check(session, before, after)
            widens = before is None or after.widens(before)
            try:
                require(
                    session,
                    act,
                    proposals.gather(session, act, approvals, now),
                    needed=2 if widens else 1,
                    now=now,
                    besides={after.person} if widens else (),
                )
            except MoreNeeded:
                if not approvals:
                    raise
                proposals.keep(session, act, approvals, now)
                return None
            return self._store(session, after, Event(_DONE[act.action], _reason(act), now), act)

    def rotate(self, act: Act, old: Approval, new: Approval, now: datetime) -> Credential:
        """Carry out ``changes.rotate``, signed by the holder with the current key (``old``) and the ``new``.

        Raises:
            CredentialRefused: the credential may not be used now.
            NotApproved: the signatures are not of these two keys.
            IdentityError: it cannot be done.
        """
        with self.database.transaction() as session:
            _lock(session)
            before = _load(session, act.subject)
            before.check(now)
            after = changes.changed(before, act, now)
            if act.action != changes.ROTATE:
                raise NotApproved(f"{act.action} is for stewards to decide.")
            _check(session, before, after)
            for credential, approval in ((before, old), (after, new)):
                if approval.keyid != credential.keyid:
                    raise NotApproved("A key is changed by the current key and the new one: sign with both.")
                try:
                    credential.key(approval.keyid, now).verify(approval.signature, act.canonical())
                except SignatureInvalid as error:
                    raise NotApproved("A signature is not under this change of key.") from error
            return self._store(session, after, Event(_DONE[act.action], {}, now), act)

    def get(self, credential: str) -> Listed:
        """The credential with that id. Raises ``IdentityError`` if there is none."""
        with self.database.transaction() as session:
            _load(session, credential)
            return _listed(session, session.get_one(tables.StoredCredential, credential))

    def all(self) -> list[Listed]:
        """Every credential, the newest last."""
        with self.database.transaction() as session:
            found = session.scalars(select(tables.StoredCredential)).all()
            listed = [_listed(session, stored) for stored in found]
        return sorted(listed, key=lambda one: (one.credential.not_before, one.credential.id))

    def holder(self, keyid: str, now: datetime) -> Credential:
        """The credential used with the key ``keyid``. Raises ``CredentialRefused``."""
        with self.database.transaction() as session:
            return find_credential(session, keyid, now)

    def proposal(self, prefix: str, now: datetime) -> proposals.Pending:
        """The waiting act whose SHA-256 begins with ``prefix``. Raises ``IdentityError`` unless it is one."""
        found = [one for one in self.pending(now) if one.act.sha256.startswith(prefix)]
        if len(found) != 1:
            raise IdentityError(
                f"{'No' if not found else 'More than one'} proposal begins with {prefix}: "
                "see `vernissage credential list`."
            )
        return found[0]

    def names(self, act: Act) -> tuple[str, str]:
        """Of the organisation and the person that ``act`` is about. Raises ``IdentityError`` if unknown."""
        if act.action != changes.ISSUE:
            listed = self.get(act.subject)
            return listed.organisation, listed.person
        with self.database.transaction() as session:
            house = session.get(tables.Organisation, str(act.facts["organisation"]))
            person = session.get(tables.Person, str(act.facts["person"]))
        if house is None or person is None:
            raise IdentityError("The act is about somebody whom this hub does not know.")
        return house.name, person.name

    def pending(self, now: datetime) -> list[proposals.Pending]:
        """Acts that wait for another steward, the oldest first."""
        with self.database.transaction() as session:
            return proposals.pending(session, changes.NOUN, now)

    def _store(
        self, session: Session, credential: Credential, event: Event, act: Act | None = None
    ) -> Credential:
        """Sign ``credential``, keep it and put ``event``, completed, on record."""
        document, signature = credential.canonical().decode(), credential.sign(self.hub)
        stored = session.get(tables.StoredCredential, credential.id)
        if stored is None:
            session.add(
                tables.StoredCredential(
                    id=credential.id, person=credential.person, document=document, signature=signature
                )
            )
        else:
            stored.document, stored.signature = document, signature
        session.flush()
        proposals.overtaken(session, credential.id)
        for held in credential.keys:
            session.merge(tables.StoredKey(keyid=held.public.keyid, credential=credential.id))
        facts: dict[str, str | int] = {
            "credential": credential.id,
            "document": credential.sha256,
            "key": f"jkt:{credential.keyid}",
            "organisation": credential.organisation,
            "person": credential.person,
            "revision": credential.revision,
            "tier": credential.tier.value,
        }
        if act is not None:
            facts["act"] = act.sha256
        record(session, Event(event.kind, facts | event.facts, event.at, event.id))
        return credential


def _lock(session: Session) -> None:
    """One change after the other."""
    if session.get(tables.Roster, 1, with_for_update=True) is None:
        raise IdentityError("This hub knows no stewards: run `vernissage credential bootstrap` first.")


def _load(session: Session, credential: str) -> Credential:
    stored = session.get(tables.StoredCredential, credential, with_for_update=True)
    if stored is None:
        raise IdentityError(f"There is no credential {credential}: see `vernissage credential list`.")
    return believed(session, stored)


def _check(session: Session, before: Credential | None, after: Credential) -> None:
    """The holder is known, and a new key was never used before. Raises ``IdentityError``."""
    person = session.get(tables.Person, after.person)
    if person is None or person.organisation != after.organisation:
        raise IdentityError(f"There is no {after.person} at {after.organisation}: note them first.")
    changed = before is None or after.keyid != before.keyid
    if changed and session.get(tables.StoredKey, after.keyid) is not None:
        raise IdentityError("This key was used before: make a new one.")


def _listed(session: Session, stored: tables.StoredCredential) -> Listed:
    credential = believed(session, stored)
    house = session.get_one(tables.Organisation, credential.organisation)
    person = session.get_one(tables.Person, credential.person)
    return Listed(credential, stored.signature, house.name, person.name)


def _organisation(session: Session, name: str) -> str:
    _check_name(name)
    found = session.scalars(select(tables.Organisation).filter_by(name=name)).one_or_none()
    if found is None:
        found = tables.Organisation(id=changes.new_id("org"), name=name)
        session.add(found)
        session.flush()
    return found.id


def _person(session: Session, organisation: str, name: str) -> str:
    _check_name(name)
    if session.get(tables.Organisation, organisation) is None:
        raise IdentityError(f"There is no organisation {organisation}: note it first.")
    found = session.scalars(
        select(tables.Person).filter_by(organisation=organisation, name=name)
    ).one_or_none()
    if found is None:
        found = tables.Person(id=changes.new_id("person"), organisation=organisation, name=name)
        session.add(found)
        session.flush()
    return found.id


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise IdentityError(f"A name has 1 to {MAX_NAME} printable characters.")


def _reason(act: Act) -> dict[str, str | int]:
    return {"reason": act.facts["reason"]} if "reason" in act.facts else {}
