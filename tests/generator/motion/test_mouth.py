"""The speaking mouth closes where it must, rests in pauses, and sees no further than it says."""

import numpy as np
import pytest
from numpy.typing import NDArray

from generator.arkit import INDEX
from generator.motion.lips import FRAMES_AHEAD, FRAMES_BEFORE, LipNetwork
from generator.motion.mouth import Mouth
from generator.speech.acoustics import CHANNELS, PHONE_COLUMNS
from generator.speech.encoder import PHONES


def _heard(*phones: tuple[str, int]) -> NDArray[np.float32]:
    """Acoustic frames of phones that last so many motion frames each."""
    names = [name for name, frames in phones for _ in range(2 * frames)]
    heard = np.zeros((len(names), CHANNELS), np.float32)
    heard[np.arange(len(names)), [PHONE_COLUMNS.start + PHONES.index(name) for name in names]] = 1
    return heard


@pytest.mark.parametrize("phone", ["P", "B", "M"])
def test_lips_meet_for_bilabials(mouth: Mouth, phone: str) -> None:
    weights = mouth(_heard(("AA", 10), (phone, 2), ("AA", 10)))
    middle = weights[10:12]
    assert (middle[:, INDEX["mouthClose"]] == middle[:, INDEX["jawOpen"]]).all()
    assert (middle[:, INDEX["mouthPressLeft"]] > 0.1).all()
    assert weights[3, INDEX["mouthClose"]] == 0
    assert weights[18, INDEX["mouthClose"]] == 0


def test_a_bilabial_of_a_single_frame_still_closes(mouth: Mouth) -> None:
    heard = _heard(("AA", 20))
    heard[20, PHONE_COLUMNS] = 0
    heard[20, PHONE_COLUMNS.start + PHONES.index("B")] = 1
    weights = mouth(heard)
    assert (weights[:, INDEX["mouthClose"]] == weights[:, INDEX["jawOpen"]]).any()


@pytest.mark.parametrize("phone", ["F", "V"])
def test_the_lower_lip_is_tucked_for_labiodentals(mouth: Mouth, phone: str) -> None:
    weights = mouth(_heard(("AA", 10), (phone, 3), ("AA", 10)))
    assert weights[11, INDEX["mouthRollLower"]] > weights[4, INDEX["mouthRollLower"]]


def test_the_mouth_rests_in_a_long_pause_and_not_in_a_short_one(mouth: Mouth) -> None:
    weights = mouth(_heard(("AA", 30), ("SIL", 25), ("AA", 30), ("SIL", 3), ("AA", 30)))
    assert weights[45].max() < 0.2 * weights[10].max() + 0.02
    assert weights[60:].max(1).min() > 0.5 * weights[10].max()


def test_the_network_depends_on_its_stated_neighbourhood_alone(lip_network: LipNetwork) -> None:
    heard = np.random.default_rng(0).standard_normal((200, CHANNELS)).astype(np.float32)
    changed = heard.copy()
    changed[2 * 50 : 2 * 50 + 2] += 1
    moved = np.flatnonzero(np.abs(lip_network(heard) - lip_network(changed)).max(1) > 1e-6)
    assert moved.min() >= 50 - FRAMES_AHEAD
    assert moved.max() <= 50 + FRAMES_BEFORE
