"""What a film looks like: PDQ words of its pictures, and of what is left of them after a centred crop.

PDQ (Facebook, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", 2019) hashes a
picture to 256 bits that survive compression and resizing, but not a crop. So the registered side is hashed at
several centred crops, a step apart that the hash bridges, and the query at one, as seen and mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pdqhash  # type: ignore[import-untyped]
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]

WORD_BITS = 256
WORD_BYTES = WORD_BITS // 8
SAMPLES_PER_SECOND = 2.0
MIN_QUALITY = 50
"""Of 100, as the authors of PDQ advise; below it a picture is too plain for its hash to mean anything."""

CROPS = tuple(0.93**level for level in range(6))
"""Side lengths that are left of a picture's after the crops that are registered: 1 to 0.70."""

MATCH_BITS = 44
"""Words at most so far apart show the same picture (measured: ``benchmarks.fingerprint``)."""

SAME_BITS = 12
"""Words of one film at most so far apart are worth keeping only once."""

_HASHED_SIDE = 128
_MIRRORED = 5


@dataclass(frozen=True, eq=False)
class Sight:
    """One sampled moment: ``at`` (s), its ``words`` at ``CROPS`` (6, 32), and the ``mirrored`` word (32,)."""

    at: float
    words: UInt8
    mirrored: UInt8


def look(at: float, picture: UInt8) -> Sight | None:
    """Hash a picture, (height, width, 3) RGB; ``None`` if it is too plain."""
    words = []
    for share in CROPS:
        bits, quality = pdqhash.compute(_small(_centre(picture, share)))
        if share == 1.0 and quality < MIN_QUALITY:
            return None
        words.append(np.packbits(bits))
    turned, _ = pdqhash.compute_dihedral(_small(picture))
    return Sight(at, np.stack(words), np.packbits(turned[_MIRRORED]))


def distinct(sights: list[Sight]) -> list[Sight]:
    """The first of every group of sights that look the same."""
    kept: list[Sight] = []
    for sight in sights:
        if all(distance(sight.words[0], other.words[0]) > SAME_BITS for other in kept):
            kept.append(sight)
    return kept


def distance(one: UInt8, other: UInt8) -> int:
    """How many bits two words differ in."""
    return int(np.bitwise_count(one ^ other).sum())


def _centre(picture: UInt8, share: float) -> UInt8:
    height, width = picture.shape[:2]
    rows, columns = max(1, round(height * share)), max(1, round(width * share))
    top, left = (height - rows) // 2, (width - columns) // 2
    return picture[top : top + rows, left : left + columns]


def _small(picture: UInt8) -> UInt8:
    return np.asarray(
        cv2.resize(picture, (_HASHED_SIDE, _HASHED_SIDE), interpolation=cv2.INTER_AREA), np.uint8
    )
