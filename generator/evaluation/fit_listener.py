"""Make the listener: ``python -m generator.evaluation.fit_listener CORPUS``.

Ridge regression on the clips of the ``train`` split that have motion; the correlation on the ``validation``
split is stated in the file it writes.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generator.evaluation.lips import correlation, normalise
from generator.evaluation.listener import FILE, Listener, features
from generator.evaluation.track import track_motion
from generator.face.decoder import FaceDecoder
from generator.training.corpus import Clip, Corpus, CorpusError

Array = NDArray[np.float64]

RIDGE = 3000.0


def fit(inputs: Sequence[Array], openings: Sequence[Array]) -> Listener:
    """From ``features`` (T, n) of clips and their normalised openings (T,)."""
    x, y = np.concatenate(list(inputs)), np.concatenate(list(openings))
    scale = np.maximum(x.std(0), 1e-6)
    x = x / scale
    return Listener(np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ y) / scale)


def examples(clips: Sequence[Clip]) -> tuple[list[Array], list[Array]]:
    """Features of each clip, and its opening normalised by speaker."""
    decoder = FaceDecoder.load()
    by_speaker: dict[str, list[tuple[Array, Array]]] = defaultdict(list)
    for clip in clips:
        opening = track_motion(clip.motion(), decoder).opening
        by_speaker[clip.speaker].append((features(clip.speech().samples, len(opening)), opening))
    inputs, openings = [], []
    for pairs in by_speaker.values():
        inputs += [heard for heard, _ in pairs]
        openings += normalise([opening for _, opening in pairs])
    return inputs, openings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=FILE)
    arguments = parser.parse_args()
    corpus = Corpus.open(arguments.corpus)
    train, held_out = (
        [clip for clip in corpus.clips(split) if clip.has_motion] for split in ("train", "validation")
    )
    if not train or not held_out:
        raise CorpusError(f"{arguments.corpus} needs clips with motion to train on and to validate with.")
    listener = fit(*examples(train))
    inputs, openings = examples(held_out)
    found = correlation(np.concatenate(inputs) @ listener.weights, np.concatenate(openings))
    statement = {
        "what": "linear regression from log band energies on the normalised inner-lip opening",
        "corpus": corpus.description.name,
        "corpus_sha256": corpus.sha256,
        "licence": corpus.description.licence,
        "clips": len(train),
        "validation_correlation": round(found, 3),
        "weights": [float(f"{weight:.5g}") for weight in listener.weights],
    }
    arguments.output.write_text(json.dumps(statement, indent=1) + "\n", "utf-8")
    print(f"{arguments.output}: {len(train)} clips, validation correlation {found:.3f}")


if __name__ == "__main__":
    main()
