"""How the fingerprint index grows: ``python -m benchmarks.fingerprint_growth [--films N] [--minutes 20]``.

Synthetic words, uniform over all 256-bit words, which is the hardest case for a graph of near neighbours. A
film is eight seconds of sound (seven words); every tenth brings a portrait not seen before (seven words). For
each size: ``words`` and ``add_us`` a word; ``query_ms``, looking up a clip of ten seconds (12 picture and 100
sound words); ``found``, registered films found by two pictures or six words of sound with a share of their
bits wrong, of how many, with the 95 % lower bound; ``false``, words that were never registered but have a
neighbour within the threshold; ``memory_bytes`` and ``disk_bytes`` of both graphs. The table takes
``row_bytes`` a film more, measured on ``--row FILM``. When the minutes are over, what there is is measured.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bounds import at_least
from benchmarks.report import publish
from detector.fingerprint import motion, picture, sound
from detector.fingerprint.graph import WORD_BITS, Graph
from detector.fingerprint.prints import fingerprint

SIZES = (10_000, 100_000, 300_000, 1_000_000)
SOUND_WORDS = 7
PICTURE_WORDS = 7
FILMS_PER_PORTRAIT = 10
PICTURE_QUERIES, SOUND_QUERIES = 12, 100
ASKED = 300
BATCH = 5_000
WRONG_BITS = {"picture 8 %": 0.08, "sound 5 %": 0.05, "sound 10 %": 0.10, "sound 20 %": 0.20}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=SIZES[-1])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--row", type=Path, help="a film of usual length")
    arguments = parser.parse_args()
    end = time.monotonic() + 60 * arguments.minutes
    figures: dict[str, Any] = {"sizes": grow([size for size in SIZES if size <= arguments.films], end)}
    if arguments.row:
        film = fingerprint(arguments.row)
        figures["row_bytes"] = len(motion.pack(film.motion)) + len(sound.pack(film.sound, film.loud))
        figures["row_seconds"] = film.seconds
    publish("fingerprint_growth", figures)


def grow(sizes: list[int], end: float) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    pictures, sounds = Graph("pictures"), Graph("sounds")
    known_pictures, known_sounds = np.zeros((0, 32), np.uint8), np.zeros((0, 32), np.uint8)
    films, report = 0, []
    for size in sizes:
        began, words = time.process_time(), len(pictures) + len(sounds)
        while films < size and time.monotonic() < end:
            count = min(BATCH, size - films)
            looks = _words(rng, count // FILMS_PER_PORTRAIT * PICTURE_WORDS)
            heard = _words(rng, count * SOUND_WORDS)
            pictures.add(_keys(len(pictures), looks), looks)
            sounds.add(_keys(len(sounds), heard), heard)
            films += count
            if len(known_sounds) < ASKED * SOUND_WORDS:
                known_pictures = np.concatenate([known_pictures, looks])
                known_sounds = np.concatenate([known_sounds, heard])
        if len(pictures) + len(sounds) == words:
            break
        added = time.process_time() - began
        report.append(_measure(films, pictures, sounds, known_pictures, known_sounds))
        report[-1]["add_us"] = round(1e6 * added / (len(pictures) + len(sounds) - words), 1)
        print(report[-1], flush=True)
    return report


def _measure(
    films: int, pictures: Graph, sounds: Graph, looks: NDArray[np.uint8], heard: NDArray[np.uint8]
) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    found: dict[str, Any] = {}
    for name, share in WRONG_BITS.items():
        graph, known, each, within = (
            (pictures, looks, 2, picture.MATCH_BITS)
            if name.startswith("picture")
            else (sounds, heard, 6, sound.MATCH_BITS)
        )
        step = PICTURE_WORDS if graph is pictures else SOUND_WORDS
        firsts = np.arange(min(ASKED, len(known) // step)) * step
        keys = (firsts[:, None] + np.arange(each)).reshape(-1)
        wrong = np.packbits(rng.random((len(keys), WORD_BITS)) < share, axis=1)
        answers = graph.near(known[keys] ^ wrong, within)
        hits = np.array(
            [any(key == near for near, _ in answer) for key, answer in zip(keys, answers, strict=True)]
        )
        clips = hits.reshape(-1, each).any(1)
        found[name] = {
            "words": round(float(hits.mean()), 4),
            "films": int(clips.sum()),
            "of": len(clips),
            "at_least": at_least(int(clips.sum()), len(clips)),
        }
    fresh = _words(rng, 1000)
    false = sum(bool(near) for near in sounds.near(fresh, sound.MATCH_BITS))
    false += sum(bool(near) for near in pictures.near(fresh, picture.MATCH_BITS))
    times = []
    for _ in range(5):
        began = time.process_time()
        pictures.near(_words(rng, PICTURE_QUERIES), picture.MATCH_BITS)
        sounds.near(_words(rng, SOUND_QUERIES), sound.MATCH_BITS)
        times.append(time.process_time() - began)
    with tempfile.TemporaryDirectory() as folder:
        for graph in (pictures, sounds):
            graph.save(Path(folder) / graph.name)
        disk = sum(file.stat().st_size for file in Path(folder).iterdir())
    return {
        "films": films,
        "words": len(pictures) + len(sounds),
        "query_ms": round(1e3 * float(np.median(times)), 1),
        "found": found,
        "false": false,
        "false_of": 2 * len(fresh),
        "memory_bytes": pictures.memory_bytes + sounds.memory_bytes,
        "disk_bytes": disk,
    }


def _words(rng: np.random.Generator, count: int) -> NDArray[np.uint8]:
    return rng.integers(0, 256, (count, WORD_BITS // 8), dtype=np.uint8)


def _keys(first: int, words: NDArray[np.uint8]) -> NDArray[np.uint64]:
    return np.arange(first, first + len(words), dtype=np.uint64)


if __name__ == "__main__":
    main()
