"""Speed, memory and fidelity of rendering: ``python -m benchmarks.render``.

Figures:
    frame_ms_median: rendering and encoding one frame at 512x512 on one core, over a sitter's whole clip.
    stages_ms: median of each stage of it.
    setup_s: opening a portrait, models loaded, kernels compiled.
    ten_second_clip_s: ``vernissage animate`` on ten seconds of speech as a whole process, all cores.
    peak_mib: peak memory of that process.
    rest_psnr_db: a frame at rest against the source, the worst sitter (capped at 99).
    yaw_error, pitch_error: worst deviation of the measured from the commanded turn at 5, 10 and 15
        degrees both ways, as a share of the command, over our sitters; ``*_mean`` is the mean.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.command import AnimateCommand
from benchmarks.report import publish
from generator.motion import driver
from generator.portrait.landmarks import FaceLandmarker
from generator.portrait.portrait import Portrait
from generator.render.calibration import measured_turn
from generator.render.renderer import Renderer
from generator.sitters import sitters
from generator.speech.audio import Speech
from generator.video import VideoWriter

STAGES = {
    "geometry": "_place_vertices",
    "rasterise": "_rasterise",
    "warp": "_warp",
    "folds": "_soften_folds",
    "eyes": "_draw_eye",
    "mouth": "_draw_mouth",
}
TURNS_DEG = (-15.0, -10.0, -5.0, 5.0, 10.0, 15.0)
CLIP_SECONDS = 10
CLIP_RUNS = 5
SETUP_RUNS = 5


def main() -> None:
    landmarker = FaceLandmarker()
    portraits = [Portrait.open(sitter.path, landmarker=landmarker) for sitter in sitters()]
    figures: dict[str, Any] = _ten_seconds()
    figures |= _turns(portraits, landmarker)
    figures["rest_psnr_db"] = round(min(_rest_psnr(portrait) for portrait in portraits), 1)
    _use_one_core()
    figures["setup_s"] = round(_setup_seconds(landmarker), 3)
    figures |= _frames(portraits[0])
    publish("render", figures)


def _use_one_core() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)


def _frames(portrait: Portrait) -> dict[str, Any]:
    speech = sitters()[0].clip.path
    motion = driver.get("learned")(Speech.open(speech), seed=0)
    renderer = Renderer(portrait)
    stages: dict[str, list[float]] = defaultdict(list)
    for stage, method in STAGES.items():
        setattr(renderer, method, _timed(getattr(renderer, method), stages[stage]))
    frames, encodes = [], []
    with (
        tempfile.TemporaryDirectory() as folder,
        VideoWriter(Path(folder) / "film.mp4", portrait.size, motion.fps, speech) as film,
    ):
        for row in motion.values:
            began = time.perf_counter()
            frame = renderer.frame(row)
            rendered = time.perf_counter()
            film.write(frame)
            encodes.append(time.perf_counter() - rendered)
            frames.append(time.perf_counter() - began)
    count = len(motion.values)
    per_stage = {name: _milliseconds(_per_frame(times, count)) for name, times in stages.items()}
    return {
        "frame_ms_median": _milliseconds(frames),
        "frame_ms_mean": round(1e3 * statistics.fmean(frames), 2),
        "stages_ms": per_stage | {"encode": _milliseconds(encodes)},
        "frames": count,
    }


def _timed(method: Callable[..., Any], times: list[float]) -> Callable[..., Any]:
    def run(*args: Any) -> Any:
        began = time.perf_counter()
        result = method(*args)
        times.append(time.perf_counter() - began)
        return result

    return run


def _per_frame(times: list[float], frames: int) -> list[float]:
    """Sums the calls of one frame (two eyes)."""
    calls = max(len(times) // frames, 1)
    return [sum(times[i : i + calls]) for i in range(0, len(times), calls)]


def _milliseconds(times: list[float]) -> float:
    return round(1e3 * statistics.median(times), 3)


def _setup_seconds(landmarker: FaceLandmarker) -> float:
    times = []
    for _ in range(SETUP_RUNS):
        began = time.perf_counter()
        Portrait.open(sitters()[0].path, landmarker=landmarker)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _rest_psnr(portrait: Portrait) -> float:
    rest = Renderer(portrait).frame(np.zeros(59, np.float32)).astype(np.float64)
    error = float(((rest - portrait.frame) ** 2).mean())
    return 10 * float(np.log10(255**2 / error)) if error > 1e-6 else 99.0


def _turns(portraits: list[Portrait], landmarker: FaceLandmarker) -> dict[str, float]:
    errors: dict[str, list[float]] = {"yaw": [], "pitch": []}
    for portrait in portraits:
        for turn in TURNS_DEG:
            errors["yaw"].append(abs(measured_turn(portrait, landmarker, turn, 0)[0] / turn - 1))
            errors["pitch"].append(abs(measured_turn(portrait, landmarker, 0, turn)[1] / turn - 1))
    return {f"{axis}_error": round(max(found), 3) for axis, found in errors.items()} | {
        f"{axis}_error_mean": round(statistics.fmean(found), 3) for axis, found in errors.items()
    }


def _ten_seconds() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        animate = AnimateCommand(Path(folder), CLIP_SECONDS)
        animate()
        times = [animate() for _ in range(CLIP_RUNS)]
    return {
        "ten_second_clip_s": round(statistics.median(times), 2),
        "peak_mib": round(AnimateCommand.peak_mib()),
    }


if __name__ == "__main__":
    main()
