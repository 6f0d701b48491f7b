"""Templates in the database: encrypted, found again, rotated under fire, and gone when forgotten."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from governance.biometrics import FaceTemplate, Keyring, TemplateStore, VoiceTemplate, opens, rotate
from governance.biometrics.tables import StoredTemplate
from governance.biometrics.templates import SALT_BYTES
from governance.errors import GovernanceError, TemplateDamaged
from governance.storage import Database

NOW = datetime(2027, 1, 1, tzinfo=UTC)
RNG = np.random.default_rng(5)
ROOT = Path(__file__).parents[3]


def faces(count: int) -> list[FaceTemplate]:
    return [FaceTemplate.of(vector) for vector in RNG.normal(size=(count, 128))]


def kept(database: Database, keys: Path) -> dict[str, bytes]:
    with database.transaction() as session:
        return {name: each.data for name, each, _ in TemplateStore(keys).every(session, FaceTemplate)}


def test_what_is_kept_is_found_again_with_what_is_beside_it(database: Database, keys: Path):
    store, (face,) = TemplateStore(keys), faces(1)
    with database.transaction() as session:
        name = store.keep(session, face, NOW, beside=b"print")
        store.keep(session, VoiceTemplate.of(RNG.normal(size=256)), NOW)
    with database.transaction() as session:
        assert list(store.every(session, FaceTemplate)) == [(name, face, b"print")]


def test_the_person_can_be_shown_what_the_commitment_was_made_of(database: Database, keys: Path):
    store, (face,) = TemplateStore(keys), faces(1)
    with database.transaction() as session:
        name = store.keep(session, face, NOW)
        opening = store.opening(session, name)
    assert opening is not None
    assert opens(name, FaceTemplate(opening[SALT_BYTES:]), opening[:SALT_BYTES])


def test_a_transaction_that_fails_keeps_nothing(database: Database, keys: Path):
    def keep_and_fail() -> None:
        with database.transaction() as session:
            TemplateStore(keys).keep(session, faces(1)[0], NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        keep_and_fail()
    assert kept(database, keys) == {}


def test_what_is_forgotten_is_gone(database: Database, keys: Path):
    store, (face, other) = TemplateStore(keys), faces(2)
    with database.transaction() as session:
        name, stays = store.keep(session, face, NOW), store.keep(session, other, NOW)
    with database.transaction() as session:
        store.forget(session, name)
        store.forget(session, name)
        assert store.opening(session, name) is None
    assert kept(database, keys) == {stays: other.data}


def test_a_row_moved_under_another_commitment_does_not_open(database: Database, keys: Path):
    store, (face, other) = TemplateStore(keys), faces(2)
    with database.transaction() as session:
        first, second = store.keep(session, face, NOW), store.keep(session, other, NOW)
    with database.transaction() as session:
        moved = session.get_one(StoredTemplate, first).sealed
        session.get_one(StoredTemplate, second).sealed = moved
    with pytest.raises(TemplateDamaged):
        kept(database, keys)


def test_rotation_keeps_every_template_and_destroys_the_old_key(database: Database, keys: Path):
    store, several = TemplateStore(keys), faces(5)
    with database.transaction() as session:
        names = [store.keep(session, each, NOW) for each in several]
        before = {row.commitment: row.sealed for row in session.scalars(select(StoredTemplate))}
    old = Keyring.load(keys)
    assert rotate(database, keys) == 5
    new = Keyring.load(keys)
    assert old.current not in new
    assert kept(database, keys) == {name: each.data for name, each in zip(names, several, strict=True)}
    for name, sealed in before.items():
        with pytest.raises(TemplateDamaged):
            new.open(sealed, f"face {name}".encode(), new.current)


def test_after_forgetting_and_rotating_no_backup_can_be_read(tmp_path: Path, keys: Path):
    file = tmp_path / "hub.sqlite"
    database = Database.open(f"sqlite:///{file}")
    with database.transaction() as session:
        name = TemplateStore(keys).keep(session, faces(1)[0], NOW)
    database.close()
    backup = Path(shutil.copy(file, tmp_path / "backup.sqlite"))
    database = Database.open(f"sqlite:///{file}")
    with database.transaction() as session:
        TemplateStore(keys).forget(session, name)
    rotate(database, keys)
    database.close()
    old = Database.open(f"sqlite:///{backup}")
    with pytest.raises(TemplateDamaged):
        kept(old, keys)
    old.close()


def test_neither_template_nor_ciphertext_stays_in_the_file(tmp_path: Path, keys: Path):
    file, (face,) = tmp_path / "hub.sqlite", faces(1)
    database = Database.open(f"sqlite:///{file}")
    with database.transaction() as session:
        name = TemplateStore(keys).keep(session, face, NOW)
        sealed = session.get_one(StoredTemplate, name).sealed
    database.close()
    assert face.data not in file.read_bytes()
    assert sealed in file.read_bytes()
    database = Database.open(f"sqlite:///{file}")
    with database.transaction() as session:
        TemplateStore(keys).forget(session, name)
    database.close()
    assert sealed not in file.read_bytes()


def test_templates_kept_and_looked_for_while_keys_rotate_are_never_lost(database: Database, keys: Path):
    store, several = TemplateStore(keys), faces(24)
    names: dict[str, bytes] = {}
    faults: list[BaseException] = []

    def keep(mine: list[FaceTemplate]) -> None:
        try:
            for each in mine:
                with database.transaction() as session:
                    name = store.keep(session, each, NOW)
                names[name] = each.data
                kept(database, keys)
        except BaseException as error:
            faults.append(error)

    def turn() -> None:
        try:
            for _ in range(6):
                rotate(database, keys)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=keep, args=(several[part::2],)) for part in range(2)]
    threads += [threading.Thread(target=turn) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert kept(database, keys) == names


ROTATING = """
import sys
from pathlib import Path
from governance.biometrics import rotate
from governance.storage import Database
database = Database.open(sys.argv[1])
print("ready", flush=True)
while True:
    rotate(database, Path(sys.argv[2]))
"""


def test_killed_while_rotating_it_loses_nothing(database_url: str, database: Database, keys: Path):
    several = faces(20)
    with database.transaction() as session:
        names = {TemplateStore(keys).keep(session, each, NOW): each.data for each in several}
    for pause in (0.0, 0.013, 0.03):
        command = [sys.executable, "-c", ROTATING, database_url, str(keys)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(pause)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert kept(database, keys) == names
    rotate(database, keys)
    assert kept(database, keys) == names
    assert len(json.loads(keys.read_text())["keys"]) == 1


def test_without_its_keys_a_database_tells_nothing(database: Database, keys: Path):
    with database.transaction() as session:
        TemplateStore(keys).keep(session, faces(1)[0], NOW)
    keys.unlink()
    with pytest.raises(GovernanceError):
        kept(database, keys)
