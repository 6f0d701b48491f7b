"""What every command prints alike."""

import io
import json

import pytest
from rich.console import Console

from service.cli import console


@pytest.mark.parametrize("columns", [12, 40, 80])
def test_a_paragraph_is_set_in_and_broken_between_words(monkeypatch: pytest.MonkeyPatch, columns: int):
    shown = io.StringIO()
    narrow = Console(file=shown, width=columns, soft_wrap=True, highlight=False)
    monkeypatch.setattr(console, "out", narrow)
    said = "served on internal: Known to this house. It serves nobody, and [red] is not a colour."
    console.indented(said, 2)
    lines = shown.getvalue().splitlines()
    assert all(line.startswith("  ") and line == line.rstrip() and len(line) <= columns for line in lines)
    assert " ".join(line.strip() for line in lines) == said


def test_json_survives_a_terminal_that_knows_only_ascii(capsys: pytest.CaptureFixture[str]):
    console.print_json({"name": "Zoë"})
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert json.loads(printed) == {"name": "Zoë"}
