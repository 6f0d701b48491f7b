"""Acts that wait for another steward, with the signatures they have so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from governance.errors import NotApproved
from governance.identity.acts import VALID, Act, Approval, steward
from governance.identity.tables import Proposal, ProposalApproval


@dataclass(frozen=True)
class Pending:
    """An act and who signed it."""

    act: Act
    approvals: tuple[Approval, ...]


def pending(session: Session, noun: str, now: datetime) -> list[Pending]:
    """Acts on ``noun`` (``credential``, ``release``) that may still be approved, the oldest first."""
    rows = session.scalars(select(Proposal).where(Proposal.at >= now - VALID).order_by(Proposal.at)).all()
    waiting = [Pending(Act.read(row.act.encode()), _approvals(session, row.id)) for row in rows]
    return [one for one in waiting if one.act.action.startswith(f"{noun}.")]


def gather(session: Session, act: Act, approvals: Sequence[Approval], now: datetime) -> list[Approval]:
    """``approvals`` and those given earlier by stewards who are still stewards."""
    given = {approval.keyid for approval in approvals}
    earlier = (one for one in _approvals(session, act.sha256) if one.keyid not in given)
    return [*approvals, *(one for one in earlier if _counts(session, act, one, now))]


def keep(session: Session, act: Act, approvals: Sequence[Approval], now: datetime) -> None:
    """Let ``act`` wait."""
    for row in session.scalars(select(Proposal).where(Proposal.at < now - VALID)).all():
        forget(session, row.id)
    if session.get(Proposal, act.sha256) is None:
        session.add(Proposal(id=act.sha256, subject=act.subject, act=act.canonical().decode(), at=act.at))
        session.flush()
    for approval in approvals:
        session.merge(
            ProposalApproval(proposal=act.sha256, keyid=approval.keyid, signature=approval.signature)
        )


def forget(session: Session, act: str) -> None:
    """Let the act with that SHA-256 wait no longer."""
    session.execute(delete(ProposalApproval).where(ProposalApproval.proposal == act))
    session.execute(delete(Proposal).where(Proposal.id == act))


def overtaken(session: Session, subject: str) -> None:
    """Let nothing about ``subject`` wait any longer, because it has changed since."""
    for row in session.scalars(select(Proposal).filter_by(subject=subject)).all():
        forget(session, row.id)


def _approvals(session: Session, act: str) -> tuple[Approval, ...]:
    rows = session.scalars(
        select(ProposalApproval).filter_by(proposal=act).order_by(ProposalApproval.keyid)
    ).all()
    return tuple(Approval(row.keyid, row.signature) for row in rows)


def _counts(session: Session, act: Act, approval: Approval, now: datetime) -> bool:
    try:
        steward(session, act, approval, now)
    except NotApproved:
        return False
    return True
