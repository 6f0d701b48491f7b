"""Whether two pictures are copies of one: a print of their coarse lights and darks.

It survives another size, compression, brightness and small crops, where a face might not be found (a drawing,
say); another picture of the same person is for ``faces``, not for this.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

BITS = 256
SAME_PICTURE = 0.8
"""Share of equal bits from which two pictures are copies; measured by ``python -m benchmarks.biometrics``."""

_SIDE = 64
_KEPT = 16


def print_of(image: NDArray[np.uint8]) -> bytes:
    """``BITS`` bits of a (height, width, 3) RGB picture: its lowest cosine terms above their median."""
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    terms = cv2.dct(small)[:_KEPT, :_KEPT].ravel()
    return np.packbits(terms > np.median(terms[1:])).tobytes()


def likeness(a: bytes, b: bytes) -> float:
    """Share of equal bits in two prints, 0..1; about a half for pictures that have nothing in common."""
    differ = np.unpackbits(np.frombuffer(a, np.uint8) ^ np.frombuffer(b, np.uint8))
    return 1 - float(differ.mean())
