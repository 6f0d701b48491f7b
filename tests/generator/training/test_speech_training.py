"""The speech encoder trains on any corpus with phones; what is released is what was trained."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lightning")

import torch

from generator.speech.encoder import DELAY, PHONES, SpeechEncoder
from generator.speech.mel import log_mel
from generator.speech.phones import Phone
from generator.training.corpus import Corpus, CorpusError, CorpusWriter, Description
from generator.training.speech import Config, release, train
from generator.training.speech_data import Source, augmented, clean
from generator.training.speech_model import SpeechModel

CONFIG = Config(
    seed=3, threads=1, width=16, versions=2, crop_seconds=0.6, batch_size=2, epochs=2, learning_rate=1e-3,
    ema_decay=0.9, minutes=5.0, trainer={"accelerator": "cpu", "devices": 1},
)  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("corpora") / "hums"
    writer = CorpusWriter(folder, Description("hums", "CC0", "a test", "testing"))
    time = np.arange(16000) / 16000
    for i, split in enumerate(("train", "train", "train", "validation", "test")):
        hum = 0.3 * np.sin(2 * np.pi * (110 + 20 * i) * time) * (time > 0.4)
        phones = [Phone("SIL", 0.0, 0.4), Phone("M", 0.4, 1.0)]
        writer.add(f"hum{i}", hum.astype(np.float32), speaker=f"s{i}", split=split, phones=phones)  # type: ignore[arg-type]
    return Corpus.open(folder)


def test_labels_stay_with_the_sound_when_it_is_augmented(corpus: Corpus) -> None:
    sources = [Source.of(clip) for clip in corpus.clips("train")]
    rng = np.random.default_rng(1)
    for _ in range(8):
        heard = augmented(sources[0], sources, rng)
        assert np.isfinite(heard.mel).all()
        assert len(heard.phones) == len(heard.voiced) == len(heard.octaves)
        share = (heard.phones == PHONES.index("M")).mean()
        assert share == pytest.approx(0.6, abs=0.03)
    plain = clean(sources[0])
    assert np.median(plain.octaves[plain.voiced > 0]) == pytest.approx(np.log2(110 / 150), abs=0.05)


def test_a_clip_played_faster_is_higher_and_shorter(corpus: Corpus) -> None:
    source = Source.of(corpus.clips("train")[0])
    faster = clean(source.played(1.25))
    assert len(faster.phones) == 40
    assert (faster.phones == PHONES.index("M")).mean() == pytest.approx(0.6, abs=0.03)
    assert np.median(faster.octaves[faster.voiced > 0]) == pytest.approx(np.log2(137.5 / 150), abs=0.05)


def test_the_released_encoder_computes_what_the_trained_network_computes() -> None:
    torch.manual_seed(0)
    model = SpeechModel(torch.full((80,), -6.0), torch.full((80,), 3.0), 16, 1e-3, total_steps=1)
    for block in model.blocks:
        torch.nn.init.normal_(block.mix.weight, std=0.2)
    model.eval()
    samples = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    mel, _ = log_mel(np.pad(samples, (200, 3200)))
    first = (-6.0 * np.ones((2, 80))).astype(np.float32)
    with torch.no_grad():
        out = model(torch.from_numpy(np.concatenate([first, mel]))[None])[0, DELAY:].numpy()
    features = SpeechEncoder(model.tensors()).features(samples)
    expected = torch.softmax(torch.from_numpy(out[: len(features), : len(PHONES)]), 1).numpy()
    np.testing.assert_allclose(features.phones, expected, atol=1e-4)


def test_a_fast_run_goes_through(corpus: Corpus, tmp_path: Path) -> None:
    encoder = train(CONFIG, [corpus], tmp_path, fast_dev_run=True)
    assert len(encoder.features(np.zeros(16000, np.float32))) == 50


def test_training_repeats_itself_and_resumes(corpus: Corpus, tmp_path: Path) -> None:
    once, again = (train(CONFIG, [corpus], tmp_path / name).tensors for name in ("once", "again"))
    assert all(np.array_equal(once[name], again[name]) for name in once)
    longer = train(replace(CONFIG, epochs=3), [corpus], tmp_path / "once").tensors
    assert any(not np.array_equal(once[name], longer[name]) for name in once)
    log = (tmp_path / "once" / "speech" / "metrics.csv").read_text()
    assert "validation_accuracy" in log


def test_the_statement_names_data_and_numbers(corpus: Corpus, tmp_path: Path) -> None:
    encoder = train(CONFIG, [corpus], tmp_path, fast_dev_run=True)
    out = tmp_path / "encoder.safetensors"
    release(encoder, out, CONFIG, [corpus], "a command", 1.0)
    statement = json.loads(out.with_suffix(".json").read_text())
    assert statement["trained_on"]["hums"]["sha256"] == corpus.sha256
    assert statement["trained_on"]["hums"]["speakers"] == ["s0", "s1", "s2"]
    assert 0 <= statement["metrics"]["test"]["hums"]["as recorded"]["phone_accuracy"] <= 1
    SpeechEncoder.load(out)


def test_a_corpus_without_phones_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "mute"
    writer = CorpusWriter(folder, Description("mute", "CC0", "a test", "testing"))
    writer.add("clip", np.full(16000, 0.1, np.float32), speaker="a", split="train")
    with pytest.raises(CorpusError, match="phones"):
        train(CONFIG, [Corpus.open(folder)], tmp_path / "run", fast_dev_run=True)


@pytest.mark.slow
def test_two_processes_train_together_and_one_releases(corpus: Corpus, tmp_path: Path) -> None:
    together = replace(CONFIG, trainer={"accelerator": "cpu", "devices": 2, "strategy": "ddp"})
    (tmp_path / "config.yaml").write_text(json.dumps(asdict(together)))
    command = [sys.executable, "-m", "generator.training.speech", "--corpus", str(corpus.folder),
               "--config", "config.yaml", "--out", "encoder.safetensors"]  # fmt: skip
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "Starting with 2 processes" in done.stderr
    statement = json.loads((tmp_path / "encoder.json").read_text())
    assert statement["configuration"]["trainer"]["devices"] == 2
    assert (
        len(SpeechEncoder.load(tmp_path / "encoder.safetensors").features(np.zeros(16000, np.float32))) == 50
    )
