"""Train the motion model on corpora and release its weights.

    python -m generator.training.motion --corpus grid --config generator/training/motion.yaml

Writes ``flow.safetensors`` and the statement ``flow.json`` (hash, data, configuration, metrics). An
interrupted run continues from its last checkpoint when started again with the same ``--run`` folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
import yaml
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from safetensors.numpy import save
from torch.utils.data import DataLoader

from generator.motion.model import WEIGHTS
from generator.speech.encoder import SpeechEncoder
from generator.training import motion_data
from generator.training.corpus import Corpus
from generator.training.motion_metrics import measure
from generator.training.motion_model import LipModel, Lips
from generator.training.statement import code_version

CONFIG = Path(__file__).with_name("motion.yaml")
CHECKPOINT_STEPS = 250


@dataclass(frozen=True)
class Config:
    """One training run; see ``motion.yaml``."""

    seed: int
    threads: int
    width: int
    dropout: float
    steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    ema: float


def main() -> None:
    """Train, measure and release."""
    options = _options()
    config = Config(**yaml.safe_load(options.config.read_text("utf-8")))
    started = time.monotonic()
    lightning.seed_everything(config.seed)
    torch.set_num_threads(config.threads)
    encoder = SpeechEncoder.load()
    corpora = [Corpus.open(folder) for folder in options.corpus]
    examples = motion_data.load(corpora, "train", encoder)
    model = build(config, examples)
    last = options.run / "motion" / "last.ckpt"
    trainer = lightning.Trainer(
        accelerator="auto", max_steps=config.steps, max_time=options.max_time,
        logger=CSVLogger(options.run, name="motion", version=""),
        callbacks=[
            ModelCheckpoint(
                dirpath=last.parent, save_last=True, save_top_k=0, every_n_train_steps=CHECKPOINT_STEPS
            )
        ],
        enable_progress_bar=options.progress, enable_model_summary=False, log_every_n_steps=50,
        gradient_clip_val=1.0, fast_dev_run=options.fast_dev_run,
    )  # fmt: skip
    windows = motion_data.Windows(examples, config.batch_size, config.steps, config.seed)
    trainer.fit(model, DataLoader(windows, batch_size=None), ckpt_path=last if last.exists() else None)
    tensors = export(model)
    metrics = measure(tensors, corpora, encoder)
    data = save(tensors)
    options.out.write_bytes(data)
    statement = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "trained_on": {
            f"{about.name} ({about.licence}; {about.source})": corpus.sha256
            for corpus in corpora
            for about in [corpus.description]
        },
        "command": "python -m generator.training.motion --corpus "
        + " ".join(corpus.description.name for corpus in corpora),
        "configuration": asdict(config),
        "steps_done": trainer.global_step,
        "code": code_version("training", "motion", "speech"),
        "versions": {"torch": torch.__version__, "lightning": lightning.__version__, "numpy": np.__version__},
        "seconds": round(time.monotonic() - started),
        "held_out": metrics,
    }
    options.out.with_suffix(".json").write_text(json.dumps(statement, indent=2) + "\n", "utf-8")
    print(json.dumps(metrics, indent=2))


def build(config: Config, examples: list[motion_data.Example]) -> LipModel:
    """An untrained model for ``examples``."""
    lips = Lips(motion_data.statistics(examples), config.width, config.dropout)
    return LipModel(
        lips,
        torch.from_numpy(motion_data.geometry()),
        config.learning_rate,
        config.weight_decay,
        config.ema,
        config.steps,
    )


def export(model: LipModel) -> dict[str, Any]:
    """The averaged weights, as released."""
    averaged = model.averaged.module.state_dict()
    return {f"lips.{name}": np.ascontiguousarray(value.cpu().numpy()) for name, value in averaged.items()}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m generator.training.motion", description=__doc__)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True, help="folders of corpora")
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--run", type=Path, default=Path("out/training"), help="logs and checkpoints")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="released weights")
    parser.add_argument("--max-time", help="stop after DD:HH:MM:SS")
    parser.add_argument("--fast-dev-run", action="store_true", help="one step, to see that everything works")
    parser.add_argument("--progress", action="store_true", help="show a progress bar")
    return parser.parse_args()


if __name__ == "__main__":
    main()
