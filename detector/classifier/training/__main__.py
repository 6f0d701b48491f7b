"""Train the classifier and release its weights.

    python -m detector.classifier.training WINDOWS

Starts from EfficientNet-Lite0 as it was trained on ImageNet (fetched by ``vernissage assets fetch``). Writes
``weights.safetensors`` (float16) and its statement ``weights.json``; ``…training.calibrate`` then adds what
its scores mean. An interrupted run continues from its last checkpoint in ``--run``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import lightning
import torch
import yaml
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from safetensors.torch import save
from torch.utils.data import DataLoader

import assets
from detector.classifier.classifier import STATEMENT, WEIGHTS, load_network
from detector.classifier.model import CLASSES, Network
from detector.classifier.training.data import Batches
from detector.classifier.training.module import ClassifierModule, start_from
from detector.classifier.training.windows import HELD_OUT, read_index

CONFIG = Path(__file__).with_name("config.yaml")
PRETRAINED = "efficientnet-lite0-57934424.pth"
CHECKPOINT_STEPS = 100
TRAINED_ON = {
    "ours": "films of ours (benchmarks.films): both drivers; our sitters (CC0-1.0), paintings in the public "
    "domain and pictures of people who never lived (Apache-2.0), the test portraits left out",
    "real": "GRID, Cooke et al. 2006 (CC BY 4.0), and demonstration clips of LivePortrait, TalkVid, SkyReels "
    "and others, whose rights are unstated: looked at, not contained, not distributed",
    "other": "demonstration clips of AniTalker (Apache-2.0), and our portraits bent at random",
    "start": "EfficientNet-Lite0 trained on ImageNet (Apache-2.0)",
}


@dataclass(frozen=True)
class Config:
    """One training run; see ``config.yaml``."""

    seed: int
    threads: int
    steps: int
    batch_size: int
    moments: int
    learning_rate: float
    weight_decay: float
    dropout: float
    ema: float
    moment_share: float
    share: dict[str, float]
    trainer: dict[str, Any] = field(default_factory=dict)
    """Given to ``lightning.Trainer`` as it is: devices, nodes, strategy."""

    @classmethod
    def read(cls, path: Path) -> Config:
        return cls(**yaml.safe_load(path.read_text("utf-8")))


def main() -> None:
    """Train and release."""
    options = _options()
    config = Config.read(options.config)
    if options.steps:
        config = Config(**asdict(config) | {"steps": options.steps})
    started = time.monotonic()
    lightning.seed_everything(config.seed)
    torch.set_num_threads(config.threads)
    network = Network(config.dropout)
    if options.start:
        earlier = load_network(options.start, options.start.with_name(STATEMENT.name))
        network.load_state_dict(earlier.state_dict())
    else:
        start_from(network, torch.load(assets.path(PRETRAINED), weights_only=True))
    module = ClassifierModule(
        network, config.learning_rate, config.weight_decay, config.ema, config.steps, config.moment_share
    )
    _fit(module, config, options)
    if not module.trainer.is_global_zero:
        return
    state = module.averaged.module.state_dict()
    data = save({name: _stored(value) for name, value in state.items() if value.dim()})
    options.out.write_bytes(data)
    seen = [window for window in read_index(options.windows) if window.split == "train"]
    statement = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "trained_on": TRAINED_ON,
        "held_out": HELD_OUT,
        "windows": dict(Counter(f"{window.kind}/{CLASSES[window.label]}" for window in seen)),
        "films": len({window.film for window in seen}),
        "groups": sorted({window.group for window in seen}),
        "command": "python -m detector.classifier.training WINDOWS"
        + (f" --start {options.start.name}" if options.start else "")
        + (f" --without {options.without}" if options.without else ""),
        "started_from": _statement(options.start) if options.start else PRETRAINED,
        "configuration": asdict(config),
        "code": _code_version(),
        "versions": {"torch": torch.__version__, "lightning": lightning.__version__},
        "seconds_since_last_start": round(time.monotonic() - started),
    }
    options.out.with_name(STATEMENT.name).write_text(json.dumps(statement, indent=2) + "\n", "utf-8")


def _fit(module: ClassifierModule, config: Config, options: argparse.Namespace) -> None:
    batches = Batches(
        options.windows, config.share, config.batch_size, config.moments, config.steps, config.seed,
        options.without, options.hold_out,
    )  # fmt: skip
    last = options.run / "last.ckpt"
    keep = ModelCheckpoint(
        dirpath=options.run, save_last=True, save_top_k=0, every_n_train_steps=CHECKPOINT_STEPS
    )
    trainer = lightning.Trainer(
        max_steps=config.steps, max_time=options.max_time,
        logger=CSVLogger(options.run, name="log", version=""), callbacks=[keep],
        enable_progress_bar=options.progress, enable_model_summary=False,
        log_every_n_steps=25, gradient_clip_val=1.0, **config.trainer,
    )  # fmt: skip
    loader = DataLoader(batches, batch_size=None)
    trainer.fit(module, loader, ckpt_path=last if last.exists() else None)


def _stored(value: torch.Tensor) -> torch.Tensor:
    return value.half().contiguous() if value.is_floating_point() else value.contiguous()


def _statement(weights: Path) -> dict[str, Any]:
    """What an earlier run says of itself, in short."""
    stated = json.loads(weights.with_name(STATEMENT.name).read_text("utf-8"))
    return {name: stated[name] for name in ("sha256", "started_from", "configuration", "windows")}


def _code_version() -> str:
    command = ["git", "log", "-1", "--format=%H", "--", "classifier"]
    folder = Path(__file__).parents[2]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout.strip()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m detector.classifier.training", description=__doc__)
    parser.add_argument("windows", type=Path, help="folder of evidence")
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--steps", type=int, help="instead of those of the configuration")
    parser.add_argument("--start", type=Path, help="weights of an earlier run to go on from")
    parser.add_argument("--run", type=Path, default=Path("out/training/classifier"), help="log, checkpoints")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="the weights")
    parser.add_argument("--without", help="a driver to leave out, to see whether its films are recognised")
    parser.add_argument("--hold-out", nargs="*", default=[], help="further groups to leave out")
    parser.add_argument("--max-time", help="stop after DD:HH:MM:SS")
    parser.add_argument("--progress", action="store_true", help="show a progress bar")
    return parser.parse_args()


if __name__ == "__main__":
    main()
