"""The threat model names no test that does not exist, no control that is not there, and forgets no threat."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "security.md"
THREATS = (
    "replay",
    "key theft",
    "forged or stolen consent",
    "deepfaked ceremony",
    "revoked grant in flight",
    "insider steward",
    "tampered ledger or split view",
    "stripped manifest",
    "poisoned upload",
    "leaked weights",
)


def rows() -> list[list[str]]:
    """The cells of every threat: threat, controls, tests."""
    lines = (line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| "))
    return [cells for line in lines if (cells := line.strip("| ").split(" | "))[0] not in ("threat", "---")]


def named_tests(cell: str) -> Iterator[tuple[str, str]]:
    """(file, test or class::test or nothing) of each test; ``::test`` is in the file named before."""
    file = ""
    for name in re.findall(r"`((?:tests/|::)[^`]+)`", cell):
        before, _, test = name.partition("::")
        file = before or file
        yield file, test


def defined_in(path: Path) -> set[str]:
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
    return found


def test_every_test_that_is_named_exists():
    named = [each for row in rows() for each in named_tests(row[2])]
    known = {file: defined_in(ROOT / file) for file, _ in named}
    assert len(named) > 50
    assert [f"{file}::{test}" for file, test in named if test and test not in known[file]] == []


def test_every_control_that_is_named_exists():
    files = re.findall(r"`((?:governance|service|generator|detector)/[\w./]+)`", DOCUMENT.read_text("utf-8"))
    assert len(files) > 20
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_every_threat_has_a_control_and_a_test():
    told = [row for row in rows() if row[0].startswith("**")]
    assert len(told) == len(THREATS)
    for threat in THREATS:
        [row] = [row for row in told if row[0].lower().startswith(f"**{threat}**")]
        assert "`" in row[1]
        assert list(named_tests(row[2]))


def test_every_row_is_whole():
    assert [row[0] for row in rows() if len(row) != 3] == []
