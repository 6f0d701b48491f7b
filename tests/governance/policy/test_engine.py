"""Deciding fails closed: whatever is missing, odd or broken is a no, and says so in words."""

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.errors import PolicyError
from governance.policy import (
    Action,
    AttestationFacts,
    CheckResult,
    GrantFacts,
    Policy,
    Principal,
    PrincipalKind,
    Request,
    Sitter,
)
from governance.policy.cases import read
from governance.policy.engine import CANNOT_DECIDE, DEFAULT_DENY, ENGINE_ERROR

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
POLICY = Policy.load()
LIVING = next(case.request for case in read() if case.policy == "living-person" and case.allowed)
CHECKS = (
    "standingRefusal",
    "knownFace",
    "minor",
    "publicFigure",
    "politicalPersuasion",
    "sexualContent",
    "impersonation",
    "authenticationDeception",
)

words = st.sampled_from(["", "credential:m1", "organisation:museum", "red_team", "happy", "en-GB", "en"])
purposes = st.frozensets(
    st.sampled_from(["dpv:PublicBenefit", "dpv:AcademicResearch", "dpv:PoliticalCampaign", "x:y", ""])
)
moments = st.integers(-400, 400).map(lambda days: NOW + timedelta(days=days))
pictures = st.sampled_from(["", "aa" * 32, "bb" * 32])
requests = st.builds(
    Request,
    action=st.sampled_from(Action),
    principal=st.builds(
        Principal,
        kind=st.sampled_from(PrincipalKind),
        grantees=st.frozensets(words),
        tier=st.sampled_from(["", "detect", "generate", "research", "steward", "emperor"]),
        scopes=st.frozensets(words),
    ),
    now=moments,
    sitter=st.sampled_from(Sitter),
    portrait=pictures,
    rights=st.none() | st.sampled_from(["own-likeness", "fictional", "public-domain", "because"]),
    purposes=purposes,
    directions=st.frozensets(words),
    locale=words,
    sitters_voice=st.booleans(),
    minor=st.none() | st.booleans(),
    public_figure=st.none() | st.booleans(),
    checks=st.dictionaries(st.sampled_from(CHECKS), st.sampled_from(CheckResult)),
    rung=st.none() | st.sampled_from(["internal", "red_team", "research", "credentialed", "public", "roof"]),
    grant=st.none()
    | st.builds(
        GrantFacts,
        verified=st.booleans(),
        grantee=words,
        portrait=pictures,
        purposes=purposes,
        directions=st.frozensets(words),
        locales=st.frozensets(words),
        voice=st.booleans(),
        not_before=moments,
        expires=moments,
        uses_left=st.integers(-1, 2),
    ),
    attestation=st.none()
    | st.builds(
        AttestationFacts,
        reviewed=st.booleans(),
        sitter=st.sampled_from(Sitter),
        portrait=pictures,
        expires=st.none() | moments,
    ),
)


@settings(max_examples=300, deadline=None)
@given(request=requests)
def test_no_film_of_a_living_person_but_by_a_grant_that_covers_it_or_ones_own_word(request: Request):
    decision = POLICY.decide(request)
    making = request.action in (Action.GENERATE, Action.ANIMATE)
    if not (decision.allowed and making and request.sitter is Sitter.LIVING_PERSON):
        return
    assert request.checks["standingRefusal"] is CheckResult.CLEAR
    assert not request.minor
    grant = request.grant
    if grant is None:
        assert request.action is Action.ANIMATE
        assert request.rights == "own-likeness"
        assert not request.public_figure
        return
    assert grant.verified
    assert grant.portrait == request.portrait
    assert grant.grantee in request.principal.grantees
    assert grant.not_before <= request.now < grant.expires
    assert grant.uses_left > 0
    assert request.purposes <= grant.purposes
    assert request.directions <= grant.directions
    assert request.locale in grant.locales or request.locale.split("-")[0] in grant.locales
    assert grant.voice or not request.sitters_voice


@settings(max_examples=300, deadline=None)
@given(request=requests)
def test_every_answer_carries_policies_and_a_sentence_and_a_finding_is_never_overlooked(request: Request):
    decision = POLICY.decide(request)
    assert decision.policies
    assert decision.sentence.endswith(".")
    if request.action in (Action.DETECT, Action.VERIFY):
        assert decision.allowed
    elif request.action is Action.DOWNLOAD:
        assert not decision.allowed or request.rung in ("red_team", "research", "credentialed", "public")
    elif decision.allowed:
        assert request.sitter is not Sitter.UNKNOWN
        assert request.purposes <= {"dpv:PublicBenefit", "dpv:AcademicResearch"}
        findings = {name for name, result in request.checks.items() if result is not CheckResult.CLEAR}
        assert findings <= {"knownFace", "publicFigure"}


@settings(max_examples=100, deadline=None)
@given(request=requests, forgotten=st.sampled_from(CHECKS))
def test_not_knowing_never_allows_more_than_knowing_that_all_is_well(request: Request, forgotten: str):
    well = replace(request, minor=False, public_figure=False, checks=dict.fromkeys(CHECKS, CheckResult.CLEAR))
    unknown = {name: result for name, result in well.checks.items() if name != forgotten}
    if POLICY.decide(replace(well, minor=None, public_figure=None, checks=unknown)).allowed:
        assert POLICY.decide(well).allowed


@pytest.mark.parametrize(
    "broken",
    [
        replace(LIVING, checks={"horoscope": CheckResult.CLEAR, "standingRefusal": CheckResult.CLEAR}),
        replace(LIVING, checks={"standingRefusal": "fine"}),
        replace(LIVING, minor="no"),
        replace(LIVING, sitter="somebody"),
        replace(LIVING, purposes=None),
        replace(LIVING, locale=7),
        replace(LIVING, rung=5),
        replace(LIVING, principal=replace(LIVING.principal, tier=None)),
        replace(LIVING, grant=replace(LIVING.grant, uses_left=1.5)),
        replace(LIVING, grant=replace(LIVING.grant, uses_left=2**70)),
        replace(LIVING, action=Action.ANIMATE),
        None,
    ],
)
def test_what_cannot_be_judged_is_refused(broken: Request, caplog: pytest.LogCaptureFixture):
    decision = POLICY.decide(broken)
    assert (decision.allowed, decision.policies, decision.sentence) == (False, (ENGINE_ERROR,), CANNOT_DECIDE)
    assert "museum" not in caplog.text


def test_an_engine_that_allows_despite_an_error_is_not_believed(monkeypatch: pytest.MonkeyPatch):
    answer = cedarpy.is_authorized

    def with_error(*arguments: object) -> cedarpy.AuthzResult:
        result = answer(*arguments)
        result._authz_resp["diagnostics"]["errors"] = ["one forbid could not be evaluated"]
        return cedarpy.AuthzResult(result._authz_resp)

    assert POLICY.decide(LIVING).allowed
    monkeypatch.setattr(cedarpy, "is_authorized", with_error)
    assert POLICY.decide(LIVING).policies == (ENGINE_ERROR,)


def test_where_no_policy_speaks_the_sentence_says_what_was_missing():
    decision = POLICY.decide(replace(LIVING, action=Action.DOWNLOAD, rung="research"))
    assert decision.policies == (DEFAULT_DENY,)
    assert "credential of a tier" in decision.sentence
    home = Request(
        Action.ANIMATE,
        Principal(PrincipalKind.LOCAL_USER),
        NOW,
        Sitter.LIVING_PERSON,
        checks={"standingRefusal": CheckResult.CLEAR},
    )
    assert POLICY.decide(home).sentence.startswith("Nobody has said by what right")


def test_the_gravest_reason_is_told_first():
    decision = POLICY.decide(replace(LIVING, purposes=frozenset({"dpv:PoliticalCampaign"}), grant=None))
    assert decision.policies == ("political-persuasion", "grant-missing")
    assert decision.sentence.startswith("Political persuasion")


def test_a_time_without_a_zone_is_no_time():
    with pytest.raises(PolicyError, match="time zone"):
        replace(LIVING, now=datetime(2026, 11, 22))


def test_a_question_can_be_asked_in_a_file(tmp_path: Path):
    file = tmp_path / "question.json"
    facts = {"action": "detect", "principal": {"kind": "visitor"}, "now": "2026-11-22T10:00:00Z"}
    file.write_text(json.dumps(facts))
    assert POLICY.decide(Request.open(file)).allowed
    for wrong, complaint in (
        ({**facts, "colour": "red"}, "colour"),
        ({**facts, "action": "fly"}, "action"),
        ({**facts, "now": "2026-11-22T10:00:00"}, "time zone"),
        ({"action": "detect"}, "principal"),
        ([1], "the question"),
    ):
        file.write_text(json.dumps(wrong))
        with pytest.raises(PolicyError, match=complaint):
            Request.open(file)
    file.write_text("{")
    with pytest.raises(PolicyError, match="not JSON"):
        Request.open(file)
    file.write_bytes(b" " * 100_000)
    with pytest.raises(PolicyError, match="too large"):
        Request.open(file)
    with pytest.raises(PolicyError, match="cannot be read"):
        Request.open(tmp_path / "none.json")


def test_one_policy_serves_many_threads():
    answers: list[bool] = []

    def ask() -> None:
        questions = (LIVING, replace(LIVING, grant=None)) * 50
        answers.extend(POLICY.decide(question).allowed for question in questions)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(answers), answers.count(True)) == (400, 200)
