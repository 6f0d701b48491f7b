import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.arkit import INDEX
from generator.speech.articulation import articulate
from generator.speech.phones import SILENCE, Phone
from generator.speech.prosody import Prosody
from generator.speech.visemes import ARTICULATORS, VISEMES, Contact, columns

PHONES = sorted(VISEMES)


def say(names: str, seconds: float = 0.1, start: float = 0.5, confidence: float = 1.0) -> np.ndarray:
    """(T, 51) at 25 fps: half a second of rest, ``names`` at ``seconds`` each, half a second of rest."""
    spoken = [
        Phone(name, start + i * seconds, start + (i + 1) * seconds, confidence)
        for i, name in enumerate(names.split())
    ]
    end = spoken[-1].end
    phones = (Phone(SILENCE, 0.0, start), *spoken, Phone(SILENCE, end, end + 0.5))
    t = np.arange(round((end + 0.5) * 100) + 1) / 100
    loud = ((t > start) & (t < end)).astype(float)
    return articulate(phones, Prosody(loud * 30 - 60, loud, 120 * loud), int((end + 0.5) * 25), 25.0)


def curve(weights: np.ndarray, name: str) -> np.ndarray:
    return weights[:, columns(name)[0]]


@pytest.mark.parametrize("phone", [p for p in PHONES if VISEMES[p][0].contact is Contact.LIPS])
@given(
    seconds=st.floats(0.03, 0.15),
    start=st.floats(0.5, 0.54),
    vowel=st.sampled_from(["AA", "AE", "IY", "OW", "EY"]),
)
def test_lips_close_whatever_surrounds_them_and_wherever_frames_fall(
    phone: str, seconds: float, start: float, vowel: str
) -> None:
    weights = say(f"{vowel} {phone} {vowel}", seconds, start)
    closed = (curve(weights, "mouthClose") >= curve(weights, "jawOpen") - 1e-6) & (
        curve(weights, "mouthPress") > 0.2
    )
    assert closed.any()
    for name in ("mouthLowerDown", "mouthUpperUp", "mouthFunnel"):
        assert curve(weights, name)[closed].max() < 1e-4, "less than a hundredth of a millimetre of lip"
    frame = int(np.flatnonzero(closed)[0])
    assert abs((frame + 0.5) / 25 - (start + 1.5 * seconds)) < 0.5 * seconds + 0.05


@pytest.mark.parametrize("phone", ["F", "V"])
def test_the_lower_lip_tucks_under_the_teeth(phone: str) -> None:
    weights = say(f"AA {phone} AA")
    tucked = curve(weights, "mouthRollLower").argmax()
    assert curve(weights, "mouthRollLower")[tucked] > 0.3
    assert curve(weights, "mouthUpperUp")[tucked] > 0.1
    assert curve(weights, "mouthLowerDown")[tucked] < 0.02
    assert curve(weights, "jawOpen")[tucked] < 0.1
    assert not curve(weights, "mouthClose").any()


def test_rounding_begins_before_its_vowel() -> None:
    """In "stew" the lips are round through /s t/ already, in "steam" they are not."""
    before = slice(int(0.58 * 25), int(0.68 * 25))
    assert curve(say("S T UW"), "mouthPucker")[before].mean() > 0.1
    assert curve(say("S T IY"), "mouthPucker")[before].mean() < 0.01


def test_open_vowels_open_the_jaw_more_than_close_ones_and_sibilants_least() -> None:
    opening = {name: curve(say(f"T {name} T", 0.15), "jawOpen")[17:20].max() for name in ("AA", "IY", "UW")}
    assert opening["AA"] > 1.4 * opening["IY"] > 1.4 * opening["UW"]
    sibilant = say("AA S AA", 0.15)[17]
    assert sibilant[INDEX["jawOpen"]] < 0.12
    assert sibilant[INDEX["mouthLowerDownLeft"]] > 0.15


def test_diphthongs_move() -> None:
    weights = say("AW", 0.4)
    assert curve(weights, "jawOpen").argmax() < curve(weights, "mouthPucker").argmax()


def test_louder_vowels_open_wider() -> None:
    phones = (Phone("AA", 0.0, 0.3), Phone("T", 0.3, 0.4), Phone("AA", 0.4, 0.7), Phone(SILENCE, 0.7, 1.2))
    t = np.arange(121) / 100
    energy = np.where(t < 0.35, -20.0, -35.0)
    weights = articulate(phones, Prosody(energy, np.where(t < 0.35, 1.0, 0.6), 0 * t), 30, 25.0)
    jaw = curve(weights, "jawOpen")
    assert jaw[:9].max() > 1.15 * jaw[10:17].max()


def test_the_mouth_rests_in_long_pauses() -> None:
    weights = say("AA B AA")
    assert weights[:8].max() < 0.01
    assert weights[-6:].max() < 0.02


@given(
    st.lists(st.sampled_from([*PHONES, SILENCE]), min_size=1, max_size=12),
    st.floats(0.03, 0.3),
    st.floats(0, 1),
)
def test_any_utterance_gives_weights_in_range_without_pops(
    names: list[str], seconds: float, confidence: float
) -> None:
    weights = say(" ".join(names), seconds, confidence=confidence)
    assert weights.dtype == np.float32
    assert weights.min() >= 0
    assert weights.max() <= 0.75
    assert np.abs(np.diff(curve(weights, "jawOpen"))).max() < 0.2
    assert (weights[:, INDEX["mouthClose"]] <= weights[:, INDEX["jawOpen"]] + 1e-6).all()


def test_both_sides_of_the_mouth_move_alike() -> None:
    weights = say("S IY B AA F UW")
    for name in (*ARTICULATORS, "mouthPress"):
        sides = columns(name)
        np.testing.assert_array_equal(weights[:, sides[0]], weights[:, sides[-1]])


def test_where_the_recogniser_is_lost_energy_opens_the_mouth() -> None:
    """Loud voiced sound that was taken for a pause, as singing is."""
    t = np.arange(201) / 100
    sung = ((t > 0.5) & (t < 1.5)).astype(float)
    weights = articulate((Phone(SILENCE, 0.0, 2.0),), Prosody(sung * 40 - 60, sung, 220 * sung), 50, 25.0)
    jaw = curve(weights, "jawOpen")
    assert jaw[18:32].min() > 0.1
    assert jaw[:8].max() < 0.01
    assert jaw[-6:].max() < 0.01


def test_all_39_phones_of_english_have_a_viseme() -> None:
    assert len(VISEMES) == 39
    for visemes in VISEMES.values():
        for viseme in visemes:
            assert set(viseme.targets) <= set(ARTICULATORS)
            assert all(columns(name) for name in viseme.targets)
