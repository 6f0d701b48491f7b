"""What a house has to recognise films with, and what it lacks."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from detector import Answer, Layer, Outcome, inspect
from generator.video import VideoWriter
from governance.consent.checks import PASSED
from governance.markkeys import FILE
from governance.provenance import Authority, Reading, read
from service import detection
from service.marking import PICTURE_BINDING

Vernissage = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def house(keys: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The house of ``keys`` and of what it delivered."""
    monkeypatch.setenv("VERNISSAGE_KEYS", str(keys))
    monkeypatch.setenv("VERNISSAGE_HOME", str(keys.parent / "hub"))
    return keys


def test_a_film_of_this_house_is_known_by_every_layer_that_names_jobs(house: Path, film: Path):
    verdict = inspect(film, detection.tools(), manifest=detection.manifest(film))
    found = {one.layer: one for one in verdict.evidence}
    named = {claim.job for one in verdict.evidence for claim in one.claims}
    assert verdict.ours.answer is Answer.YES
    assert len(named) == 1
    for layer in (Layer.MANIFEST, Layer.PICTURE_MARK, Layer.SOUND_MARK, Layer.FINGERPRINT):
        assert found[layer].outcome is Outcome.FOUND, found[layer].sentence
    declared = read_of(house, film).declaration
    assert declared is not None
    assert {b.value.hex() for b in declared.bindings if b.algorithm == PICTURE_BINDING} == named


def read_of(keys: Path, film: Path) -> Reading:
    return read(film, Authority.open(keys).trust())


def test_a_film_of_ours_is_no_film_of_a_ceremony(house: Path, film: Path):
    finding = detection.check_filmed(film)
    assert not finding.passed
    assert finding.reason == "synthetic"


def test_what_cannot_be_told_is_refused(house: Path, tmp_path: Path):
    with VideoWriter(tmp_path / "wall.mp4", (192, 192)) as writer:
        for level in range(75):
            writer.write(np.full((192, 192, 3), 100 + level % 3, np.uint8))
    finding = detection.check_filmed(tmp_path / "wall.mp4")
    assert finding != PASSED
    assert finding.reason == "synthetic_unclear"


def test_what_is_missing_is_said(vernissage: Vernissage, film: Path, tmp_path: Path):
    bare = {
        name: str(tmp_path / name) for name in ("VERNISSAGE_HOME", "VERNISSAGE_KEYS", "VERNISSAGE_ASSETS")
    }
    done = vernissage("detect", film, env=bare)
    assert "note Hidden marks cannot be looked for: There is no" in done.stderr
    assert "vernissage keys init" in done.stderr
    assert "note Faces cannot be judged" in done.stderr
    assert "vernissage assets fetch" in done.stderr
    assert "INCONCLUSIVE" in done.stdout


def test_keys_that_others_may_read_are_not_used(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copytree(house, tmp_path / "keys")
    (tmp_path / "keys" / FILE).chmod(0o644)
    monkeypatch.setenv("VERNISSAGE_KEYS", str(tmp_path / "keys"))
    tools = detection.tools()
    assert tools.picture_marks == ()
    assert any("chmod 600" in sentence for sentence in tools.missing)
