"""Reading the mark blindly, window by window, and mapping where in time it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.errors import WatermarkError
from detector.watermark.code import Payload, decode, encode, false_decode_bound
from detector.watermark.sound.embed import check_rate
from detector.watermark.sound.layout import PERIOD, Layout
from detector.watermark.sound.search import CHANGED, UNCHANGED, Alignment, candidates, score, soft_chips
from detector.watermark.sound.spectrum import STEP_SECONDS, TILE_STEPS, Analyser, Changes

CHUNK_FRAMES = PERIOD * TILE_STEPS
"""The grain of the map: one period, 2.048 s."""
WINDOW_CHUNKS = 5
"""What is searched at once: 10.24 s."""
STRIDE_CHUNKS = 3
MIN_FRAMES = CHUNK_FRAMES
"""Shortest sound that is searched."""
CANDIDATES_UNCHANGED = 6
CANDIDATES_CHANGED = 8
CHUNK_SCORE = 5.0
"""Standard deviations by which a chunk must agree with a job found beside it to be called marked."""

_SLACK_FRAMES = (0.0, -2.0, 2.0)
_BLOCK = 1 << 18
_LOUDEST = 8.0


@dataclass(frozen=True)
class Segment:
    """A stretch of the sound: ``job_id`` where it is marked, else None.

    ``score``: agreement with the pattern of a job found near it, in standard deviations of an unmarked sound.
    """

    start_seconds: float
    end_seconds: float
    job_id: int | None
    score: float


@dataclass(frozen=True)
class Reading:
    """What a sound says.

    ``payload``: the job found in most of it, None if nothing could be decoded. ``confidence``: 0 without
    a payload, else one minus the bound on the chance that an unmarked sound so long yields one. ``speed``: by
    how much tempo was raised since marking (0.01 = 1 %). ``segments`` cover the sound; it is too short to be
    searched if there are none.
    """

    payload: Payload | None
    confidence: float
    segments: tuple[Segment, ...]
    speed: float = 0.0


@dataclass(frozen=True)
class _Found:
    payload: Payload
    alignment: Alignment
    window: int


class SoundReader:
    """Reads one sound block by block in bounded memory."""

    def __init__(self, rate: int, key: bytes, layout: Layout) -> None:
        """``rate`` in Hz, 8,000 to 192,000; raises ``WatermarkError`` at any other."""
        check_rate(rate)
        self._key, self._layout = key, layout
        self._analyser = Analyser(rate)
        self._samples: NDArray[np.float32] = np.empty(0, np.float32)
        self._log_power: NDArray[np.float32] = np.empty((0, self._analyser.bins), np.float32)
        self._first = 0
        self._window = 0
        self._searched = 0
        self._calls = 0
        self._found: list[_Found] = []
        self._segments: list[Segment] = []

    def push(self, samples: NDArray[np.floating]) -> None:
        """Take the next samples, (N,) or (N, channels); channels are averaged.

        Raises ``WatermarkError`` if they are not finite floating-point numbers.
        """
        if samples.ndim not in (1, 2) or not np.issubdtype(samples.dtype, np.floating):
            raise WatermarkError("Sound must be floating-point numbers, (N,) or (N, channels).")
        if not np.isfinite(samples).all():
            raise WatermarkError("Sound must be finite numbers; these samples are not.")
        for start in range(0, len(samples), _BLOCK):
            block = samples[start : start + _BLOCK]
            self._take((block if block.ndim == 1 else block.mean(axis=1)).clip(-_LOUDEST, _LOUDEST))

    def finish(self) -> Reading:
        """What was read. Nothing may be pushed after."""
        if self._total > self._searched and self._total >= MIN_FRAMES:
            self._search(max(self._total - WINDOW_CHUNKS * CHUNK_FRAMES, 0), self._total)
        if self._total >= MIN_FRAMES:
            self._map(self._total // CHUNK_FRAMES, to_end=True)
        jobs = [segment.job_id for segment in self._segments]
        best = max(
            self._found, key=lambda f: (jobs.count(f.payload.job_id), f.payload.agreement), default=None
        )
        if best is None:
            return Reading(None, 0.0, tuple(self._segments))
        confidence = max(1.0 - false_decode_bound(self._calls), 0.0)
        return Reading(best.payload, confidence, tuple(self._segments), best.alignment.tempo)

    @property
    def _total(self) -> int:
        return self._first + len(self._log_power)

    def _take(self, mono: NDArray[np.floating]) -> None:
        self._samples = np.concatenate([self._samples, mono.astype(np.float32)])
        total = self._total
        base = self._analyser.begin(total)
        count = 0
        while self._analyser.end(total + count) - base <= len(self._samples):
            count += 1
        if not count:
            return
        power = self._analyser.frames(self._samples, total, count)
        self._log_power = np.concatenate([self._log_power, power])
        self._samples = self._samples[self._analyser.begin(total + count) - base :]
        while self._total >= self._window + WINDOW_CHUNKS * CHUNK_FRAMES:
            self._search(self._window, self._window + WINDOW_CHUNKS * CHUNK_FRAMES)
            self._map(self._window // CHUNK_FRAMES)
            self._window += STRIDE_CHUNKS * CHUNK_FRAMES
            kept = max(len(self._segments) * CHUNK_FRAMES - self._first, 0)
            self._log_power, self._first = self._log_power[kept:], self._first + kept

    def _changes(self, begin: int, end: int) -> Changes:
        return Changes(self._log_power[begin - self._first : end - self._first], self._analyser.bin_hz)

    def _search(self, begin: int, end: int) -> None:
        """Look for a payload: where the last one was, then anywhere, then at any speed."""
        self._searched = end
        changes = self._changes(begin, end)
        if self._found and self._try(changes, begin, [self._found[-1].alignment.moved(-begin)]):
            return
        for speeds, count in ((UNCHANGED, CANDIDATES_UNCHANGED), (CHANGED, CANDIDATES_CHANGED)):
            if self._try(changes, begin, [a for _, a in candidates(changes, self._layout, speeds, count)]):
                return

    def _try(self, changes: Changes, begin: int, alignments: list[Alignment]) -> bool:
        for alignment in alignments:
            soft = changes.at(alignment.pitch)
            self._calls += 1
            payload = decode(soft_chips(soft, self._layout, alignment), self._key)
            if payload is not None:
                self._found.append(_Found(payload, alignment.moved(begin), begin))
                return True
        return False

    def _map(self, before: int, to_end: bool = False) -> None:
        """Say of each chunk up to ``before`` which job found near it, if any, it agrees with."""
        if len(self._segments) >= before:
            return
        near = [f for f in self._found if f.window >= self._first - 2 * WINDOW_CHUNKS * CHUNK_FRAMES]
        patterns = {f.payload.job_id: self._layout.pattern(encode(f.payload.job_id, self._key)) for f in near}
        changes = self._changes(self._first, self._total)
        softs = {f.alignment.pitch: changes.at(f.alignment.pitch) for f in near}
        while len(self._segments) < before:
            begin = len(self._segments) * CHUNK_FRAMES
            last = to_end and len(self._segments) == before - 1
            end = self._total if last else begin + CHUNK_FRAMES
            best, job = 0.0, None
            for found in near:
                soft = softs[found.alignment.pitch][begin - self._first : end - self._first]
                for slack in _SLACK_FRAMES:
                    value = score(soft, patterns[found.payload.job_id], found.alignment.moved(slack - begin))
                    if value > best:
                        best, job = value, found.payload.job_id
            job = job if best >= CHUNK_SCORE else None
            self._segments.append(Segment(begin * STEP_SECONDS, end * STEP_SECONDS, job, best))
