"""The mark in the sound: how audible, what it survives, and whether it ever reads what is not there.

    python -m benchmarks.sound_mark --speech grid/audio --speech facegood --unmarked real_clips

Recordings to be marked: GRID speakers s30-s34, FACEGOOD takes 1114_2_03 to 05, 1114_3_15 and 16 (at most 30 s
each), and our own clips. Tuning was done on others: GRID s1-s5, FACEGOOD 1114_2_01 and 02, two synthetic
voices. Each is marked several times, with another key, job and sample rate; pieces of 5 and 10 s that do not
overlap are cut from it after the transform, from a random beginning. The codecs are those of FFmpeg.
Not wholly held out: how far the mark is held back before a sudden sound (``embed._BLOCKS``, ``_HEADROOM``,
``_DECAY``) was chosen after looking at the worst frames of s31, s34 and two of our clips.

Unmarked segments: the recordings given, and noises, music-like sounds, synthetic voices made here; each with
a key of its own and the full search.

Figures:
    recovered: by transform and length, exact job ids of how many, with the 95 % lower bound (Clopper-Pearson,
        one-sided); wrong: other ids.
    audible: noise-to-mask ratio (``benchmarks.audibility``) and signal-to-noise ratio over the recordings.
    false_decodes, segments: how many unmarked segments yielded a job, of how many, by source.
    false_decode_bound: the analytic bound for one window of 10.24 s; false_decode_upper_95: what the count
        alone supports.
"""

from __future__ import annotations

import argparse
import io
import math
import multiprocessing
import shutil
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly, sosfilt

from benchmarks.audibility import RATE, noise_to_mask
from benchmarks.bounds import at_least, at_most
from benchmarks.report import publish
from detector.watermark.code import JOB_BITS, false_decode_bound
from detector.watermark.sound import SoundMark
from detector.watermark.sound.read import CANDIDATES_CHANGED, CANDIDATES_UNCHANGED

Sound = NDArray[np.float32]
Heard = tuple[Sound, int]

RATES = (16000, 22050, 44100, 48000)
LENGTHS = (5.0, 10.0)
RECORDING_SECONDS = 30.0
SEGMENT_SECONDS = 2.6
MEASURED_SPEAKERS = ("s30", "s31", "s32", "s33", "s34")
MEASURED_TAKES = ("1114_2_03", "1114_2_04", "1114_2_05", "1114_3_15", "1114_3_16")
SITTERS = Path(__file__).parents[1] / "generator" / "sitters" / "speech"
NOISES, MUSICS, VOICES, SHARDS = 4200, 4200, 1200, 60


def decoded(file: Path | io.BytesIO, seconds: float = math.inf) -> Heard:
    """Mono samples in -1..1, of the first ``seconds``, and their rate."""
    with av.open(str(file) if isinstance(file, Path) else file) as container:
        stream = container.streams.audio[0]
        stream.codec_context.thread_count = 1
        rate = stream.rate
        mono = av.AudioResampler(format="fltp", layout="mono", rate=rate)
        blocks = []
        for frame in container.decode(stream):
            if frame.time is not None and frame.time > seconds:
                break
            blocks += [part.to_ndarray()[0] for part in mono.resample(frame)]
    return np.concatenate(blocks), rate


def resampled(sound: Sound, rate: int, to: int) -> Sound:
    common = math.gcd(rate, to)
    out: Sound = resample_poly(sound, to // common, rate // common).astype(np.float32)
    return out


def coded(name: str, bitrate: int) -> Callable[[Sound, int], Heard]:
    """Through a lossy codec at ``bitrate`` (bits a second), mono, and back."""

    def through(sound: Sound, rate: int) -> Heard:
        if name == "libopus":
            sound, rate = resampled(sound, rate, 48000), 48000
        file = io.BytesIO()
        with av.open(
            file, "w", format={"aac": "adts", "libopus": "ogg", "libmp3lame": "mp3"}[name]
        ) as container:
            stream = container.add_stream(name, rate=rate, layout="mono")
            stream.bit_rate = bitrate
            convert = av.AudioResampler(format=stream.codec_context.format.name, layout="mono", rate=rate)
            frame = av.AudioFrame.from_ndarray(sound.clip(-1, 1)[None], format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
            frame_size = stream.codec_context.frame_size or 1024
            fifo = av.AudioFifo()
            for part in convert.resample(frame):
                fifo.write(part)
            while (part_ := fifo.read(frame_size, partial=True)) is not None:
                container.mux(stream.encode(part_))
            container.mux(stream.encode(None))
        file.seek(0)
        return decoded(file)

    return through


def at_rate(to: int) -> Callable[[Sound, int], Heard]:
    return lambda sound, rate: (resampled(sound, rate, to), to)


def with_noise(snr_db: float, coloured: bool = False) -> Callable[[Sound, int], Heard]:
    """White, or falling 6 dB an octave above 200 Hz as rooms do; ``snr_db`` over the whole recording."""

    def add(sound: Sound, rate: int) -> Heard:
        noise = np.random.default_rng(len(sound)).standard_normal(len(sound))
        if coloured:
            pole = math.exp(-2 * math.pi * 200.0 / rate)
            noise = sosfilt([[1 - pole, 0, 0, 1, -pole, 0]], noise)
        return mixed(sound, noise.astype(np.float32), snr_db), rate

    return add


def with_music(snr_db: float) -> Callable[[Sound, int], Heard]:
    def add(sound: Sound, rate: int) -> Heard:
        return mixed(sound, music(np.random.default_rng(len(sound)), len(sound), rate), snr_db), rate

    return add


def mixed(sound: Sound, other: Sound, snr_db: float) -> Sound:
    out: Sound = sound + other * (sound.std() / other.std() * 10.0 ** (-snr_db / 20.0))
    return out


def faster(percent: float) -> Callable[[Sound, int], Heard]:
    """Pitch and tempo, by resampling."""
    return lambda sound, rate: (resampled(sound, round(1000 + 10 * percent), 1000), rate)


def stretched(percent: float) -> Callable[[Sound, int], Heard]:
    """Tempo alone, by FFmpeg's ``atempo`` (overlap and add of similar waveforms)."""

    def stretch(sound: Sound, rate: int) -> Heard:
        graph = av.filter.Graph()
        source = graph.add_abuffer(
            sample_rate=rate, format="fltp", layout="mono", time_base=Fraction(1, rate)
        )
        tempo, sink = graph.add("atempo", str(1 + percent / 100)), graph.add("abuffersink")
        source.link_to(tempo)
        tempo.link_to(sink)
        graph.configure()
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[None]), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        graph.push(frame)
        graph.push(None)
        blocks = []
        while True:
            try:
                blocks.append(graph.pull().to_ndarray().ravel())
            except (av.error.EOFError, av.error.BlockingIOError):
                return np.concatenate(blocks).astype(np.float32), rate

    return stretch


def one_after_another(*steps: Callable[[Sound, int], Heard]) -> Callable[[Sound, int], Heard]:
    def chain(sound: Sound, rate: int) -> Heard:
        for step in steps:
            sound, rate = step(sound, rate)
        return sound, rate

    return chain


TRANSFORMS: dict[str, Callable[[Sound, int], Heard]] = {
    "trim": lambda sound, rate: (sound, rate),
    "AAC 96k": coded("aac", 96000),
    "AAC 64k": coded("aac", 64000),
    "AAC 48k": coded("aac", 48000),
    "Opus 32k": coded("libopus", 32000),
    "Opus 24k": coded("libopus", 24000),
    "MP3 64k": coded("libmp3lame", 64000),
    "8 kHz": at_rate(8000),
    "16 kHz": at_rate(16000),
    "22.05 kHz": at_rate(22050),
    "44.1 kHz": at_rate(44100),
    "48 kHz": at_rate(48000),
    "white noise 30 dB": with_noise(30.0),
    "white noise 20 dB": with_noise(20.0),
    "room noise 20 dB": with_noise(20.0, coloured=True),
    "music 20 dB": with_music(20.0),
    "music 10 dB": with_music(10.0),
    "gain -20 dB": lambda sound, rate: (sound * np.float32(0.1), rate),
    "gain +12 dB, clipped": lambda sound, rate: ((4 * sound).clip(-1, 1), rate),
    "speed -2 %": faster(-2.0),
    "speed +2 %": faster(2.0),
    "tempo -2 %": stretched(-2.0),
    "tempo +2 %": stretched(2.0),
    "room noise 20 dB, Opus 24k": one_after_another(with_noise(20.0, coloured=True), coded("libopus", 24000)),
    "8 kHz, MP3 64k": one_after_another(at_rate(8000), at_rate(16000), coded("libmp3lame", 64000)),
}


@cache
def recordings(folders: tuple[Path, ...]) -> dict[str, Heard]:
    """Recordings of at most 30 s, by name; those of one GRID speaker are joined."""
    files = sorted(file for folder in folders for file in folder.glob("*.opus"))
    found: dict[str, Heard] = {}
    for speaker in MEASURED_SPEAKERS:
        parts = [decoded(file)[0] for file in files if file.name.startswith(f"{speaker}_")]
        if parts:
            found[speaker] = np.concatenate(parts), 48000
    for take in MEASURED_TAKES:
        found |= {file.stem: decoded(file, RECORDING_SECONDS) for file in files if file.stem == take}
    found |= {file.stem: decoded(file) for file in sorted(SITTERS.glob("*.flac"))}
    return {name: (sound[: int(RECORDING_SECONDS * rate)], rate) for name, (sound, rate) in found.items()}


def survival(number: int, index: int, folders: tuple[Path, ...]) -> dict[str, Any]:
    """Mark a recording, transform, cut, read; also how audible the mark is."""
    rng = np.random.default_rng([number, index])
    rate = RATES[(number + index) % len(RATES)]
    counts: dict[str, list[int]] = {}
    name, (sound, own) = list(recordings(folders).items())[index]
    mark, job = SoundMark(rng.bytes(32)), int(rng.integers(1 << JOB_BITS))
    host = resampled(sound, own, rate)
    began = time.process_time()
    marked = mark.embed(host, rate, job)
    spent = {"embed": time.process_time() - began, "embedded": len(host) / rate, "read": 0.0, "heard": 0.0}
    masking = noise_to_mask(resampled(host, rate, RATE), resampled(marked, rate, RATE))
    snr = 20 * math.log10(float(host.std() / (marked - host).std()))
    for transform, change in TRANSFORMS.items():
        heard, heard_rate = change(marked, rate)
        for seconds in LENGTHS:
            count = counts.setdefault(f"{transform}|{seconds:g} s", [0, 0, 0])
            for piece in _pieces(heard, int(seconds * heard_rate), rng):
                began = time.process_time()
                payload = mark.read(piece, heard_rate).payload
                spent["read"] += time.process_time() - began
                spent["heard"] += seconds
                count[0] += payload is not None and payload.job_id == job
                count[1] += 1
                count[2] += payload is not None and payload.job_id != job
    audible = {"recording": name, "rate": rate, "snr_db": snr, **asdict(masking)}
    return {"counts": counts, "audible": audible, "spent": spent}


def _pieces(sound: Sound, length: int, rng: np.random.Generator) -> Iterator[Sound]:
    begin = int(rng.integers(0, max(min(length, len(sound) - length), 0) + 1))
    while begin + length <= len(sound):
        yield sound[begin : begin + length]
        begin += length


def music(rng: np.random.Generator, length: int, rate: int) -> Sound:
    """Chords of decaying tones with harmonics, and a noisy beat."""
    out = np.zeros(length, np.float32)
    begin, beat = 0, int(rate * rng.uniform(0.2, 0.6))
    while begin < length:
        t = np.arange(min(2 * beat, length - begin)) / rate
        note = np.zeros(len(t))
        for pitch in 110.0 * 2 ** (rng.choice(36, 3, replace=False) / 12):
            for harmonic in range(1, min(5, int(0.45 * rate / pitch)) + 1):
                note += np.sin(2 * np.pi * pitch * harmonic * t + rng.uniform(0, 6)) / harmonic
        note *= np.exp(-t * rng.uniform(1, 6))
        note[: beat // 4] += rng.standard_normal(len(note[: beat // 4])) * np.exp(
            -np.arange(len(note[: beat // 4])) / 300
        )
        out[begin : begin + len(t)] += note.astype(np.float32)
        begin += beat
    return (0.2 * out / (np.abs(out).max() + 1e-9)).astype(np.float32)


def noise(rng: np.random.Generator, length: int, rate: int) -> Sound:
    """Noise of random tilt, with a random slow envelope."""
    tilt = rng.uniform(0, 0.98)
    white = sosfilt([[1, 0, 0, 1, -tilt, 0]], rng.standard_normal(length))
    knots = rng.uniform(-40, 0, max(length * 4 // rate, 2))
    envelope_db = np.interp(np.arange(length), np.linspace(0, length, len(knots)), knots) * rng.uniform(0, 1)
    out = white * 10.0 ** (envelope_db / 20)
    return (0.2 * out / np.abs(out).max()).astype(np.float32)


def voice(rng: np.random.Generator) -> Heard:
    """A synthetic voice counting, by espeak-ng."""
    words = " ".join(str(number) for number in rng.integers(0, 10**6, 4))
    language = str(rng.choice(["en", "de", "fr", "es", "it", "pl", "sv", "tr"])) + str(
        rng.choice(["", "+f2", "+m3"])
    )
    options = ["-v", language, "-p", str(rng.integers(10, 90)), "-s", str(rng.integers(130, 220))]
    done = subprocess.run(["espeak-ng", *options, "--stdout", words], capture_output=True, check=True)
    with wave.open(io.BytesIO(done.stdout)) as file:
        samples = np.frombuffer(file.readframes(1 << 30), "<i2").astype(np.float32) / 32768
        rate = file.getframerate()
    return samples[: int(SEGMENT_SECONDS * rate)], rate


def unmarked(
    shard: int, speech: tuple[Path, ...], clips: tuple[Path, ...]
) -> Iterator[tuple[str, Sound, int]]:
    """Every SHARDS-th unmarked segment: (source, samples, rate)."""
    files = sorted(file for folder in speech for file in folder.glob("*.opus"))
    for file in files[shard::SHARDS]:
        sound, rate = decoded(file)
        short = len(sound) < 2 * SEGMENT_SECONDS * rate
        length = len(sound) if short else int(SEGMENT_SECONDS * rate)
        for begin in range(0, len(sound) - length + 1, length):
            yield "recorded speech", sound[begin : begin + length], rate
    for file in sorted(f for folder in clips for f in folder.glob("*.mp4"))[shard::SHARDS]:
        with av.open(str(file)) as container:
            silent = not container.streams.audio
        if not silent:
            yield "clips of talking people", *decoded(file)
    rng = np.random.default_rng([7, shard])
    if shutil.which("espeak-ng"):
        for _ in range(VOICES // SHARDS):
            yield "synthetic voices", *voice(rng)
    for kind, make, total in (("noise", noise, NOISES), ("music-like", music, MUSICS)):
        for _ in range(total // SHARDS):
            yield kind, make(rng, int(SEGMENT_SECONDS * 16000), 16000), 16000


def false_decodes(shard: int, speech: tuple[Path, ...], clips: tuple[Path, ...]) -> dict[str, list[int]]:
    """Of each source, how many segments yielded a job, and how many there were."""
    rng = np.random.default_rng([11, shard])
    counts: dict[str, list[int]] = {}
    for source, sound, rate in unmarked(shard, speech, clips):
        count = counts.setdefault(source, [0, 0])
        reading = SoundMark(rng.bytes(32)).read(sound, rate)
        if reading.segments:
            count[0] += reading.payload is not None
            count[1] += 1
    return counts


def rate_of(count: list[int]) -> dict[str, Any]:
    hits, total = count[:2]
    return {"recovered": hits, "of": total, "lower_95": at_least(hits, total), "wrong": count[2]}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--speech", type=Path, action="append", default=[], help="folder of recorded speech, .opus"
    )
    parser.add_argument(
        "--unmarked", type=Path, action="append", default=[], help="folder of unmarked clips, .mp4"
    )
    parser.add_argument("--passes", type=int, default=6, help="how often each recording is marked")
    parser.add_argument("--minutes", type=float, default=120.0, help="report what is done by then")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    speech, clips = tuple(options.speech), tuple(options.unmarked)
    marked = range(len(recordings(speech)))
    tasks: list[tuple[Any, ...]] = [
        (survival, number, index, speech) for number in range(options.passes) for index in marked
    ]
    tasks += [(false_decodes, shard, speech, clips) for shard in range(SHARDS)]
    shuffled = [tasks[k] for k in np.random.default_rng(5).permutation(len(tasks))]
    shuffled.sort(key=lambda task: task[1] if task[0] is survival else 0)
    until = time.monotonic() + 60 * options.minutes
    done: dict[str, list[Any]] = {"survival": [], "false_decodes": []}
    with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        results = pool.imap_unordered(_perform, shuffled)
        with suppress(multiprocessing.TimeoutError):
            for _ in tasks:
                name, result = results.next(max(until - time.monotonic(), 0.0))
                done[name].append(result)
                print(
                    f"{sum(map(len, done.values()))} of {len(tasks)}", end="\r", file=sys.stderr, flush=True
                )
    publish("sound_mark", figures(done["survival"], done["false_decodes"]))


def _perform(task: tuple[Any, ...]) -> tuple[str, Any]:
    return task[0].__name__, task[0](*task[1:])


def figures(passes: list[dict[str, Any]], shards: list[dict[str, list[int]]]) -> dict[str, Any]:
    recovered: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(name for each in passes for name in each["counts"]):
        transform, length = name.split("|")
        sums = np.sum([each["counts"].get(name, [0, 0, 0]) for each in passes], axis=0).tolist()
        recovered.setdefault(transform, {})[length] = rate_of(sums)
    audible = [each["audible"] for each in passes]
    spent = {
        key: sum(each["spent"][key] for each in passes) for key in ("embed", "embedded", "read", "heard")
    }
    names = dict.fromkeys(source for shard in shards for source in shard)
    sources = {name: np.sum([shard.get(name, [0, 0]) for shard in shards], axis=0).tolist() for name in names}
    wrong, segments = (sum(count[k] for count in sources.values()) for k in (0, 1))
    return {
        "recovered": recovered,
        "audible": {
            "nmr_mean_db": _range(row["mean_db"] for row in audible),
            "nmr_frame_p95_db": _range(row["p95_db"] for row in audible),
            "nmr_frame_max_db": _range(row["max_db"] for row in audible),
            "nmr_band_max_db": _range(row["max_band_db"] for row in audible),
            "disturbed_frames": _range((row["disturbed"] for row in audible), 4),
            "snr_db": _range(row["snr_db"] for row in audible),
            "recordings": len(audible),
        },
        "embed_ms_per_second": round(1e3 * spent["embed"] / max(spent["embedded"], 1e-9), 2),
        "read_ms_per_second": round(1e3 * spent["read"] / max(spent["heard"], 1e-9), 2),
        "false_decodes": wrong,
        "segments": segments,
        "segments_by_source": {source: count[1] for source, count in sources.items()},
        "false_decode_bound": false_decode_bound(1 + CANDIDATES_UNCHANGED + CANDIDATES_CHANGED),
        "false_decode_upper_95": at_most(wrong, segments),
    }


def _range(values: Iterator[float], digits: int = 1) -> dict[str, float]:
    listed = list(values)
    if not listed:
        return {}
    ends = {"least": min(listed), "mean": sum(listed) / len(listed), "most": max(listed)}
    return {name: round(value, digits) for name, value in ends.items()}


if __name__ == "__main__":
    main()
