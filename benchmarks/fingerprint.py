"""Which of our films a clip is: ``python -m benchmarks.fingerprint --registered *.mp4 --measured …``.

All ``--registered`` films are in the index under their names; thresholds were set on other sitters than
those of ``--measured``. Of each measured film ``--windows`` random stretches of ``--seconds`` go through all
of ``benchmarks.transforms`` and are looked up: with all witnesses, without sound (``picture``), and by sound
alone (``sound``), as far as the transform keeps them.

``found``: the right job first with confidence above a half; ``tied``: the right job among those that share
the highest confidence; ``wrong``: another job first with confidence above a half; ``aligned``: of those
found, within 0.2 s. ``left_out``: the same with crf 23 while the right job is not registered, so all that is
named is wrong. Every share comes as a count with its 95 % bound. ``--parts`` leaves some of it out.

``false_matches``: clips that are not ours (``--unrelated``) for which any job is named, at any confidence.
``sound_null``: share of wrong bits between stretches of 2 s of different recordings (``--speech``), their
spread as a multiple of that of coin tosses, the smallest, and how many fall below the threshold.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.bounds import at_least, at_most
from benchmarks.report import publish
from benchmarks.transforms import TRANSFORMS, Clip, read, write
from detector import media
from detector.errors import MediaError
from detector.fingerprint import FingerprintIndex, Match, find, fingerprint, hear, sound

ALIGNED_SECONDS = 0.2
NULL_PAIRS = 20_000
NULL_SECONDS = 2.0
SEED = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--registered", type=Path, nargs="+", required=True)
    parser.add_argument("--measured", type=Path, nargs="+", required=True)
    parser.add_argument("--unrelated", type=Path, nargs="*", default=[])
    parser.add_argument("--speech", type=Path, nargs="*", default=[])
    parser.add_argument("--windows", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--parts", nargs="*", default=["transforms", "left_out"])
    parser.add_argument("--name", default="fingerprint")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder, FingerprintIndex.open(Path(folder) / "index") as index:
        began = time.process_time()
        for path in arguments.registered:
            index.add(path.stem, fingerprint(path))
        figures: dict[str, Any] = {
            "registered": [path.stem for path in arguments.registered],
            "measured": [path.stem for path in arguments.measured],
            "seconds": arguments.seconds,
            "register_cpu_s": round((time.process_time() - began) / len(arguments.registered), 2),
        }
        if "transforms" in arguments.parts:
            figures["transforms"] = _survival(index, arguments, Path(folder))
        if "left_out" in arguments.parts:
            figures["left_out"] = _left_out(arguments, Path(folder))
        if arguments.unrelated:
            figures["false_matches"] = _false(index, arguments.unrelated)
        if arguments.speech:
            figures["sound_null"] = _null(arguments.speech)
    publish(arguments.name, figures)


def _survival(index: FingerprintIndex, arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    rng = np.random.default_rng(SEED)
    clips = [clip for path in arguments.measured for clip in _windows(path, arguments, rng)]
    survival = {}
    for name, transform in TRANSFORMS.items():
        if arguments.seconds < transform.least_seconds:
            continue
        tallies = {witnesses: Tally() for witnesses in ("all", *transform.keeps)}
        for job, clip in clips:
            _look_up(index, tallies, job, transform.change(clip, rng), folder)
        survival[name] = {witnesses: tally.figures() for witnesses, tally in tallies.items()}
        print(name, tallies, flush=True)
    return survival


def _left_out(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    rng = np.random.default_rng(SEED)
    tallies = {"all": Tally(), "picture": Tally(), "sound": Tally()}
    with FingerprintIndex.open(folder / "left out") as index:
        prints = {path.stem: fingerprint(path) for path in arguments.registered}
        for job, print_ in prints.items():
            index.add(job, print_)
        for path in arguments.measured:
            index.remove(path.stem)
            for job, clip in _windows(path, arguments, rng):
                _look_up(index, tallies, job, clip, folder)
            index.add(path.stem, prints[path.stem])
    return {witnesses: tally.figures() for witnesses, tally in tallies.items()}


def _look_up(index: FingerprintIndex, tallies: dict[str, Tally], job: str, clip: Clip, folder: Path) -> None:
    query = fingerprint(write(clip, folder / "clip.mp4"))
    mute = replace(query, sound=query.sound[:0], loud=query.loud[:0])
    voice = replace(query, sights=[], motion=query.motion[:0])
    prints = {"all": query, "picture": mute, "sound": voice}
    for witnesses, tally in tallies.items():
        tally.count(job, clip.offset, find(index, prints[witnesses]))


@dataclass
class Tally:
    of: int = 0
    found: int = 0
    tied: int = 0
    wrong: int = 0
    aligned: int = 0

    def count(self, job: str, offset: float, matches: list[Match]) -> None:
        self.of += 1
        if not matches:
            return
        first = matches[0]
        self.tied += any(m.job == job and m.confidence >= first.confidence - 1e-6 for m in matches)
        if first.confidence > 0.5:
            self.found += first.job == job
            self.wrong += first.job != job
            if first.job == job and first.offset is not None:
                self.aligned += abs(first.offset - offset) <= ALIGNED_SECONDS

    def figures(self) -> dict[str, Any]:
        return {
            "found": self.found,
            "tied": self.tied,
            "wrong": self.wrong,
            "aligned": self.aligned,
            "of": self.of,
            "found_at_least": at_least(self.found, self.of),
            "wrong_at_most": at_most(self.wrong, self.of),
        }


def _windows(path: Path, arguments: argparse.Namespace, rng: np.random.Generator) -> list[tuple[str, Clip]]:
    film = read(path)
    count = round(arguments.seconds * film.fps)
    clips = []
    for _ in range(arguments.windows):
        first = int(rng.integers(0, max(len(film.frames) - count, 0) + 1))
        begin = round(first / film.fps * film.rate)
        voice = film.sound[begin : begin + round(arguments.seconds * film.rate)]
        frames = film.frames[first : first + count]
        clips.append((path.stem, replace(film, frames=frames, sound=voice, offset=first / film.fps)))
    return clips


def _false(index: FingerprintIndex, paths: list[Path]) -> dict[str, Any]:
    count, named, likely, examples = 0, 0, 0, []
    for path in paths:
        try:
            matches = find(index, fingerprint(path))
        except MediaError as error:
            print(path.name, error)
            continue
        count += 1
        named += bool(matches)
        likely += bool(matches and matches[0].ours > 0.5)
        examples += [f"{path.stem}: {match.job} {match.witnesses}" for match in matches[:1]]
    return {
        "clips": count,
        "named": named,
        "named_at_most": at_most(named, count),
        "ours_above_half": likely,
        "examples": examples[:10],
    }


def _null(paths: list[Path]) -> dict[str, Any]:
    heard = [hear(path, media.Limits()) for path in paths]
    length = round(NULL_SECONDS * sound.ROWS_PER_SECOND)
    long = [(bits, loud) for bits, loud in heard if len(bits) > length]
    rng = np.random.default_rng(SEED)
    shares = []
    for _ in range(NULL_PAIRS):
        one, other = (long[i] for i in rng.choice(len(long), 2, replace=False))
        first, second = (int(rng.integers(0, len(bits) - length)) for bits, _ in (one, other))
        rows = one[1][first : first + length]
        if rows.sum() < length // 2:
            continue
        wrong = np.bitwise_count(
            one[0][first : first + length][rows] ^ other[0][second : second + length][rows]
        ).sum()
        shares.append(float(wrong) / (sound.ROW_BITS * rows.sum()))
    coins = 0.5 / np.sqrt(sound.ROW_BITS * length)
    below = int(np.sum(np.asarray(shares) <= sound.MAX_ERRORS))
    return {
        "recordings": len(long),
        "pairs": len(shares),
        "mean": round(float(np.mean(shares)), 4),
        "spread_over_coins": round(float(np.std(shares) / coins), 2),
        "smallest": round(float(min(shares)), 3),
        "below_threshold": below,
        "below_threshold_at_most": at_most(below, len(shares)),
    }


if __name__ == "__main__":
    main()
