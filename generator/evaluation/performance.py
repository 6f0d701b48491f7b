"""The figures of a driver: made to speak, its motion measured, beside the same figures of real speakers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from generator.evaluation import blinks, head, jitter, lips, sync
from generator.evaluation.listener import Listener
from generator.evaluation.pieces import Piece, one_after_the_other
from generator.evaluation.track import FaceTrack, track_motion
from generator.face.decoder import FaceDecoder
from generator.motion.driver import Driver
from generator.motion.motion import Motion

Array = NDArray[np.float64]
Figures = dict[str, float | None]

TIMED_SECONDS = 10.0
TIMED_RUNS = 3
BLINK_EXPECTED_SECONDS = 3.0


@dataclass(frozen=True, eq=False)
class Judge:
    """What every driver is measured with, loaded once."""

    decoder: FaceDecoder = field(default_factory=FaceDecoder.load)
    listener: Listener = field(default_factory=Listener.load)


@dataclass(frozen=True, eq=False)
class Performance:
    """Pieces as somebody played them: one track each."""

    pieces: Sequence[Piece]
    tracks: Sequence[FaceTrack]


def perform(driver: Driver, pieces: Sequence[Piece], judge: Judge) -> Performance:
    """Each piece with a seed of its own, so that they are as different as films would be."""
    motions = [driver(piece.speech, seed=seed) for seed, piece in enumerate(pieces)]
    return Performance(pieces, [track_motion(motion, judge.decoder) for motion in motions])


def evaluate_driver(
    driver: Driver, pieces: Sequence[Piece], real: Performance, judge: Judge
) -> tuple[Figures, Performance]:
    """All figures of ``driver`` on ``pieces``; those against a truth where ``real`` holds one."""
    played = perform(driver, pieces, judge)
    figures = face_figures(played.tracks) | speech_figures(played, judge)
    if real.tracks:
        figures |= truth_figures(played, real)
    return figures, played


def reality(pieces: Sequence[Piece], judge: Judge) -> Performance:
    """How the speakers themselves moved; pieces without truth are left out."""
    known = [(piece, piece.truth) for piece in pieces if piece.truth is not None]
    tracks = [track_motion(truth, judge.decoder) for _, truth in known]
    return Performance([piece for piece, _ in known], tracks)


def speech_figures(played: Performance, judge: Judge) -> Figures:
    """Closures, audio-visual synchrony and, with their controls, how sure it is."""
    closed = lips.Closures()
    for piece, track in zip(played.pieces, played.tracks, strict=True):
        closed += lips.closures(track.opening, piece.phones or (), track.fps)
    parted = [
        lips.vowels_open(track.opening, piece.phones or (), track.fps)
        for piece, track in zip(played.pieces, played.tracks, strict=True)
    ]
    found = synchrony(played, judge)
    return {
        "bilabial_closed": closed.recall if closed.spoken else None,
        "bilabials_spoken": closed.spoken,
        "vowels_open": float(np.nanmean(parted)) if np.isfinite(parted).any() else None,
        "offset_frames": found.spoken.offset_frames,
        "sync_confidence": found.spoken.confidence,
        "sync_confidence_shuffled": found.shuffled.confidence,
        "sync_confidence_frozen": found.frozen.confidence,
    }


def synchrony(played: Performance, judge: Judge) -> sync.Sync:
    """Lips against what the listener expects of each piece's sound."""
    openings = [track.opening for track in played.tracks]
    heard = [
        judge.listener(piece.speech.samples, len(opening))
        for piece, opening in zip(played.pieces, openings, strict=True)
    ]
    return sync.measure(openings, heard)


def truth_figures(played: Performance, real: Performance) -> Figures:
    """Lips against the tracked truth, the mean over speakers; frames by which they come late. ``_in_sync``:
    on those pieces alone whose own picture fits their sound."""
    truth = {piece.name: track for piece, track in zip(real.pieces, real.tracks, strict=True)}
    pairs = [
        (piece, *_equally_long(track, truth[piece.name]))
        for piece, track in zip(played.pieces, played.tracks, strict=True)
        if piece.name in truth
    ]
    late = sync.compare([made.opening for _, made, _ in pairs], [tracked.opening for *_, tracked in pairs])
    figures = _followed(pairs) | {"offset_truth_frames": late.offset_frames}
    fitting = [pair for pair in pairs if pair[0].in_sync]
    if fitting:
        figures |= {f"{name}_in_sync": value for name, value in _followed(fitting).items()}
    return figures | {"clips_in_sync": len(fitting)}


def _followed(pairs: Sequence[tuple[Piece, FaceTrack, FaceTrack]]) -> Figures:
    """Correlation and error of opening and width, made against tracked."""
    found: dict[str, list[float]] = {
        "lip_corr": [],
        "width_corr": [],
        "lip_error_cm": [],
        "width_error_cm": [],
    }
    for speaker in dict.fromkeys(piece.speaker for piece, _, _ in pairs):
        theirs = [(made, tracked) for piece, made, tracked in pairs if piece.speaker == speaker]
        for what, curve in (("lip", "opening"), ("width", "width")):
            made, tracked = ([getattr(track, curve) for track in side] for side in zip(*theirs, strict=True))
            found[f"{what}_corr"].append(lips.correlation(np.concatenate(made), np.concatenate(tracked)))
            found[f"{what}_error_cm"].append(lips.error_cm(made, tracked))
    return {name: float(np.mean(values)) for name, values in found.items()}


def face_figures(tracks: Sequence[FaceTrack], roughness: dict[str, float] = jitter.REAL_MOTION) -> Figures:
    """Jitter, blinks, head and brows of clips; spreads within a clip, medians over the clips."""
    seconds = sum(track.seconds for track in tracks)
    found = [blinks.find(track.lids, track.fps) for track in tracks]
    every = [blink for those in found for blink in those]
    expected = [
        bool(those)
        for those, track in zip(found, tracks, strict=True)
        if track.seconds >= BLINK_EXPECTED_SECONDS
    ]
    activities = [head.activity(track) for track in tracks]
    spread = np.median([activity.spread_deg for activity in activities], axis=0)
    speed = np.median([activity.speed_deg_per_s for activity in activities], axis=0)
    axes = {
        f"{what}_{axis}_{unit}": float(value)
        for what, unit, values in (("spread", "deg", spread), ("speed", "deg_per_s", speed))
        for axis, value in zip(head.AXES, values, strict=True)
    }
    return {
        "jitter_ratio": jitter.ratio(tracks, roughness),
        "blinks_per_min": blinks.per_minute(every, seconds),
        "blink_ms_median": float(np.median([blink.milliseconds for blink in every])) if every else None,
        "blink_ms_p5": float(np.percentile([b.milliseconds for b in every], 5)) if every else None,
        "blink_ms_p95": float(np.percentile([b.milliseconds for b in every], 95)) if every else None,
        "blink_share_of_clips": float(np.mean(expected)) if expected else None,
        "latched_s": max(blinks.latched_seconds(track.lids, track.fps) for track in tracks),
        **axes,
        "shift_cm": float(np.median([activity.shift_cm for activity in activities])),
        "brows_cm": float(np.median([activity.brows_cm for activity in activities])),
    }


def drift_figures(track: FaceTrack, window_seconds: float = 60.0) -> Figures:
    """``drift``: degrees that head or gaze have moved between the first and the last minute, the worst axis;
    likewise centimetres of the head's place and of the lips."""
    turned = head.drift(np.column_stack([track.rotation, track.gaze]), track.fps, window_seconds)
    shifted = head.drift(track.translation, track.fps, window_seconds)
    opened = head.drift(track.opening[:, None], track.fps, window_seconds)
    return {
        "drift": float(np.abs(turned).max()),
        "drift_shift_cm": float(np.abs(shifted).max()),
        "drift_opening_cm": float(np.abs(opened).max()),
    }


def seconds_per_ten(driver: Driver, pieces: Sequence[Piece]) -> float:
    """Wall time of ``driver`` on ten seconds of speech, the median of runs after a first one."""
    speech = one_after_the_other(pieces, TIMED_SECONDS)
    times = []
    for _ in range(TIMED_RUNS + 1):
        began = time.perf_counter()
        driver(speech, seed=0)
        times.append(time.perf_counter() - began)
    return float(np.median(times[1:]))


def lasting(driver: Driver, pieces: Sequence[Piece], seconds: float, judge: Judge) -> FaceTrack:
    """``driver`` on all ``pieces`` for ``seconds``."""
    motion: Motion = driver(one_after_the_other(pieces, seconds), seed=0)
    return track_motion(motion, judge.decoder)


def _equally_long(made: FaceTrack, tracked: FaceTrack) -> tuple[FaceTrack, FaceTrack]:
    count = min(len(made), len(tracked))
    return _cut(made, count), _cut(tracked, count)


def _cut(track: FaceTrack, count: int) -> FaceTrack:
    return replace(track, opening=track.opening[:count], width=track.width[:count])
