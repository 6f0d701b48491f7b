"""How well films of ours are told from others: ``python -m benchmarks.classifier --films … --clips …``.

``--films``: catalogue of ``benchmarks.films``; portraits and voices of its split ``test`` are judged.
``--clips``: list of real clips and of other generators' (``file``, ``label``), of which sources and speakers
held out from training are judged. All are cut to the length of the real ones.

Figures (for films as delivered, and under ``transforms`` for each):
    auc, t1, t01: area under the curve; share of ours found where 1 % and 0.1 % of real clips are called
        ours. With n_real clips no rate below 1 / n_real can be seen: there both are the share found without
        a false alarm, and say nothing of clips beyond these.
    brier, ece: of the calibrated probability, ours against real.
    found, false_alarms: at the released threshold, with 95 % bounds.

``controls``: real clips through our encoder, our pictures held still, filmed by a moving camera, drawn at
rest by our renderer, other backgrounds for both, our films at the real ones' size, and the same people real
and moved by us.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.bounds import at_least, at_most
from benchmarks.films import FilmEntry, pictures, read_catalogue
from benchmarks.report import publish
from benchmarks.transforms import TRANSFORMS, Clip, read, write
from detector.classifier import Classification, Classifier
from detector.classifier.faces import Finder
from detector.classifier.training import degrade
from detector.classifier.training.windows import NO_PEOPLE, group_of, split_of
from generator.portrait.portrait import Portrait
from generator.render.renderer import Renderer
from generator.video import VideoWriter

UInt8 = NDArray[np.uint8]
Floats = NDArray[np.float64]

SECONDS = 2.6
POINT = "fpr_1"
CHOSEN = (
    "crf 23", "crf 30", "crf 40", "resize 50 %", "crf 40, resize 50 %", "grey", "noise", "blur",
    "brightness -30 %", "brightness +30 %", "crop 0.71", "flip", "25 to 30 fps", "screen recapture",
)  # fmt: skip
_SILENCE = np.zeros(0, np.float32)
_BINS = 10
UNSEEN = ("grid_s33", "grid_s34")
_WORKERS = 2


@dataclass(frozen=True)
class Film:
    """A film to be judged: who is in it, and what it is."""

    name: str
    group: str
    clip: Callable[[], Clip]
    driver: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Judged:
    """A film and what was said of it; without a face, that nothing speaks for it."""

    film: Film
    ours: float
    synthetic: float
    unfamiliar: bool
    face: bool


class Judge:
    """Puts films through a transform, an encoder, and the classifier."""

    def __init__(self, classifier: Classifier, limit: float) -> None:
        self.classifier = classifier
        self.seconds = limit

    def __call__(
        self, films: Iterable[Film], change: Callable[[Clip, np.random.Generator], Clip] | None = None
    ) -> list[Judged]:
        """``change`` done to each film, which is then encoded; with none it is judged as it is."""
        with ThreadPoolExecutor(_WORKERS) as workers:
            return list(workers.map(lambda film: self._judged(film, change), films))

    def _judged(self, film: Film, change: Callable[[Clip, np.random.Generator], Clip] | None) -> Judged:
        clip = film.clip()
        if change is not None:
            clip = change(clip, np.random.default_rng([7, *film.name.encode()]))
            with tempfile.TemporaryDirectory() as folder:
                clip = read(write(clip, Path(folder) / "film.mp4"))
        found = self.look(clip)
        face = found.ours is not None and found.synthetic is not None
        return Judged(film, found.ours or 0.0, found.synthetic or 0.0, found.is_unfamiliar, face)

    def look(self, clip: Clip) -> Classification:
        watch = self.classifier.watcher()
        for number, frame in enumerate(clip.frames):
            watch.see(number / clip.fps, frame)
        return watch.done()


def main() -> None:
    """Measure and report."""
    options = _options()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    classifier = Classifier.load()
    judge = Judge(classifier, SECONDS)
    catalogue = options.films
    test = [film for film in read_catalogue(catalogue) if film.split == "test"]
    ours = [_ours(catalogue.parent, film) for film in test if film.kind != "person"]
    people = [_ours(catalogue.parent, film) for film in test if film.kind == "person"]
    clips = json.loads(options.clips.read_text("utf-8"))
    real, others = (list(_others(options.clips.parent, clips, label)) for label in ("real", "generated"))
    held_real = [film for film in real if split_of(film.name) == "test"]
    threshold = classifier.operating_points[POINT].threshold
    as_delivered = {"real": judge(held_real), "ours": judge(ours)}
    figures: dict[str, Any] = _compared(**as_delivered, threshold=threshold)
    figures |= _parts(as_delivered["ours"], threshold)
    figures["operating_points"] = {name: vars(point) for name, point in classifier.operating_points.items()}
    figures["other"] = _other(judge, others, threshold)
    figures["controls"] = _controls(judge, held_real, ours, threshold)
    figures["controls"]["the same people"] = _same_people(judge, people, real, threshold)
    figures["unfamiliar"] = {
        name: sum(each.unfamiliar for each in found) for name, found in as_delivered.items()
    }
    figures["transforms"] = {}
    names = CHOSEN if options.transforms is None else options.transforms
    for name in (name for name in names if name in TRANSFORMS):
        change = TRANSFORMS[name].change
        figures["transforms"][name] = _compared(judge(held_real, change), judge(ours, change), threshold)
        print(name, figures["transforms"][name], flush=True)
    figures["ten_second_film_s"] = _speed(judge, catalogue.parent, test)
    publish(options.name, figures)


def _compared(real: list[Judged], ours: list[Judged], threshold: float) -> dict[str, Any]:
    no, yes = (np.array([each.ours for each in found]) for found in (real, ours))
    alarms, found = int((no >= threshold).sum()), int((yes >= threshold).sum())
    t1, t01 = (float((yes > np.quantile(no, 1 - rate, method="higher")).mean()) for rate in (0.01, 0.001))
    chances = np.concatenate([no, yes])
    truth = np.concatenate([np.zeros(len(no)), np.ones(len(yes))])
    return {
        "auc": round(float((no[:, None] < yes).mean() + (no[:, None] == yes).mean() / 2), 4),
        "t1": round(t1, 4),
        "t01": round(t01, 4),
        "t01_at_least": at_least(round(t01 * len(yes)), len(yes)),
        "brier": round(float(((chances - truth) ** 2).mean()), 4),
        "ece": round(_calibration_error(chances, truth), 4),
        "n_real": len(no),
        "n_ours": len(yes),
        "found": found,
        "found_at_least": at_least(found, len(yes)),
        "false_alarms": alarms,
        "false_alarms_at_most": at_most(alarms, len(no)),
        "without_face": sum(not each.face for each in (*real, *ours)),
    }


def _calibration_error(chances: Floats, truth: Floats) -> float:
    """Expected calibration error of ten equal bins (Naeini, Cooper and Hauskrecht 2015)."""
    bins = np.minimum((chances * _BINS).astype(int), _BINS - 1)
    return float(
        sum(
            abs(chances[bins == index].mean() - truth[bins == index].mean()) * (bins == index).mean()
            for index in set(bins.tolist())
        )
    )


def _share(judged: list[Judged], threshold: float) -> dict[str, Any]:
    hits = sum(each.ours >= threshold for each in judged)
    return {
        "called_ours": hits,
        "n": len(judged),
        "at_least": at_least(hits, len(judged)),
        "at_most": at_most(hits, len(judged)),
        "mean": round(float(np.mean([each.ours for each in judged])), 3),
    }


def _parts(ours: list[Judged], threshold: float) -> dict[str, Any]:
    parts: dict[str, dict[str, list[Judged]]] = {
        name: defaultdict(list) for name in ("by_driver", "by_kind", "by_portrait")
    }
    for one in ours:
        parts["by_driver"][one.film.driver].append(one)
        parts["by_kind"][one.film.kind].append(one)
        parts["by_portrait"][one.film.group].append(one)
    return {
        name: {key: _share(found, threshold) for key, found in sorted(groups.items())}
        for name, groups in parts.items()
    }


def _other(judge: Judge, others: list[Film], threshold: float) -> dict[str, Any]:
    """Other generators: called synthetic (half or more), and wrongly ours; ``seen``: in training."""
    figures = {}
    for group in sorted({film.group for film in others}):
        judged = judge([film for film in others if film.group == group])
        figures[group] = {
            "seen": split_of(group) == "train",
            "called_synthetic": sum(each.synthetic >= 0.5 for each in judged),
            **_share(judged, threshold),
        }
    return figures


def _controls(judge: Judge, real: list[Film], ours: list[Film], threshold: float) -> dict[str, Any]:
    firsts = {film.group: film for film in reversed(ours)}
    still = [replace(film, clip=partial(_held, film)) for film in firsts.values()]
    panned = [replace(film, clip=partial(_filmed, film)) for film in ours]
    rest = [Film(f"rest {portrait}", portrait, partial(_given, frames)) for portrait, frames in _at_rest()]
    smaller = TRANSFORMS["resize 50 %"].change
    return {
        "real, through our encoder": _share(judge(_through_ours(real)), threshold),
        "real, held still": _share(
            judge([replace(film, clip=partial(_held, film)) for film in real]), threshold
        ),
        "our pictures, held still": _share(judge(still), threshold),
        "our pictures, filmed by a moving camera": _share(judge(panned), threshold),
        "our renderer's rest frames": _share(judge(rest), threshold),
        "other backgrounds": _compared(judge(real, _elsewhere), judge(ours, _elsewhere), threshold),
        "ours at the size of the real ones": _compared(
            judge(real, TRANSFORMS["crf 23"].change), judge(ours, smaller), threshold
        ),
    }


def _same_people(judge: Judge, people: list[Film], real: list[Film], threshold: float) -> dict[str, Any]:
    """GRID's speakers as they spoke, and their first frames moved by us; ``unseen``: those held out."""
    spoken = [film for film in real if film.group.startswith("grid")]
    theirs, made = judge(spoken), judge(people)
    return {
        "all": _compared(theirs, made, threshold),
        "unseen": _compared(
            [one for one in theirs if one.film.group in UNSEEN],
            [one for one in made if one.film.name.startswith(UNSEEN)],
            threshold,
        ),
    }


def _at_rest() -> list[tuple[str, Clip]]:
    """What the renderer draws of our sitters when nothing moves."""
    found = []
    for sitter in pictures(None):
        frame = Renderer(Portrait.open(sitter.picture)).frame(np.zeros(59, np.float32))
        found.append((sitter.name, Clip([frame] * round(25 * SECONDS), _SILENCE)))
    return found


def _given(clip: Clip) -> Clip:
    return clip


def _held(film: Film) -> Clip:
    clip = film.clip()
    return replace(clip, frames=[clip.frames[0]] * len(clip.frames))


def _filmed(film: Film) -> Clip:
    clip = film.clip()
    rng = np.random.default_rng([8, *film.name.encode()])
    timed = [(number / clip.fps, frame) for number, frame in enumerate(clip.frames)]
    return replace(clip, frames=[frame for _, frame in degrade.filmed(timed, rng)])


def _elsewhere(clip: Clip, rng: np.random.Generator) -> Clip:
    faces = Finder().find(clip.frames[len(clip.frames) // 2])
    return replace(clip, frames=degrade.other_background(clip.frames, faces[0], rng)) if faces else clip


def _through_ours(films: list[Film]) -> list[Film]:
    def encoded(film: Film) -> Clip:
        clip = film.clip()
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "film.mp4"
            height, width = clip.frames[0].shape[:2]
            with VideoWriter(out, (width, height), clip.fps) as writer:
                for frame in clip.frames:
                    writer.write(frame)
            return read(out)

    return [replace(film, clip=partial(encoded, film)) for film in films]


def _ours(folder: Path, film: FilmEntry) -> Film:
    middle = max(0.0, (film.seconds - SECONDS) / 2)

    @cache
    def clip() -> Clip:
        whole = read(folder / film.file, middle + SECONDS)
        return replace(whole, frames=whole.frames[round(middle * whole.fps) :], sound=_SILENCE)

    return Film(Path(film.file).stem, film.portrait, clip, film.driver, film.kind)


def _others(folder: Path, clips: list[dict[str, str]], label: str) -> Iterable[Film]:
    for clip in clips:
        file = folder / clip["file"]
        if clip["label"] == label and not file.stem.startswith(NO_PEOPLE):
            yield Film(file.stem, group_of(file.stem), cache(partial(_short, file)))


def _short(file: Path) -> Clip:
    return replace(read(file, SECONDS), sound=_SILENCE)


def _speed(judge: Judge, folder: Path, test: list[FilmEntry]) -> float:
    """Seconds that ten seconds of 512x512 film cost once decoded."""
    longest = max((film for film in test if film.size == 512), key=lambda film: film.seconds)
    clip = read(folder / longest.file)
    began = time.perf_counter()
    judge.look(clip)
    return round((time.perf_counter() - began) * 10 / (len(clip.frames) / clip.fps), 2)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.classifier", description=__doc__)
    parser.add_argument("--films", type=Path, required=True, help="catalogue of films of ours")
    parser.add_argument("--clips", type=Path, required=True, help="list of clips of others")
    parser.add_argument("--transforms", nargs="*", help="instead of those chosen")
    parser.add_argument("--name", default="classifier", help="of the result")
    return parser.parse_args()


if __name__ == "__main__":
    main()
