"""How a film sounds: 32 bits every 16 ms, the signs of how energy differs between bands and moments.

Haitsma and Kalker, "A highly robust audio fingerprinting system", ISMIR 2002: 33 logarithmic bands from 300
to 2000 Hz of overlapping windows of 0.37 s. Eight such rows, 32 ms apart, make a word of 256 bits to look up.
Sound that is played faster, and so higher, is the same in bands that are moved up; half a band is 3 %.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.errors import FingerprintError

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]

SAMPLE_RATE = 8000
HOP = 128
ROWS_PER_SECOND = SAMPLE_RATE / HOP
ROW_BITS = 32
ROW_BYTES = ROW_BITS // 8

WORD_ROWS = 8
WORD_STRIDE = 2
WORD_SPAN = WORD_ROWS * WORD_STRIDE
KNOWN_STEP = 62
"""Rows between the words that are registered: about a second."""

QUERY_STEP = 6
MATCH_BITS = 72
"""Words at most so far apart are worth aligning."""

MAX_ERRORS = 0.35
"""Share of wrong bits up to which two stretches of sound are the same, the authors' threshold."""

RETUNED_SECONDS = 60.0
"""How much of a clip is also looked up at other speeds."""

MIN_SECONDS = 2.0
BIT_CORRELATION = 3.0
"""Bits of one stretch are not independent: the spread of the share of wrong bits between unrelated stretches
is this many times that of coin tosses (the authors' figure; ours is in ``benchmarks.fingerprint``)."""

_MAX_PACKED = 8 << 20
_WINDOW = 2968
_FFT = 4096
_BANDS = 33
_LOW_HZ, _HIGH_HZ = 300.0, 2000.0
_QUIET = 1e-3
_STRETCH = 64
_BAND = (_HIGH_HZ / _LOW_HZ) ** (1 / _BANDS)
SPEEDS = tuple(float(_BAND ** (halves / 2)) for halves in (0, 1, -1, 2, -2, 3, -3, 4, -4))
"""How fast a sound may be played for ``listen``: 1, and 3 to 12 % faster and slower."""


@dataclass(frozen=True, eq=False)
class Retuned:
    """The rows ``bits`` (T, 4) and ``loud`` (T,) that a sound had before it was sped up by ``speed``."""

    speed: float
    bits: UInt8 = field(repr=False)
    loud: NDArray[np.bool_] = field(repr=False)


def rows(blocks: Iterable[Float32]) -> tuple[UInt8, NDArray[np.bool_]]:
    """The fingerprint of sound at 8 kHz that comes in blocks, and where it is loud enough to mean anything.

    Returns (T, 4) bytes of 32 bits at 62.5 Hz, and (T,).
    """
    (bits,), loud = _rows(blocks, SPEEDS[:1])
    return bits, loud


def listen(
    blocks: Iterable[Float32],
) -> tuple[UInt8, NDArray[np.bool_], tuple[Retuned, ...]]:
    """``rows``, and the same of the first minute as if it were played at each other one of ``SPEEDS``."""
    (bits, *others), loud = _rows(blocks, SPEEDS)
    retuned = []
    for speed, played in zip(SPEEDS[1:], others, strict=True):
        count = min(len(played), round(RETUNED_SECONDS * ROWS_PER_SECOND))
        pick = np.minimum(np.rint(np.arange(int(count * speed)) / speed).astype(int), count - 1)
        retuned.append(Retuned(speed, played[pick], loud[pick]))
    return bits, loud, tuple(retuned)


def _rows(blocks: Iterable[Float32], speeds: tuple[float, ...]) -> tuple[list[UInt8], NDArray[np.bool_]]:
    window = np.hanning(_WINDOW).astype(np.float32)
    edges = [_edges(speed) for speed in speeds]
    last: list[Float32 | None] = [None] * len(speeds)
    bits: list[list[UInt8]] = [[np.zeros((0, ROW_BYTES), np.uint8)] for _ in speeds]
    loud: list[NDArray[np.bool_]] = [np.zeros(0, np.bool_)]
    for stretch in _stretches(blocks):
        views = np.lib.stride_tricks.sliding_window_view(stretch, _WINDOW)[::HOP]
        power = np.abs(np.fft.rfft(views * window, _FFT, axis=1)) ** 2
        for which, bands in enumerate(edges):
            energy = np.add.reduceat(power[:, : bands[-1]], bands[:-1], axis=1).astype(np.float32)
            across = energy[:, :-1] - energy[:, 1:]
            before = last[which]
            changes = np.diff(across, axis=0, prepend=across[:1] if before is None else before)
            bits[which].append(np.packbits(changes > 0, axis=1))
            last[which] = across[-1:]
        loud.append(np.sqrt((views**2).mean(1)) > _QUIET)
    return [np.concatenate(each) for each in bits], np.concatenate(loud)


def _edges(speed: float) -> NDArray[np.int64]:
    hertz = speed * np.geomspace(_LOW_HZ, _HIGH_HZ, _BANDS + 1)
    return np.asarray(np.round(hertz * _FFT / SAMPLE_RATE), np.int64)


def pack(bits: UInt8, loud: NDArray[np.bool_]) -> bytes:
    """Rows (T, 4) and where they are loud (T,), as compressed bytes."""
    return zlib.compress(len(bits).to_bytes(4, "big") + bits.tobytes() + np.packbits(loud).tobytes(), 1)


def unpack(data: bytes) -> tuple[UInt8, NDArray[np.bool_]]:
    """The inverse. Raises ``FingerprintError``."""
    try:
        body = zlib.decompressobj().decompress(data, _MAX_PACKED)
        count = int.from_bytes(body[:4], "big")
        end = 4 + count * ROW_BYTES
        bits = np.frombuffer(body[4:end], np.uint8).reshape(count, ROW_BYTES)
        loud = np.unpackbits(np.frombuffer(body[end:], np.uint8), count=count).astype(np.bool_)
    except (ValueError, zlib.error) as error:
        raise FingerprintError("A stored fingerprint is damaged: restore the index from a copy.") from error
    return bits, loud


def words(bits: UInt8, loud: NDArray[np.bool_], step: int) -> tuple[NDArray[np.int64], UInt8]:
    """The words that begin every ``step`` rows where it is loud: their first rows (N,) and they (N, 32)."""
    starts = np.arange(0, len(bits) - WORD_SPAN + 1, step)
    each = starts[:, None] + np.arange(0, WORD_SPAN, WORD_STRIDE)
    kept = loud[each].all(1)
    return starts[kept], bits[each[kept]].reshape(-1, WORD_ROWS * ROW_BYTES)


def errors(
    query: UInt8, loud: NDArray[np.bool_], known: UInt8, offset: int, reach: int = QUERY_STEP
) -> tuple[float, int, NDArray[np.int64]]:
    """The share of wrong bits at the best offset within ``reach`` of ``offset`` (rows, known less query).

    Returns it with that offset and the query's rows that were compared, those that are loud. The share is 1
    where nothing can be compared.
    """
    best: tuple[float, int, NDArray[np.int64]] = (1.0, offset, np.zeros(0, np.int64))
    for shift in range(offset - reach, offset + reach + 1):
        first, last = max(0, -shift), min(len(query), len(known) - shift)
        compared = np.flatnonzero(loud[first:last]) + first if last > first else np.zeros(0, np.int64)
        if len(compared):
            wrong = float(np.bitwise_count(query[compared] ^ known[compared + shift]).sum())
            best = min(
                best, (wrong / (ROW_BITS * len(compared)), shift, compared), key=lambda found: found[0]
            )
    return best


def chance(share_wrong: float, rows_compared: int) -> float:
    """How likely unrelated sound would agree so well: the normal tail, with the bits' correlation."""
    spread = BIT_CORRELATION * 0.5 / np.sqrt(ROW_BITS * max(1, rows_compared))
    return 0.5 * math.erfc((0.5 - share_wrong) / (spread * math.sqrt(2.0)))


def _stretches(blocks: Iterable[Float32]) -> Iterator[Float32]:
    """The sound in overlapping stretches of up to 64 windows, each a hop after the one before."""
    full = _WINDOW + (_STRETCH - 1) * HOP
    rest = np.zeros(0, np.float32)
    pending: list[Float32] = []
    held = 0
    for block in blocks:
        pending.append(block)
        held += len(block)
        if len(rest) + held >= full:
            rest = np.concatenate([rest, *pending])
            pending, held = [], 0
            while len(rest) >= full:
                yield rest[:full]
                rest = rest[_STRETCH * HOP :]
    rest = np.concatenate([rest, *pending])
    count = (len(rest) - _WINDOW) // HOP + 1
    if count > 0:
        yield rest[: _WINDOW + (count - 1) * HOP]
