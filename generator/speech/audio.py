"""Reading the sound a portrait is to speak."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from generator.errors import SpeechError

SAMPLE_RATE = 16000
MAX_SECONDS = 1800.0
MAX_BYTES = 2 << 30
MIN_SECONDS = 0.1
SILENCE_RMS = 1e-4
"""Root mean square (full scale 1) of the loudest tenth of a second, below which there is nothing to speak."""
TRUNCATION_SECONDS = 0.5
"""How far the decoded length may fall short of the length the file promises."""
GAP_SECONDS = 0.08
"""Longest hole between two decoded blocks that is put down to coarse timestamps, not to lost sound."""


@dataclass(frozen=True, eq=False)
class Speech:
    """Sound, decoded.

    ``samples``: (N,) float32 mono at ``sample_rate`` (16 kHz), -1..1, read-only.
    ``path`` and ``sha256`` (hex, of the file's bytes) say where it came from.
    """

    samples: NDArray[np.float32]
    path: Path
    sha256: str
    sample_rate: int = SAMPLE_RATE

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.sample_rate

    @classmethod
    def open(cls, path: Path | str, max_seconds: float = MAX_SECONDS, max_bytes: int = MAX_BYTES) -> Speech:
        """Decode the first sound track of an audio or video file.

        Raises ``SpeechError`` when the file is missing, holds no sound, is damaged or cut short, is
        empty or silent, or is longer than ``max_seconds`` or bigger than ``max_bytes``.
        """
        path = Path(path)
        if not path.is_file():
            raise SpeechError(f"There is no file at {path}; give the path of a sound or video file.")
        size = path.stat().st_size
        if size == 0:
            raise SpeechError(f"{path.name} is empty; give a file with speech in it.")
        if size > max_bytes:
            raise SpeechError(
                f"{path.name} has {size / 1e6:.0f} MB, more than the {max_bytes / 1e6:.0f} MB that are"
                " accepted; give a shorter or compressed recording."
            )
        samples = _decode(path, max_seconds)
        _check_sound(samples, path.name)
        samples.setflags(write=False)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(samples, path, digest)


def _decode(path: Path, max_seconds: float) -> NDArray[np.float32]:
    try:
        with av.open(path, metadata_errors="replace") as container:
            if not container.streams.audio:
                raise SpeechError(f"{path.name} has no sound track; give a file with speech in it.")
            stream = container.streams.audio[0]
            promised = _promised_seconds(container, stream)
            if promised is not None and promised > max_seconds:
                raise _too_long(path.name, promised, max_seconds)
            samples = _decode_stream(container, stream, path.name, max_seconds)
    except av.error.FFmpegError as error:
        raise SpeechError(
            f"{path.name} is not a readable sound file or is damaged ({error.strerror});"
            " export it again, for example as WAV."
        ) from error
    except ValueError as error:  # PyAV's resampler takes one format only
        raise SpeechError(f"{path.name} changes its format midway; export it again as WAV.") from error
    if promised is not None and len(samples) / SAMPLE_RATE < promised - TRUNCATION_SECONDS:
        raise SpeechError(
            f"{path.name} promises {promised:.1f} s of sound but holds {len(samples) / SAMPLE_RATE:.1f} s;"
            " it was cut short: copy or export it again."
        )
    return samples


def _decode_stream(container: Any, stream: Any, name: str, max_seconds: float) -> NDArray[np.float32]:
    resampler = av.AudioResampler(format="fltp", rate=SAMPLE_RATE)
    limit = round(max_seconds * SAMPLE_RATE)
    chunks: list[NDArray[np.float32]] = []
    count = 0
    ends = 0.0
    for packet in container.demux(stream):
        if packet.is_corrupt:
            raise SpeechError(f"{name} is damaged; export it again, for example as WAV.")
        for frame in packet.decode():
            begins = ends if frame.time is None else frame.time
            if begins - ends > GAP_SECONDS and count:
                raise SpeechError(f"{name} has a hole at {ends:.1f} s; export it again, for example as WAV.")
            ends = begins + frame.samples / frame.sample_rate
            for piece in resampler.resample(frame):
                chunks.append(piece.to_ndarray().mean(0))
                count += len(chunks[-1])
        if count > limit:
            raise _too_long(name, count / SAMPLE_RATE, max_seconds)
    if count:
        chunks += [piece.to_ndarray().mean(0) for piece in resampler.resample(None)]
    samples = np.concatenate(chunks) if chunks else np.zeros(0, np.float32)
    return np.clip(samples, -1.0, 1.0, out=samples)


def _promised_seconds(container: Any, stream: Any) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None:
        return float(container.duration / av.time_base)
    return None


def _too_long(name: str, seconds: float, max_seconds: float) -> SpeechError:
    return SpeechError(
        f"{name} lasts at least {seconds:.0f} s, more than the {max_seconds:.0f} s that are accepted;"
        " cut it shorter."
    )


def _check_sound(samples: NDArray[np.float32], name: str) -> None:
    if len(samples) < MIN_SECONDS * SAMPLE_RATE:
        raise SpeechError(f"{name} holds less than {MIN_SECONDS:g} s of sound; give a longer recording.")
    if not np.isfinite(samples).all():
        raise SpeechError(f"{name} holds values that are not numbers; export it again, for example as WAV.")
    window = SAMPLE_RATE // 10
    windows = samples[: len(samples) // window * window].reshape(-1, window)
    energy = np.einsum("ij,ij->i", windows, windows) / window
    if np.sqrt(energy.max()) < SILENCE_RMS:
        raise SpeechError(f"{name} is silent; give a recording in which somebody can be heard.")
