"""Pictures and sound of a film from anywhere, decoded at a safe distance.

    for seconds, picture in frames(path, Limits()):
        ...

Each call starts a process of its own (``detector.decoding``) with bounded memory and processor time, which
gets the open file and nothing else, and streams back plain arrays through a pipe, one at a time. A file that
crashes it or keeps it busy costs that process alone; what it sends is checked again on this side.
"""

from __future__ import annotations

import json
import math
import os
import select
import signal
import stat
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector import errors
from detector.errors import MediaDamaged, MediaError, MediaRefused

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

MESSAGE = struct.Struct("<4sdII")
"""Before each array: its kind, its time (s) or which of the rates asked for, two sizes (height and width, or
samples and their rate)."""
MAX_RATE = 192_000
MAX_BLOCK = 1 << 20
MAX_RATES = 4
MAX_NOTE = 1 << 12

_ROOT = Path(__file__).resolve().parents[1]
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_PIPE_BYTES = 1 << 20


@dataclass(frozen=True)
class Limits:
    """How large a file may be, and how much its decoding may cost.

    ``seconds`` is running time, ``pixels`` are of one picture, ``frames_per_second`` bounds how many pictures
    are decoded at all (with ``seconds``). ``stall_seconds`` is the longest wait for the next picture or block
    of sound, ``wall_seconds`` that for all of them together, not counting what the caller does in between.
    """

    bytes: int = 4 << 30
    seconds: float = 2 * 3600.0
    pixels: int = 4096 * 2304
    frames_per_second: float = 120.0
    stall_seconds: float = 30.0
    wall_seconds: float = 1800.0
    memory_bytes: int = 2 << 30


@dataclass(frozen=True)
class Facts:
    """What a file says of itself: not checked, good for a progress bar. Zero where it does not say.

    ``seconds`` running time, ``fps`` pictures a second, ``rate`` samples a second, codecs by FFmpeg's names.
    """

    seconds: float
    width: int
    height: int
    fps: float
    picture_codec: str
    rate: int
    sound_codec: str


def facts(path: Path, limits: Limits = Limits()) -> Facts:
    """The header of a film or a sound file. Raises ``MediaRefused``, ``MediaDamaged``."""
    with _decoding(path, limits, {"work": "facts"}) as answers:
        for kind, _, _, _, body in answers:
            if kind == b"FACT":
                return _facts(bytes(body))
    raise _damaged()


def frames(
    path: Path, limits: Limits = Limits(), *, per_second: float | None = None, longest_side: int | None = None
) -> Iterator[tuple[float, UInt8]]:
    """The pictures of a film: when each is shown (s, from 0, ascending), and (height, width, 3) RGB, upright.

    With ``per_second`` only the first picture of each such interval is given; with ``longest_side`` (pixels)
    larger ones are made smaller. What can be decoded of a damaged file is given before the error is raised.
    Pictures may change their size on the way. The arrays are the caller's own.

    Raises:
        MediaRefused: the file exceeds ``limits``, or its format is not opened; also amid the pictures.
        MediaDamaged: it cannot be decoded (further).
        NoPicture: there is no video track.
    """
    job = {"work": "frames", "per_second": per_second, "longest_side": longest_side}
    with _decoding(path, limits, job) as answers:
        for kind, at, height, width, body in answers:
            if kind == b"FRAM":
                yield at, np.frombuffer(body, np.uint8).reshape(height, width, 3)


def sound_blocks(
    path: Path, limits: Limits = Limits(), *, rate: int | None = None
) -> Iterator[tuple[Float32, int]]:
    """The sound of a film or a sound file, block by block: (N,) samples, mono, -1..1, and their rate (Hz).

    They come at the file's own rate, or resampled to ``rate`` (Hz).

    Raises:
        MediaRefused, MediaDamaged: as in ``frames``.
        NoSound: there is no audio track.
    """
    for _, block, samples_per_second in sound_streams(path, (rate,), limits):
        yield block, samples_per_second


def sound_streams(
    path: Path, rates: tuple[int | None, ...], limits: Limits = Limits()
) -> Iterator[tuple[int, Float32, int]]:
    """``sound_blocks`` at several ``rates`` from one decoding: which of them, the block, its rate (Hz)."""
    with _decoding(path, limits, {"work": "sound", "rates": rates}) as answers:
        for kind, which, _, samples_per_second, body in answers:
            if kind == b"SOUN" and which < len(rates):
                yield int(which), np.frombuffer(body, np.float32), samples_per_second


def sound(path: Path, limits: Limits = Limits(), *, rate: int | None = None) -> tuple[Float32, int]:
    """All of ``sound_blocks`` at once: (N,) samples and their rate (Hz). Raises what it raises."""
    pieces: list[Float32] = []
    samples_per_second = 0
    for piece, samples_per_second in sound_blocks(path, limits, rate=rate):  # noqa: B007
        pieces.append(piece)
    if not pieces:
        raise _damaged()
    return np.concatenate(pieces), samples_per_second


@contextmanager
def _decoding(
    path: Path, limits: Limits, job: dict[str, Any]
) -> Iterator[Iterator[tuple[bytes, float, int, int, bytearray]]]:
    command = [sys.executable, "-P", "-m", "detector.decoding", json.dumps(job | {"limits": asdict(limits)})]
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    file = _open(path, limits)
    try:
        process = subprocess.Popen(
            command,
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            env=environment | _ONE_THREAD | {"PYTHONPATH": str(_ROOT)},
            start_new_session=True,
        )
    finally:
        os.close(file)
    assert process.stdout is not None
    try:
        _widen(process.stdout.fileno())
        yield _answers(process.stdout.fileno(), limits)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def _open(path: Path, limits: Limits) -> int:
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise MediaRefused(f"{path} cannot be read ({error.strerror}): name a video file.") from error
    found = os.fstat(file)
    sentence = ""
    if not stat.S_ISREG(found.st_mode):
        sentence = f"{path} is not a file: name a video file."
    elif found.st_size > limits.bytes:
        sentence = f"{path} has more than {limits.bytes >> 20} MiB: send a smaller file."
    elif found.st_size == 0:
        sentence = f"{path} is empty: send it again."
    if sentence:
        os.close(file)
        raise MediaRefused(sentence)
    return file


def _widen(pipe: int) -> None:
    if sys.platform == "linux":
        import fcntl

        with suppress(PermissionError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _answers(pipe: int, limits: Limits) -> Iterator[tuple[bytes, float, int, int, bytearray]]:
    clock = _Clock(limits)
    last, samples = -math.inf, Counter[int]()
    while True:
        clock.restart()
        kind, at, first, second = MESSAGE.unpack(_read(pipe, MESSAGE.size, clock))
        if kind == b"DONE":
            return
        if kind in (b"FAIL", b"FACT") and first <= MAX_NOTE:
            body = _read(pipe, first, clock)
            if kind == b"FAIL":
                raise _failure(bytes(body))
            yield kind, 0.0, 0, 0, body
        elif kind == b"FRAM" and 0 < first * second <= limits.pixels and last < at <= limits.seconds:
            last = at
            yield kind, at, first, second, _read(pipe, 3 * first * second, clock)
        elif kind == b"SOUN" and 0 < second <= MAX_RATE and first <= MAX_BLOCK and at in range(MAX_RATES):
            samples[int(at)] += first
            if samples[int(at)] > limits.seconds * second:
                raise MediaRefused(f"The sound is longer than {limits.seconds:.0f} s: send a part of it.")
            yield kind, at, first, second, _read(pipe, 4 * first, clock)
        else:
            raise _damaged()


class _Clock:
    """How long may still be waited, for the next answer and for all."""

    def __init__(self, limits: Limits) -> None:
        self._stall = limits.stall_seconds
        self._left = limits.wall_seconds
        self._left_now = self._stall

    def restart(self) -> None:
        self._left_now = self._stall

    def wait_for(self, pipe: int) -> None:
        began = time.monotonic()
        patience = min(self._left, self._left_now)
        ready = patience > 0 and select.select([pipe], [], [], patience)[0]
        waited = time.monotonic() - began
        self._left -= waited
        self._left_now -= waited
        if not ready:
            raise MediaRefused("The file took too long to decode: send a shorter or smaller one.")


def _read(pipe: int, size: int, clock: _Clock) -> bytearray:
    body = bytearray(size)
    rest = memoryview(body)
    while rest:
        clock.wait_for(pipe)
        count = os.readv(pipe, [rest])
        if count == 0:
            raise _damaged()
        rest = rest[count:]
    return body


def _failure(body: bytes) -> MediaError:
    name, _, sentence = body.decode("utf-8", "replace").partition(":")
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, MediaError):
        return kind(sentence)
    return _damaged()


def _facts(body: bytes) -> Facts:
    try:
        found = json.loads(body)
        return Facts(
            max(0.0, float(found["seconds"])),
            int(found["width"]),
            int(found["height"]),
            float(found["fps"]),
            str(found["picture_codec"]),
            int(found["rate"]),
            str(found["sound_codec"]),
        )
    except (KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise _damaged() from error


def _damaged() -> MediaDamaged:
    return MediaDamaged("The file cannot be decoded: export it again.")
