"""Which of our films a clip is: ``python -m benchmarks.fingerprint --registered *.mp4 --measured …``.

All ``--registered`` films are in the index under their names; thresholds were set on other sitters than those
of ``--measured``. Of each measured film ``--windows`` random stretches of ``--seconds`` go through each
transform, H.264 CRF 23 and AAC 96 kbit/s, and are looked up: with all witnesses, without sound (``picture``),
and by sound alone (``sound``).

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
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.bounds import at_least, at_most
from benchmarks.report import publish
from detector import media
from detector.errors import MediaError
from detector.fingerprint import FingerprintIndex, Match, find, fingerprint, hear, sound

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

FPS = 25.0
RATE = 48_000
ALIGNED_SECONDS = 0.2
NULL_PAIRS = 20_000
NULL_SECONDS = 2.0
SEED = 5


@dataclass(frozen=True)
class Clip:
    frames: list[UInt8]
    sound: Float32
    fps: float = FPS
    crf: int = 23
    codec: str = "libx264"
    sound_codec: str = "aac"
    sound_rate: int = 96_000
    offset: float = 0.0
    speed: float = 1.0


def each(change: Callable[[UInt8], UInt8]) -> Callable[[Clip], Clip]:
    return lambda clip: replace(clip, frames=[change(frame) for frame in clip.frames])


def resized(share: float) -> Callable[[UInt8], UInt8]:
    def change(frame: UInt8) -> UInt8:
        size = (round(frame.shape[1] * share / 2) * 2, round(frame.shape[0] * share / 2) * 2)
        return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)

    return change


def cropped(share: float, x: float = 0.5, y: float = 0.5) -> Callable[[UInt8], UInt8]:
    def change(frame: UInt8) -> UInt8:
        height, width = (round(side * share / 2) * 2 for side in frame.shape[:2])
        top, left = round((frame.shape[0] - height) * y), round((frame.shape[1] - width) * x)
        return frame[top : top + height, left : left + width]

    return change


def levels(gain: float, bias: float) -> Callable[[UInt8], UInt8]:
    return lambda frame: np.clip((frame.astype(np.float32) - 128) * gain + 128 + bias, 0, 255).astype(
        np.uint8
    )


def grey(frame: UInt8) -> UInt8:
    return np.repeat(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def logo(frame: UInt8) -> UInt8:
    marked = frame.copy()
    height, width = frame.shape[:2]
    marked[height // 20 : height // 6, width // 20 : width // 3] = (230, 40, 40)
    return marked


def boxed(frame: UInt8) -> UInt8:
    side = round(frame.shape[0] * 0.6)
    canvas = np.full_like(frame, 60)
    canvas[-side:, -side:] = cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA)
    return canvas


def filmed_off_a_screen(frame: UInt8) -> UInt8:
    height, width = frame.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    seen = (
        corners * 0.9 + np.array([[0.06, 0.05], [0.03, 0.07], [0.05, 0.03], [0.07, 0.06]], np.float32) * width
    )
    warped = cv2.warpPerspective(
        frame, cv2.getPerspectiveTransform(corners, seen.astype(np.float32)), (width, height)
    )
    stripes = 1 + 0.06 * np.sin(np.arange(height) * 2.1)[:, None, None]
    return np.clip(cv2.GaussianBlur(warped, (0, 0), 1.0) * stripes, 0, 255).astype(np.uint8)


def faster(clip: Clip) -> Clip:
    speed = 1.05
    times = np.arange(0, len(clip.sound) - 1, speed)
    voice = np.interp(times, np.arange(len(clip.sound)), clip.sound).astype(np.float32)
    count = int(len(clip.frames) / speed)
    return replace(clip, frames=[clip.frames[int(i * speed)] for i in range(count)], sound=voice, speed=speed)


def thirty(clip: Clip) -> Clip:
    count = int(len(clip.frames) * 30 / FPS)
    return replace(clip, frames=[clip.frames[int(i * FPS / 30)] for i in range(count)], fps=30.0)


def noisy(clip: Clip) -> Clip:
    rng = np.random.default_rng(0)
    level = float(np.sqrt((clip.sound**2).mean())) * 10 ** (-15 / 20)
    return replace(clip, sound=(clip.sound + level * rng.standard_normal(len(clip.sound))).astype(np.float32))


TRANSFORMS: dict[str, Callable[[Clip], Clip]] = {
    "crf 23": lambda clip: clip,
    "crf 30": lambda clip: replace(clip, crf=30),
    "crf 40": lambda clip: replace(clip, crf=40),
    "vp9, opus 32k": lambda clip: replace(
        clip, codec="libvpx-vp9", crf=36, sound_codec="libopus", sound_rate=32_000
    ),
    "aac 48k": lambda clip: replace(clip, sound_rate=48_000),
    "noise 15 dB": noisy,
    "resize 50 %": each(resized(0.5)),
    "resize 150 %": each(resized(1.5)),
    "crop 0.9": each(cropped(0.9)),
    "crop 0.71": each(cropped(0.71)),
    "crop 0.8 to a corner": each(cropped(0.8, 0.0, 0.0)),
    "brightness +30 %": each(levels(1.0, 77)),
    "brightness -30 %": each(levels(1.0, -77)),
    "contrast +30 %": each(levels(1.3, 0)),
    "contrast -30 %": each(levels(0.7, 0)),
    "grey": each(grey),
    "flip": each(lambda frame: frame[:, ::-1]),
    "25 to 30 fps": thirty,
    "speed 1.05": faster,
    "logo": each(logo),
    "picture in picture 60 %": each(boxed),
    "filmed off a screen": each(filmed_off_a_screen),
    "crf 30, crop 0.85, resize 50 %": lambda clip: replace(
        each(lambda frame: resized(0.5)(cropped(0.85)(frame)))(clip), crf=30
    ),
}


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
    for name, change in TRANSFORMS.items():
        tallies = {"all": Tally(), "picture": Tally(), "sound": Tally()}
        for job, clip in clips:
            _look_up(index, tallies, job, change(clip), folder)
        survival[name] = {witnesses: tally.figures() for witnesses, tally in tallies.items()}
        print(name, tallies, flush=True)
    return survival


def _left_out(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    rng = np.random.default_rng(SEED)
    prints = {path.stem: fingerprint(path) for path in arguments.registered}
    tallies = {"all": Tally(), "picture": Tally(), "sound": Tally()}
    for path in arguments.measured:
        with FingerprintIndex.open(folder / f"without {path.stem}") as index:
            for job, print_ in prints.items():
                if job != path.stem:
                    index.add(job, print_)
            for job, clip in _windows(path, arguments, rng):
                _look_up(index, tallies, job, clip, folder)
    return {witnesses: tally.figures() for witnesses, tally in tallies.items()}


def _look_up(index: FingerprintIndex, tallies: dict[str, Tally], job: str, clip: Clip, folder: Path) -> None:
    query = fingerprint(_encode(clip, folder / "clip.mkv"))
    mute = replace(query, sound=query.sound[:0], loud=query.loud[:0])
    voice = replace(query, sights=[], motion=query.motion[:0])
    for witnesses, print_ in (("all", query), ("picture", mute), ("sound", voice)):
        tallies[witnesses].count(job, clip.offset, find(index, print_))


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
    pictures = [picture for _, picture in media.frames(path)]
    voice, _ = media.sound(path, rate=RATE)
    count = round(arguments.seconds * FPS)
    clips = []
    for _ in range(arguments.windows):
        first = int(rng.integers(0, len(pictures) - count))
        begin = round(first / FPS * RATE)
        samples = voice[begin : begin + round(arguments.seconds * RATE)]
        clips.append((path.stem, Clip(pictures[first : first + count], samples, offset=first / FPS)))
    return clips


def _encode(clip: Clip, path: Path) -> Path:
    quick = (
        {"preset": "veryfast"}
        if clip.codec == "libx264"
        else {"deadline": "realtime", "cpu-used": "8", "b": "0"}
    )
    with av.open(str(path), "w") as container:
        video = container.add_stream(
            clip.codec, rate=Fraction(clip.fps).limit_denominator(), options={"crf": str(clip.crf), **quick}
        )
        video.height, video.width = clip.frames[0].shape[:2]
        video.pix_fmt = "yuv420p"
        video.codec_context.thread_count = 1
        audio = container.add_stream(clip.sound_codec, rate=RATE)
        audio.bit_rate = clip.sound_rate
        audio.layout = "mono"
        for picture in clip.frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")))
        container.mux(video.encode(None))
        block = av.AudioFrame.from_ndarray(clip.sound[None].astype(np.float32), "flt", "mono")
        block.sample_rate = RATE
        fifo = av.AudioFifo()
        fifo.write(block)
        shape = av.AudioResampler(format=audio.format, layout="mono", rate=RATE)
        while (part := fifo.read(audio.codec_context.frame_size or 1024, partial=True)) is not None:
            for piece in shape.resample(part):
                container.mux(audio.encode(piece))
        container.mux(audio.encode(None))
    return path


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
    heard: list[tuple[UInt8, NDArray[np.bool_]]] = [hear(path, media.Limits()) for path in paths]
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
