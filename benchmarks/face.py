"""The released face decoder on faces it never saw: ``python -m benchmarks.face --ict ict_facekit.npz``.

Identities and combinations are drawn with a seed that neither training nor its validation used. Figures are
those of ``generator.training.face_metrics.measure``, and ``call_ms``, the median time of a call on one core.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

import numpy as np
import yaml

import assets
from benchmarks.report import publish
from generator.face.canonical import canonical_mesh
from generator.face.decoder import FaceDecoder
from generator.training import face_metrics
from generator.training.correspondence import FaceKit, correspond
from generator.training.expressions import sample_weights
from generator.training.face import CONFIG, Config, sample
from generator.training.face_data import Identities, Targets

FRESH_SEED_OFFSET = 1000
CALLS = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ict", type=Path, required=True, help="ICT FaceKit, as for training")
    ict = parser.parse_args().ict
    config = Config(**yaml.safe_load(CONFIG.read_text("utf-8")))
    canonical, triangles = canonical_mesh(assets.path("face_landmarker.task"))
    kit = FaceKit.load(ict)
    correspondence = correspond(kit, canonical)
    targets = Targets.build(kit, correspondence, canonical, triangles)
    identities = Identities.build(kit, correspondence, canonical)
    faces = sample(
        targets,
        identities,
        config.held_out_identities,
        config.held_out_combinations,
        config.seed + FRESH_SEED_OFFSET,
    )
    decoder = FaceDecoder.load()
    figures = face_metrics.measure(decoder, targets, faces.shapes, faces.weights, faces.moved)
    publish("face", figures | {"call_ms": round(_call_ms(decoder), 4)})


def _call_ms(decoder: FaceDecoder) -> float:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    face = decoder.bind(decoder.mean_shape)
    times = []
    for weights in sample_weights(np.random.default_rng(0), CALLS).astype(np.float32):
        began = time.perf_counter()
        face(weights)
        times.append(time.perf_counter() - began)
    return 1e3 * statistics.median(times)


if __name__ == "__main__":
    main()
