"""The speaking mouth: what the lip network has learned, and the contacts that speech cannot do without.

A regression is a mean, and a mean never quite closes lips. So where the encoder hears /p b m/ the lips are
brought together, where it hears /f v/ the lower lip is tucked under the teeth, and in silence they rest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d, maximum_filter1d, minimum_filter1d, uniform_filter1d

from generator.arkit import EXPRESSIONS, INDEX
from generator.motion.lips import FRAMES_AHEAD, FRAMES_BEFORE, MOUTH, PER_FRAME, LipNetwork
from generator.speech.acoustics import PHONE_COLUMNS
from generator.speech.articulation import close_lips, touch_teeth
from generator.speech.encoder import PHONES, RATE
from generator.speech.phones import SILENCE
from generator.speech.visemes import VISEMES, Contact, columns

Signal = NDArray[np.float64]
Single = NDArray[np.float32]

SUSPECTED, HEARD, CERTAIN = (0.1, 0.25), (0.3, 0.6), (0.3, 0.5)
"""Probabilities of a sound between which its contact goes from none to full."""
NEAR_SECONDS = 0.06
"""How far from the sound lips that are nearly closed are closed altogether."""
NEARLY_CLOSED = 0.12, 0.06
"""Openings (as weights of ``jawOpen``) at which lips near a suspected bilabial begin to meet, and touch."""
QUIET_BEFORE, QUIET_AFTER = 25, 5
"""Acoustic frames of silence, before and after, that let the mouth come to rest."""
QUIET_SMOOTHING = 5
REST_SHARE = 0.9

SOFTNESS = (0.25, 0.5, 0.25)
"""Shares of the frame before, the frame and the next in what is shown: flesh moves less abruptly than a
decision that a sound was heard."""

AHEAD = FRAMES_AHEAD + 1
"""Motion frames beyond one that must have been heard until it is certain."""
BEFORE = 1 + max(FRAMES_BEFORE, -(-(QUIET_BEFORE + QUIET_SMOOTHING) // PER_FRAME) + 1)
"""Motion frames before one that it depends on."""

_CONTACTS = {
    kind: [i for i, phone in enumerate(PHONES) if phone != SILENCE and VISEMES[phone][0].contact is kind]
    for kind in (Contact.LIPS, Contact.LIP_TO_TEETH)
}
_SILENT = PHONES.index(SILENCE)


class Mouth:
    """Acoustic frames to expression weights."""

    def __init__(self, network: LipNetwork) -> None:
        self._network = network

    def __call__(self, heard: Single) -> Single:
        """(2 T, CHANNELS) frames at 50 Hz to (T, 51) weights at 25 fps: jaw and mouth, the rest 0."""
        phones = heard[:, PHONE_COLUMNS].astype(np.float64)
        weights = np.zeros((len(heard) // PER_FRAME, len(EXPRESSIONS)))
        weights[:, MOUTH] = np.clip(self._network(heard), 0.0, 1.0)
        weights *= 1 - REST_SHARE * _quiet(phones[:, _SILENT])[:, None]
        touch_teeth(weights, _at_motion_frames(_heard(phones, Contact.LIP_TO_TEETH, HEARD)))
        meeting = _lips_meet(phones, weights)
        close_lips(weights, meeting)
        soft: Signal = convolve1d(weights, SOFTNESS, axis=0, mode="nearest")
        soft[meeting == 1] = weights[meeting == 1]
        shown: Single = np.clip(soft, 0.0, 1.0).astype(np.float32)
        return shown


def _lips_meet(phones: Signal, weights: Signal) -> Signal:
    """(T,) 0..1 at 25 fps: how far the lips are brought together.

    The network knows when lips are closest, and seldom that they touch: near a bilabial, what is nearly
    closed is closed. Where a bilabial is certain, its middle is closed in any case.
    """
    reach = 2 * round(NEAR_SECONDS * RATE) + 1
    near = maximum_filter1d(_heard(phones, Contact.LIPS, SUSPECTED), reach, mode="constant")
    begin, touch = NEARLY_CLOSED
    closeness = np.clip((begin - _opening(weights)) / (begin - touch), 0.0, 1.0)
    certain = _heard(phones, Contact.LIPS, CERTAIN)
    return np.maximum(_at_motion_frames(near) * closeness, _at_motion_frames(certain))


def _heard(phones: Signal, kind: Contact, probability: tuple[float, float]) -> Signal:
    """(2 T,) 0..1: whether sounds made by this ``kind`` of contact are heard."""
    low, high = probability
    heard: Signal = np.clip((phones[:, _CONTACTS[kind]].sum(1) - low) / (high - low), 0.0, 1.0)
    return heard


def _opening(weights: Signal) -> Signal:
    """(T,) roughly how far the lips are apart, as a weight of ``jawOpen``."""
    lower = weights[:, columns("mouthLowerDown")].mean(1)
    upper = weights[:, columns("mouthUpperUp")].mean(1)
    opening: Signal = (
        weights[:, INDEX["jawOpen"]] - weights[:, INDEX["mouthClose"]] + 0.3 * lower + 0.2 * upper
    )
    return opening


def _quiet(silence: Signal) -> Signal:
    """(T,) 0..1 at 25 fps: how far a pause has brought the mouth to rest. None precedes the beginning."""
    before = np.zeros(QUIET_BEFORE + QUIET_SMOOTHING)
    known = np.concatenate([before, silence])
    width = QUIET_BEFORE + QUIET_AFTER + 1
    lasting = minimum_filter1d(known, width, mode="nearest", origin=QUIET_BEFORE - width // 2)
    quiet = uniform_filter1d(lasting, QUIET_SMOOTHING, mode="nearest", origin=2)
    return _at_motion_frames(quiet[len(before) :])


def _at_motion_frames(signal: Signal) -> Signal:
    """50 Hz to 25 fps: a motion frame lies between two acoustic ones."""
    count = len(signal) // PER_FRAME
    between: Signal = signal[: count * PER_FRAME].reshape(count, PER_FRAME).max(1)
    return between
