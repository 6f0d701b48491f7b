"""A live portrait: frames for sound, skipped rather than late, and clear words for what is no sound."""

import numpy as np
import pytest

from generator.errors import SpeechError
from generator.portrait.portrait import Portrait
from generator.sitters import clips, sitters
from generator.speech.audio import Speech
from generator.stream import WAITING_SECONDS, LiveStream, stream


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    return Portrait.open(sitters()[0].path, size=256)


@pytest.fixture
def live(portrait: Portrait) -> LiveStream:
    return stream(portrait, seed=3)


def test_sound_comes_in_and_frames_go_out(live: LiveStream) -> None:
    sound = Speech.open(clips()[0].path).samples[:24000]
    shown = []
    for start in range(0, len(sound), 1000):
        live.push(sound[start : start + 1000])
        shown += [frame.seconds for frame in live]
    assert live.delay_seconds < 0.4
    assert len(shown) >= (1.5 - live.delay_seconds - 0.1) * 25
    live.finish()
    shown += [frame.seconds for frame in live]
    assert shown == pytest.approx(np.arange(38) / 25)
    assert live.skipped == 0


def test_a_frame_is_a_picture_of_the_portrait(live: LiveStream, portrait: Portrait) -> None:
    live.push(np.zeros(16000, np.float32))
    frame = next(iter(live))
    assert frame.image.shape == portrait.frame.shape
    assert frame.motion.shape == (59,)


def test_who_is_slow_sees_frames_skipped_and_no_growing_delay(live: LiveStream) -> None:
    for _ in range(12):
        live.push(np.zeros(16000, np.float32))
    assert live.skipped > 0
    assert len(live._waiting) <= (WAITING_SECONDS + 1) * 25 + 1


@pytest.mark.parametrize(
    "sound", [np.zeros((2, 100), np.float32), np.zeros(100, np.int16), np.array([np.nan], np.float32)]
)
def test_what_is_no_sound_is_refused(live: LiveStream, sound: np.ndarray) -> None:
    with pytest.raises(SpeechError, match="one channel of finite floats"):
        live.push(sound)
