"""Films to evidence, many times over, each time treated otherwise.

    python -m detector.classifier.training.windows OUT --ours catalogue.json --clips clips.json --rounds 8

``catalogue.json`` lists films of ours (``benchmarks.films``), ``clips.json`` those of others: their ``file``,
``source`` and ``label``, ``real`` or ``generated``. Writes (N, 5, 112, 112) uint8 arrays and ``index.jsonl``;
each round adds one treatment of every film, so that training may begin before the last. Continues when run
again. The split ``test`` is left out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from detector.classifier.evidence import Sampler
from detector.classifier.faces import Finder
from detector.classifier.training import degrade, films

SECONDS = 2.8
FEWEST_SIGHTS = 8
REAL, OURS, OTHER = 0, 1, 2
HELD_OUT = {
    "test": ("celebv-text", "grid_s33_", "grid_s34_", "edtalk"),
    "tune": ("video-retalking", "grid_s30_", "grid_s31_", "grid_s32_"),
}
"""Beginnings of the names of clips of others that are held out: whole sources and whole speakers."""
NO_PEOPLE = ("musetalk",)
"""Called real, but drawn: in no split."""


@dataclass(frozen=True)
class Source:
    """A film to learn from. ``group``: a portrait, or a source or speaker; ``kind``: what is done with it."""

    file: Path
    group: str
    split: str
    label: int
    kind: str
    driver: str = ""


@dataclass(frozen=True)
class Window:
    """One treatment of one film: ``file`` in the folder of the index, ``sights`` in it."""

    file: str
    group: str
    split: str
    label: int
    kind: str
    driver: str
    film: str
    sights: int


def main() -> None:
    """Treat every film ``--rounds`` times."""
    options = _options()
    cv2.setNumThreads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    index = options.out / f"index{options.part or ''}.jsonl"
    done = {entry.file for entry in read_index(options.out)}
    sources = [*_ours(options.ours), *_others(options.clips)]
    finder = Finder()
    for round_ in range(options.first, options.first + options.rounds):
        for number, source in enumerate(sources):
            if number % options.parts != options.part:
                continue
            for kind, label in _kinds(source, round_):
                file = f"{source.split}_{source.file.stem}_{source.group}_{kind}_{round_:02d}.npy"
                if file in done:
                    continue
                rng = np.random.default_rng([round_, *file.encode()])
                sights = _evidence(source, kind, finder, rng)
                if len(sights) < FEWEST_SIGHTS:
                    continue
                np.save(options.out / file, sights)
                window = Window(
                    file,
                    source.group,
                    source.split,
                    label,
                    kind,
                    source.driver,
                    source.file.stem,
                    len(sights),
                )
                with index.open("a") as lines:
                    lines.write(json.dumps(asdict(window)) + "\n")
        print(f"round {round_}", flush=True)


def read_index(folder: Path) -> list[Window]:
    """All windows made so far."""
    return [
        Window(**json.loads(line))
        for index in sorted(folder.glob("index*.jsonl"))
        for line in index.read_text("utf-8").splitlines()
        if line.endswith("}")
    ]


def split_of(name: str) -> str:
    """In which split a clip of others is."""
    return next((split for split, names in HELD_OUT.items() if name.startswith(names)), "train")


def group_of(name: str) -> str:
    """The source, and in GRID the speaker, of a clip of others."""
    parts = name.split("_")
    return "_".join(parts[:2]) if parts[0] == "grid" else parts[0]


def _kinds(source: Source, round_: int) -> Iterator[tuple[str, int]]:
    """What is done with a film in a round, and its class then: pictures that do not speak are not ours."""
    yield "film", source.label
    if source.label == OURS:
        if round_ % 2 == 0:
            yield ("held", "filmed")[round_ // 2 % 2], REAL
        else:
            yield "warped", OTHER
    elif round_ % 4 == 1:
        yield ("held", "filmed")[round_ // 4 % 2], REAL


def _evidence(source: Source, kind: str, finder: Finder, rng: np.random.Generator) -> films.UInt8:
    clip = films.read(source.file, SECONDS, rng)
    if kind == "held":
        clip = degrade.held(clip, rng)
    elif kind == "filmed":
        clip = degrade.filmed(clip, rng)
    elif kind == "warped":
        clip = degrade.warped(clip, finder, rng)
    handed_on = degrade.treated(clip, finder, rng)
    if handed_on is None:
        return np.zeros((0, 5, 1, 1), np.uint8)
    sampler = Sampler()
    sights = [sight for at, frame in handed_on for sight in sampler.see(at, frame)]
    stacks = [sight.stack for sight in sights if sight.track == 0]
    return np.stack(stacks) if stacks else np.zeros((0, 5, 1, 1), np.uint8)


def _ours(catalogue: Path) -> Iterator[Source]:
    for film in json.loads(catalogue.read_text("utf-8")):
        if film["split"] != "test":
            yield Source(
                catalogue.parent / film["file"], film["portrait"], film["split"], OURS, "ours", film["driver"]
            )


def _others(clips: Path) -> Iterator[Source]:
    for clip in json.loads(clips.read_text("utf-8")):
        file = clips.parent / clip["file"]
        split = split_of(file.stem)
        if split != "test" and not file.stem.startswith(NO_PEOPLE):
            label = REAL if clip["label"] == "real" else OTHER
            yield Source(file, group_of(file.stem), split, label, clip["label"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m detector.classifier.training.windows", description=__doc__
    )
    parser.add_argument("out", type=Path, help="folder of the evidence")
    parser.add_argument("--ours", type=Path, required=True, help="catalogue of films of ours")
    parser.add_argument("--clips", type=Path, required=True, help="list of clips of others")
    parser.add_argument("--rounds", type=int, default=8, help="treatments of each film")
    parser.add_argument("--first", type=int, default=0, help="number of the first round")
    parser.add_argument("--part", type=int, default=0, help="which part of the films, of --parts")
    parser.add_argument("--parts", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
