"""``vernissage policy``: asking the policies, and reading them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from governance.errors import PolicyError
from governance.policy import Policy
from service.cli.policy import app

QUESTION = {
    "action": "animate",
    "principal": {"kind": "local-user"},
    "now": "2026-11-22T10:00:00Z",
    "sitter": "living-person",
    "rights": "own-likeness",
    "checks": {"standingRefusal": "clear"},
}


def policy(*arguments: object, columns: int = 80) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": str(columns)})


@pytest.fixture
def question(tmp_path: Path) -> Path:
    file = tmp_path / "question.json"
    file.write_text(json.dumps(QUESTION))
    return file


def test_an_allowed_question_exits_0_and_says_why(question: Path):
    done = policy("check", question)
    assert done.exit_code == 0
    assert done.stdout.startswith("Allowed.\nThe right to animate this face was declared")
    assert "Decided by: declared-right" in done.stdout


def test_a_refused_question_exits_2_and_says_why(question: Path):
    question.write_text(json.dumps(QUESTION | {"checks": {"standingRefusal": "found"}}))
    done = policy("check", question)
    assert done.exit_code == 2
    assert done.stdout.startswith("Refused.\nThe person in this picture has asked never to be animated")
    answer = json.loads(policy("check", question, "--json").stdout)
    assert (answer["allowed"], answer["policies"]) == (False, ["standing-refusal"])
    assert answer["policies_sha256"] == Policy.load().sha256


def test_a_question_that_makes_no_sense_is_one_clear_error(question: Path):
    question.write_text(json.dumps(QUESTION | {"colour": "red"}))
    done = policy("check", question)
    assert isinstance(done.exception, PolicyError)
    assert "colour" in str(done.exception)


@pytest.mark.parametrize("columns", [40, 80])
def test_every_policy_is_listed_on_any_terminal(columns: int):
    done = policy("list", columns=columns)
    assert done.exit_code == 0
    for rule in Policy.load().rules.all:
        assert rule.id in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()[:-1]) <= columns
    listed = json.loads(policy("list", "--json").stdout)
    assert [rule["id"] for rule in listed["policies"]] == [rule.id for rule in Policy.load().rules.all]


def test_one_policy_is_shown_with_its_basis_and_examples():
    done = policy("show", "grant-purpose")
    assert done.exit_code == 0
    for part in ("forbid (", "GDPR, Article 5(1)(b)", "3_consent.cedar", "One purpose of two"):
        assert part in done.stdout
    shown = json.loads(policy("show", "grant-purpose", "--json").stdout)
    assert {example["allowed"] for example in shown["examples"]} == {True, False}
    assert "policy list" in str(policy("show", "nothing").exception)


def test_the_examples_can_be_tried_anywhere():
    done = policy("test")
    assert done.exit_code == 0
    assert "all come out as they say" in done.stdout
    report = json.loads(policy("test", "--json").stdout)
    assert (report["wrong"], report["untested"]) == ([], [])
