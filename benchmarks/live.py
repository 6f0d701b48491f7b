"""Speed and memory of the live stream, in a process of its own.

Figures:
    live_first_frame_ms: from the first sample pushed to the first frame, for sound that arrives in real
        time: the sound that the stream waits for and the work of this machine.
    live_fps: frames a second, sound pushed as fast as it is consumed.
    live_seconds: how much sound that was.
    live_peak_mib: peak memory of the process.
    live_growth_mib: by how much its memory at the end exceeds that after the first tenth.
"""

from __future__ import annotations

import multiprocessing
import resource
import time
from pathlib import Path

import numpy as np

from generator.evaluation.pieces import one_after_the_other, our_clips
from generator.portrait.portrait import Portrait
from generator.sitters import sitters
from generator.speech.audio import SAMPLE_RATE
from generator.stream import stream

CHUNK_SECONDS = 0.02


def live_figures(seconds: float) -> dict[str, float]:
    """Push ``seconds`` of our clips through the stream of the demo's sitter."""
    with multiprocessing.get_context("spawn").Pool(1) as process:
        return process.apply(_measure, (seconds,))


def _measure(seconds: float) -> dict[str, float]:
    portrait = Portrait.open(sitters()[0].path)
    chunk = round(CHUNK_SECONDS * SAMPLE_RATE)
    _first_frame_seconds(portrait, chunk)
    first = float(np.median([_first_frame_seconds(portrait, chunk) for _ in range(5)]))
    sound = one_after_the_other(our_clips(), seconds).samples
    live = stream(portrait)
    frames, early, tenth = 0, 0.0, len(sound) // 10
    began = time.perf_counter()
    for start in range(0, len(sound), chunk):
        live.push(sound[start : start + chunk])
        frames += sum(1 for _ in live)
        if not early and start >= tenth:
            early = _resident_mib()
    wall = time.perf_counter() - began
    return {
        "live_first_frame_ms": round(1e3 * first, 1),
        "live_fps": round(frames / wall, 1),
        "live_seconds": seconds,
        "live_peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "live_growth_mib": round(_resident_mib() - early, 1),
    }


def _first_frame_seconds(portrait: Portrait, chunk: int) -> float:
    """Each chunk counts as heard when its last sample is; work on one delays what follows."""
    sound = our_clips()[0].speech.samples
    live = stream(portrait)
    now = 0.0
    for start in range(0, len(sound), chunk):
        now = max(now, (start + chunk) / SAMPLE_RATE)
        began = time.perf_counter()
        live.push(sound[start : start + chunk])
        frame = next(iter(live), None)
        now += time.perf_counter() - began
        if frame is not None:
            return now
    raise RuntimeError("The stream gave no frame; the benchmark needs a longer clip.")


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
