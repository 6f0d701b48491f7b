"""Train the motion model and release its weights: lips on corpora, head and brows on a prior of movement.

    python -m generator.training.motion --corpus grid facegood --prior natural_motion

Writes ``flow.safetensors`` and the statement ``flow.json`` (hash, data, configuration, metrics). An
interrupted run continues from its last checkpoint when started again with the same ``--run`` folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
import yaml
from lightning.pytorch.callbacks import ModelCheckpoint
from safetensors.numpy import save
from torch.utils.data import DataLoader, IterableDataset

from generator.motion.model import WEIGHTS, MotionModel
from generator.speech.encoder import SpeechEncoder
from generator.training import flow_data, motion_data
from generator.training.corpus import Corpus
from generator.training.flow_model import FlowModel, Velocity
from generator.training.logs import loggers
from generator.training.motion_metrics import measure
from generator.training.motion_model import LipModel, Lips
from generator.training.ranks import rank
from generator.training.statement import code_version

CONFIG = Path(__file__).with_name("motion.yaml")
CHECKPOINT_STEPS = 250
PRIOR = (
    "natural_motion (head pose, brow scores, loudness and pitch measured on public demo clips, whose rights "
    "are unstated; no picture, voice or face shape)"
)


@dataclass(frozen=True)
class Stage:
    """How one of the two networks is trained."""

    width: int
    dropout: float
    steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    ema: float


@dataclass(frozen=True)
class Config:
    """One training run; see ``motion.yaml``."""

    seed: int
    threads: int
    lips: Stage
    flow: Stage
    trainer: dict[str, Any] = field(default_factory=dict)
    """Given to ``lightning.Trainer`` as it is: devices, nodes, strategy."""

    @classmethod
    def read(cls, path: Path) -> Config:
        stated = yaml.safe_load(path.read_text("utf-8"))
        return cls(**stated | {"lips": Stage(**stated["lips"]), "flow": Stage(**stated["flow"])})


def main() -> None:
    """Train, measure and release."""
    options = _options()
    config = Config.read(options.config)
    started = time.monotonic()
    lightning.seed_everything(config.seed)
    torch.set_num_threads(config.threads)
    encoder = SpeechEncoder.load(options.encoder)
    corpora = [Corpus.open(folder) for folder in options.corpus]
    tensors = train_lips(config, corpora, encoder, options) | train_flow(config, options)
    if rank():
        return
    metrics = measure(MotionModel.of(tensors), corpora, encoder)
    data = save(tensors)
    options.out.write_bytes(data)
    trained_on = {
        f"{about.name} ({about.licence}; {about.source})": corpus.sha256
        for corpus in corpora
        for about in [corpus.description]
    }
    prior = hashlib.sha256((options.prior / "tracks.npz").read_bytes()).hexdigest()
    statement = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "trained_on": {"lips": trained_on, "head and brows": {PRIOR: prior}},
        "command": "python -m generator.training.motion --prior natural_motion --corpus "
        + " ".join(corpus.description.name for corpus in corpora),
        "configuration": asdict(config),
        "code": code_version("training", "motion", "speech"),
        "versions": {"torch": torch.__version__, "lightning": lightning.__version__, "numpy": np.__version__},
        "seconds_since_last_start": round(time.monotonic() - started),
        "held_out": metrics,
    }
    options.out.with_suffix(".json").write_text(json.dumps(statement, indent=2) + "\n", "utf-8")
    print(json.dumps(metrics, indent=2))


def train_lips(
    config: Config, corpora: list[Corpus], encoder: SpeechEncoder, options: argparse.Namespace
) -> dict[str, Any]:
    """The averaged weights of a lip network trained on ``corpora``."""
    stage = config.lips
    examples = motion_data.load(corpora, "train", encoder)
    lips = Lips(motion_data.statistics(examples), stage.width, stage.dropout)
    geometry = torch.from_numpy(motion_data.geometry())
    model = LipModel(lips, geometry, stage.learning_rate, stage.weight_decay, stage.ema, stage.steps)
    windows = motion_data.Windows(examples, stage.batch_size, stage.steps, config.seed)
    _fit("lips", model, windows, stage, config, options)
    return _tensors("lips", model.averaged.module)


def train_flow(config: Config, options: argparse.Namespace) -> dict[str, Any]:
    """The averaged weights of a flow trained on the prior."""
    stage = config.flow
    passages = flow_data.load(options.prior)
    mean, scale = flow_data.statistics(passages)
    model = FlowModel(
        Velocity(stage.width, mean, scale), stage.learning_rate, stage.weight_decay, stage.ema, stage.steps
    )
    windows = flow_data.Windows(passages, mean, scale, stage.batch_size, stage.steps, config.seed)
    _fit("flow", model, windows, stage, config, options)
    return _tensors("flow", model.averaged.module)


def _fit(
    name: str,
    model: lightning.LightningModule,
    windows: IterableDataset[Any],
    stage: Stage,
    config: Config,
    options: argparse.Namespace,
) -> None:
    last = options.run / name / "last.ckpt"
    keep = ModelCheckpoint(
        dirpath=last.parent, save_last=True, save_top_k=0, every_n_train_steps=CHECKPOINT_STEPS
    )
    trainer = lightning.Trainer(
        max_steps=stage.steps, max_time=options.max_time,
        logger=loggers(options.run, name), callbacks=[keep],
        enable_progress_bar=options.progress, enable_model_summary=False, log_every_n_steps=50,
        gradient_clip_val=1.0, fast_dev_run=options.fast_dev_run,
        **config.trainer,
    )  # fmt: skip
    loader = DataLoader(windows, batch_size=None)
    trainer.fit(model, loader, ckpt_path=last if last.exists() else None)


def _tensors(prefix: str, module: torch.nn.Module) -> dict[str, Any]:
    state = module.state_dict()
    return {f"{prefix}.{name}": np.ascontiguousarray(value.cpu().numpy()) for name, value in state.items()}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m generator.training.motion", description=__doc__)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True, help="folders of corpora")
    parser.add_argument("--prior", type=Path, required=True, help="folder of numbers of natural movement")
    parser.add_argument(
        "--encoder", type=Path, help="weights of the speech encoder, if not the released ones"
    )
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--run", type=Path, default=Path("out/training"), help="logs and checkpoints")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="released weights")
    parser.add_argument("--max-time", help="stop after DD:HH:MM:SS")
    parser.add_argument("--fast-dev-run", action="store_true", help="one step, to see that everything works")
    parser.add_argument("--progress", action="store_true", help="show a progress bar")
    return parser.parse_args()


if __name__ == "__main__":
    main()
