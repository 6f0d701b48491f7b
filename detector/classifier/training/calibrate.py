"""What the scores mean: ``python -m detector.classifier.training.calibrate WINDOWS``.

From the split ``tune`` (people and portraits that training did not see, treated as its films were) come the
probabilities and the thresholds, ``calibration.json``; from the split ``train`` what is familiar, which is
written into ``weights.safetensors``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load, save
from scipy.stats import beta

from detector.classifier.calibration import Calibration, OperatingPoint, Sigmoid
from detector.classifier.classifier import CALIBRATION, STATEMENT, WEIGHTS, Classifier, Scores, load_network
from detector.classifier.model import CLASSES
from detector.classifier.training.windows import OTHER, OURS, REAL, Window, read_index

Floats = NDArray[np.float64]

RATES = {"fpr_1": 0.01, "fpr_0.1": 0.001}
_FAMILIAR_WINDOWS = 240
_SHRINK = 0.1
_UNKNOWN = Calibration(Sigmoid(1.0, 0.0), Sigmoid(1.0, 0.0), 0.0, 1.0, {})


@dataclass(frozen=True)
class Scored:
    """A window and what the network says about it."""

    window: Window
    scores: Scores


def main() -> None:
    """Calibrate the weights in ``--weights``."""
    options = _options()
    torch.set_num_threads(1)
    statement = options.weights.with_name(STATEMENT.name)
    windows = read_index(options.windows)
    learn_familiar(options.weights, statement, options.windows, windows)
    classifier = Classifier(load_network(options.weights, statement), _UNKNOWN)
    tune = [window for window in windows if window.split == "tune"]
    scored = [Scored(window, score(classifier, options.windows / window.file)) for window in tune]
    calibration = calibrate(scored)
    calibration.save(
        options.weights.with_name(CALIBRATION.name),
        measured_on=dict(Counter(f"{each.window.kind}/{CLASSES[each.window.label]}" for each in scored)),
        weights=json.loads(statement.read_text("utf-8"))["sha256"],
    )
    print(calibration)


def score(classifier: Classifier, file: Path) -> Scores:
    """All of a window's moments together."""
    return classifier.judge(classifier.features(np.load(file)))[1]


def calibrate(scored: list[Scored]) -> Calibration:
    """Every film, and every portrait or person, counts alike within its class."""
    weights = _weights(scored)
    labels = np.array([each.window.label for each in scored])
    ours = np.array([each.scores.ours for each in scored])
    synthetic = np.array([each.scores.synthetic for each in scored])
    to_ours = Sigmoid.fit(ours, labels == OURS, weights)
    to_synthetic = Sigmoid.fit(synthetic, labels != REAL, weights)
    distances = np.array([each.scores.distance for each in scored])
    usual, odd = (float(value) for value in np.quantile(distances, (0.5, 0.99)))
    return Calibration(
        ours=to_ours,
        synthetic=to_synthetic,
        usual=usual,
        odd=odd,
        operating_points=_points(scored, to_ours, to_synthetic),
    )


def _points(scored: list[Scored], to_ours: Sigmoid, to_synthetic: Sigmoid) -> dict[str, OperatingPoint]:
    ours = {id(each): to_ours(each.scores.ours) for each in scored}
    synthetic = {id(each): to_synthetic(each.scores.synthetic) for each in scored}
    others = [each for each in scored if each.window.label in (REAL, OTHER)]
    real = [each for each in scored if each.window.label == REAL]
    return {
        **{name: _point(others, ours, rate) for name, rate in RATES.items()},
        **{f"synthetic_{name}": _point(real, synthetic, rate) for name, rate in RATES.items()},
    }


def _point(negative: list[Scored], chances: dict[int, float], rate: float) -> OperatingPoint:
    """The lowest threshold that so few treated films of others pass; real clips that pass are counted."""
    found = np.array([chances[id(each)] for each in negative])
    threshold = float(np.quantile(found, 1 - rate, method="higher")) + 1e-6
    passed: dict[str, bool] = defaultdict(bool)
    for each in negative:
        if each.window.label == REAL and each.window.kind == "film":
            passed[each.window.film] |= chances[id(each)] >= threshold
    hits, clips = sum(passed.values()), len(passed)
    upper = float(beta.ppf(0.95, hits + 1, clips - hits)) if hits < clips else 1.0
    return OperatingPoint(round(threshold, 6), round(hits / clips, 4), round(upper, 4), clips)


def _weights(scored: list[Scored]) -> Floats:
    """(N,): within a class each group weighs the same; the sum of a class is its number of films."""
    groups = Counter((each.window.label, each.window.group) for each in scored)
    films = defaultdict(set)
    members = defaultdict(set)
    for each in scored:
        films[each.window.label].add(each.window.film)
        members[each.window.label].add(each.window.group)
    return np.array(
        [
            len(films[each.window.label])
            / len(members[each.window.label])
            / groups[each.window.label, each.window.group]
            for each in scored
        ]
    )


def learn_familiar(weights: Path, statement: Path, folder: Path, windows: list[Window]) -> None:
    """Put the classes' means and common covariance in the network's last features into its weights."""
    network = load_network(weights, statement)
    classifier = Classifier(network, _UNKNOWN)
    rng = np.random.default_rng(0)
    train = [window for window in windows if window.split == "train"]
    chosen = [train[int(index)] for index in rng.permutation(len(train))[:_FAMILIAR_WINDOWS]]
    mixed: dict[int, list[torch.Tensor]] = defaultdict(list)
    for window in chosen:
        features = torch.from_numpy(classifier.features(np.load(folder / window.file)))
        with torch.inference_mode():
            mixed[window.label].append(network.judge(features[None])[2][0])
    together = {label: torch.cat(found) for label, found in mixed.items()}
    means = torch.stack([together[label].mean(0) for label in range(len(CLASSES))])
    spread = torch.cat([found - means[label] for label, found in together.items()])
    covariance = spread.T @ spread / len(spread)
    scale = covariance.diagonal().mean()
    covariance = (1 - _SHRINK) * covariance + _SHRINK * scale * torch.eye(len(covariance))
    tensors = load(weights.read_bytes())
    # float16 holds no number above 65504: the precision is kept in float32
    tensors["means"], tensors["precision"] = means.float(), torch.linalg.inv(covariance).float()
    data = save({name: tensor.contiguous() for name, tensor in tensors.items()})
    weights.write_bytes(data)
    stated = json.loads(statement.read_text("utf-8"))
    stated["sha256"] = hashlib.sha256(data).hexdigest()
    statement.write_text(json.dumps(stated, indent=2) + "\n", "utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m detector.classifier.training.calibrate", description=__doc__
    )
    parser.add_argument("windows", type=Path, help="folder of evidence")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
