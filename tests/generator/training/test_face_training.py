"""The released decoder on identities and combinations it never saw, and training that can be interrupted.

Needs ICT FaceKit: set ``VERNISSAGE_ICT`` to its archive, and fetch the landmark model.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

import assets
from generator.face.canonical import canonical_mesh
from generator.face.decoder import WEIGHTS, FaceDecoder

pytest.importorskip("lightning")

from generator.training import face, face_metrics
from generator.training.correspondence import FaceKit, correspond
from generator.training.face_data import Identities, Targets
from generator.training.face_model import FaceModel

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def ict() -> Path:
    if "VERNISSAGE_ICT" not in os.environ:
        pytest.skip("set VERNISSAGE_ICT to the ICT FaceKit archive")
    return Path(os.environ["VERNISSAGE_ICT"])


@pytest.fixture(scope="module")
def task() -> Path:
    try:
        return assets.path("face_landmarker.task")
    except assets.AssetMissing:
        pytest.skip("run `vernissage assets fetch`")


def test_held_out_faces_are_decoded_within_three_tenths_of_a_millimetre(ict: Path, task: Path) -> None:
    canonical, triangles = canonical_mesh(task)
    kit = FaceKit.load(ict)
    correspondence = correspond(kit, canonical)
    targets = Targets.build(kit, correspondence, canonical, triangles)
    identities = Identities.build(kit, correspondence, canonical)
    seen = json.loads(WEIGHTS.with_suffix(".json").read_text("utf-8"))["configuration"]["seed"]
    faces = face.sample(targets, identities, count=20, combinations=30, seed=seen + 1000)
    metrics = face_metrics.measure(FaceDecoder.load(), targets, faces.shapes, faces.weights, faces.moved)
    assert metrics["mean_mm"] <= 0.3
    assert metrics["lips_mean_mm"] <= 0.3
    assert metrics["worst_lip_crossing_mm"] <= 0.01
    assert metrics["worst_gap_of_closed_lids_mm"] <= 0.3


def test_landmark_vertices_lie_on_the_kits_landmarks(ict: Path, task: Path) -> None:
    kit = FaceKit.load(ict)
    canonical, _ = canonical_mesh(task)
    found = correspond(kit, canonical)
    mouth_corners = found.pose(found.points(kit.neutral))[[61, 291]]
    assert np.allclose(mouth_corners, kit.neutral[kit.landmarks[[48, 54]]], atol=1e-6)
    assert np.allclose(found.weights.sum(1), 1.0)


@pytest.mark.slow
def test_an_interrupted_training_continues_and_is_stated(
    ict: Path, task: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = yaml.safe_load(face.CONFIG.read_text("utf-8"))
    config |= {"identities": 4, "combinations": 20, "held_out_identities": 2, "epochs": 4, "batch_size": 16}
    (tmp_path / "face.yaml").write_text(yaml.safe_dump(config), "utf-8")
    out = tmp_path / "decoder.safetensors"
    options = {"ict": ict, "task": task, "config": tmp_path / "face.yaml", "run": tmp_path, "out": out}
    arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    monkeypatch.setattr(sys, "argv", ["face", *arguments])

    epochs: list[int] = []

    def fail_once(self: FaceModel) -> None:
        epochs.append(self.current_epoch)
        if epochs == [0, 1, 2]:
            raise OSError("power cut")

    monkeypatch.setattr(FaceModel, "on_train_epoch_end", fail_once)
    with pytest.raises(OSError, match="power cut"):
        face.main()
    assert not out.exists()
    face.main()
    assert epochs == [0, 1, 2, 2, 3]
    shape = FaceDecoder.load().mean_shape
    assert FaceDecoder.load(out).bind(shape)(np.ones(51)).any()
    assert json.loads(out.with_suffix(".json").read_text("utf-8"))["configuration"] == config
