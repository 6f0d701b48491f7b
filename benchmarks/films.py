"""Films of ours to examine: ``python -m benchmarks.films OUT --portraits DIR --speech DIR…``.

Writes ``OUT/<split>/*.mp4`` as the generator delivers them, but neither marked nor signed, and
``OUT/catalogue.json``. Portraits and voices of the split ``test`` appear in no other one, nor do those of
``tune``. With ``--people`` (short clips of volunteers who agreed to such use) their first frames speak too,
in ``OUT/people``: films for the test of a detector alone, which no training takes and nobody publishes.
An interrupted run continues where it was.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import wave
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from generator.film import render_film
from generator.motion import Motion, driver
from generator.motion.direction import NATURAL_DIRECTION, Direction
from generator.motion.emotion import EMOTIONS, Emotion
from generator.portrait.landmarks import FaceLandmarker
from generator.portrait.portrait import Portrait
from generator.sitters import clips, sitters
from generator.speech.audio import SAMPLE_RATE, Speech

SPLITS = {"test": 0.3, "tune": 0.12, "train": 0.58}
"""The share of the films that each split gets; they are made in this order."""
PORTRAITS = {
    "test": (
        "fictional_man_0170", "fictional_woman_0284", "girl_with_a_pearl_earring", "cartoon_boy",
        "cartoon_keeper",
    ),
    "tune": ("fictional_woman_0140", "lady_with_an_ermine"),
}  # fmt: skip
"""Held out; all others are for training."""
VOICES = {
    "test": ("s33", "s34", "kokoro_am_michael", "kokoro_af_bella", "kokoro_bm_george", "flite_awb"),
    "tune": ("s32", "kokoro_am_puck", "kokoro_af_heart", "kokoro_bf_emma"),
}
KINDS = {
    "baldassare_castiglione": "painting", "girl_with_a_pearl_earring": "painting",
    "lady_with_an_ermine": "painting", "mona_lisa": "painting", "oil_portrait": "painting",
    "cartoon": "cartoon", "cartoon_boy": "cartoon", "cartoon_keeper": "cartoon",
    "terracotta_bust": "sculpture",
}  # fmt: skip
"""What a portrait is, where it is no photograph (or made to look like one)."""
SECONDS = (3.0, 10.0)
SIZE_PX = 512
PEOPLE_SECONDS = (3.0, 5.0)
DRIVERS = ("learned", "rules")
PICTURES = (".jpg", ".jpeg", ".png", ".webp")
SOUNDS = (".flac", ".opus", ".wav", ".mp3", ".ogg")
SEED = 5


@dataclass(frozen=True)
class FilmEntry:
    """One film of the catalogue. ``file`` is relative to it, ``size`` in pixels."""

    file: str
    portrait: str
    kind: str
    driver: str
    seed: int
    speech: str
    voice: str
    seconds: float
    split: str
    size: int
    direction: dict[str, Any]


@dataclass(frozen=True)
class Sitter:
    """Who speaks: a picture file, or the bytes of one."""

    name: str
    kind: str
    picture: Path | bytes
    size: int = SIZE_PX
    seconds: tuple[float, float] = SECONDS


def main() -> None:
    """Make the films."""
    options = _options()
    voices = _voices(options.speech)
    catalogue = Catalogue(options.out)
    everyone = pictures(options.portraits)
    for split, share in SPLITS.items():
        sitting = [sitter for sitter in everyone if _split(sitter.name, PORTRAITS) == split]
        _make(catalogue, split, split, sitting, voices[split], round(options.films * share))
    if options.people:
        people = list(_people(options.people))
        _make(catalogue, "people", "test", people, voices["test"], 2 * len(people))
    print(f"{len(catalogue.films)} films, {sum(film.seconds for film in catalogue.films):.0f} s")


class Catalogue:
    """The films made so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "catalogue.json"
        entries = json.loads(self.file.read_text("utf-8")) if self.file.exists() else []
        self.films = [FilmEntry(**entry) for entry in entries]

    def __contains__(self, file: str) -> bool:
        return any(film.file == file for film in self.films)

    def add(self, film: FilmEntry) -> None:
        self.films.append(film)
        part = self.file.with_suffix(".part")
        part.write_text(json.dumps([asdict(film) for film in self.films], indent=1) + "\n", "utf-8")
        part.replace(self.file)


def read_catalogue(file: Path) -> list[FilmEntry]:
    """The films of a ``catalogue.json``."""
    return Catalogue(file.parent).films


def _make(
    catalogue: Catalogue,
    folder: str,
    split: str,
    sitting: list[Sitter],
    voices: dict[str, list[Path]],
    count: int,
) -> None:
    """``count`` films, in turn of each sitter, with the drivers in turn of each sitter's."""
    (catalogue.folder / folder).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        sitter = sitting[number % len(sitting)]
        turn = number // len(sitting)
        driver_name = DRIVERS[(turn + number % len(sitting)) % len(DRIVERS)]
        file = f"{folder}/{sitter.name}_{turn:02d}.mp4"
        if file in catalogue:
            continue
        rng = np.random.default_rng([SEED, number, *folder.encode()])
        catalogue.add(_film(catalogue.folder, file, sitter, driver_name, voices, split, rng))
        print(file, flush=True)


def _film(
    out: Path,
    file: str,
    sitter: Sitter,
    driver_name: str,
    voices: dict[str, list[Path]],
    split: str,
    rng: np.random.Generator,
) -> FilmEntry:
    voice = sorted(voices)[int(rng.integers(len(voices)))]
    seed = int(rng.integers(1 << 31))
    wanted = float(rng.uniform(*sitter.seconds))
    played = direction(rng, wanted)
    with tempfile.TemporaryDirectory() as folder:
        speech = Path(folder) / "speech.wav"
        source = _utter(voices[voice], wanted, speech, rng)
        heard = Speech.open(speech)
        motion = driver.get(driver_name)(heard, seed=seed, direction=played)
        values = motion.values[: int(SECONDS[1] * motion.fps)]
        portrait = _portrait(sitter.picture, sitter.size)
        stats = render_film(portrait, Motion(values, motion.fps), out / file, audio=speech)
    return FilmEntry(
        file=file, portrait=sitter.name, kind=sitter.kind, driver=driver_name, seed=seed, speech=source,
        voice=voice, seconds=round(stats.seconds, 2), split=split, size=sitter.size,
        direction=played.document(),
    )  # fmt: skip


@cache
def _landmarker() -> FaceLandmarker:
    return FaceLandmarker()


@cache
def _portrait(picture: Path | bytes, size: int) -> Portrait:
    return Portrait.open(picture, size=size, landmarker=_landmarker())


def direction(rng: np.random.Generator, seconds: float) -> Direction:
    """Natural half of the time; else with a feeling, a moving gaze, a pose and a liveliness of its own."""
    if rng.random() < 0.5:
        return NATURAL_DIRECTION
    return Direction.parse(
        {
            "emotion": asdict(
                Emotion(EMOTIONS[int(rng.integers(len(EMOTIONS)))], round(float(rng.uniform(0.2, 0.9)), 2))
            ),
            "gaze": [[0, _numbers(rng, 8, 5)], [round(seconds / 2, 2), _numbers(rng, 8, 5)]],
            "pose": _numbers(rng, 8, 6, 5),
            "distance": round(float(rng.uniform(90, 120))),
            "expressiveness": round(float(rng.uniform(0.5, 1.6)), 2),
            "blink_rate": round(float(rng.uniform(5, 35))),
        }
    )


def _numbers(rng: np.random.Generator, *limits: float) -> list[float]:
    return [round(float(rng.uniform(-limit, limit)), 1) for limit in limits]


def _utter(files: list[Path], seconds: float, out: Path, rng: np.random.Generator) -> str:
    """Write about ``seconds`` of sentences of one voice as WAV; the first one's name."""
    chosen = [files[int(index)] for index in rng.permutation(len(files))]
    samples: NDArray[np.float32] = np.zeros(0, np.float32)
    for file in chosen:
        samples = np.concatenate([samples, Speech.open(file).samples])
        if len(samples) >= seconds * SAMPLE_RATE:
            break
    samples = samples[: int(seconds * SAMPLE_RATE)]
    with wave.open(str(out), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLE_RATE)
        sound.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return chosen[0].name


def pictures(folder: Path | None) -> list[Sitter]:
    """Our sitters, and the pictures in ``folder``."""
    files = [sitter.path for sitter in sitters()]
    if folder is not None:
        files += sorted(file for file in folder.iterdir() if file.suffix.lower() in PICTURES)
    return [Sitter(file.stem, KINDS.get(file.stem, "photo"), file) for file in files]


def _people(folder: Path) -> Iterator[Sitter]:
    """The first frames of a folder of clips, at their own size."""
    for file in sorted(folder.glob("*.mp4")):
        with av.open(str(file)) as film:
            frame = next(film.decode(video=0)).to_ndarray(format="rgb24")
        _, png = cv2.imencode(".png", frame[..., ::-1])
        yield Sitter(file.stem, "person", png.tobytes(), min(frame.shape[:2]) // 2 * 2, PEOPLE_SECONDS)


def _voices(folders: list[Path]) -> dict[str, dict[str, list[Path]]]:
    """By split and voice: the sound files in ``folders``, and our own clips."""
    found: dict[str, dict[str, list[Path]]] = {split: {} for split in SPLITS}
    spoken = {clip.path: "kokoro_" + clip.voice.split()[-1] for clip in clips()}
    for folder in folders:
        for file in sorted(folder.iterdir()):
            if file.suffix.lower() in SOUNDS:
                spoken[file] = _voice(file)
    for file, voice in spoken.items():
        found[_split(voice, VOICES)].setdefault(voice, []).append(file)
    for split, voices in found.items():
        if not voices:
            raise SystemExit(f"No voice for {split}: give --speech folders with other speakers.")
    return found


def _voice(file: Path) -> str:
    beside = file.with_suffix(".json")
    if beside.exists():
        return str(json.loads(beside.read_text("utf-8"))["speaker"])
    return file.stem.split("_")[0]


def _split(name: str, held_out: dict[str, tuple[str, ...]]) -> str:
    return next((split for split, names in held_out.items() if name in names), "train")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.films", description=__doc__)
    parser.add_argument("out", type=Path, help="folder of the films")
    parser.add_argument("--portraits", type=Path, help="folder of pictures, beside our sitters")
    parser.add_argument("--speech", type=Path, nargs="*", default=[], help="folders of sound files")
    parser.add_argument("--people", type=Path, help="folder of clips of volunteers, for the test only")
    parser.add_argument("--films", type=int, default=150, help="how many, without those of volunteers")
    return parser.parse_args()


if __name__ == "__main__":
    main()
