"""Reading a mark: the payload from the first eight seconds that give one, then where in time it is."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.watermark.code import CHIPS, Payload, decode, false_decode_bound
from detector.watermark.picture.demodulate import Moments, pieces
from detector.watermark.picture.pattern import READ, SOFT, Complex64, Float32, Pattern
from detector.watermark.picture.synchronise import CANDIDATES, Placement, refine, search, upright

WINDOW_PIECES = 2
SPAN_WINDOWS = 4
FED_BACK = 2
"""Candidates that are placed again by what was understood of their payload, turn and aspect included."""

MOST_CALLS_A_SPAN = 2 * (SPAN_WINDOWS + 1) + CANDIDATES + FED_BACK
"""Calls of `decode` that a span can cost: 16, so that the bound is 3e-8 for every eight seconds."""

REGULARISATION = 0.5
"""Of the least squares for chips, over the mean energy of a chip."""

EARLIER_WINDOWS = 60
"""Windows kept until a payload is known, that they may be looked at again: two minutes in 8 MB."""

PRESENT_STRENGTH = 5.0
"""Strength from which a segment is said to carry the known mark; noise passes with probability exp(-12.5)."""


@dataclass(frozen=True)
class Segment:
    """From `start` to `end` (seconds): `strength` is the correlation with the mark read, over its noise."""

    start: float
    end: float
    strength: float
    found: bool


@dataclass(frozen=True)
class Reading:
    """What a film says. `payload` is None where no mark was read.

    `confidence` (0..1) is one less the bound on the probability that noise passed the keyed check in all that
    was tried (`calls` of `decode`); 0 without a payload. `segments` last about two seconds, end to end.
    """

    payload: Payload | None
    confidence: float
    segments: tuple[Segment, ...]
    calls: int


class Reader:
    """Reads the marks of one key."""

    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern

    def read(self, frames: Iterable[tuple[float, NDArray[np.uint8]]]) -> Reading:
        """See `PictureMark.read`."""
        payload: Payload | None = None
        placement: Placement | None = None
        mark: Float32 | None = None
        calls = 0
        segments: list[Segment] = []
        waiting: deque[tuple[int, Complex64]] = deque(maxlen=EARLIER_WINDOWS)

        for span in _spans(_windows(pieces(frames))):
            fields = [window.field() for window in span]
            for window, field in zip(span, fields, strict=True):
                waiting.append((len(segments), field))
                segments.append(Segment(window.start, window.end, 0.0, False))
            if payload is None:
                payload, placement, tried = self.decode(fields)
                calls += tried
                if payload is not None:
                    mark = _at_reading_size(self._pattern.mark(payload.job_id))
            while mark is not None and placement is not None and waiting:
                index, field = waiting.popleft()
                strength = _strength(placement.aligned(field), mark)
                segments[index] = replace(
                    segments[index], strength=strength, found=strength >= PRESENT_STRENGTH
                )
        confidence = 0.0 if payload is None else 1.0 - false_decode_bound(calls)
        return Reading(payload, confidence, tuple(segments), calls)

    def decode(self, fields: list[Complex64]) -> tuple[Payload | None, Placement | None, int]:
        """All windows together and each alone, as the frame stands; then all, wherever the pilot may be."""
        together = np.sum(fields, axis=0)
        calls = 0
        for field in [together, *(fields if len(fields) > 1 else [])]:
            for flipped in (False, True):
                placement = upright(field, flipped)
                calls += 1
                payload = decode(self._soft(field, placement), self._pattern.key)
                if payload is not None:
                    return payload, placement, calls
        candidates = search(together, self._pattern)
        for index in range(len(candidates) + FED_BACK):
            if index < len(candidates):
                placement = candidates[index]
            else:
                first = candidates[index - len(candidates)]
                placement = refine(together, first, self._pattern.estimate(self._soft(together, first)))
            calls += 1
            payload = decode(self._soft(together, placement), self._pattern.key)
            if payload is not None:
                return payload, placement, calls
        return None, None, calls

    def _soft(self, field: Complex64, placement: Placement) -> NDArray[np.float32]:
        """Soft values (CHIPS,) by regularised least squares on what of the pattern was received."""
        seen = placement.aligned(field)
        received = placement.aligned(np.ones(field.shape, np.complex64)).real
        small = cv2.resize(
            np.stack([seen.real, seen.imag, received], 2), (SOFT, SOFT), interpolation=cv2.INTER_AREA
        )
        kept = small[..., 2].ravel() > 0.5
        if kept.sum() < CHIPS:
            return np.zeros(CHIPS, np.float32)
        rows = self._pattern.templates[:, kept]
        values = small[..., 0].ravel()[kept] + 1j * small[..., 1].ravel()[kept]
        values = (values * np.exp(-1j * np.angle(rows[-1] @ values))).real
        projected = rows @ values.astype(np.float32)
        gram = rows @ rows.T
        scale = np.trace(gram[:-1, :-1]) / CHIPS
        gram[np.diag_indices(CHIPS + 1)] += np.float32(REGULARISATION * scale)
        soft = np.linalg.solve(gram, projected)[:CHIPS]
        return soft if np.isfinite(soft).all() else np.zeros(CHIPS, np.float32)


def _windows(every: Iterator[Moments]) -> Iterator[Moments]:
    """Pieces in twos; a last one alone joins those before it."""
    held: Moments | None = None
    opened: Moments | None = None
    for piece in every:
        if opened is not None and opened.planes.shape == piece.planes.shape:
            if held is not None:
                yield held
            held, opened = opened + piece, None
            continue
        if opened is not None:
            if held is not None:
                yield held
            held = opened
        opened = piece
    if opened is not None and held is not None and held.planes.shape == opened.planes.shape:
        held, opened = held + opened, None
    for last in (held, opened):
        if last is not None:
            yield last


def _spans(windows: Iterator[Moments]) -> Iterator[list[Moments]]:
    span: list[Moments] = []
    for window in windows:
        if span and (len(span) == SPAN_WINDOWS or span[0].planes.shape != window.planes.shape):
            yield span
            span = []
        span.append(window)
    if span:
        yield span


def _at_reading_size(mark: Float32) -> Float32:
    return cast(Float32, cv2.resize(mark, (READ, READ), interpolation=cv2.INTER_AREA))


def _strength(seen: Complex64, mark: Float32) -> float:
    """|<seen, mark>| over its standard deviation a component, were the field noise of the same power."""
    noise = np.sqrt(0.5 * np.sum(np.abs(seen) ** 2 * mark**2) + 1e-12)
    return float(np.abs(np.vdot(mark, seen)) / noise)
