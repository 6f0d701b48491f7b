"""The International Standard Content Code (ISO 24138:2024) of a film: C2PA soft binding ``io.iscc.v0``.

The standard's Video-Code is made of MPEG-7 frame signatures, which no library at hand computes. So the
content is coded as what the standard also provides for, a Mixed-Code: of the Image-Codes of the film's
pictures, one a second. Any ISCC reader can take the code apart, compare its units by Hamming distance and
check the Instance-Code against the file; only a Video-Code of another tool cannot be compared with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import iscc_lib
import numpy as np
from numpy.typing import NDArray

from detector.errors import FingerprintError
from detector.media import Limits, frames

ALGORITHM = "io.iscc.v0"
PICTURES_PER_SECOND = 1.0
_SIDE = 32
_DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Iscc:
    """``code``: the composite ISCC-CODE, the soft binding's value; ``content``, ``data``, ``instance``: its
    units; ``pictures``: the Image-Codes that ``content`` was made of, one a second."""

    code: str
    content: str
    data: str
    instance: str
    pictures: tuple[str, ...]


def iscc(path: Path, limits: Limits = _DEFAULT_LIMITS) -> Iscc:
    """The codes of a finished film.

    Raises:
        MediaError: it cannot be decoded.
        FingerprintError: it shows no second picture to code.
    """
    coder = ContentCoder()
    for at, picture in frames(path, limits, per_second=PICTURES_PER_SECOND, longest_side=512):
        coder.see(at, picture)
    content = coder.done()
    data, instance = iscc_lib.gen_sum_code_v0(path, add_units=True).units or ("", "")
    code = iscc_lib.gen_iscc_code_v0([content, data, instance]).iscc
    return Iscc(code, content, data, instance, tuple(coder.codes))


class ContentCoder:
    """Takes in pictures one by one, for a caller who decodes them anyway; ``codes`` are their Image-Codes."""

    def __init__(self) -> None:
        self.codes: list[str] = []
        self._due = 0.0

    def see(self, seconds: float, picture: NDArray[np.uint8]) -> None:
        """The next picture: (height, width, 3) RGB, shown at ``seconds`` (ascending)."""
        if seconds + 1e-6 >= self._due:
            self._due = (np.floor((seconds + 1e-6) * PICTURES_PER_SECOND) + 1) / PICTURES_PER_SECOND
            self.codes.append(iscc_lib.gen_image_code_v0(_grey(picture)).iscc)

    def done(self) -> str:
        """The content's unit. Raises ``FingerprintError`` if there was no second picture."""
        if len(self.codes) < 2:
            raise FingerprintError("The film is shorter than a second: an ISCC needs two pictures.")
        return str(iscc_lib.gen_mixed_code_v0(self.codes).iscc)


def distance(one: str, other: str) -> int:
    """In how many bits two units of the same kind and length differ. Raises ``FingerprintError``."""
    try:
        first, second = iscc_lib.iscc_decode(one), iscc_lib.iscc_decode(other)
    except ValueError as error:
        raise FingerprintError("This is no ISCC: give a code that begins with ISCC:.") from error
    if first[:4] != second[:4]:
        raise FingerprintError("These codes are of different kinds: compare units of the same kind.")
    return sum((a ^ b).bit_count() for a, b in zip(first[4], second[4], strict=True))


def _grey(picture: NDArray[np.uint8]) -> bytes:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8).tobytes()
