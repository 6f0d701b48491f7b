"""The figures of a finished film, whoever made it: tracked frame by frame, its sound listened to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generator.errors import SpeechError
from generator.evaluation import jitter, sync
from generator.evaluation.listener import FPS
from generator.evaluation.performance import (
    Figures,
    Judge,
    Performance,
    drift_figures,
    face_figures,
    speech_figures,
    synchrony,
)
from generator.evaluation.pieces import Piece
from generator.evaluation.track import FaceTrack, film_landmarks, track_landmarks
from generator.portrait.landmarks import FaceLandmarker
from generator.speech import phones, prosody
from generator.speech.audio import Speech

Array = NDArray[np.float64]

REST_PERCENTILE = 3.0
"""A film does not say how its lips look at rest: their narrowest, but for outliers, counts as closed."""


@dataclass(frozen=True, eq=False)
class FilmEvaluation:
    """``track`` and ``heard``, what the listener expects of the opening (None if silent), at 25 fps."""

    figures: Figures
    track: FaceTrack
    heard: Array | None
    sync: sync.Sync | None


def evaluate_film(path: Path, landmarker: FaceLandmarker, judge: Judge) -> FilmEvaluation:
    """Raises ``VideoError`` if the film cannot be read or shows no face. A silent film gets no figures of
    speech."""
    landmarks, fps = film_landmarks(path, landmarker)
    track = at_rate(track_landmarks(landmarks, judge.decoder.mean_shape, fps), FPS)
    track = replace(track, opening=track.opening - np.percentile(track.opening, REST_PERCENTILE))
    figures = face_figures([track], jitter.REAL_FILM) | drift_figures(track, min(60.0, track.seconds / 3))
    try:
        speech = Speech.open(path)
    except SpeechError:
        return FilmEvaluation(figures, track, None, None)
    said = phones.recognise(speech.samples, prosody.analyse(speech.samples))
    played = Performance([Piece(path.name, path.name, speech, said)], [track])
    heard = judge.listener(speech.samples, len(track))
    return FilmEvaluation(speech_figures(played, judge) | figures, track, heard, synchrony(played, judge))


def at_rate(track: FaceTrack, fps: float) -> FaceTrack:
    """The same curves at another frame rate, linear between frames."""
    if track.fps == fps:
        return track
    count = max(round(track.seconds * fps), 1)
    at = np.minimum(np.arange(count) * track.fps / fps, len(track) - 1)
    before = np.floor(at).astype(int)
    after = np.minimum(before + 1, len(track) - 1)

    def resampled(curve: Array) -> Array:
        share = (at - before).reshape(-1, *[1] * (curve.ndim - 1))
        mixed: Array = curve[before] * (1 - share) + curve[after] * share
        return mixed

    curves = {name: resampled(curve) for name, curve in vars(track).items() if name != "fps"}
    return FaceTrack(fps=fps, **curves)
