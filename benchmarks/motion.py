"""How well every driver moves a face: ``python -m benchmarks.motion [--corpus DIR] [--foreign DIR] [--plots
DIR] [--quick]``.

``--corpus`` names a corpus on disk (``generator.training.corpus``) with tracked speakers in its test split;
for the published figures GRID, speakers s33 and s34. Without one, what needs a truth is skipped.

Figures, for each driver under ``drivers`` (and under ``real`` for the speakers themselves):
    lip_corr, width_corr: correlation of inner-lip opening and mouth width with the tracked truth.
    *_in_sync: on those clips alone (clips_in_sync) whose own picture fits their sound.
    *_foreign: on the corpus named by ``--foreign``, in another language.
    lip_error_cm, width_error_cm: root mean square difference, at the speaker's own range.
    bilabial_closed: share of /p b m/ during which the lips touch; ``_house`` on our own clips.
    vowels_open: share of vowels with lips apart, which a mouth that hardly opens would fail; likewise.
    offset_frames: lips late (+) or early against a listener; ``offset_truth_frames`` against the truth.
    sync_confidence, _shuffled, _frozen: how clearly lips fit their sound, another's, and if still.
    blinks_per_min, blink_ms_median, blink_share_of_clips, latched_s: of the eyes.
    spread_*, speed_*, shift_cm, brows_cm: activity of head and brows within a clip.
    jitter_ratio: roughness against real speakers, 1 = as rough.
    drift: degrees that head or gaze move from the first minute of ten to the last; ``drift_*`` likewise.
    gaze_error_deg and other responses to direction, as seen in rendered frames.
    lip_corr_*, bilabial_closed_*, vowels_open_*: on held-out speech made noisy, whispered, sung, deeper,
        higher.
    motion_s_per_10s: wall time for the motion of ten seconds of speech.
Live, at the top: live_first_frame_ms, live_fps, live_peak_mib, live_growth_mib (``benchmarks.live``).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.live import live_figures
from benchmarks.report import publish
from generator.errors import ModelError
from generator.evaluation import charts
from generator.evaluation.control import Rehearsed, Responses, Stage, control_figures
from generator.evaluation.disturb import DISTURBANCES, disturbed
from generator.evaluation.performance import (
    Judge,
    Performance,
    drift_figures,
    evaluate_driver,
    face_figures,
    lasting,
    perform,
    reality,
    seconds_per_ten,
    speech_figures,
    synchrony,
)
from generator.evaluation.pieces import Piece, held_out, house, made_of
from generator.evaluation.track import FaceTrack
from generator.motion import driver
from generator.portrait.landmarks import FaceLandmarker
from generator.portrait.portrait import Portrait
from generator.sitters import sitters
from generator.speech.audio import SAMPLE_RATE
from generator.training.corpus import Corpus

CONTROL_SECONDS = 2.5
DISTURBED_EVERY = 3
LONG_SECONDS, QUICK_LONG_SECONDS = 600.0, 60.0


@dataclass(frozen=True)
class Shown:
    """What is drawn of one driver, beside its figures."""

    played: Performance
    long: FaceTrack
    responses: Sequence[Responses]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpus", type=Path, help="a corpus whose test split has motion")
    parser.add_argument("--foreign", type=Path, help="a corpus of another language, likewise")
    parser.add_argument("--plots", type=Path, help="folder for charts (PNG)")
    parser.add_argument("--driver", action="append", choices=driver.names(), help="default: all")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="one minute instead of ten, one sitter for direction; nothing is kept",
    )
    arguments = parser.parse_args()
    long_seconds = QUICK_LONG_SECONDS if arguments.quick else LONG_SECONDS
    judge = Judge()
    own = house()
    pieces = held_out(Corpus.open(arguments.corpus)) if arguments.corpus else []
    foreign = held_out(Corpus.open(arguments.foreign)) if arguments.foreign else []
    if not pieces:
        print("No --corpus: lip_corr and all else that needs tracked speakers is skipped.")
    landmarker = FaceLandmarker()
    portraits = [Portrait.open(sitter.path, landmarker=landmarker) for sitter in sitters()]
    stages = [
        Stage(portrait, landmarker, judge.decoder) for portrait in portraits[: 1 if arguments.quick else 3]
    ]

    figures: dict[str, Any] = {"clips": len(pieces) or len(own), "long_s": long_seconds, "drivers": {}}
    shown: dict[str, Shown] = {}
    for name in arguments.driver or driver.names():
        print(f"{name} …", flush=True)
        figures["drivers"][name], shown[name] = evaluate(name, pieces, own, stages, long_seconds, judge)
        figures["drivers"][name] |= foreign_figures(name, foreign, judge)
    if pieces:
        real = reality(pieces, judge)
        figures["real"] = _rounded(speech_figures(real, judge) | face_figures(real.tracks))
    figures["motion_s_per_10s"] = figures["drivers"][next(reversed(shown))]["motion_s_per_10s"]
    try:
        figures |= live_figures(long_seconds)
    except ModelError as error:
        print(f"Live figures are skipped: {error}")
    if arguments.plots:
        draw(arguments.plots, shown, reality(pieces, judge) if pieces else None, judge)
    if arguments.quick:
        print(json.dumps(figures))
    else:
        publish("motion", figures)


def evaluate(
    name: str,
    pieces: Sequence[Piece],
    own: Sequence[Piece],
    stages: Sequence[Stage],
    long_seconds: float,
    judge: Judge,
) -> tuple[dict[str, float | None], Shown]:
    """All figures of one driver, on ``pieces`` with a truth if there are any, else on our ``own``."""
    moved = driver.get(name)
    figures, played = evaluate_driver(moved, pieces or own, reality(pieces, judge), judge)
    at_home = perform(moved, own, judge) if pieces else played
    long = lasting(moved, own, long_seconds, judge)
    short = made_of(own[0].speech.samples[: round(CONTROL_SECONDS * SAMPLE_RATE)])
    rehearsed = Rehearsed(moved)
    responses = [stage.responses(rehearsed, short) for stage in stages]
    figures |= {
        f"{key}_house": value for key, value in speech_figures(at_home, judge).items() if key in HOUSE
    }
    figures |= {key: value for key, value in face_figures([long]).items() if key in OVER_MINUTES}
    figures |= drift_figures(long, min(60.0, long_seconds / 3))
    if responses:
        figures |= control_figures(responses)
    figures |= disturbed_figures(moved, pieces, judge)
    figures["motion_s_per_10s"] = seconds_per_ten(moved, own)
    return _rounded(figures), Shown(played, long, responses)


def foreign_figures(name: str, pieces: Sequence[Piece], judge: Judge) -> dict[str, float | None]:
    """Lips of driver ``name`` on ``pieces`` of another language."""
    if not pieces:
        return {}
    found, _ = evaluate_driver(driver.get(name), pieces, reality(pieces, judge), judge)
    return _rounded({f"{key}_foreign": found[key] for key in FOREIGN})


def disturbed_figures(moved: driver.Driver, pieces: Sequence[Piece], judge: Judge) -> dict[str, float | None]:
    """Lips on every third of ``pieces`` with a truth, disturbed in every way."""
    figures: dict[str, float | None] = {}
    for name in DISTURBANCES if pieces else ():
        harder = [disturbed(piece, name) for piece in pieces[::DISTURBED_EVERY]]
        found, _ = evaluate_driver(moved, harder, reality(harder, judge), judge)
        figures |= {f"{key}_{name}": found[key] for key in ("lip_corr", "bilabial_closed", "vowels_open")}
    return figures


HOUSE = ("bilabial_closed", "vowels_open", "offset_frames", "sync_confidence", "sync_confidence_shuffled")
FOREIGN = ("lip_corr", "width_corr", "lip_error_cm", "offset_frames", "sync_confidence")
OVER_MINUTES = ("blinks_per_min", "blink_ms_median", "blink_ms_p5", "blink_ms_p95", "latched_s")
"""Figures that clips of three seconds are too short for."""


def draw(folder: Path, shown: dict[str, Shown], real: Performance | None, judge: Judge) -> None:
    """Four charts: one clip, synchrony, responses, and the long performance."""
    folder.mkdir(parents=True, exist_ok=True)
    first = next(iter(shown.values())).played
    clip = {name: one.played.tracks[0] for name, one in shown.items()}
    fits = {name: synchrony(one.played, judge) for name, one in shown.items()}
    if real is not None:
        clip["speaker"] = real.tracks[0]
        fits["speaker"] = synchrony(real, judge)
    pictures = {
        "opening": charts.openings(first.pieces[0].name, clip),
        "synchrony": charts.synchrony(fits),
        "minutes": charts.minutes({name: one.long for name, one in shown.items()}),
    }
    if all(one.responses for one in shown.values()):
        pictures["responses"] = charts.responses({name: one.responses[0] for name, one in shown.items()})
    for name, picture in pictures.items():
        picture.save(folder / f"{name}.png")
        print(folder / f"{name}.png")


def _rounded(figures: dict[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 3) for name, value in figures.items()}


if __name__ == "__main__":
    main()
