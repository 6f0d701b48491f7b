"""``vernissage animate`` as a user runs it, timed from outside."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np

from generator.sitters import clips, sitters
from generator.speech.audio import Speech

RATE_HZ = 16_000


class AnimateCommand:
    """Our first sitter speaking our clips, repeated to ``seconds``, in a folder with keys of its own."""

    def __init__(self, folder: Path, seconds: int) -> None:
        speech = folder / "speech.wav"
        _write_speech(speech, seconds)
        vernissage = str(Path(sys.executable).with_name("vernissage"))
        self._environment = os.environ | {"VERNISSAGE_KEYS": str(folder / "keys")}
        self._run(vernissage, "keys", "init")
        self._animate = (
            vernissage,
            "animate",
            sitters()[0].name,
            str(speech),
            "-o",
            str(folder / "film.mp4"),
        )

    def __call__(self) -> float:
        """Make the film; the wall time of the whole process in seconds."""
        began = time.perf_counter()
        self._run(*self._animate)
        return time.perf_counter() - began

    @staticmethod
    def peak_mib() -> float:
        """The largest memory of any process run so far."""
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024

    def _run(self, *command: str) -> None:
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)


def _write_speech(path: Path, seconds: int) -> None:
    """Our clips, one after the other, as 16-bit mono WAV."""
    clip = np.concatenate([Speech.open(clip.path).samples for clip in clips()])
    samples = np.resize(clip, seconds * RATE_HZ)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
