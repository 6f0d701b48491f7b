"""The live benchmark measures the stream as a listener meets it."""

import pytest

from benchmarks.live import live_figures


@pytest.mark.slow
def test_a_stream_gives_its_first_frame_soon_and_takes_no_more_memory_as_it_goes_on():
    figures = live_figures(4.0)
    assert 100 < figures["live_first_frame_ms"] < 1500, "sound must be waited for, and not for long"
    assert figures["live_fps"] > 5
    assert figures["live_growth_mib"] < 30
    assert figures["live_peak_mib"] > 50
