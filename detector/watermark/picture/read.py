"""Reading a mark: the payload from the first eight seconds that give one, then where in time it is."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.watermark.code import CHIPS, Payload, decode, false_decode_bound
from detector.watermark.picture.demodulate import Gatherer, Moments
from detector.watermark.picture.pattern import READ, SOFT, Complex64, Float32, Pattern
from detector.watermark.picture.synchronise import (
    CANDIDATES,
    Placement,
    refine,
    search,
    upright,
)

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
    """From `start` to `end` (seconds): of which job, None where none is found. `strength` is the correlation
    with the mark of that job, or of the likeliest, over its noise."""

    start: float
    end: float
    strength: float
    job_id: int | None

    @property
    def found(self) -> bool:
        return self.job_id is not None


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
    """Reads one film frame by frame, in constant memory. Made by `PictureMark.reader`."""

    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern
        self._gatherer = Gatherer()
        self._span: list[Moments] = []
        self._payloads: dict[int, Payload] = {}
        self._placement: Placement | None = None
        self._marks: dict[int, Float32] = {}
        self._calls = 0
        self._segments: list[Segment] = []
        self._waiting: deque[tuple[int, Complex64]] = deque(maxlen=EARLIER_WINDOWS)

    def see(self, seconds: float, frame: NDArray[np.uint8]) -> None:
        """Take the next frame (height, width, 3), RGB, shown at `seconds`: times rise."""
        window = self._gatherer.see(seconds, frame)
        if window is not None:
            self._take(window)

    def done(self) -> Reading:
        """What the film says. Nothing may be seen after."""
        for window in self._gatherer.done():
            self._take(window)
        self._read_span()
        shown = Counter(segment.job_id for segment in self._segments)
        payload = max(self._payloads.values(), key=lambda one: shown[one.job_id], default=None)
        confidence = 0.0 if payload is None else 1.0 - false_decode_bound(self._calls)
        return Reading(payload, confidence, tuple(self._segments), self._calls)

    def _take(self, window: Moments) -> None:
        if self._span and self._span[0].planes.shape != window.planes.shape:
            self._read_span()
        self._span.append(window)
        if len(self._span) == SPAN_WINDOWS:
            self._read_span()

    def _read_span(self) -> None:
        span, self._span = self._span, []
        fields = [window.field() for window in span]
        for window, field in zip(span, fields, strict=True):
            self._waiting.append((len(self._segments), field))
            self._segments.append(Segment(window.start, window.end, 0.0, None))
        told = self._read_where_it_was(fields) if self._placement is not None else {}
        if fields and not told and (self._placement is None or not self._any_present(fields)):
            payload, placement, calls = self.decode(fields)
            self._calls += calls
            if payload is not None:
                self._placement = placement
                self._learn(payload)
        while self._placement is not None and self._waiting:
            index, field = self._waiting.popleft()
            strength, likeliest = self._likeliest(field)
            job = told.get(index, likeliest if strength >= PRESENT_STRENGTH else None)
            self._segments[index] = replace(self._segments[index], strength=strength, job_id=job)

    def _learn(self, payload: Payload) -> None:
        self._payloads.setdefault(payload.job_id, payload)
        if payload.job_id not in self._marks:
            self._marks[payload.job_id] = _at_reading_size(self._pattern.mark(payload.job_id))

    def _read_where_it_was(self, fields: list[Complex64]) -> dict[int, int]:
        """Each window alone, placed as the one before: which jobs they name, by the number of the segment.

        Marks of two jobs have the pilot in common and much of their chips; only the check tells them apart.
        """
        assert self._placement is not None
        first, told = len(self._segments) - len(fields), {}
        for index, field in enumerate(fields, first):
            self._calls += 1
            payload = decode(self.soft(field, self._placement), self._pattern.key)
            if payload is not None:
                self._learn(payload)
                told[index] = payload.job_id
        return told

    def _any_present(self, fields: list[Complex64]) -> bool:
        return any(self._likeliest(field)[0] >= PRESENT_STRENGTH for field in fields)

    def _likeliest(self, field: Complex64) -> tuple[float, int]:
        assert self._placement is not None
        seen = self._placement.aligned(field)
        return max((_strength(seen, mark), job) for job, mark in self._marks.items())

    def decode(self, fields: list[Complex64]) -> tuple[Payload | None, Placement | None, int]:
        """All windows together and each alone, as the frame stands; then all, wherever the pilot may be."""
        together = np.sum(fields, axis=0)
        calls = 0
        for field in [together, *(fields if len(fields) > 1 else [])]:
            for flipped in (False, True):
                placement = upright(field, flipped)
                calls += 1
                payload = decode(self.soft(field, placement), self._pattern.key)
                if payload is not None:
                    return payload, placement, calls
        candidates = search(together, self._pattern)
        for index in range(len(candidates) + FED_BACK):
            if index < len(candidates):
                placement = candidates[index]
            else:
                first = candidates[index - len(candidates)]
                placement = refine(together, first, self._pattern.estimate(self.soft(together, first)))
            calls += 1
            payload = decode(self.soft(together, placement), self._pattern.key)
            if payload is not None:
                return payload, placement, calls
        return None, None, calls

    def soft(self, field: Complex64, placement: Placement) -> NDArray[np.float32]:
        """Soft values (CHIPS,) by regularised least squares on what of the pattern was received."""
        seen = placement.aligned(field)
        received = placement.aligned(np.ones(field.shape, np.complex64)).real
        small = cv2.resize(
            np.stack([seen.real, seen.imag, received], 2),
            (SOFT, SOFT),
            interpolation=cv2.INTER_AREA,
        )
        kept = small[..., 2].ravel() > 0.5
        if kept.sum() < CHIPS:
            return np.zeros(CHIPS, np.float32)
        rows = self._pattern.templates
        values = np.where(kept, small[..., 0].ravel() + 1j * small[..., 1].ravel(), 0.0)
        values = (values * np.exp(-1j * np.angle(rows[-1] @ values))).real.astype(np.float32)
        gram = self._pattern.gram_of(kept)
        gram[np.diag_indices(CHIPS + 1)] += np.float32(REGULARISATION * np.trace(gram[:-1, :-1]) / CHIPS)
        soft = np.linalg.solve(gram, rows @ values)[:CHIPS]
        return soft if np.isfinite(soft).all() else np.zeros(CHIPS, np.float32)


def _at_reading_size(mark: Float32) -> Float32:
    return cast(Float32, cv2.resize(mark, (READ, READ), interpolation=cv2.INTER_AREA))


def _strength(seen: Complex64, mark: Float32) -> float:
    """|<seen, mark>| over its standard deviation a component, were the field noise of the same power."""
    noise = np.sqrt(0.5 * np.sum(np.abs(seen) ** 2 * mark**2) + 1e-12)
    return float(np.abs(np.vdot(mark, seen)) / noise)
