"""Train the speech encoder on corpora with phones and release its weights.

    python -m generator.training.speech --corpus grid flite kokoro [--config speech.yaml]

Writes ``encoder.safetensors`` and the statement ``encoder.json`` (hash, data, configuration, metrics). Learns
from the corpora's ``train`` clips, chooses nothing by their ``test`` clips, and reports both ``validation``
and ``test``. An interrupted run continues from its last epoch when started again with the same ``--run``
folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
import yaml
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint
from safetensors.numpy import save
from torch.utils.data import DataLoader

from generator.speech.encoder import DELAY, LOOK_AHEAD_SECONDS, RATE, WEIGHTS, SpeechEncoder
from generator.training.corpus import Clip, Corpus, CorpusError
from generator.training.logs import loggers
from generator.training.ranks import rank
from generator.training.speech_data import Crops, Heard, Source, augmented, clean
from generator.training.speech_metrics import survey
from generator.training.speech_model import SpeechModel
from generator.training.statement import code_version

CONFIG = Path(__file__).with_name("speech.yaml")


@dataclass(frozen=True)
class Config:
    """One training run; see ``speech.yaml``."""

    seed: int
    threads: int
    width: int
    versions: int
    crop_seconds: float
    batch_size: int
    epochs: int
    learning_rate: float
    ema_decay: float
    minutes: float
    trainer: dict[str, Any] = field(default_factory=dict)


def train(
    config: Config,
    corpora: Sequence[Corpus],
    run: Path,
    *,
    fast_dev_run: bool = False,
    progress: bool = False,
) -> SpeechEncoder:
    """Train on the corpora's ``train`` clips; continue from ``run`` if it holds a checkpoint. Raises
    ``CorpusError`` if no clip has phones."""
    lightning.seed_everything(config.seed)
    torch.set_num_threads(config.threads)
    learnt = _heard(_spoken(corpora, "train"), config.versions, config.seed)
    held_out = _heard(_spoken(corpora, "validation"), 1, config.seed)
    frames = round(config.crop_seconds * RATE)
    batches = -(-len(learnt) // config.batch_size)
    mel = np.concatenate([heard.mel for heard in learnt])
    model = SpeechModel(
        torch.from_numpy(mel.mean(0)), torch.from_numpy(mel.std(0)), config.width, config.learning_rate,
        total_steps=config.epochs * batches,
    )  # fmt: skip
    last = run / "speech" / "last.ckpt"
    trainer = lightning.Trainer(
        max_epochs=config.epochs, max_time=timedelta(minutes=config.minutes), gradient_clip_val=1.0,
        logger=loggers(run, "speech"),
        callbacks=[
            EMAWeightAveraging(decay=config.ema_decay),
            ModelCheckpoint(dirpath=last.parent, save_last=True),
        ],
        enable_progress_bar=progress, enable_model_summary=False, log_every_n_steps=20,
        fast_dev_run=fast_dev_run, **config.trainer,
    )  # fmt: skip
    trainer.fit(
        model,
        DataLoader(Crops(learnt, frames, random=True), config.batch_size, shuffle=True),
        DataLoader(Crops(held_out, frames + DELAY, random=False), config.batch_size),
        ckpt_path=last if last.exists() else None,
    )
    return SpeechEncoder(model.tensors())


def release(
    encoder: SpeechEncoder, out: Path, config: Config, corpora: Sequence[Corpus], command: str, seconds: float
) -> dict[str, Any]:
    """Write the weights to ``out`` and their statement beside them; returns the statement's metrics."""
    data = save(encoder.tensors)
    out.write_bytes(data)
    metrics = {
        split: {
            corpus.description.name: survey(encoder, clips) for corpus, clips in _by_corpus(corpora, split)
        }
        for split in ("validation", "test")
    }
    statement = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "trained_on": {
            corpus.description.name: {
                "sha256": corpus.sha256,
                "licence": corpus.description.licence,
                "source": corpus.description.source,
                "speakers": sorted({clip.speaker for clip in corpus.clips("train")}),
                "hours": round(
                    sum(clip.phones[-1].end for clip in corpus.clips("train") if clip.phones) / 3600, 3
                ),
            }
            for corpus in corpora
        },
        "command": command,
        "configuration": asdict(config),
        "look_ahead_seconds": LOOK_AHEAD_SECONDS,
        "code": code_version("training", "speech"),
        "versions": {"torch": torch.__version__, "lightning": lightning.__version__, "numpy": np.__version__},
        "seconds": round(seconds),
        "metrics": metrics,
    }
    out.with_suffix(".json").write_text(json.dumps(statement, indent=2) + "\n", "utf-8")
    return metrics


def main() -> None:
    """Train, measure and release."""
    options = _options()
    config = Config(**yaml.safe_load(options.config.read_text("utf-8")))
    corpora = [Corpus.open(folder) for folder in options.corpus]
    started = time.monotonic()
    encoder = train(
        config, corpora, options.run, fast_dev_run=options.fast_dev_run, progress=options.progress
    )
    if rank():
        return
    names = " ".join(corpus.description.name for corpus in corpora)
    command = f"python -m generator.training.speech --corpus {names}"
    metrics = release(encoder, options.out, config, corpora, command, time.monotonic() - started)
    print(json.dumps(metrics, indent=2))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m generator.training.speech", description=__doc__)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True, help="folders of corpora")
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--run", type=Path, default=Path("out/training"), help="logs and checkpoints")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="released weights")
    parser.add_argument("--fast-dev-run", action="store_true", help="one step, to see that everything works")
    parser.add_argument("--progress", action="store_true", help="show a progress bar")
    return parser.parse_args()


def _by_corpus(corpora: Sequence[Corpus], split: Any) -> list[tuple[Corpus, list[Clip]]]:
    pairs = [(corpus, [clip for clip in corpus.clips(split) if clip.phones]) for corpus in corpora]
    return [(corpus, clips) for corpus, clips in pairs if clips]


def _spoken(corpora: Sequence[Corpus], split: Any) -> list[Clip]:
    clips = [clip for _, theirs in _by_corpus(corpora, split) for clip in theirs]
    if not clips:
        raise CorpusError(f"No corpus has {split} clips with phones; give one that was aligned.")
    return clips


def _heard(clips: Sequence[Clip], versions: int, seed: int) -> list[Heard]:
    rng = np.random.default_rng(seed)
    sources = [Source.of(clip) for clip in clips]
    heard = [clean(source) for source in sources]
    for _ in range(versions - 1):
        heard += [augmented(source, sources, rng) for source in sources]
    return heard


if __name__ == "__main__":
    main()
