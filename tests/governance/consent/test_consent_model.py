"""Any order of events, against a model of what was promised: never more films than allowed, none after a
revocation, a refusal or the end."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from governance.consent import Refusal, Revocation, Use, Withdrawal
from governance.consent.tables import StoredUse
from governance.consent.uses import LAPSES_AFTER
from governance.errors import ConsentRefused

House = Any


class Promise(RuleBasedStateMachine):
    """One grant of a few uses, and everybody at once."""

    uses = Bundle("uses")
    refusals = Bundle("refusals")
    house: House

    @initialize(most=st.integers(1, 3), hours=st.integers(1, 20))
    def sign(self, most: int, hours: int) -> None:
        self.grant = self.house.granted(
            max_uses=most, expires=self.house.now + timedelta(hours=hours), not_before=self.house.now
        )
        self.now = self.house.now
        self.revoked = self.expired = False
        self.refused: set[str] = set()
        self.reserved: dict[str, Any] = {}
        self.delivered: set[str] = set()

    def in_force(self) -> bool:
        self.expired |= self.now >= self.grant.expires
        if self.expired or self.revoked:
            self.reserved.clear()
        return not (self.expired or self.revoked or self.refused)

    @rule(target=uses)
    def admit(self) -> Use | None:
        allowed = self.in_force()
        self.lapse()
        allowed = allowed and len(self.reserved) + len(self.delivered) < self.grant.max_uses
        try:
            use = self.house.consents.admit(self.grant.id, self.house.asking(self.grant), self.now)
        except ConsentRefused:
            assert not allowed
            return None
        assert allowed
        self.reserved[use.id] = self.now + LAPSES_AFTER
        return use

    @rule(use=uses)
    def confirm(self, use: Use | None) -> None:
        if use is None:
            return
        allowed = self.in_force() and (
            use.id in self.delivered or self.reserved.get(use.id, self.now) > self.now
        )
        try:
            self.house.consents.confirm(use, self.now)
        except ConsentRefused:
            assert not allowed
            self.reserved.pop(use.id, None)
            return
        assert allowed
        self.reserved.pop(use.id, None)
        self.delivered.add(use.id)

    @rule(use=uses)
    def release(self, use: Use | None) -> None:
        if use is None:
            return
        try:
            self.house.consents.release(use, self.now)
        except ConsentRefused:
            assert use.id in self.delivered
            return
        assert use.id not in self.delivered
        self.reserved.pop(use.id, None)

    @rule(forget=st.booleans())
    def revoke(self, forget: bool) -> None:
        self.house.consents.revoke(
            Revocation.by(self.house.ada, self.grant.id, self.now, forget=forget), self.now
        )
        self.revoked = True

    @rule(target=refusals, same_picture=st.booleans())
    def refuse(self, same_picture: bool) -> Refusal:
        picture = self.house.portrait if same_picture else self.house.file("ada|another.png")
        refusal = Refusal.by(self.house.ada, uuid.uuid4().hex, self.house.sha256(picture), self.now)
        self.house.refusals.register(refusal, picture, self.now)
        self.refused.add(refusal.id)
        self.reserved.clear()
        return refusal

    @rule(refusal=consumes(refusals))
    def withdraw(self, refusal: Refusal) -> None:
        self.house.refusals.withdraw(Withdrawal.by(self.house.ada, refusal.id, self.now), self.now)
        self.refused.remove(refusal.id)

    @rule(minutes=st.integers(1, 400))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def sweep(self) -> None:
        self.in_force()
        self.house.consents.expire(self.now)
        self.lapse()

    def lapse(self) -> None:
        self.reserved = {id: until for id, until in self.reserved.items() if until > self.now}

    @invariant()
    def never_more_than_was_allowed(self) -> None:
        if not hasattr(self, "grant"):
            return
        with self.house.database.transaction() as session:
            stored = session.scalars(select(StoredUse).where(StoredUse.right == self.grant.id)).all()
            states = {use.id: use.state for use in stored}
        delivered = {id for id, state in states.items() if state == "delivered"}
        assert delivered == self.delivered
        counting = [state for state in states.values() if state in ("reserved", "delivered")]
        assert len(counting) <= self.grant.max_uses

    def teardown(self) -> None:
        for kept in (self.house.people, self.house.voices):
            kept.kept.clear()
        self.house.ada = type(self.house.ada).generate()
        self.house.portrait = self.house.file(f"ada|{secrets.token_hex(4)}.png")


@pytest.mark.slow
def test_no_order_of_events_beats_the_rule(house: House) -> None:
    class OfThisHouse(Promise):
        pass

    OfThisHouse.house = house
    run_state_machine_as_test(
        OfThisHouse, settings=settings(max_examples=40, stateful_step_count=25, deadline=None)
    )
