"""The process in which uploads are opened: ``python -m governance.biometrics.worker JOB``.

It limits itself before it reads the upload from standard input, and answers with numbers alone: one line of
JSON, then, for a job that listens, the samples. ``governance.biometrics.media`` starts it and kills it.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from governance.biometrics import limits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from governance.biometrics.faces import Faces


def main() -> None:
    job = json.loads(sys.argv[1])
    _limit()
    from governance.errors import BiometricsError

    works: dict[str, Callable[..., tuple[dict[str, Any], bytes]]]
    works = {"picture": _picture, "film": _film, "sound": _sound}
    work = works[job.pop("work")]
    try:
        answer, samples = work(**job)
    except BiometricsError as refusal:
        answer, samples = {"refused": type(refusal).__name__, "sentence": str(refusal)}, b""
    sys.stdout.buffer.write(json.dumps(answer).encode("ascii") + b"\n" + samples)


def _limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, limits.MEMORY_BYTES),
        (resource.RLIMIT_CPU, limits.CPU_SECONDS),
        (resource.RLIMIT_FSIZE, limits.ANSWER_BYTES),
        (resource.RLIMIT_NOFILE, limits.OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _upload() -> bytes:
    return sys.stdin.buffer.read(limits.MAX_BYTES)


def _faces() -> Faces:
    import cv2

    from governance.biometrics.faces import Faces

    cv2.setNumThreads(1)
    return Faces.load()


def _picture() -> tuple[dict[str, Any], bytes]:
    from governance.biometrics import decoding, pictures

    faces = _faces()
    image = decoding.picture(_upload())
    face = faces.only(image)
    mirrored = image[:, ::-1]
    return {
        "face": faces.describe(image, face).data.hex(),
        "mirrored": faces.describe(mirrored, faces.only(mirrored)).data.hex(),
        "print": pictures.print_of(image).hex(),
    }, b""


def _film(per_second: float, describe: bool) -> tuple[dict[str, Any], bytes]:
    from governance.biometrics import decoding

    faces = _faces()
    looks = [[at, *_look(faces, image, describe)] for at, image in decoding.frames(_upload(), per_second)]
    return {"looks": looks}, b""


def _look(faces: Faces, image: NDArray[np.uint8], describe: bool) -> tuple[int, list[float], str]:
    found = faces.people(image)
    if not found:
        return 0, [], ""
    template = faces.describe(image, found[0]).data.hex() if describe else ""
    return len(found), found[0].landmarks.ravel().tolist(), template


def _sound() -> tuple[dict[str, Any], bytes]:
    from governance.biometrics import decoding

    return {}, decoding.sound(_upload()).tobytes()


if __name__ == "__main__":
    main()
