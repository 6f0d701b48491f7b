import numpy as np
import pytest

from generator.arkit import EXPRESSIONS
from generator.motion import liveliness
from generator.motion.motion import FPS, GAZE_COLUMNS, ROTATION_COLUMNS, TRANSLATION_COLUMNS
from generator.speech.phones import Phone
from generator.speech.prosody import Prosody

SEEDS = range(40)
LEFT, RIGHT = EXPRESSIONS.index("eyeBlinkLeft"), EXPRESSIONS.index("eyeBlinkRight")


def speaking(seconds: float) -> tuple[Phone, ...]:
    """Half a second of vowel, a fifth of pause, again and again."""
    phones: list[Phone] = []
    at = 0.0
    while at < seconds:
        phones += [Phone("AA", at, at + 0.5), Phone("SIL", at + 0.5, at + 0.7)]
        at += 0.7
    return tuple(phones)


def accented(seconds: float) -> Prosody:
    """A steady voice with a louder, higher syllable once a second."""
    t = np.arange(round(seconds * 100) + 1) / 100
    stress = np.exp(-0.5 * (((t % 1.0) - 0.5) / 0.08) ** 2)
    return Prosody(-30 + 10 * stress, 0.6 + 0.4 * stress, 120 * 2 ** (stress / 3))


def spans(lid: np.ndarray) -> list[int]:
    """Lengths in frames of every stretch in which the lid has left its rest."""
    runs = "".join("x" if weight > 0 else " " for weight in lid).split()
    return [len(run) for run in runs]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_clip_of_four_seconds_blinks_and_ends_with_open_eyes(seed: int) -> None:
    blinks = liveliness.blinks(speaking(4.0), 100, (seed,))
    assert blinks[:, LEFT].max() > 0.9
    assert blinks[0, LEFT] == 0
    assert blinks[-1, LEFT] < 0.1
    np.testing.assert_array_equal(blinks[:, LEFT], blinks[:, RIGHT])


def test_people_blink_17_to_30_times_a_minute() -> None:
    rates = [len(spans(liveliness.blinks(speaking(120), 3000, (s,))[:, LEFT])) / 2 for s in SEEDS]
    assert min(rates) > 17
    assert max(rates) < 30


def test_lids_are_never_latched_and_close_faster_than_they_open() -> None:
    lid = liveliness.blinks(speaking(120), 3000, (1,))[:, LEFT]
    assert max(spans(lid)) <= 0.4 * FPS
    assert min(spans(lid)) >= 0.1 * FPS
    speed = np.diff(lid)
    assert speed.max() > -speed.min() * 0.99
    assert (speed > 0).sum() < (speed < 0).sum()


@pytest.mark.parametrize("frames", [1, 2, 10, 25])
def test_clips_too_short_to_blink_are_left_alone(frames: int) -> None:
    phones = (Phone("AA", 0.0, frames / FPS),)
    assert liveliness.blinks(phones, frames, (0,)).shape == (frames, 51)
    assert np.isfinite(liveliness.enliven(phones, accented(frames / FPS), frames, (0,))).all()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_head_sways_a_few_degrees_slowly_around_its_rest(seed: int) -> None:
    moved = liveliness.enliven(speaking(60), accented(60), 1500, (seed,))
    rotation = moved[:, ROTATION_COLUMNS]
    assert (rotation.std(0) > 0.4).all()
    assert (np.abs(rotation).max(0) <= liveliness.HEAD_LIMIT_DEG).all()
    assert (
        np.abs(np.diff(rotation, axis=0)).max(0) * FPS <= np.add(liveliness.HEAD_SPEED_LIMIT_DEG_PER_S, 0.01)
    ).all()
    assert (np.abs(rotation.mean(0)) < 1.0).all()
    assert np.abs(moved[:, TRANSLATION_COLUMNS]).max() <= 1.0


def test_nods_follow_the_accents_of_the_voice() -> None:
    moved = np.mean(
        [liveliness.enliven(speaking(60), accented(60), 1500, (s,))[:, 52] for s in range(12)], axis=0
    )
    around = moved[:1500].reshape(60, 25).mean(0)
    assert 10 <= around.argmin() <= 16
    assert np.ptp(around) > 0.5


def test_brows_rise_on_some_accents_only_and_with_restraint() -> None:
    brows = liveliness.enliven(speaking(60), accented(60), 1500, (3,))[
        :, EXPRESSIONS.index("browOuterUpLeft")
    ]
    raised = len(spans(np.where(brows > 0.02, brows, 0)))
    assert 10 < raised < 50
    assert brows.max() < 0.4


def test_without_a_voice_there_are_no_accents() -> None:
    silence = Prosody(np.full(501, -90.0), np.zeros(501), np.zeros(501))
    moved = liveliness.enliven((Phone("SIL", 0.0, 5.0),), silence, 125, (0,))
    assert not moved[:, :51].any()


def test_eyes_fixate_jump_and_stay_near_the_viewer() -> None:
    gaze = liveliness.enliven(speaking(60), accented(60), 1500, (5,))[:, GAZE_COLUMNS]
    jumps = np.abs(np.diff(gaze[:, 0])) > 0.8
    assert 10 < jumps.sum() < 150
    assert np.abs(gaze).max() <= 12.0
    assert np.abs(np.median(gaze, axis=0)).max() < 1.5


def test_the_same_seed_repeats_and_another_differs() -> None:
    def make(seed: int) -> np.ndarray:
        return liveliness.enliven(speaking(6), accented(6), 150, (seed, 7))

    np.testing.assert_array_equal(make(1), make(1))
    assert np.abs(make(1) - make(2))[:, ROTATION_COLUMNS].max() > 0.3
