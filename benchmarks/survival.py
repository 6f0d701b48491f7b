"""What is left of each layer when a film has been through the world.

    python -m benchmarks.survival --films /tmp/films --work /tmp/survival [--minutes 40]

Films of ours of the catalogue's ``test`` split, at least ``LEAST_SECONDS`` long, are marked in picture and
sound, sealed by an authority made for the day, and registered beside all other films of the split. Each goes
through all of ``benchmarks.transforms``, films in turn until the minutes are over, and ``detector.inspect``
looks at what comes out. An interrupted run continues where it was.

A layer names the job of its surest claim, if that is more than a half sure. ``right`` and ``wrong`` count the
films whose own or another job it names; the classifier names none, so its ``right`` counts films that it says
are ours. ``union``: at least one layer names the right job, and none another. Bounds are Clopper-Pearson,
two-sided 95 %; cells of a layer that has nothing left to look at are left out. ``single`` adds up all
transforms but the combinations.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
import wave
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.stats import beta

from benchmarks.report import RESULTS, publish
from benchmarks.transforms import TRANSFORMS, read
from detector import Layer, ManifestEvidence, Outcome, Tools, Verdict, inspect, job_name
from detector.classifier import Classifier
from detector.fingerprint import FingerprintIndex, fingerprint
from detector.watermark.picture import PictureMark
from detector.watermark.sound import SoundMark
from generator.video import VideoWriter
from governance.provenance import Authority, Ingredient, Making, State, seal
from governance.provenance import read as read_credential

LEAST_SECONDS, MOST_SECONDS = 5.2, 9.0
SOUND_SECONDS = 5.0
"""Less sound than this is not asked for its mark, as in the verdict."""

SURE = 0.5
KEY = b"benchmarks.survival"
DELIVERED = "as delivered"
LAYERS = {
    Layer.MANIFEST: "manifest",
    Layer.PICTURE_MARK: "picture mark",
    Layer.SOUND_MARK: "sound mark",
    Layer.FINGERPRINT: "fingerprint",
    Layer.CLASSIFIER: "classifier",
}
NAMING = tuple(layer for layer in LAYERS if layer is not Layer.CLASSIFIER)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--films", type=Path, required=True, help="folder of benchmarks.films")
    parser.add_argument("--work", type=Path, required=True, help="folder to keep what was done in")
    parser.add_argument("--most", type=int, default=12, help="films")
    parser.add_argument("--minutes", type=float, default=40.0)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    until = time.monotonic() + 60 * options.minutes
    options.work.mkdir(exist_ok=True)
    measure(options.films, options.work, options.most, until)
    figures = summary(_cells(options.work))
    publish("survival", figures)
    (RESULTS / "survival.svg").write_text(drawing(figures))


def measure(films: Path, work: Path, most: int, until: float) -> None:
    """Fill ``cells.jsonl`` in ``work``: one line for a film and a transform."""
    catalogue = json.loads((films / "catalogue.json").read_text())
    test = [one for one in catalogue if one["split"] == "test" and one["kind"] != "person"]
    long = [one for one in test if LEAST_SECONDS <= one["seconds"] <= MOST_SECONDS]
    chosen = [long[number] for number in np.random.default_rng(0).permutation(len(long))[:most]]
    authority = _authority(work / "keys")
    classifier = Classifier.load()
    done = {(cell["film"], cell["transform"]) for cell in _cells(work)}
    with FingerprintIndex.open(work / "index") as index, (work / "cells.jsonl").open("a") as cells:
        _register_others([films / one["file"] for one in test if one not in chosen], index, work)
        delivered = [_deliver(films / one["file"], work, authority, index) for one in chosen]
        tools = Tools((PictureMark(KEY),), (SoundMark(KEY),), index, classifier)
        for number, film in enumerate(delivered):
            for name in (DELIVERED, *TRANSFORMS):
                if (film.stem, name) in done or not _applies(name, chosen[number]["seconds"]):
                    continue
                if time.monotonic() > until:
                    return
                cell = _cell(name, film, number, tools, authority)
                print(json.dumps(cell), file=cells, flush=True)


def _applies(name: str, seconds: float) -> bool:
    return name == DELIVERED or seconds >= TRANSFORMS[name].least_seconds


def _job(stem: str) -> int:
    return int.from_bytes(hashlib.sha256(stem.encode()).digest()[:5])


def _authority(folder: Path) -> Authority:
    return Authority.open(folder) if folder.exists() else Authority.init(folder, organisation="Survival")


def _register_others(others: list[Path], index: FingerprintIndex, work: Path) -> None:
    mark = work / "others"
    if not mark.exists():
        for path in others:
            index.add(job_name(_job(path.stem)), fingerprint(path))
        mark.touch()


def _deliver(film: Path, work: Path, authority: Authority, index: FingerprintIndex) -> Path:
    """The film marked, sealed and registered, as a house delivers it."""
    sealed = work / f"{film.stem}.mp4"
    if sealed.exists():
        return sealed
    job = _job(film.stem)
    clip = read(film)
    with tempfile.TemporaryDirectory() as folder:
        marked, voice = Path(folder) / "marked.mp4", Path(folder) / "voice.wav"
        _write_wave(SoundMark(KEY).embed(clip.sound, clip.rate, job), clip.rate, voice)
        size = clip.frames[0].shape[1], clip.frames[0].shape[0]
        embedder = PictureMark(KEY).embedder(size, clip.fps, job)
        with VideoWriter(marked, size, clip.fps, voice) as writer:
            for number, frame in enumerate(clip.frames):
                writer.write(embedder.embed(frame, number / clip.fps))
        index.add(job_name(job), fingerprint(marked))
        seal(marked, sealed, _making(job), authority)
    return sealed


def _write_wave(samples: np.ndarray[Any, np.dtype[np.float32]], rate: int, path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())


def _making(job: int) -> Making:
    """Its title is the job's name."""
    return Making(
        title=job_name(job),
        portrait=Ingredient("portrait.png", "image/png", "0" * 64, "portrait"),
        speech=Ingredient("voice.wav", "audio/wav", "0" * 64, "speech"),
        motion=None,
        weights=(),
        rights="public-domain",
        driver="rules",
        seed=0,
        software_version="0",
        created=datetime.now(UTC),
    )


def _credential(path: Path, authority: Authority) -> ManifestEvidence:
    reading = read_credential(path, authority.trust())
    if reading.state is State.TRUSTED and reading.declaration:
        return ManifestEvidence(Outcome.FOUND, "Sealed.", reading.declaration.title, synthetic=True)
    return ManifestEvidence(Outcome.ABSENT, f"The credential is {reading.state.value}.")


def _cell(name: str, film: Path, number: int, tools: Tools, authority: Authority) -> dict[str, Any]:
    rng = np.random.default_rng([number, list(TRANSFORMS).index(name) if name in TRANSFORMS else 0])
    with tempfile.TemporaryDirectory() as folder:
        out = film if name == DELIVERED else TRANSFORMS[name](film, Path(folder) / "out.mp4", rng)
        verdict = inspect(out, tools, manifest=_credential(out, authority))
    keeps = TRANSFORMS[name].keeps if name in TRANSFORMS else ("picture", "sound")
    return {"film": film.stem, "transform": name, "job": job_name(_job(film.stem)), **_named(verdict, keeps)}


def _named(verdict: Verdict, keeps: tuple[str, ...]) -> dict[str, Any]:
    """The job that each layer names, ``None`` for none; layers that do not apply are left out."""
    named: dict[str, Any] = {}
    for told in verdict.evidence:
        sure = max(told.claims, key=lambda claim: claim.confidence, default=None)
        named[LAYERS[told.layer]] = sure.job if sure and sure.confidence > SURE else None
        if told.layer is Layer.CLASSIFIER:
            named[LAYERS[told.layer]] = bool(told.ours and told.ours.passes)
        if told.layer is Layer.SOUND_MARK and ("sound" not in keeps or told.seconds < SOUND_SECONDS):
            del named[LAYERS[told.layer]]
        if told.layer in (Layer.PICTURE_MARK, Layer.CLASSIFIER) and "picture" not in keeps:
            del named[LAYERS[told.layer]]
    return named


def _cells(work: Path) -> list[dict[str, Any]]:
    path = work / "cells.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def summary(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """The table of all ``cells``, and what they add up to."""
    single = [cell for cell in cells if _group(cell["transform"]) not in ("delivered", "combination")]
    return {
        "films": sorted({cell["film"] for cell in cells}),
        "table": {
            name: {
                "group": _group(name),
                "sentence": TRANSFORMS[name].sentence if name in TRANSFORMS else "untouched",
                **_row([cell for cell in cells if cell["transform"] == name]),
            }
            for name in (DELIVERED, *TRANSFORMS)
            if any(cell["transform"] == name for cell in cells)
        },
        "single": _row(single),
        "combinations": _row([cell for cell in cells if _group(cell["transform"]) == "combination"]),
        "wrong_jobs": sum(_wrong(cell, layer) for cell in cells for layer in NAMING),
    }


def _group(name: str) -> str:
    return TRANSFORMS[name].group if name in TRANSFORMS else "delivered"


def _row(cells: list[dict[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for layer, title in LAYERS.items():
        asked = [cell for cell in cells if title in cell]
        right = sum(cell[title] is True or cell[title] == cell["job"] for cell in asked)
        wrong = sum(_wrong(cell, layer) for cell in asked) if layer in NAMING else 0
        if asked:
            row[title] = {"right": right, "wrong": wrong, **_share(right, len(asked))}
    joined = [cell for cell in cells if not any(_wrong(cell, layer) for layer in NAMING)]
    right = sum(any(cell.get(LAYERS[layer]) == cell["job"] for layer in NAMING) for cell in joined)
    if cells:
        row["union"] = {"right": right, "wrong": len(cells) - len(joined), **_share(right, len(cells))}
    return row


def _wrong(cell: dict[str, Any], layer: Layer) -> bool:
    return layer in NAMING and cell.get(LAYERS[layer]) not in (None, cell["job"])


def _share(hits: int, of: int) -> dict[str, Any]:
    low = float(beta.ppf(0.025, hits, of - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, of - hits)) if hits < of else 1.0
    return {"of": of, "rate": round(hits / of, 4), "low": round(low, 4), "high": round(high, 4)}


COLUMNS = (*LAYERS.values(), "union")
_ROW_PX, _LABEL_PX, _CELL_PX, _TOP_PX = 20, 250, 92, 64


def drawing(figures: dict[str, Any]) -> str:
    """The table as SVG: the more films were recognised, the darker the cell."""
    lines, y, group = [], _TOP_PX, ""
    rows = [*figures["table"].items(), ("all single transforms", figures["single"])]
    for name, row in rows:
        if row.get("group", "all") != group:
            group = row.get("group", "all")
            y += 10
        lines.append(f'<text x="{_LABEL_PX - 10}" y="{y + 14}" text-anchor="end">{escape(name)}</text>')
        for column, title in enumerate(COLUMNS):
            lines += _drawn_cell(row.get(title), _LABEL_PX + column * _CELL_PX, y)
        y += _ROW_PX
    heads = [
        f'<text x="{_LABEL_PX + (column + 0.5) * _CELL_PX}" y="{_TOP_PX - 2}" text-anchor="middle" '
        f'font-weight="bold">{title}</text>'
        for column, title in enumerate(COLUMNS)
    ]
    width, height = _LABEL_PX + len(COLUMNS) * _CELL_PX + 12, y + 14
    title = (
        f'<text x="14" y="24" font-size="15" font-weight="bold">Films recognised after each transform</text>'
        f'<text x="14" y="43" fill="#555">jobs named right, of films; the classifier: said to be ours; '
        f"{len(figures['films'])} films, {figures['wrong_jobs']} wrong jobs</text>"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="Helvetica, Arial, sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="white"/>{title}{"".join(heads)}{"".join(lines)}</svg>\n'
    )


def _drawn_cell(cell: dict[str, Any] | None, x: int, y: int) -> Iterable[str]:
    middle = f'x="{x + _CELL_PX / 2}" y="{y + 14}" text-anchor="middle"'
    if cell is None:
        return [f'<text {middle} fill="#999">&#8211;</text>']
    rate = cell["right"] / cell["of"]
    light, dark = np.array([240, 240, 236]), np.array([22, 92, 104])
    fill = "#" + bytes((light + (dark - light) * rate).astype(np.uint8)).hex()
    ink = "white" if rate > 0.55 else "#333"
    wrong = f", {cell['wrong']} wrong" if cell["wrong"] else ""
    return [
        f'<rect x="{x + 1}" y="{y + 1}" width="{_CELL_PX - 2}" height="{_ROW_PX - 2}" rx="2" fill="{fill}"/>',
        f'<text {middle} fill="{ink}">{cell["right"]} / {cell["of"]}{wrong}</text>',
    ]


if __name__ == "__main__":
    main()
