"""What happens to a film on its way through the world: one table for all benchmarks.

    TRANSFORMS["crop 0.71, corner"](film, out, np.random.default_rng(5))
    clip = TRANSFORMS["crop 0.71, corner"].change(read(film), np.random.default_rng(5))

Where nothing else is said, the picture is encoded again by x264's medium preset at CRF 23 and the sound,
folded to mono, as AAC at 128 kbit/s, in MP4. What a transform draws, it draws from the generator it is given.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.sound_mark import Heard, at_rate, faster, music, resampled, with_noise

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Rng = np.random.Generator

os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1: errors alone

CROP = 0.71
TRIM_SECONDS = 2.0
SPEED = 1.1
_GRAIN_FIELDS = 7


@dataclass(frozen=True)
class Coding:
    """``options`` are the encoder's, ``sound_bits`` a second."""

    codec: str = "libx264"
    options: tuple[tuple[str, str], ...] = (("preset", "medium"), ("crf", "23"))
    sound_codec: str = "aac"
    sound_bits: int = 128_000


@dataclass(frozen=True)
class Clip:
    """``frames``: (height, width, 3) RGB, at ``fps``; ``sound``: (N,) mono, -1..1, at ``rate`` (Hz). Either
    may be empty. ``offset``: where in the film it begins (s); ``speed``: how much faster it runs."""

    frames: list[UInt8]
    sound: Float32
    fps: float = 25.0
    rate: int = 48_000
    coding: Coding = Coding()
    offset: float = 0.0
    speed: float = 1.0


Change = Callable[[Clip, Rng], Clip]


@dataclass(frozen=True)
class Transform:
    """``sentence`` says what happens, ``group`` of which kind it is (all but ``combination`` are single).

    ``least_seconds``: shorter films are not asked about it. ``keeps``: which of the film's ``picture`` and
    ``sound`` are still there.
    """

    sentence: str
    group: str
    change: Change
    least_seconds: float = 0.0
    keeps: tuple[str, ...] = ("picture", "sound")

    def __call__(self, film: Path, out: Path, rng: Rng) -> Path:
        """Make ``out`` (MP4) of ``film``."""
        return write(self.change(read(film), rng), out)


class Remuxed(Transform):
    """The same coded picture and sound in a new file that says nothing of itself."""

    def __call__(self, film: Path, out: Path, rng: Rng) -> Path:
        with av.open(str(film)) as source, av.open(str(out), "w", format="mp4") as target:
            streams = {
                stream.index: target.add_stream_from_template(stream)
                for stream in (*source.streams.video[:1], *source.streams.audio[:1])
            }
            for packet in source.demux(*(source.streams[index] for index in streams)):
                if packet.dts is not None:
                    packet.stream = streams[packet.stream.index]
                    target.mux(packet)
        return out


def read(film: Path, most_seconds: float = 60.0) -> Clip:
    """The film's first ``most_seconds``, its sound at 48 kHz."""
    frames: list[UInt8] = []
    blocks: list[Float32] = []
    with av.open(str(film)) as source:
        streams = [*source.streams.video[:1], *source.streams.audio[:1]]
        for stream in streams:
            stream.codec_context.thread_count = 1
        fps = float(source.streams.video[0].average_rate or 25) if source.streams.video else 25.0
        mono = av.AudioResampler(format="fltp", layout="mono", rate=48_000)
        for frame in source.decode(*streams):
            if isinstance(frame, av.VideoFrame) and (frame.time or 0.0) < most_seconds:
                frames.append(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
            elif isinstance(frame, av.AudioFrame) and (frame.time or 0.0) < most_seconds:
                blocks += [part.to_ndarray()[0] for part in mono.resample(frame)]
        if blocks:
            blocks += [part.to_ndarray()[0] for part in mono.resample(None)]
    return Clip(frames, np.concatenate(blocks) if blocks else np.zeros(0, np.float32), fps)


def write(clip: Clip, out: Path) -> Path:
    """Encode ``clip`` as MP4, with one thread."""
    coding = clip.coding
    with av.open(str(out), "w", format="mp4") as film:
        video: Any = None
        audio: Any = None
        if clip.frames:
            video = film.add_stream(
                coding.codec, rate=Fraction(clip.fps).limit_denominator(1001), options=dict(coding.options)
            )
            video.height, video.width = (side // 2 * 2 for side in clip.frames[0].shape[:2])
            video.pix_fmt = "yuv420p"
            video.codec_context.thread_count = 1
        if len(clip.sound):
            rate = 48_000 if coding.sound_codec == "libopus" else clip.rate
            audio = film.add_stream(coding.sound_codec, rate=rate, layout="mono")
            audio.bit_rate = coding.sound_bits
        for picture in clip.frames:
            even = np.ascontiguousarray(picture[: video.height, : video.width])
            film.mux(video.encode(av.VideoFrame.from_ndarray(even, "rgb24")))
        if video is not None:
            film.mux(video.encode(None))
        if audio is not None:
            _encode_sound(film, audio, resampled(clip.sound, clip.rate, rate), rate)
    return out


def _encode_sound(film: Any, stream: Any, sound: Float32, rate: int) -> None:
    context = stream.codec_context
    convert = av.AudioResampler(
        format=context.format.name, layout="mono", rate=rate, frame_size=context.frame_size
    )
    block = av.AudioFrame.from_ndarray(sound.clip(-1, 1)[None].astype(np.float32), "fltp", "mono")
    block.sample_rate, block.pts, block.time_base = rate, 0, Fraction(1, rate)
    for part in [*convert.resample(block), *convert.resample(None)]:
        film.mux(stream.encode(part))
    film.mux(stream.encode(None))


def x264(crf: int, preset: str = "medium") -> Coding:
    return Coding(options=(("preset", preset), ("crf", str(crf))))


def coded(coding: Coding) -> Change:
    return lambda clip, rng: replace(clip, coding=coding)


def voiced(codec: str, bits: int) -> Change:
    return lambda clip, rng: replace(clip, coding=replace(clip.coding, sound_codec=codec, sound_bits=bits))


def each(change: Callable[[UInt8], Any]) -> Change:
    """``change`` done to every frame."""
    return lambda clip, rng: replace(clip, frames=[np.asarray(change(frame)) for frame in clip.frames])


def heard(change: Callable[[Float32, int], Heard]) -> Change:
    """``change`` done to the sound."""

    def change_sound(clip: Clip, rng: Rng) -> Clip:
        if not len(clip.sound):
            return clip
        sound, rate = change(clip.sound, clip.rate)
        return replace(clip, sound=sound, rate=rate)

    return change_sound


def together(*changes: Change) -> Change:
    """One after another."""

    def change_all(clip: Clip, rng: Rng) -> Clip:
        for change in changes:
            clip = change(clip, rng)
        return clip

    return change_all


def resize(share: float) -> Change:
    how = cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC
    return each(lambda frame: cv2.resize(frame, None, fx=share, fy=share, interpolation=how))


def crop(share: float, x: float, y: float) -> Change:
    """What is left of each side; ``x`` and ``y`` say where, 0 to 1."""

    def cut(frame: UInt8) -> UInt8:
        height, width = (round(side * share / 2) * 2 for side in frame.shape[:2])
        top, left = round((frame.shape[0] - height) * y), round((frame.shape[1] - width) * x)
        return frame[top : top + height, left : left + width]

    return each(cut)


def crop_corner(clip: Clip, rng: Rng) -> Clip:
    x, y = rng.integers(0, 2, 2)
    return crop(CROP, float(x), float(y))(clip, rng)


def crop_anywhere(clip: Clip, rng: Rng) -> Clip:
    x, y = rng.random(2)
    return crop(CROP, float(x), float(y))(clip, rng)


def levels(gain: float, bias: float) -> Change:
    """Around mid-grey, clipped."""
    table = np.clip((np.arange(256) - 128) * gain + 128 + bias, 0, 255).round().astype(np.uint8)
    return each(lambda frame: table[frame])


def hue(frame: UInt8) -> Any:
    tinted = cv2.cvtColor(frame, cv2.COLOR_RGB2HSV)
    tinted[..., 0] = (tinted[..., 0] + 15) % 180
    return cv2.cvtColor(tinted, cv2.COLOR_HSV2RGB)


def grey(frame: UInt8) -> Any:
    return cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def grain(sigma: float) -> Change:
    """White noise; fields of it are drawn once and shifted from frame to frame."""

    def change(clip: Clip, rng: Rng) -> Clip:
        if not clip.frames:
            return clip
        fields = np.rint(rng.standard_normal((_GRAIN_FIELDS, *clip.frames[0].shape), np.float32) * sigma)
        noise = fields.astype(np.int16)
        frames = []
        for frame in clip.frames:
            shift = rng.integers(0, min(frame.shape[:2]), 2)
            field = np.roll(noise[rng.integers(_GRAIN_FIELDS)], tuple(shift), (0, 1))
            frames.append(np.clip(frame + field, 0, 255).astype(np.uint8))
        return replace(clip, frames=frames)

    return change


def logo(clip: Clip, rng: Rng) -> Clip:
    """A filled box with lettering, a third of the width, in a corner."""
    right, low = (int(side) for side in rng.integers(0, 2, 2))

    def stamp(frame: UInt8) -> UInt8:
        height, width = frame.shape[:2]
        h, w = height // 9, width // 3
        top, left = (height - h - height // 20) * low + height // 40, (width - w - width // 20) * right
        left += width // 40
        marked = np.ascontiguousarray(frame).copy()
        marked[top : top + h, left : left + w] = (230, 40, 40)
        cv2.putText(
            marked,
            "CHANNEL 5",
            (left + w // 20, top + h * 7 // 10),
            cv2.FONT_HERSHEY_SIMPLEX,
            width / 640,
            (255, 255, 255),
            2,
        )
        return marked

    return each(stamp)(clip, rng)


def boxed(clip: Clip, rng: Rng) -> Clip:
    """At 60 % of its size somewhere on a plain canvas as large as before."""
    x, y = rng.random(2)

    def place(frame: UInt8) -> UInt8:
        height, width = frame.shape[:2]
        small = cv2.resize(frame, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
        top, left = round((height - small.shape[0]) * y), round((width - small.shape[1]) * x)
        canvas = np.full_like(frame, 70)
        canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
        return canvas

    return each(place)(clip, rng)


def recaptured(clip: Clip, rng: Rng) -> Clip:
    """Filmed off a screen by hand: perspective with a dark room around, slow drift, moire of the two grids,
    blur, gamma, noise; the sound by a microphone in a room."""
    inset = rng.uniform(0.01, 0.06, (4, 2)).astype(np.float32)
    cycles, drift, phase = rng.uniform(0.06, 0.14, 2), rng.uniform(-0.4, 0.4), rng.uniform(0, 6.28, 3)
    gamma = (255 * (np.arange(256) / 255) ** 1.15).round().astype(np.uint8)

    def film(frame: UInt8, seconds: float) -> UInt8:
        height, width = frame.shape[:2]
        size = np.array([width, height], np.float32)
        unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
        sway = 0.004 * np.sin(2 * np.pi * np.array([0.31, 0.43]) * seconds + phase[:2])
        seen = unit + inset * (1 - 2 * unit) + sway
        turn = cv2.getPerspectiveTransform(unit * size, (seen * size).astype(np.float32))
        warped = cv2.warpPerspective(frame, turn, (width, height), borderValue=(18, 18, 20))
        rows, columns = np.arange(height)[:, None], np.arange(width)
        wave = np.sin(2 * np.pi * (rows * cycles[0] + columns * cycles[1] + drift * seconds) + phase[2])
        blurred = cv2.GaussianBlur(warped, (0, 0), 1.0)
        moire = blurred + 5.0 * wave[..., None].astype(np.float32)
        return np.asarray(np.take(gamma, np.clip(moire, 0, 255).astype(np.uint8)), np.uint8)

    frames = [film(frame, index / clip.fps) for index, frame in enumerate(clip.frames)]
    return room_sound(grain(3.0)(replace(clip, frames=frames), rng), rng)


def thirty(clip: Clip, rng: Rng) -> Clip:
    """Frames repeated, as most converters do."""
    count = round(len(clip.frames) * 30 / clip.fps)
    pick = [min(len(clip.frames) - 1, int(index * clip.fps / 30)) for index in range(count)]
    return replace(clip, frames=[clip.frames[index] for index in pick], fps=30.0)


def trim(clip: Clip, rng: Rng) -> Clip:
    length = round(TRIM_SECONDS * clip.fps)
    first = int(rng.integers(0, max(len(clip.frames) - length, 0) + 1))
    begin, samples = round(first / clip.fps * clip.rate), round(TRIM_SECONDS * clip.rate)
    return replace(
        clip,
        frames=clip.frames[first : first + length],
        sound=clip.sound[begin : begin + samples],
        offset=clip.offset + first / clip.fps,
    )


def sped(clip: Clip, rng: Rng) -> Clip:
    """Frames left out, the voice higher."""
    frames = [clip.frames[int(index * SPEED)] for index in range(int(len(clip.frames) / SPEED))]
    return heard(faster(100 * (SPEED - 1)))(replace(clip, frames=frames, speed=SPEED), rng)


def muted(clip: Clip, rng: Rng) -> Clip:
    return replace(clip, sound=clip.sound[:0])


def voice_alone(clip: Clip, rng: Rng) -> Clip:
    return replace(clip, frames=[])


def swapped(clip: Clip, rng: Rng) -> Clip:
    seconds = len(clip.frames) / clip.fps
    return replace(clip, sound=music(rng, round(seconds * clip.rate), clip.rate))


def unchanged(clip: Clip, rng: Rng) -> Clip:
    return clip


room_sound = heard(with_noise(20.0, coloured=True))
_X265 = (("preset", "fast"), ("crf", "28"), ("x265-params", "pools=none:frame-threads=1:log-level=error"))
_VP9 = (("crf", "33"), ("b", "0"), ("deadline", "realtime"), ("cpu-used", "8"))
_AV1 = (("preset", "10"), ("crf", "38"), ("svtav1-params", "lp=1"))
_CROP = crop(CROP, 0.5, 0.5)

TRANSFORMS: dict[str, Transform] = {
    "crf 23": Transform("x264 at CRF 23, medium preset", "encoding", coded(x264(23))),
    "crf 30": Transform("x264 at CRF 30, medium preset", "encoding", coded(x264(30))),
    "crf 40": Transform("x264 at CRF 40, medium preset", "encoding", coded(x264(40))),
    "crf 23, veryfast": Transform("x264 at CRF 23, veryfast preset", "encoding", coded(x264(23, "veryfast"))),
    "crf 30, veryfast": Transform("x264 at CRF 30, veryfast preset", "encoding", coded(x264(30, "veryfast"))),
    "crf 40, veryfast": Transform("x264 at CRF 40, veryfast preset", "encoding", coded(x264(40, "veryfast"))),
    "hevc": Transform("x265 at CRF 28, fast preset", "encoding", coded(Coding("libx265", _X265))),
    "vp9": Transform(
        "libvpx VP9 at CRF 33, realtime, Opus 64 kbit/s",
        "encoding",
        coded(Coding("libvpx-vp9", _VP9, "libopus", 64_000)),
    ),
    "av1": Transform(
        "SVT-AV1 at CRF 38, preset 10, Opus 64 kbit/s",
        "encoding",
        coded(Coding("libsvtav1", _AV1, "libopus", 64_000)),
    ),
    "metadata stripped": Remuxed("coded data untouched, in a new file", "encoding", unchanged),
    "resize 50 %": Transform("half as wide and high", "geometry", resize(0.5)),
    "resize 150 %": Transform("half as wide and high again", "geometry", resize(1.5)),
    "crop 0.71": Transform("the middle 0.71 of each side", "geometry", _CROP),
    "crop 0.71, corner": Transform("0.71 of each side from one corner", "geometry", crop_corner),
    "flip": Transform("left and right exchanged", "geometry", each(lambda frame: frame[:, ::-1])),
    "brightness +30 %": Transform("77 levels brighter, clipped", "light", levels(1.0, 77)),
    "brightness -30 %": Transform("77 levels darker, clipped", "light", levels(1.0, -77)),
    "contrast +30 %": Transform("1.3 times around mid-grey, clipped", "light", levels(1.3, 0)),
    "contrast -30 %": Transform("0.7 times around mid-grey", "light", levels(0.7, 0)),
    "hue": Transform("turned by 30 degrees", "light", each(hue)),
    "grey": Transform("luma alone", "light", each(grey)),
    "blur": Transform(
        "Gaussian, 1.5 pixels", "light", each(lambda frame: cv2.GaussianBlur(frame, (0, 0), 1.5))
    ),
    "noise": Transform("white, 8 levels, fresh in each frame", "light", grain(8.0)),
    "logo": Transform("a box over a ninth by a third, in a corner", "overlay", logo),
    "picture in picture": Transform("60 % of its size on a plain canvas", "overlay", boxed),
    "screen recapture": Transform(
        "perspective, drift, moire, blur, gamma, noise; room noise at 20 dB in the sound",
        "overlay",
        recaptured,
    ),
    "25 to 30 fps": Transform("frames repeated", "time", thirty),
    "trim to 2 s": Transform("any two seconds", "time", trim),
    "speed +10 %": Transform("frames left out, the voice higher by as much", "time", sped),
    "aac 48k": Transform("AAC at 48 kbit/s", "sound", voiced("aac", 48_000)),
    "opus 24k": Transform("Opus at 24 kbit/s", "sound", voiced("libopus", 24_000)),
    "mp3 64k": Transform("MP3 at 64 kbit/s", "sound", voiced("libmp3lame", 64_000)),
    "sound at 8 kHz": Transform("resampled to 8 kHz", "sound", heard(at_rate(8_000))),
    "sound at 22 kHz": Transform("resampled to 22.05 kHz", "sound", heard(at_rate(22_050))),
    "sound noise 30 dB": Transform("white noise 30 dB below the voice", "sound", heard(with_noise(30.0))),
    "sound noise 20 dB": Transform("white noise 20 dB below the voice", "sound", heard(with_noise(20.0))),
    "muted": Transform("no sound", "sound", muted, keeps=("picture",)),
    "voice alone": Transform("no picture", "sound", voice_alone, keeps=("sound",)),
    "sound swapped": Transform("music instead of the voice", "sound", swapped, keeps=("picture",)),
    "crf 30, crop 0.71, resize 50 %": Transform(
        "0.71 of each side from anywhere, then half as wide and high, CRF 30",
        "combination",
        together(crop_anywhere, resize(0.5), coded(x264(30))),
    ),
    "crf 40, resize 50 %": Transform(
        "half as wide and high, CRF 40", "combination", together(resize(0.5), coded(x264(40)))
    ),
    "8 s, crf 23, crop 0.71, resize 50 %": Transform(
        "of at least 8 s, 0.71 of each side from anywhere, then half as wide and high",
        "combination",
        together(crop_anywhere, resize(0.5)),
        least_seconds=8.0,
    ),
}
