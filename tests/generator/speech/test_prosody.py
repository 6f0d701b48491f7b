import numpy as np
import pytest

from generator.speech import prosody


def voice(hertz: float, seconds: float = 1.0, level: float = 0.3) -> np.ndarray:
    """A buzz of twelve harmonics, as vocal folds make."""
    t = np.arange(round(seconds * 16000)) / 16000
    return (level / 3 * sum(np.sin(2 * np.pi * k * hertz * t) / k for k in range(1, 13))).astype(np.float32)


@pytest.mark.parametrize("hertz", [70.0, 110.0, 155.0, 233.0, 310.0, 400.0])
def test_the_pitch_of_a_voice_is_found_within_a_percent(hertz: float) -> None:
    found = prosody.analyse(voice(hertz)).f0_hz[10:90]
    assert (found > 0).all()
    np.testing.assert_allclose(found, hertz, rtol=0.01)


def test_noise_and_silence_are_unvoiced() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    assert prosody.analyse(noise).voiced.mean() < 0.05
    quiet = np.concatenate([voice(120.0), np.zeros(16000, np.float32)])
    assert not prosody.analyse(quiet).voiced[105:].any()


def test_there_is_a_frame_every_10_ms() -> None:
    found = prosody.analyse(voice(120.0, 0.5))
    assert len(found.energy_db) == len(found.f0_hz) == len(found.loudness) == 51


def test_energy_is_in_decibels_of_full_scale() -> None:
    level = 0.2
    tone = (level * np.sin(2 * np.pi * 200 * np.arange(16000) / 16000)).astype(np.float32)
    assert np.median(prosody.analyse(tone).energy_db) == pytest.approx(
        20 * np.log10(level / np.sqrt(2)), abs=0.1
    )


def test_loudness_does_not_depend_on_the_recording_level() -> None:
    swell = voice(120.0, 2.0) * np.linspace(0.02, 1, 32000, dtype=np.float32)
    loud, quiet = prosody.analyse(swell).loudness, prosody.analyse(swell * 0.1).loudness
    np.testing.assert_allclose(loud, quiet, atol=0.01)
    assert loud[-5] == 1.0
    assert loud[5] < 0.3


def test_pitch_is_in_semitones_around_the_median_and_bridges_gaps() -> None:
    sound = np.concatenate([voice(100.0), np.zeros(8000, np.float32), voice(200.0)])
    pitch = prosody.analyse(sound).pitch
    assert np.isfinite(pitch).all()
    assert pitch[200] - pitch[50] == pytest.approx(12, abs=0.2)
    assert pitch[50] < pitch[125] < pitch[200]


def test_analysis_in_blocks_is_seamless(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = voice(140.0, 1.7)
    whole = prosody.analyse(sound)
    monkeypatch.setattr(prosody, "BLOCK_FRAMES", 37)
    pieces = prosody.analyse(sound)
    np.testing.assert_allclose(pieces.energy_db, whole.energy_db)
    np.testing.assert_allclose(pieces.f0_hz, whole.f0_hz)
