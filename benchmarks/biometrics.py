"""How often the checks of a ceremony err.

``python -m benchmarks.biometrics --clips DIR --portraits DIR --grid DIR``: ``--clips`` holds films of people
speaking, ``grid_SPEAKER_CODE.mp4`` being speakers of the GRID corpus (Cooke et al., 2006), all others one
person each; ``--portraits`` pictures of different people; ``--grid`` the sound of the corpus,
``SPEAKER_CODE.opus``. Nothing of them is kept but rates and counts.

GRID was recorded in one session a speaker: what is measured on it of people passing as themselves is a best
case.
"""

from __future__ import annotations

import argparse
import itertools
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.report import publish
from generator.motion.motion import ROTATION_COLUMNS, WIDTH
from generator.portrait.portrait import Portrait
from generator.render.renderer import Renderer
from generator.sitters import sitters
from generator.speech.audio import Speech
from governance.biometrics import (
    SAME_FACE,
    SAME_VOICE,
    FaceGallery,
    Faces,
    FaceTemplate,
    Keyring,
    Voices,
    VoiceTemplate,
    similarity,
)
from governance.biometrics.checks import FACE_LOOKS_PER_SECOND, GOES_ON, goes_on
from governance.biometrics.media import Likeness, Look, look_at_film
from governance.biometrics.phrases import MOST_EXTRA, SPOKEN_SHARE, hear, in_order, is_spoken
from governance.biometrics.pictures import SAME_PICTURE, likeness, print_of
from governance.biometrics.turns import LOOKS_PER_SECOND, RELIEF, TURNED, course, turns_in
from governance.biometrics.voices import SAME_VOICE_TEMPLATES
from governance.consent.phrase import WORDS, words
from governance.storage import Database

Array = NDArray[np.float64]
UInt8 = NDArray[np.uint8]

ANGLES_DEG = (30, 45, 60)
BENDS_CM = (12.0, 6.0)
YAW_DEG = 32.0
LOOKS_A_TURN = 20
PASSING = (("left", "right", "left"), ("right", "left", "right"))
"""What a film that turns so shows, from the front and in a mirror."""
STORED = 2000
WRONG_PHRASES = 500
RANDOM_PAIRS = 100_000

CODE = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    None,
    {"z": "zero", "1": "one", "2": "two", "3": "three", "4": "four"}
    | {"5": "five", "6": "six", "7": "seven", "8": "eight", "9": "nine"},
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)
"""What the letters of a GRID file name stand for; the fourth is itself a letter, and is left out."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("clips", "portraits", "grid"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    publish(
        "biometrics",
        {
            "face": faces(asked.clips, asked.portraits),
            "pictures": pictures(asked.portraits),
            "turn": turns(asked.portraits),
            "voice": voices(asked.grid),
            "phrase": phrases(asked.grid),
            "search": search(),
        },
    )


def rates(same: Sequence[float], different: Sequence[float], threshold: float) -> dict[str, Any]:
    """Errors at ``threshold``, with the counts they rest on."""
    own, others = np.asarray(same), np.asarray(different)
    return {
        "threshold": threshold,
        "same": len(own),
        "false_non_matches": int((own < threshold).sum()),
        "lowest_same": round(float(own.min()), 3),
        "different": len(others),
        "false_matches": int((others >= threshold).sum()),
        "highest_different": round(float(others.max()), 3),
    }


def faces(clips: Path, portraits: Path) -> dict[str, Any]:
    """The face check: the first look of one film as the portrait, the median over another film."""
    films: dict[str, list[FaceTemplate]] = {}
    for path in sorted(clips.glob("*.mp4")):
        looks = look_at_film(path, per_second=FACE_LOOKS_PER_SECOND, describe=True)
        films[path.stem] = [look.template for look in looks if look.template is not None]
    vectors = {name: np.array([each.vector for each in film]) for name, film in films.items() if film}
    same: list[float] = []
    different: list[float] = []
    within: list[float] = []
    looks_same: list[float] = []
    looks_different: list[float] = []
    for (a, first), (b, second) in itertools.permutations(vectors.items(), 2):
        alike = second @ first[0]
        if _person(a) == _person(b):
            same.append(float(np.median(alike)))
            looks_same += alike.tolist()
        elif a.startswith("grid") or b.startswith("grid"):
            different.append(float(np.median(alike)))
            looks_different += alike.tolist()
    for name, film in vectors.items():
        if not name.startswith("grid"):
            within.append(float(np.median(film[1:] @ film[0])))
    people = [Faces.load().template(_open(path)).vector for path in sorted(portraits.glob("*.jpg"))]
    strangers = [float(a @ b) for a, b in itertools.combinations(people, 2)]
    return {
        "film_against_portrait": rates(same, different, SAME_FACE),
        "one_look_against_another": rates(looks_same, looks_different, SAME_FACE),
        "film_against_its_own_first_look_in_the_wild": {
            "films": len(within),
            "false_non_matches": sum(each < SAME_FACE for each in within),
        },
        "pictures_of_different_people": {
            "pairs": len(strangers),
            "false_matches": sum(each >= SAME_FACE for each in strangers),
            "highest": round(max(strangers), 3),
        },
        "one_person_taken_for_two_in_a_take": {
            "threshold": GOES_ON,
            "films": len(films),
            "false_alarms": sum(not goes_on(film) for film in films.values()),
        },
    }


def _person(name: str) -> str:
    return name.rpartition("_")[0] if name.startswith("grid") else name


def _open(path: Path) -> UInt8:
    return np.asarray(Image.open(path).convert("RGB"))


def pictures(portraits: Path) -> dict[str, Any]:
    """Copies of pictures, and pictures that are none: by print, and by print or face as the gallery does."""
    found_by_print = found = copies = 0
    images = [_open(path) for path in sorted(portraits.glob("*.jpg"))]
    known = [(Faces.load().template(image), print_of(image)) for image in images]
    for image, (face, picture) in zip(images, known, strict=True):
        for copy in _copies(image):
            copies += 1
            by_print = likeness(print_of(copy), picture) >= SAME_PICTURE
            found_by_print += by_print
            found += by_print or float(Faces.load().template(copy).vector @ face.vector) >= SAME_FACE
    strangers = [likeness(a, b) for (_, a), (_, b) in itertools.combinations(known, 2)]
    return {
        "threshold": SAME_PICTURE,
        "copies": copies,
        "found_by_print": found_by_print,
        "found_by_print_or_face": found,
        "pairs_of_different_pictures": len(strangers),
        "false_matches_of_prints": sum(each >= SAME_PICTURE for each in strangers),
        "most_alike_different_prints": round(max(strangers), 3),
    }


def _copies(image: UInt8) -> list[UInt8]:
    """Half the size, in a mirror, cropped by a tenth, darker, grey, and compressed hard."""
    height, width = image.shape[:2]
    _, squeezed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 20])
    return [
        cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA),
        np.ascontiguousarray(image[:, ::-1]),
        np.ascontiguousarray(image[height // 20 : -height // 20, width // 20 : -width // 20]),
        (image * 0.6).astype(np.uint8),
        np.repeat(image.mean(2, keepdims=True).astype(np.uint8), 3, axis=2),
        cv2.imdecode(squeezed, cv2.IMREAD_COLOR),
    ]


def turns(portraits: Path) -> dict[str, Any]:
    """The turn check on rendered heads, and on photographs turned before the camera, flat or bent."""
    stills = [_small(path) for path in [*sorted(portraits.glob("*.jpg")), *(each.path for each in sitters())]]
    attacks = {}
    for angle, bend in itertools.product(ANGLES_DEG, (None, *BENDS_CM)):
        films = [_film(partial(_photograph, still, bend), angle) for still in stills]
        kind = "flat" if bend is None else f"bent to a radius of {bend:g} cm"
        attacks[f"{kind}, turned by {angle} degrees"] = {
            "films": len(films),
            "any_turn_seen": sum(bool(turns_in(*course(film))) for film in films),
            "passed": sum(turns_in(*course(film)) in PASSING for film in films),
        }
    heads = [_film(_head(Renderer(Portrait.open(each.path))), YAW_DEG) for each in sitters()]
    return {
        "turned_from": TURNED,
        "relief_from": RELIEF,
        "rendered_heads_turned_by_32_degrees": {
            "films": len(heads),
            "refused": sum(turns_in(*course(film)) != PASSING[0] for film in heads),
        },
        "photographs": attacks,
    }


def _film(view: Callable[[float], UInt8], angle_deg: float) -> list[Look]:
    """Looks at something that turns left, right and left by an angle."""
    swing = np.sin(np.linspace(0, np.pi, LOOKS_A_TURN))
    yaws = angle_deg * np.concatenate([np.zeros(LOOKS_A_TURN), swing, -swing, swing, np.zeros(3)])
    found = [Faces.load().find(view(float(yaw))) for yaw in yaws]
    return [
        Look(index / LOOKS_PER_SECOND, len(faces), faces[0].landmarks if faces else None, None)
        for index, faces in enumerate(found)
    ]


def _head(renderer: Renderer) -> Callable[[float], UInt8]:
    def view(yaw_deg: float) -> UInt8:
        row = np.zeros(WIDTH, np.float32)
        row[ROTATION_COLUMNS.start] = yaw_deg
        return np.array(renderer.frame(row))

    return view


def _small(path: Path) -> UInt8:
    image = _open(path)
    scale = 512 / max(image.shape[:2])
    small: UInt8 = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return small


def _photograph(still: UInt8, bend_cm: float | None, angle_deg: float) -> UInt8:
    """A print 20 cm high, 35 cm from the camera, turned about its middle: the picture, seen pixel by pixel.

    A bent one follows an upright cylinder of ``bend_cm`` radius, its middle towards the camera.
    """
    height, width = still.shape[:2]
    columns = np.linspace(-0.5, 0.5, width) * 20 * width / height
    rows = np.linspace(-10, 10, height)
    along, depth = columns, np.zeros(width)
    if bend_cm is not None:
        around = np.clip(columns / bend_cm, -1.2, 1.2)
        along, depth = bend_cm * np.sin(around), bend_cm * (np.cos(around) - 1)
    angle = np.radians(angle_deg)
    x = along * np.cos(angle) + depth * np.sin(angle)
    z = depth * np.cos(angle) - along * np.sin(angle)
    focal = 35 * height / 20
    seen = focal * x / (35 - z) + width / 2
    order = np.argsort(seen)
    column = np.interp(np.arange(width), seen[order], np.arange(width)[order], left=-1, right=-1)
    nearness = np.interp(np.arange(width), seen[order], (focal / (35 - z))[order])
    row = (np.arange(height)[:, None] - height / 2) / nearness / (rows[1] - rows[0]) + height / 2
    maps = np.broadcast_to(column, (height, width)).astype(np.float32), row.astype(np.float32)
    seen_so: UInt8 = cv2.remap(still, *maps, cv2.INTER_LINEAR, borderValue=(90, 90, 90))
    return seen_so


def voices(grid: Path) -> dict[str, Any]:
    """The voice check: a sample of four sentences against films of two, GRID's speakers between them."""
    voices = Voices.load()
    samples: dict[str, list[VoiceTemplate]] = {}
    films: dict[str, list[NDArray[np.float32]]] = {}
    for speaker, paths in _recordings(grid).items():
        sound = [Speech.open(path).samples for path in paths[:20]]
        half = len(sound) // 2
        samples[speaker] = [voices.template(_joined(sound[i : i + 4])) for i in range(0, half - 3, 4)]
        films[speaker] = [_joined(sound[i : i + 2]) for i in range(half, len(sound) - 1, 2)]
    same: list[float] = []
    different: list[float] = []
    templates: list[float] = []
    for a, b in itertools.product(samples, films):
        alike = [voices.likeness(sample, film) for sample in samples[a] for film in films[b]]
        (same if a == b else different).extend(alike)
        if a < b:
            templates += [similarity(x, y) for x in samples[a] for y in samples[b]]
    again = [similarity(*pair) for each in samples.values() for pair in itertools.combinations(each, 2)]
    return {
        "speakers": len(samples),
        "film_against_sample": rates(same, different, SAME_VOICE),
        "one_sample_against_another": rates(again, templates, SAME_VOICE_TEMPLATES),
    }


def _joined(sound: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.concatenate(sound)


def _recordings(grid: Path) -> dict[str, list[Path]]:
    found = defaultdict(list)
    for path in sorted(grid.glob("*.opus")):
        found[path.stem.partition("_")[0]].append(path)
    return found


def phrases(grid: Path) -> dict[str, Any]:
    """The phrase check on two GRID sentences each, and random phrases held against the same sound."""
    draw = random.Random(0)
    spoken = {word for table in CODE if table for word in table.values()}
    recall, missed, other, believed, recordings = [], 0, 0, 0, 0
    for paths in _recordings(grid).values():
        for pair in zip(paths[:10:2], paths[1:10:2], strict=True):
            phrase = [word for path in pair for word in _sentence(path.stem.partition("_")[2])]
            sound = np.concatenate([Speech.open(path).samples for path in pair])
            heard = hear(sound, spoken | set(words()))
            recordings += 1
            missed += not is_spoken(phrase, heard)
            recall.append(in_order(phrase, heard) / len(phrase))
            asked = hear(sound, set(words()))
            for _ in range(WRONG_PHRASES):
                other += 1
                believed += is_spoken(draw.sample(words(), WORDS), asked)
    return {
        "share_of_words_needed": SPOKEN_SHARE,
        "most_extra_words": MOST_EXTRA,
        "recordings": recordings,
        "right_phrases_missed": missed,
        "mean_share_of_words_heard": round(float(np.mean(recall)), 3),
        "random_phrases_spoken_for_one_another": sum(
            is_spoken(draw.sample(words(), WORDS), draw.sample(words(), WORDS)) for _ in range(RANDOM_PAIRS)
        ),
        "pairs_of_random_phrases": RANDOM_PAIRS,
        "wrong_phrases": other,
        "wrong_phrases_believed": believed,
    }


def _sentence(code: str) -> list[str]:
    return [table[letter] for letter, table in zip(code, CODE, strict=True) if table]


def search() -> dict[str, Any]:
    """Looking for a face among many encrypted ones, in SQLite."""
    rng = np.random.default_rng(0)
    now = datetime.now(UTC)
    stored = [FaceTemplate.of(vector) for vector in rng.normal(size=(STORED, 128))]
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "templates.json"
        Keyring.create(keys)
        gallery = FaceGallery(keys)
        database = Database.open(f"sqlite:///{Path(folder) / 'hub.sqlite'}")
        with database.transaction() as session:
            names = [gallery.keep(session, Likeness(each, each, rng.bytes(32)), now) for each in stored]
        wanted = Likeness(stored[7], stored[7], bytes(32))
        began = time.perf_counter()
        with database.transaction() as session:
            assert gallery.like(session, wanted) == (names[7],)
        taken = time.perf_counter() - began
        database.close()
    return {"templates": STORED, "search_ms": round(1e3 * taken, 1)}


if __name__ == "__main__":
    main()
