"""What an uploaded file shows and says, found out at a safe distance.

Each file is opened in a process of its own (``governance.biometrics.worker``) with bounded memory, processor
time, output and wall time, which sees neither the database nor a key and gives back numbers alone. Whatever
goes wrong in it, a crash or a hang, is a refusal.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from governance import errors
from governance.biometrics import limits
from governance.biometrics.templates import FaceTemplate
from governance.errors import BiometricsError, MediaRefused

_ROOT = Path(__file__).resolve().parents[2]
_KEPT_VARIABLES = ("HOME", "PATH", "VERNISSAGE_ASSETS", "XDG_CACHE_HOME", "LD_LIBRARY_PATH", "TMPDIR")
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Likeness:
    """What is remembered of a portrait: its face, the same in a mirror, and the picture's print."""

    face: FaceTemplate
    mirrored: FaceTemplate
    picture: bytes = field(repr=False)


@dataclass(frozen=True, eq=False)
class Look:
    """One moment of a film, ``at`` seconds: how many ``people`` show their face, and of the largest face its
    ``landmarks`` (5, 2) in pixels (as in ``faces.Face``) and, when asked for, its ``template``."""

    at: float
    people: int
    landmarks: NDArray[np.float32] | None = field(repr=False)
    template: FaceTemplate | None


def look_at_picture(path: Path) -> Likeness:
    """The one face in a picture file.

    Raises:
        NoFace, SeveralFaces: it shows nobody, or more than one person.
        MediaRefused: it is too large, damaged, or no JPEG, PNG or WebP.
    """
    answer, _ = _ask(path, {"work": "picture"})
    try:
        return Likeness(
            FaceTemplate(bytes.fromhex(answer["face"])),
            FaceTemplate(bytes.fromhex(answer["mirrored"])),
            bytes.fromhex(answer["print"]),
        )
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise _unreadable() from error


def look_at_film(path: Path, *, per_second: float, describe: bool) -> tuple[Look, ...]:
    """Up to ``per_second`` looks at a film, with templates if it is to be told who is seen (``describe``).

    Raises:
        MediaRefused: it is too long, too large, damaged, or no MP4 or WebM.
    """
    answer, _ = _ask(path, {"work": "film", "per_second": per_second, "describe": describe})
    try:
        return tuple(_look(*look) for look in answer["looks"])
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise _unreadable() from error


def listen(path: Path) -> NDArray[np.float32]:
    """The sound of a film or a sound file: (N,) samples, mono at 16 kHz.

    Raises:
        MediaRefused: it is too long, damaged, silent for want of a track, or of no accepted format.
    """
    _, samples = _ask(path, {"work": "sound"})
    try:
        return np.frombuffer(samples, np.float32)
    except ValueError as error:
        raise _unreadable() from error


def _look(at: float, people: int, landmarks: list[float], template: str) -> Look:
    return Look(
        float(at),
        int(people),
        np.asarray(landmarks, np.float32).reshape(5, 2) if people else None,
        FaceTemplate(bytes.fromhex(template)) if template else None,
    )


def _ask(path: Path, job: Mapping[str, object]) -> tuple[dict[str, Any], bytes]:
    data = _read(path)
    command = [sys.executable, "-P", "-m", "governance.biometrics.worker", json.dumps(job)]
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=environment | _ONE_THREAD | {"PYTHONPATH": str(_ROOT)},
            start_new_session=True,
        )
        try:
            process.communicate(data, timeout=limits.WALL_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise MediaRefused("The file took too long to read: send a shorter or smaller one.") from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if process.returncode != 0:
            raise _unreadable()
        out.seek(0)
        head, _, rest = out.read().partition(b"\n")
    return _parse(head), rest


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limits.MAX_BYTES + 1)
    except OSError as error:
        raise MediaRefused(f"The file cannot be read ({error.strerror}): send it again.") from error
    if len(data) > limits.MAX_BYTES:
        raise MediaRefused(f"The file has more than {limits.MAX_BYTES >> 20} MiB: send a smaller one.")
    if not data:
        raise MediaRefused("The file is empty: send it again.")
    return data


def _parse(head: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(head)
    except (ValueError, RecursionError) as error:
        raise _unreadable() from error
    if not isinstance(answer, dict):
        raise _unreadable()
    if "refused" in answer:
        kind = getattr(errors, str(answer["refused"]), MediaRefused)
        if isinstance(kind, type) and issubclass(kind, BiometricsError):
            raise kind(str(answer.get("sentence", ""))[:500])
        raise _unreadable()
    return answer


def _unreadable() -> MediaRefused:
    return MediaRefused("The file could not be read safely: record or export it again.")
