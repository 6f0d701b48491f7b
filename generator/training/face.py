"""Train the face decoder on ICT FaceKit and release its weights.

    python -m generator.training.face --ict ict_facekit.npz --task face_landmarker.task

Writes ``decoder.safetensors`` and the statement ``decoder.json`` (hash, data, configuration, metrics). An
interrupted run continues from its last epoch when started again with the same ``--run`` folder.
"""

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
from numpy.typing import NDArray
from safetensors.numpy import save
from torch.utils.data import DataLoader, TensorDataset

from generator.face.canonical import canonical_mesh
from generator.face.decoder import WEIGHTS, FaceDecoder
from generator.face.shape import describe
from generator.face.topology import VERTEX_COUNT
from generator.training import face_metrics
from generator.training.correspondence import FaceKit, correspond
from generator.training.expressions import sample_weights
from generator.training.face_data import Identities, Targets
from generator.training.face_model import FaceModel
from generator.training.logs import loggers
from generator.training.statement import code_version

Array = NDArray[np.float64]

CONFIG = Path(__file__).with_name("face.yaml")
_CLAMP_PERCENTILES = (0.5, 99.5)


@dataclass(frozen=True)
class Config:
    """One training run; see ``face.yaml``."""

    seed: int
    threads: int
    identities: int
    combinations: int
    held_out_identities: int
    held_out_combinations: int
    rank: int
    shape_hidden: int
    combine_hidden: int
    epochs: int
    batch_size: int
    learning_rate: float


@dataclass(frozen=True)
class Faces:
    """N identities: neutral ``shapes`` (N, 468, 3); M combinations each: ``weights`` (N, M, 51), ``moved``
    (N, M, 1404)."""

    shapes: Array
    weights: NDArray[np.float32]
    moved: NDArray[np.float32]


def sample(targets: Targets, identities: Identities, count: int, combinations: int, seed: int) -> Faces:
    """Draw ``count`` identities, as scanned and restyled in turn, and their targets."""
    rng = np.random.default_rng(seed)
    shapes = np.stack([(identities.scanned, identities.stylised)[i % 2](rng) for i in range(count)])
    weights = np.stack([sample_weights(rng, combinations) for _ in range(count)])
    moved = np.stack([
        targets(shape, w).reshape(combinations, -1).astype(np.float32)
        for shape, w in zip(shapes, weights, strict=True)
    ])  # fmt: skip
    return Faces(shapes, weights.astype(np.float32), moved)


def main() -> None:
    """Train, measure and release."""
    options = _options()
    config = Config(**yaml.safe_load(options.config.read_text("utf-8")))
    started = time.monotonic()
    lightning.seed_everything(config.seed)
    torch.set_num_threads(config.threads)

    canonical, triangles = canonical_mesh(options.task)
    kit = FaceKit.load(options.ict)
    correspondence = correspond(kit, canonical)
    targets = Targets.build(kit, correspondence, canonical, triangles)
    identities = Identities.build(kit, correspondence, canonical)
    train = sample(targets, identities, config.identities, config.combinations, config.seed)
    held_out = sample(
        targets, identities, config.held_out_identities, config.held_out_combinations, config.seed + 1
    )

    constants = _constants(train.shapes)
    decoder = FaceDecoder(constants)
    model = _model(config, targets, train)
    checkpoints = ModelCheckpoint(dirpath=options.run, save_last=True, save_on_train_epoch_end=True)
    trainer = lightning.Trainer(
        accelerator="cpu", max_epochs=config.epochs, logger=loggers(options.run, "face"),
        callbacks=[checkpoints], enable_progress_bar=options.progress, enable_model_summary=False,
        log_every_n_steps=50, gradient_clip_val=1.0, check_val_every_n_epoch=5,
    )  # fmt: skip
    last = options.run / "last.ckpt"
    trainer.fit(
        model,
        _loader(train, decoder, config.batch_size, shuffle=True),
        _loader(held_out, decoder, config.batch_size, shuffle=False),
        ckpt_path=last if last.exists() else None,
    )

    learned = {name: value.detach().numpy() for name, value in model.state_dict().items()}
    tensors = constants | {name: np.ascontiguousarray(value) for name, value in learned.items()}
    metrics = face_metrics.measure(
        FaceDecoder(tensors), targets, held_out.shapes, held_out.weights, held_out.moved
    )
    data = save(tensors)
    options.out.write_bytes(data)
    statement = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "trained_on": {
            "ICT FaceKit (MIT, USC Institute for Creative Technologies)": _hash(options.ict),
            "MediaPipe canonical face mesh (Apache-2.0), for the frame and vertex order": _hash(options.task),
        },
        "command": "python -m generator.training.face --ict ict_facekit.npz --task face_landmarker.task",
        "configuration": asdict(config),
        "code": code_version("training", "face/*.py"),
        "versions": {"torch": torch.__version__, "lightning": lightning.__version__, "numpy": np.__version__},
        "seconds": round(time.monotonic() - started),
        "held_out": metrics,
    }
    options.out.with_suffix(".json").write_text(json.dumps(statement, indent=2) + "\n", "utf-8")
    print(json.dumps(metrics, indent=2))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m generator.training.face", description=__doc__)
    parser.add_argument("--ict", type=Path, required=True, help="ICT FaceKit archive (.npz)")
    parser.add_argument("--task", type=Path, required=True, help="Face Landmarker bundle (.task)")
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--run", type=Path, default=Path("out/training"), help="logs and checkpoints")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="released weights")
    parser.add_argument("--progress", action="store_true", help="show a progress bar")
    return parser.parse_args()


def _constants(shapes: Array) -> dict[str, NDArray[np.float32]]:
    described = np.stack([describe(shape) for shape in shapes])
    low, high = np.percentile(described, _CLAMP_PERCENTILES, axis=0)
    constants = {
        "mean_shape": shapes.mean(0),
        "measure_mean": described.mean(0),
        "measure_scale": described.std(0),
        "measure_low": low,
        "measure_high": high,
    }
    return {name: value.astype(np.float32) for name, value in constants.items()}


def _model(config: Config, targets: Targets, train: Faces) -> FaceModel:
    """A model whose basis spans the data and whose linear part is the kit's."""
    moved = train.moved.reshape(-1, 3 * VERTEX_COUNT)
    covariance = (moved.T @ moved).astype(np.float64)
    _, vectors = np.linalg.eigh(covariance)
    spread = np.sqrt(np.mean(moved.astype(np.float64) ** 2))
    basis = vectors[:, : -config.rank - 1 : -1].T * spread * np.sqrt(3 * VERTEX_COUNT)
    response = targets.basis.reshape(len(targets.basis), -1) @ np.linalg.pinv(basis)
    return FaceModel(
        basis=torch.tensor(basis, dtype=torch.float32),
        response=torch.tensor(response, dtype=torch.float32),
        importance=torch.tensor(face_metrics.importance(), dtype=torch.float32),
        shape_hidden=config.shape_hidden,
        combine_hidden=config.combine_hidden,
        learning_rate=config.learning_rate,
        total_steps=config.epochs * -(-len(moved) // config.batch_size),
    )


def _loader(faces: Faces, decoder: FaceDecoder, batch_size: int, *, shuffle: bool) -> Any:
    combinations = faces.weights.shape[1]
    shapes = np.stack([decoder.standardise(shape) for shape in faces.shapes])
    dataset = TensorDataset(
        torch.from_numpy(faces.weights).flatten(0, 1),
        torch.from_numpy(shapes).repeat_interleave(combinations, 0),
        torch.from_numpy(faces.moved).flatten(0, 1),
    )
    return DataLoader(dataset, batch_size, shuffle=shuffle)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
