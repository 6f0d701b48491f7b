"""Any folder of films of consenting people who talk to the camera.

``--data`` holds films and ``consent.json``: ``name``, ``licence``, ``source``, ``used_for``, ``speakers``
(film name to speaker) and optionally ``splits`` (speaker to split, otherwise train). A film that is not named
is left out. Stretches are kept in which one face is tracked without a break, turned to the camera.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from generator.errors import SpeechError
from generator.face.alignment import align
from generator.face.decoder import FaceDecoder
from generator.face.topology import VERTEX_COUNT
from generator.motion.motion import FPS
from generator.portrait.landmarks import Face, FaceLandmarker
from generator.portrait.pose import landmarks_to_view, rotation_degrees
from generator.speech.audio import SAMPLE_RATE, Speech
from generator.training.corpora import tracking
from generator.training.corpus import CorpusError, CorpusWriter, Description, Split

CONSENT = "consent.json"

_CLIP_SECONDS = (2.0, 12.0)
_TURN_MAX_DEG = 30.0
_JUMP_MAX = 0.12  # face heights from one frame to the next: more is a cut
_FACE_MIN_PX = 80.0
_LIPS_MM_MAX = 2.5
_POSE_MM_MAX = 2.5
_ALL = np.arange(478)


@dataclass(frozen=True)
class Consent:
    """Who is in which film, and what they allow."""

    description: Description
    speakers: dict[str, str]
    splits: dict[str, Split]

    @classmethod
    def read(cls, folder: Path) -> Consent:
        """Raises ``CorpusError`` if ``consent.json`` is missing or incomplete."""
        try:
            record = json.loads((folder / CONSENT).read_text("utf-8"))
            description = Description(*(str(record[k]) for k in ("name", "licence", "source", "used_for")))
            return cls(description, dict(record["speakers"]), dict(record.get("splits", {})))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorpusError(
                f"{folder / CONSENT} must say who is in each film and what they allow: give name, licence,"
                " source, used_for and speakers."
            ) from error


@dataclass(frozen=True)
class Stretch:
    """A face tracked without a break from frame ``first`` (25 a second): ``landmarks`` (T, 478, 3)."""

    film: Path
    first: int
    landmarks: tracking.Array


def build(data: Path, out: Path, limit: int | None = None) -> CorpusWriter:
    """Track and fit every film, at most ``limit`` of each speaker."""
    consent = Consent.read(data)
    landmarker, decoder = FaceLandmarker(), FaceDecoder.load()
    writer = CorpusWriter(out, consent.description)
    for speaker in sorted(set(consent.speakers.values())):
        films = [data / name for name, who in sorted(consent.speakers.items()) if who == speaker][:limit]
        tracked = [stretch for film in films for stretch in stretches(landmarker, decoder, film)]
        if not tracked:
            print(f"{speaker}: left out: no steady face in {len(films)} films")
            continue
        resting = tracking.rest(decoder, [stretch.landmarks for stretch in tracked], _ALL)
        for stretch in tracked:
            _add(writer, resting, stretch, speaker, consent.splits.get(speaker, "train"))
    return writer


def stretches(landmarker: FaceLandmarker, decoder: FaceDecoder, film: Path) -> Iterator[Stretch]:
    """The stretches of ``film`` in which one face looks at the camera, cut to clips of bearable length."""
    shortest, longest = (round(seconds * FPS) for seconds in _CLIP_SECONDS)
    run: list[NDArray[np.float64]] = []
    first = 0
    for i, face in enumerate([*_faces(landmarker, decoder.mean_shape, film), None]):
        broken = face is None or (bool(run) and _jumps(run[-1], face.landmarks))
        if broken or len(run) == longest:
            if len(run) >= shortest:
                yield Stretch(film, first, np.stack(run))
            run = []
        if face is not None:
            first = first if run else i
            run.append(face.landmarks)


def _faces(landmarker: FaceLandmarker, mean_shape: tracking.Array, film: Path) -> Iterator[Face | None]:
    """The largest face, 25 times a second; None where there is none that can be used."""
    face: Face | None = None
    for picture in _pictures(film):
        face = landmarker.track(picture, face.landmarks) if face else None
        face = face or next(iter(landmarker.find(picture)), None)
        yield face if face and _usable(face, mean_shape) else None


def _pictures(film: Path) -> Iterator[NDArray[np.uint8]]:
    """RGB pictures 25 times a second, whatever the film's rate."""
    shown = 0
    try:
        with av.open(str(film)) as container:
            for frame in container.decode(video=0):
                while frame.time is not None and shown / FPS <= frame.time + 0.5 / FPS:
                    yield np.ascontiguousarray(frame.to_ndarray(format="rgb24"))
                    shown += 1
    except (av.error.FFmpegError, IndexError) as error:
        raise CorpusError(f"{film.name} is not a readable film; export it again or leave it out.") from error


def _usable(face: Face, mean_shape: tracking.Array) -> bool:
    turn = align(mean_shape, landmarks_to_view(face.landmarks[:VERTEX_COUNT])).rotation
    yaw, pitch, _ = rotation_degrees(turn)
    return face.height_px >= _FACE_MIN_PX and max(abs(yaw), abs(pitch)) <= _TURN_MAX_DEG


def _jumps(before: NDArray[np.float64], now: NDArray[np.float64]) -> bool:
    height = np.linalg.norm(now[10, :2] - now[152, :2])
    return bool(np.linalg.norm((now - before)[:, :2].mean(0)) > _JUMP_MAX * height)


def _add(writer: CorpusWriter, resting: tracking.Rest, stretch: Stretch, speaker: str, split: Split) -> None:
    name = f"{stretch.film.stem}_{stretch.first:06d}"
    fitted = tracking.motion_of(resting, stretch.landmarks)
    if fitted.lips_mm > _LIPS_MM_MAX or fitted.pose_mm > _POSE_MM_MAX:
        print(f"{name}: left out: tracking is off by {fitted.lips_mm:.1f} mm (lips), {fitted.pose_mm:.1f} mm")
        return
    try:
        sound = Speech.open(stretch.film)
    except SpeechError as error:
        print(f"{name}: left out: {error}")
        return
    start = round(stretch.first / FPS * SAMPLE_RATE)
    samples = sound.samples[start : start + round(fitted.motion.seconds * SAMPLE_RATE)]
    if len(samples) < (fitted.motion.seconds - 0.1) * SAMPLE_RATE:
        print(f"{name}: left out: its sound ends before its picture")
        return
    writer.add(
        name,
        samples,
        speaker=speaker,
        split=split,
        motion=fitted.motion,
        provenance={
            "recording": f"{stretch.film.name} from {stretch.first / FPS:.2f} s",
            "sha256": sound.sha256,
            "motion": "expression weights fitted to tracked landmarks",
        },
        quality={"lips_mm": fitted.lips_mm, "pose_mm": fitted.pose_mm},
    )
