"""The policies as written: complete, sourced, and each shown by examples to allow and to refuse."""

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from governance.consent.vocabulary import PURPOSES
from governance.errors import PolicyError
from governance.policy import Effect, Policy, Request
from governance.policy.cases import Case, read, run, untested
from governance.policy.engine import DEFAULT_DENY
from governance.policy.rules import FOLDER, SCHEMA

CASES = read()
BACKED_BY_DEFAULT = {"sitter-unknown", "grant-missing", "grant-unverified"}
"""Without these the answer is still no, only less clear: no policy permits what they forbid."""


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy.load()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.policy}: {case.says}")
def test_each_example_comes_out_as_it_says(policy: Policy, case: Case):
    outcome = run(policy, case)
    assert outcome.holds, outcome.decision


def test_no_policy_is_without_an_allowed_and_a_refused_example(policy: Policy):
    assert untested(policy, CASES) == ()


def test_a_policy_without_examples_is_noticed(policy: Policy):
    kept = tuple(case for case in CASES if case.policy != "minor" or case.allowed)
    assert untested(policy, kept) == ("minor",)


def test_every_situation_that_cases_start_from_is_allowed_as_it_stands(policy: Policy):
    table = tomllib.loads((FOLDER / "cases.toml").read_text())
    for name, facts in table["situation"].items():
        assert policy.decide(Request.read(facts)).allowed, name


@pytest.mark.parametrize("id", [rule.id for rule in Policy.load().rules.all])
def test_each_policy_matters_an_example_comes_out_otherwise_without_it(policy: Policy, id: str):
    effect = policy.rule(id).effect
    lacking = Policy(policy.rules.without(id))
    flipped = {
        lacking.decide(case.request).allowed is not case.allowed
        for case in CASES
        if case.policy == id and case.allowed is (effect is Effect.PERMIT)
    }
    if id in BACKED_BY_DEFAULT:
        (case, *_) = (case for case in CASES if case.policy == id and not case.allowed)
        assert lacking.decide(case.request).policies == (DEFAULT_DENY,)
    else:
        assert flipped == {True}


def test_every_prohibition_of_the_house_is_there_and_forbids(policy: Policy):
    for id in (
        "public-figure",
        "political-persuasion",
        "sexual-content",
        "impersonation",
        "minor",
        "authentication-deception",
        "standing-refusal",
    ):
        assert policy.rule(id).effect is Effect.FORBID


def test_a_person_is_told_in_one_plain_sentence_and_a_lawyer_why(policy: Policy):
    for rule in policy.rules.all:
        for sentence in filter(None, (rule.sentence, rule.otherwise)):
            assert re.fullmatch(r"[A-Z][^.!?]*\.", sentence), sentence
            assert len(sentence) <= 160
            assert not re.search(r"[_{}]|\bcontext\b|\bprincipal\b|\bnull\b", sentence), sentence
        assert rule.basis


def test_policies_and_grants_speak_of_the_same_purposes(policy: Policy):
    known = set(re.findall(r'"(\w+:\w+)"', policy.rule("purpose-unknown").text))
    prohibited = {id for id in known if id.startswith("vernissage:")} | {"dpv:PoliticalCampaign"}
    assert known - prohibited == set(PURPOSES)


def test_a_permit_with_conditions_says_what_was_missing(policy: Policy):
    for rule in policy.rules.all:
        if rule.effect is Effect.PERMIT and "when" in rule.text and rule.id != "weights-public":
            assert rule.otherwise, rule.id


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: text.replace("context.minor", "context.minro"), "does not fit schema.cedarschema"),
        (lambda text: text.replace('Action::"make a film"', 'Action::"make film"'), "does not fit"),
        (lambda text: text.replace('@id("minor")', ""), "has no @id"),
        (lambda text: text.replace('@id("minor")\n', '@id("minor") '), "must begin with a line"),
        (lambda text: text.replace('@id("minor")', '@id("impersonation")'), "Two policies are called"),
        (lambda text: text.replace('@id("minor")', '@id("grant-voice")'), "Two policies are called"),
        (lambda text: re.sub(r'@sentence\("Nobody[^"]*"\)', "", text), "needs a @sentence"),
        (lambda text: re.sub(r'@basis\("House[^"]*"\)', "", text), "needs a @basis"),
        (lambda text: text.replace("forbid (", "forbid ", 1), "is not Cedar"),
        (lambda text: text.replace("(principal, action", "(principal == ?principal, action", 1), "template"),
    ],
)
def test_policies_that_are_not_what_they_should_be_do_not_load(tmp_path: Path, change, complaint: str):
    folder = tmp_path / "policy"
    shutil.copytree(FOLDER, folder)
    file = folder / "1_prohibited.cedar"
    before = file.read_text()
    file.write_text(change(before))
    assert file.read_text() != before
    with pytest.raises(PolicyError, match=complaint):
        Policy.load(folder)


def test_without_policies_or_schema_nothing_loads(tmp_path: Path):
    with pytest.raises(PolicyError):
        Policy.load(tmp_path)
    shutil.copy(FOLDER / SCHEMA, tmp_path)
    with pytest.raises(PolicyError, match="no policies"):
        Policy.load(tmp_path)


def test_the_hash_names_the_law_of_the_day(tmp_path: Path, policy: Policy):
    folder = tmp_path / "policy"
    shutil.copytree(FOLDER, folder)
    assert Policy.load(folder).sha256 == policy.sha256
    with (folder / "6_weights.cedar").open("a") as file:
        file.write("// an afterthought\n")
    assert Policy.load(folder).sha256 != policy.sha256
