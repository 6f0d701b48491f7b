"""The motion benchmark reports what its documentation names, and draws it."""

from pathlib import Path

import pytest
from PIL import Image

from benchmarks import motion
from generator.evaluation.performance import Judge, reality
from generator.evaluation.pieces import Piece, house
from generator.motion import driver

EVERY_DRIVER = {
    "lip_corr", "bilabial_closed", "offset_frames", "blinks_per_min", "blink_ms_median", "jitter_ratio",
    "drift", "motion_s_per_10s",
}  # fmt: skip


@pytest.mark.slow
def test_every_driver_gets_every_figure_and_four_charts(tmp_path: Path):
    judge, own = Judge(), house()[:1]
    rules = driver.get("rules")
    pieces = [Piece(p.name, p.speaker, p.speech, p.phones, rules(p.speech, seed=3)) for p in own]
    figures, shown = motion.evaluate("rules", pieces, own, [], 20.0, judge)
    assert figures.keys() >= EVERY_DRIVER
    assert figures["lip_corr"] > 0.9, "lips follow the sound, not the seed"
    assert figures["bilabial_closed"] > 0.9
    assert figures["drift"] < 5
    motion.draw(tmp_path / "new", {"rules": shown}, reality(pieces, judge), judge)
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert names == ["minutes.png", "opening.png", "synchrony.png"]
    for name in names:
        with Image.open(tmp_path / "new" / name) as picture:
            assert len(picture.getcolors(1 << 20) or ()) > 10


def test_the_documentation_explains_every_figure():
    assert motion.__doc__ is not None
    for name in (*EVERY_DRIVER, "gaze_error_deg", "live_first_frame_ms", "live_fps", "live_peak_mib"):
        assert name in motion.__doc__
