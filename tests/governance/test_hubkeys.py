"""A hub's keys are made once, kept from others, and rotated without forgetting whom they signed for."""

import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from governance import hubkeys
from governance.errors import KeysDamaged, KeysError, KeysExist, KeysMissing, KeysUnsafe
from governance.hubkeys import HubKeys
from governance.keys import SigningKey
from governance.provenance import Authority

KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from governance.hubkeys import HubKeys
from governance.provenance import Authority

FILES = ("open", "os.rename", "os.link", "os.mkdir", "os.remove")
directory, act, left = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def count(event, arguments):
    global left
    if event in FILES and str(arguments[0]).startswith(str(directory)):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

if act == "init":
    sys.addaudithook(count)
    HubKeys.init(directory)
if act == "rotate":
    keys = HubKeys.open(directory)
    sys.addaudithook(count)
    keys.rotate(stolen=True)
if act == "renew":
    authority = Authority.open(directory)
    sys.addaudithook(count)
    authority.renew(stolen_since=datetime.now(UTC))
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_open_gives_what_was_made(directory: Path) -> None:
    made, opened = HubKeys.init(directory), HubKeys.open(directory)
    assert opened.key.keyid == made.key.keyid
    assert opened.believed == (made.key.public,)
    assert opened.ledger.keyid == made.ledger.keyid != made.key.keyid
    assert opened.origin == made.origin == f"vernissage.local/{made.ledger.keyid[:16]}"


def test_secrets_are_for_their_owner_alone_even_under_a_lax_umask(directory: Path) -> None:
    umask = os.umask(0)
    try:
        HubKeys.init(directory)
    finally:
        os.umask(umask)
    for name in ("hub-key.pem", "ledger-key.pem"):
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((directory / "hub-keys").stat().st_mode) == 0o700


def test_keys_are_never_overwritten(directory: Path) -> None:
    made = HubKeys.init(directory)
    with pytest.raises(KeysExist):
        HubKeys.init(directory)
    assert HubKeys.open(directory).key.keyid == made.key.keyid


def test_an_interrupted_init_is_carried_to_its_end(directory: Path) -> None:
    made = HubKeys.init(directory, "example.org/log")
    (directory / "hub-key.pem").unlink()
    again = HubKeys.init(directory)
    assert (again.ledger.keyid, again.origin) == (made.ledger.keyid, "example.org/log")


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "http://example.org", "line\n", "x" * 201])
def test_a_ledger_needs_a_name_that_fits_a_signed_note(directory: Path, origin: str) -> None:
    with pytest.raises(KeysError, match="cannot name a ledger"):
        HubKeys.init(directory, origin)
    assert not directory.exists()


def test_a_rotated_key_signs_and_the_former_one_is_still_believed(directory: Path) -> None:
    first = HubKeys.init(directory)
    second = first.rotate()
    third = second.rotate()
    assert third.believed[0] == third.key.public
    assert set(third.believed) == {first.key.public, second.key.public, third.key.public}
    assert third.ledger.keyid == first.ledger.keyid


def test_nothing_a_stolen_key_signed_is_believed(directory: Path) -> None:
    stolen = HubKeys.init(directory).rotate()
    assert stolen.rotate(stolen=True).believed == (HubKeys.open(directory).key.public,)
    assert set(HubKeys.open(directory).disowned) == set(stolen.believed)


def test_what_was_never_made_is_asked_for(directory: Path) -> None:
    with pytest.raises(KeysMissing, match="vernissage keys init"):
        HubKeys.open(directory)
    directory.mkdir(mode=0o700)
    with pytest.raises(KeysMissing, match="vernissage keys init"):
        HubKeys.open(directory)


@pytest.mark.parametrize("name", ["hub-key.pem", "ledger-key.pem", "ledger-origin", "hub-keys"])
def test_keys_that_others_can_replace_are_refused(directory: Path, name: str) -> None:
    HubKeys.init(directory)
    (directory / name).chmod(0o777)
    with pytest.raises(KeysUnsafe, match="chmod"):
        HubKeys.open(directory)


def test_a_public_key_slipped_in_under_another_name_is_refused(directory: Path) -> None:
    made = HubKeys.init(directory)
    slipped = directory / "hub-keys" / f"{'A' * 43}.pub"
    slipped.write_text(SigningKey.generate().public.text)
    slipped.chmod(0o644)
    with pytest.raises(KeysDamaged, match="another key than its name says"):
        HubKeys.open(directory)
    slipped.write_text("not a key")
    with pytest.raises(KeysDamaged, match="does not hold a public key"):
        HubKeys.open(directory)
    slipped.unlink()
    (directory / "hub-keys" / f"{made.key.keyid}.pub").unlink()
    with pytest.raises(KeysDamaged, match="public half"):
        HubKeys.open(directory)


def test_a_ledger_without_a_name_is_refused(directory: Path) -> None:
    HubKeys.init(directory)
    (directory / "ledger-origin").write_text("two words")
    with pytest.raises(KeysDamaged, match="ledger's name"):
        HubKeys.open(directory)


def killed(directory: Path, act: str, step: int) -> int:
    """The exit status of a process that does ``act`` and dies before its file operation number ``step``."""
    run = [sys.executable, "-c", KILLED, str(directory), act, str(step)]
    return subprocess.run(run, timeout=60, check=False).returncode


@pytest.mark.parametrize("step", [1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 18, 20])
def test_killed_while_keys_are_made_the_next_init_makes_them(directory: Path, step: int) -> None:
    assert killed(directory, "init", step) == -9
    if not hubkeys.exists(directory):
        HubKeys.init(directory)
    HubKeys.open(directory)


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6, 7, 8, 9])
def test_killed_while_rotating_there_is_one_key_and_it_is_believed(directory: Path, step: int) -> None:
    first = HubKeys.init(directory)
    assert killed(directory, "rotate", step) == -9
    opened = HubKeys.open(directory)
    assert opened.key.public in opened.believed
    assert opened.rotate(stolen=True).believed == (HubKeys.open(directory).key.public,)
    assert first.key.public not in HubKeys.open(directory).believed


@pytest.mark.parametrize("step", [1, 3, 5, 7, 9, 11, 13])
def test_killed_while_renewing_a_stolen_signer_no_seal_is_trusted_that_should_not_be(
    directory: Path, step: int
) -> None:
    stolen = Authority.init(directory).certificate
    assert killed(directory, "renew", step) == -9
    opened = Authority.open(directory)
    disowned = {entry.certificate for entry in opened.trust().distrusted}
    assert opened.certificate == stolen or stolen in disowned
    assert opened.renew(stolen_since=datetime.now(UTC)).certificate not in disowned
