"""The motion model is trained from a corpus and a prior, continues where it stopped, and says what it is."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

pytest.importorskip("lightning")

from generator.motion.model import MotionModel
from generator.motion.motion import FPS, Motion
from generator.sitters import clips
from generator.speech.audio import Speech
from generator.training import flow_data, motion, motion_data
from generator.training.corpus import CorpusError, CorpusWriter, Description

SECONDS = 4


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    sound = Speech.open(clips()[0].path).samples[: 16000 * SECONDS]
    writer = CorpusWriter(tmp_path / "corpus", Description("small", "CC0-1.0", "a test", "tests"))
    for number, split in enumerate(("train", "train", "test")):
        values = np.zeros((round(SECONDS * FPS), 59), np.float32)
        values[:, 24] = 0.2 * rng.random(len(values))
        writer.add(
            f"clip{number}", sound, speaker=f"speaker{number}", split=split, motion=Motion(values)
        )  # fmt: skip
    return tmp_path / "corpus"


@pytest.fixture
def prior(tmp_path: Path) -> Path:
    folder, frames = tmp_path / "prior", 300
    folder.mkdir()
    rng = np.random.default_rng(1)
    names = ["browInnerUp", "browOuterUpLeft", "browOuterUpRight", "browDownLeft", "browDownRight"]
    np.savez(
        folder / "tracks.npz",
        pose=rng.normal(size=(frames, 6)).cumsum(0),
        blendshapes=rng.integers(0, 255, (frames, len(names))).astype(np.uint8),
        blendshape_names=np.array(names),
        prosody=np.column_stack([rng.uniform(-50, -10, frames), rng.uniform(80, 200, frames)]),
    )
    listed = [{"clip": "a", "start": 0, "frames": frames, "has_speech": True}]
    (folder / "clips.json").write_text(json.dumps(listed))
    return folder


def _train(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, corpus: Path, prior: Path, steps: int
) -> dict[str, object]:
    config = yaml.safe_load(motion.CONFIG.read_text("utf-8"))
    for stage in ("lips", "flow"):
        config[stage] |= {"width": 8, "steps": steps, "batch_size": 2}
    (tmp_path / "motion.yaml").write_text(yaml.safe_dump(config))
    options = {
        "corpus": corpus, "prior": prior, "config": tmp_path / "motion.yaml", "run": tmp_path / "run",
        "out": tmp_path / "model.safetensors",
    }  # fmt: skip
    arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    monkeypatch.setattr(sys, "argv", ["motion", *arguments])
    motion.main()
    statement: dict[str, object] = json.loads((tmp_path / "model.json").read_text())
    return statement


def test_a_model_is_trained_stated_and_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, corpus: Path, prior: Path
) -> None:
    statement = _train(monkeypatch, tmp_path, corpus, prior, steps=2)
    assert MotionModel.load(tmp_path / "model.safetensors").flow.mean.shape == (9,)
    assert set(statement) >= {"sha256", "trained_on", "command", "configuration", "code", "held_out"}
    assert statement["held_out"]["clips"] == 1  # type: ignore[index]
    assert "small (CC0-1.0; a test)" in statement["trained_on"]["lips"]  # type: ignore[index]


def test_a_run_that_is_done_is_not_done_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, corpus: Path, prior: Path
) -> None:
    monkeypatch.setattr(motion, "CHECKPOINT_STEPS", 1)
    first = _train(monkeypatch, tmp_path, corpus, prior, steps=2)
    assert _train(monkeypatch, tmp_path, corpus, prior, steps=2)["sha256"] == first["sha256"]


def test_nothing_is_trained_on_pictures_that_do_not_fit_their_sound(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, corpus: Path, prior: Path
) -> None:
    monkeypatch.setattr(motion_data, "in_sync", lambda *_: False)
    with pytest.raises(CorpusError, match="no clip to train on"):
        _train(monkeypatch, tmp_path, corpus, prior, steps=2)


def test_the_prior_is_held_to_natural_limits(prior: Path) -> None:
    passages = flow_data.load(prior)
    assert len(passages) == 1
    assert (passages[0].motion[:, :6].std(0) <= np.add(flow_data.HEAD_SPREAD_LIMITS, 1e-3)).all()
    assert (passages[0].motion[:, 6:] >= 0).all()
