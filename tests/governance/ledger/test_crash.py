"""Killed at any point (SIGKILL), a ledger has all that it acknowledged, and nothing half done."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from governance.errors import LedgerDamaged
from governance.events import Event
from governance.keys import SigningKey
from governance.ledger import Ledger, verify

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
Open = Callable[[Path | str], Ledger]
STRIDES = [pytest.param(11, id="sample"), pytest.param(1, id="every", marks=pytest.mark.slow)]


@pytest.fixture
def key_file(tmp_path: Path, key: SigningKey) -> Path:
    key.save(tmp_path / "key.pem")
    return tmp_path / "key.pem"


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)


def numbers(ledger: Ledger) -> list[int]:
    size = ledger.checkpoint().size
    return [json.loads(entry)["facts"]["number"] for entry in ledger.entries(0, size)]


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize("mode", ["killed", "torn"])
def test_no_point_of_death_loses_what_was_acknowledged(
    tmp_path: Path,
    key_file: Path,
    open_ledger: Open,
    happenings: Callable[[int, int], list[Event]],
    stride: int,
    mode: str,
) -> None:
    root = tmp_path / "deaths"
    root.mkdir()
    assert start("dying.py", root, key_file, stride, mode).wait() == 0
    deaths = sorted(root.iterdir(), key=lambda folder: int(folder.name))
    assert len(deaths) > 150 // stride
    for folder in deaths:
        lines = (
            (folder / "acknowledged").read_text().splitlines() if (folder / "acknowledged").exists() else []
        )
        acknowledged = {int(n): place for line in lines for n, place in json.loads(line).items()}
        place = folder / "ledger"
        if (place / "checkpoint").exists():
            verify(str(place), open_ledger(tmp_path / "any").verifier)
        ledger = open_ledger(place)
        found = numbers(ledger)
        assert {number: found[index] for number, index in acknowledged.items()} == {
            n: n for n in acknowledged
        }
        assert len(found) in {0, 5, 30, 34, 280, 281, 300}, "a batch is there in part"
        assert [entry.index for entry in ledger.append(happenings(0, 300))] != []
        assert sorted(numbers(ledger)) == list(range(300))
        assert verify(str(place), ledger.verifier).unsigned == ()
        assert not list((place / ".incoming").iterdir())
        assert not list((place / "journal").iterdir())


def test_a_writer_killed_at_random_loses_nothing_acknowledged(
    folder: Path, key_file: Path, open_ledger: Open
) -> None:
    chance = random.Random(4)
    acknowledged: dict[int, int] = {}
    following = 0
    for _ in range(6):
        writer = start("appending.py", folder, key_file, following)
        assert writer.stdout
        for _ in range(chance.randrange(1, 60)):
            following, places = json.loads(writer.stdout.readline())
            acknowledged |= {following + offset: index for offset, index in enumerate(places)}
        writer.send_signal(signal.SIGKILL)
        for line in writer.stdout.read().splitlines():
            following, places = json.loads(line)
            acknowledged |= {following + offset: index for offset, index in enumerate(places)}
        writer.wait()
        following = max(acknowledged) + 1
        found = numbers(open_ledger(folder))
        assert {number: found[index] for number, index in acknowledged.items()} == {
            n: n for n in acknowledged
        }
        assert len(set(found)) == len(found)
    verify(str(folder), open_ledger(folder).verifier)


def test_a_writer_waits_for_one_that_is_alive_and_not_for_one_that_was_killed(
    folder: Path, key_file: Path, open_ledger: Open, happenings: Callable[[int, int], list[Event]]
) -> None:
    writer = start("appending.py", folder, key_file, 1000)
    assert writer.stdout
    writer.stdout.readline()
    ledger = open_ledger(folder)
    entries = ledger.append(happenings(0, 5))
    writer.kill()
    writer.wait()
    assert ledger.append(happenings(0, 5)) == entries
    assert set(range(5)) <= set(numbers(ledger))


def test_a_deleted_acknowledged_batch_is_missed(
    folder: Path, ledger: Ledger, open_ledger: Open, happenings: Callable[[int, int], list[Event]]
) -> None:
    ledger.append(happenings(0, 5))
    ledger.append(happenings(5, 9))
    next((folder / "journal").glob("*0")).unlink()
    with pytest.raises(LedgerDamaged, match="Entry 0"):
        open_ledger(folder)
