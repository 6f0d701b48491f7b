"""The charts of an evaluation: what the figures sum up, to look at."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generator.evaluation.control import Responses
from generator.evaluation.films import FilmEvaluation
from generator.evaluation.head import AXES
from generator.evaluation.lips import normalise
from generator.evaluation.plots import Line, chart, sheet
from generator.evaluation.sync import LAGS, Sync
from generator.evaluation.track import FaceTrack
from generator.motion.motion import FPS

Array = NDArray[np.float64]

UNITS = {"gaze": "degrees", "pose": "degrees", "distance": "%"}

_SLOW_SECONDS = 10.0


def film(found: FilmEvaluation) -> Image.Image:
    """Lips with their sound, lids, head and gaze of one film, and its audio-visual fit."""
    track = found.track
    times = np.arange(len(track)) / track.fps
    lips = [Line("seen", times, normalise([track.opening])[0])]
    if found.heard is not None:
        lips.append(Line("expected from the sound", times, normalise([found.heard])[0], dashed=True))
    charts = [
        chart("Lip opening", "seconds", "standard deviations", lips),
        chart("Eyes", "seconds", "opening over width", [Line("lids", times, track.lids)]),
        _head(track),
    ]
    if found.sync is not None:
        charts.append(synchrony({"film": found.sync}))
    return sheet(charts)


def openings(name: str, tracks: Mapping[str, FaceTrack]) -> Image.Image:
    """One clip as everybody played it."""
    lines = [
        Line(who, np.arange(len(track)) / track.fps, track.opening, dashed=who == "speaker")
        for who, track in tracks.items()
    ]
    return chart(f"Lip opening, {name}", "seconds", "cm beyond rest", lines)


def synchrony(found: Mapping[str, Sync]) -> Image.Image:
    """Correlation of lips and sound at every lag, and with another's sound."""
    lines = []
    for who, fits in found.items():
        lines += [
            Line(who, LAGS, fits.spoken.curve),
            Line(f"{who}, shuffled", LAGS, fits.shuffled.curve, dashed=True),
        ]
    return chart("Lips and sound", "frames by which the lips are late", "correlation", lines)


def responses(found: Mapping[str, Responses]) -> Image.Image:
    """Requested against measured, each driver's curve beside the ideal; emotions together."""
    first = next(iter(found.values()))
    charts = []
    for control, response in first.controls.items():
        lines = [Line("as requested", response.requested, response.requested, dashed=True)]
        for who, theirs in found.items():
            curve = theirs.controls[control]
            lines.append(Line(who, curve.requested, curve.measured, marked=True))
        unit = UNITS[control.split()[0]]
        charts.append(chart(control.capitalize(), f"requested, {unit}", f"measured, {unit}", lines))
    for who, theirs in found.items():
        lines = [
            Line(name, response.requested, response.measured, marked=True)
            for name, response in theirs.emotions.items()
        ]
        charts.append(chart(f"Emotions, {who}", "requested strength", "measured", lines))
    return sheet(charts)


def minutes(tracks: Mapping[str, FaceTrack]) -> Image.Image:
    """Head yaw, pitch and lip opening of long performances, smoothed over ten seconds."""
    return sheet(
        [
            _slowly("Head yaw", "degrees", {who: track.rotation[:, 0] for who, track in tracks.items()}),
            _slowly("Head pitch", "degrees", {who: track.rotation[:, 1] for who, track in tracks.items()}),
            _slowly("Lip opening", "cm", {who: track.opening for who, track in tracks.items()}),
        ]
    )


def _slowly(title: str, unit: str, curves: Mapping[str, Array]) -> Image.Image:
    lines = []
    for who, curve in curves.items():
        window = min(round(_SLOW_SECONDS * FPS), len(curve))
        smooth = np.convolve(curve, np.full(window, 1 / window), mode="valid")
        lines.append(Line(who, (np.arange(len(smooth)) + window / 2) / FPS / 60, smooth))
    return chart(f"{title}, mean of {_SLOW_SECONDS:.0f} s", "minutes", unit, lines)


def _head(track: FaceTrack) -> Image.Image:
    times = np.arange(len(track)) / track.fps
    turned = track.rotation - np.median(track.rotation, axis=0)
    lines = [Line(name, times, turned[:, i]) for i, name in enumerate(AXES)]
    return chart("Head", "seconds", "degrees", lines)
