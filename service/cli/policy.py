"""``vernissage policy``: what is allowed and what is not, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from service.cli import console

app = typer.Typer(help="What may be made, by whom and of whom; and why.", no_args_is_help=True)
REFUSED = 2
"""Exit status of a question that was answered with no, so that scripts need not read the words."""
FAILED = 1

Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@app.command()
def check(
    question: Annotated[Path, typer.Argument(metavar="FILE.json", help="The facts, as a JSON object.")],
    as_json: Json = False,
) -> None:
    """Decide a question. Exits 0 if it is allowed, 2 if it is refused."""
    from governance.policy import Policy, Request

    policy = Policy.load()
    decision = policy.decide(Request.open(question))
    if as_json:
        answer = {
            "allowed": decision.allowed,
            "policies": list(decision.policies),
            "sentence": decision.sentence,
            "policies_sha256": policy.sha256,
        }
        console.print_json(answer)
    else:
        console.out.print("Allowed." if decision.allowed else "Refused.", style=_style(decision.allowed))
        console.out.print(decision.sentence, markup=False)
        console.out.print(f"Decided by: {', '.join(decision.policies)}", markup=False)
    if not decision.allowed:
        raise typer.Exit(REFUSED)


@app.command("list")
def list_policies(as_json: Json = False) -> None:
    """Name every policy and what it says to the person concerned."""
    from governance.policy import Effect, Policy

    policy = Policy.load()
    if as_json:
        rules = [
            {"id": rule.id, "effect": rule.effect.value, "sentence": rule.sentence, "file": rule.file}
            for rule in policy.rules.all
        ]
        console.print_json({"policies_sha256": policy.sha256, "policies": rules})
        return
    file = ""
    for rule in policy.rules.all:
        if rule.file != file:
            file = rule.file
            console.out.print(Text(file, style="bold"))
        console.indented(
            Text.assemble((rule.id, _style(rule.effect is Effect.PERMIT)), f" {rule.effect.value}s"), 2
        )
        console.indented(rule.sentence, 4)
    console.out.print("What no policy permits is refused; what one forbids, no other permits.")


@app.command()
def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="A policy's name, as `policy list` gives it.")],
    as_json: Json = False,
) -> None:
    """Show one policy: its words, its basis, how it is written, and its examples."""
    from governance.policy import Policy, cases

    policy = Policy.load()
    rule = policy.rule(id)
    examples = [case for case in cases.read() if case.policy == id]
    if as_json:
        shown = {
            "id": rule.id,
            "effect": rule.effect.value,
            "sentence": rule.sentence,
            "otherwise": rule.otherwise,
            "basis": rule.basis,
            "file": rule.file,
            "text": rule.text,
            "examples": [
                {"says": case.says, "situation": case.situation, "allowed": case.allowed} for case in examples
            ],
        }
        console.print_json(shown)
        return
    console.out.print(rule.text.strip(), markup=False)
    console.out.print(f"Written in {rule.file}. For example:", markup=False)
    for case in examples:
        word = Text("allowed " if case.allowed else "refused ", style=_style(case.allowed))
        console.indented(Text.assemble(word, f"({case.situation}) {case.says}"), 2)


@app.command("test")
def run_examples(as_json: Json = False) -> None:
    """Try every policy on its examples. Exits 1 if one comes out otherwise than it says."""
    from governance.policy import Policy, cases

    policy, examples = Policy.load(), cases.read()
    outcomes = [cases.run(policy, case) for case in examples]
    wrong = [outcome for outcome in outcomes if not outcome.holds]
    untested = cases.untested(policy, examples)
    if as_json:
        report = {
            "policies": len(policy.rules.all),
            "examples": len(outcomes),
            "untested": list(untested),
            "wrong": [
                {
                    "policy": outcome.case.policy,
                    "says": outcome.case.says,
                    "should_be_allowed": outcome.case.allowed,
                    "policies": list(outcome.decision.policies),
                }
                for outcome in wrong
            ],
        }
        console.print_json(report)
    else:
        for outcome in wrong:
            because = ", ".join(outcome.decision.policies)
            console.complain(f"{outcome.case.policy}: {outcome.case.says}: decided by {because}")
        for id in untested:
            console.complain(f"{id} has no example of something allowed, or none of something refused")
        console.out.print(
            f"{len(policy.rules.all)} policies, {len(outcomes)} examples: "
            + ("all come out as they say." if not wrong and not untested else f"{len(wrong)} wrong.")
        )
    if wrong or untested:
        raise typer.Exit(FAILED)


def _style(good: bool) -> str:
    return "green" if good else "red"
