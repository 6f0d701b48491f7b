"""The ladder in the database: versions, evidence, and the stewards' acts that move them.

What is served is computed from the evidence whenever it is asked for; there is nothing to update when an item
expires, and nothing to forget.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from governance.errors import EvidenceRefused, MoreNeeded, ReleaseError
from governance.events import Event
from governance.identity import Act, Approval, proposals, require
from governance.keys import SigningKey
from governance.release import demonstrator
from governance.release.book import Book, digest
from governance.release.evidence import Evidence, Signed, version_of
from governance.release.judging import Shortfall, missing
from governance.release.ladder import Ladder
from governance.release.tables import FiledEvidence, ModelVersion
from governance.storage import Database, record

NOUN = "release"
CLIMB = "release.climb"
ROLLBACK = "release.rollback"
WITHDRAW = "release.withdraw"
MAX_SKEW = timedelta(minutes=5)
"""By so much the clock of the one who made evidence may be ahead of ours."""
MAX_NAME = 200


@dataclass(frozen=True)
class Item:
    """Evidence on file. What comes with the source code has no ``id`` and no ``producer`` (a keyid)."""

    id: str
    evidence: Evidence
    producer: str | None
    withdrawn: bool


@dataclass(frozen=True)
class Standing:
    """Where a version is: ``approved`` by stewards or by an ``exemption``, ``served`` today, and the
    ``shortfalls`` that make the difference."""

    version: str
    name: str
    approved: str
    served: str
    exemption: str | None
    since: datetime
    shortfalls: tuple[Shortfall, ...]


@dataclass(frozen=True)
class Serving:
    """Whether films may be made with a version; its ``rung`` today ("" if it is on none); one sentence."""

    allowed: bool
    rung: str
    sentence: str


@dataclass(frozen=True)
class Releases:
    """All versions known to the hub with this ``database``, and the one that comes with the source code."""

    database: Database
    ladder: Ladder = field(default_factory=Ladder.load)
    shipped: demonstrator.Demonstrator | None = field(default_factory=demonstrator.read)

    def enter(self, name: str, weights: Mapping[str, str], now: datetime) -> str:
        """Note a version, its weights' SHA-256 by file name; it starts on the lowest rung, or where it stands
        already. Its id.

        Raises:
            ReleaseError: it has no proper name or no weights.
        """
        if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
            raise ReleaseError(f"A version's name has 1 to {MAX_NAME} printable characters.")
        version = version_of(weights)
        with self.database.transaction() as session:
            if session.get(ModelVersion, version) is None and not self._book.is_shipped(version):
                self._book.add(session, self._book.new(version, name, weights, now), now)
        return version

    def file(self, signed: Signed, now: datetime) -> str:
        """Put evidence on file; its id. Filing it again changes nothing. It carries nothing by itself: good
        evidence counts once stewards rest an approval on it, evidence that fails counts at once.

        Raises:
            EvidenceRefused: its kind is not on the ladder, it is dated in the future, or was tampered with.
            ReleaseError: its version is unknown.
        """
        signed = Signed.read(signed.document)
        evidence = signed.evidence
        if evidence.kind not in self.ladder.kinds:
            raise EvidenceRefused(
                f"The ladder knows no {evidence.kind}: use one of {', '.join(sorted(self.ladder.kinds))}."
            )
        if evidence.made_at > now + MAX_SKEW:
            raise EvidenceRefused("This evidence is dated in the future: check the clock it was made by.")
        with self.database.transaction() as session:
            self._book.lock(session, evidence.version, now)
            if session.get(FiledEvidence, signed.id) is None:
                session.add(
                    FiledEvidence(
                        id=signed.id,
                        version=evidence.version,
                        document=signed.document.decode(),
                        filed_at=now,
                    )
                )
                facts: dict[str, str | int] = {
                    "evidence": signed.id,
                    "kind": evidence.kind,
                    "producer": f"jkt:{signed.producer.keyid}",
                    "report": evidence.report,
                    "version": evidence.version,
                }
                record(session, Event("release.evidence_filed", facts, now))
        return signed.id

    def climb(self, version: str, rung: str, now: datetime) -> Act:
        """What two stewards have to sign to let ``version`` climb to ``rung``, the next one, or to renew the
        evidence of the one it is on.

        Raises:
            ReleaseError: it is no such step, or evidence is missing.
        """
        with self.database.transaction() as session:
            return self._climb(session, self._book.lock(session, version, now), rung, now)

    def propose(self, version: str, rung: str, key: SigningKey, now: datetime) -> Act:
        """``climb``, signed with a first steward's ``key``, to wait for another's; if another proposed the
        very same at this moment, both have signed and it is done.

        Raises:
            ReleaseError: as ``climb``.
            NotApproved: the key is no steward's.
        """
        act = self.climb(version, rung, now)
        self.submit(act, [Approval.by(key, act)], now)
        return act

    def approve(self, proposal: str, key: SigningKey, now: datetime) -> Standing | None:
        """Sign the waiting act whose SHA-256 begins with ``proposal`` as well; None if yet another steward is
        needed.

        Raises:
            ReleaseError: there is no such proposal, or it cannot be carried out any more.
            NotApproved: the key is no steward's.
        """
        waiting = {one.act.sha256: one.act for one in self.pending(now)}
        act = waiting[_only("proposal", waiting, proposal)]
        return self.submit(act, [Approval.by(key, act)], now)

    def rollback(
        self, version: str, rung: str | None, reason: str, key: SigningKey, now: datetime
    ) -> Standing:
        """Let ``version`` down to ``rung`` (None: to the next one below) at once; ``reason`` is one word.

        Raises:
            ReleaseError: that is not down.
            NotApproved: the key is no steward's.
        """
        if rung is None:
            approved = self.standing(version, now).approved
            rung = self.ladder.rungs[max(0, self.ladder.height(approved) - 1)].name
        act = Act(ROLLBACK, version, {"reason": reason, "to": rung}, now)
        standing = self.submit(act, [Approval.by(key, act)], now)
        assert standing is not None
        return standing

    def withdraw(self, evidence: str, reason: str, key: SigningKey, now: datetime) -> Standing:
        """Withdraw the evidence with that id at once; ``reason`` is one word.

        Raises:
            ReleaseError: there is no such evidence on file.
            NotApproved: the key is no steward's.
        """
        act = Act(WITHDRAW, evidence, {"reason": reason}, now)
        standing = self.submit(act, [Approval.by(key, act)], now)
        assert standing is not None
        return standing

    def submit(self, act: Act, approvals: Sequence[Approval], now: datetime) -> Standing | None:
        """Carry ``act`` out if enough stewards signed it by now: two for a climb, one for anything else. If
        another is needed keep it, and those ``approvals``, as a proposal, and return None.

        Raises:
            ReleaseError: it cannot be carried out, or something changed since it was written.
            NotApproved: a signature does not count, or the act is too old or was carried out.
        """
        with self.database.transaction() as session:
            if act.action == WITHDRAW:
                filed = session.get(FiledEvidence, act.subject)
                if filed is None:
                    raise ReleaseError(
                        f"There is no evidence {act.subject}: see `vernissage release status`."
                    )
                version = self._book.lock(session, filed.version, now)
                session.refresh(filed)
                require(session, act, approvals, needed=1, now=now)
                filed.withdrawn_at = filed.withdrawn_at or now
                _note(session, "release.evidence_withdrawn", version, act, {"evidence": filed.id}, now)
            elif act.action == ROLLBACK:
                version = self._book.lock(session, act.subject, now)
                self._roll_back(session, version, act, approvals, now)
            elif act.action == CLIMB:
                version = self._book.lock(session, act.subject, now)
                if not self._let_climb(session, version, act, approvals, now):
                    return None
            else:
                raise ReleaseError(f"{act.action} is nothing that is done on the release ladder.")
            session.flush()
            return self._standing(session, version, now)

    def status(self, now: datetime) -> list[Standing]:
        """Every version, the one that comes with the source code first."""
        with self.database.transaction() as session:
            return [self._standing(session, row, now) for row in self._book.all(session)]

    def standing(self, version: str, now: datetime) -> Standing:
        """Where ``version`` is. Raises ``ReleaseError`` if it is unknown."""
        with self.database.transaction() as session:
            return self._standing(session, self._book.find(session, version), now)

    def evidence(self, version: str) -> list[Item]:
        """All that is on file about ``version``, the latest made last. Raises ``ReleaseError`` if unknown."""
        with self.database.transaction() as session:
            row = self._book.find(session, version)
            base = list(self._book.base(row).values())
            signed = [
                (Signed.read(one.document.encode()), one) for one in self._book.documents(session, version)
            ]
        items = [Item("", item.evidence, None, False) for item in base]
        items += [
            Item(one.id, read.evidence, read.producer.keyid, one.withdrawn_at is not None)
            for read, one in signed
        ]
        return sorted(items, key=lambda item: (item.evidence.made_at, item.id))

    def pending(self, now: datetime) -> list[proposals.Pending]:
        """Climbs that wait for another steward, the oldest first."""
        with self.database.transaction() as session:
            return proposals.pending(session, NOUN, now)

    def find(self, prefix: str) -> str:
        """The id of the version whose id begins with ``prefix``. Raises ``ReleaseError`` unless it is one."""
        with self.database.transaction() as session:
            return _only("version", [row.id for row in self._book.all(session)], prefix)

    def find_evidence(self, prefix: str) -> str:
        """The id of the evidence whose id begins so. Raises ``ReleaseError`` unless it is one."""
        with self.database.transaction() as session:
            return _only("evidence", session.scalars(select(FiledEvidence.id)).all(), prefix)

    def serving(
        self, version: str, tier: str, now: datetime, scopes: Collection[str] = frozenset()
    ) -> Serving:
        """Whether ``version`` makes films for a credential of this ``tier`` ("" for a visitor)."""
        try:
            standing = self.standing(version, now)
        except ReleaseError:
            return Serving(False, "", "This model version is not on the release ladder, so it serves nobody.")
        rung = self.ladder.rungs[self.ladder.height(standing.served)]
        where = f"This model version is served on the rung {rung.name}"
        if standing.served != standing.approved:
            where += f" and not on {standing.approved}, because {standing.shortfalls[0].reason}"
        if (tier or "visitor") not in rung.tiers or (rung.scope and rung.scope not in scopes):
            return Serving(False, rung.name, f"{where}; that does not include whoever asks.")
        return Serving(True, rung.name, f"{where}.")

    def _climb(self, session: Session, version: ModelVersion, rung: str, now: datetime) -> Act:
        height = self.ladder.height(rung)
        step = height - self.ladder.height(version.rung)
        if height == 0 or step not in (0, 1):
            raise ReleaseError(
                f"{version.name} is on the rung {version.rung}: it climbs one at a time, and not to {rung}."
            )
        chosen = self._book.chosen(session, version)
        short = missing(self.ladder, height, chosen, now, self._book.exemption(version))
        if short:
            raise ReleaseError(
                f"{version.name} cannot climb to {rung}: {'; '.join(one.reason for one in short)}."
            )
        facts: dict[str, str | int] = {
            "evidence": digest(self._book.state(session, version.id)),
            "from": version.rung,
            "ladder": self.ladder.sha256,
            "step": version.steps,
            "to": rung,
        }
        return Act(CLIMB, version.id, facts, now)

    def _let_climb(
        self,
        session: Session,
        version: ModelVersion,
        act: Act,
        approvals: Sequence[Approval],
        now: datetime,
    ) -> bool:
        """Whether ``version`` climbed; everything is examined again, at the moment at which it does."""
        today = self._climb(session, version, str(act.facts.get("to")), now)
        if today.facts != act.facts:
            raise ReleaseError("The evidence, the rung or the ladder has changed since this was proposed.")
        try:
            require(session, act, proposals.gather(session, act, approvals, now), needed=2, now=now)
        except MoreNeeded:
            proposals.keep(session, act, approvals, now)
            return False
        proposals.forget(session, act.sha256)
        version.rung, version.since = str(act.facts["to"]), now
        version.known = self._book.state(session, version.id)
        version.steps += 1
        facts = {name: act.facts[name] for name in ("evidence", "from", "ladder", "to")}
        _note(session, "release.climbed", version, act, facts, now)
        return True

    def _roll_back(
        self,
        session: Session,
        version: ModelVersion,
        act: Act,
        approvals: Sequence[Approval],
        now: datetime,
    ) -> None:
        to = str(act.facts.get("to"))
        if self.ladder.height(to) >= self.ladder.height(version.rung):
            raise ReleaseError(f"{version.name} is on the rung {version.rung}: {to} is not below it.")
        require(session, act, approvals, needed=1, now=now)
        before, version.rung = version.rung, to
        version.since, version.steps = now, version.steps + 1
        _note(session, "release.rolled_back", version, act, {"from": before, "to": to}, now)

    def _standing(self, session: Session, row: ModelVersion, now: datetime) -> Standing:
        judgement = self._book.judge(session, row, now)
        return Standing(
            row.id, row.name, row.rung, judgement.rung, row.exemption, row.since, judgement.shortfalls
        )

    @cached_property
    def _book(self) -> Book:
        return Book(self.ladder, self.shipped)


def _only(what: str, ids: Iterable[str], prefix: str) -> str:
    found = [id for id in ids if prefix and id.startswith(prefix)]
    if len(found) != 1:
        raise ReleaseError(
            f"{'No' if not found else 'More than one'} {what} begins with {prefix!r}: "
            "see `vernissage release status`."
        )
    return found[0]


def _note(
    session: Session, kind: str, version: ModelVersion, act: Act, facts: Mapping[str, Any], now: datetime
) -> None:
    reason = {"reason": act.facts["reason"]} if "reason" in act.facts else {}
    record(session, Event(kind, {**facts, **reason, "act": act.sha256, "version": version.id}, now))
