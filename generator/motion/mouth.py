"""The speaking mouth: what the lip network has learned, and the contacts that speech cannot do without.

A regression is a mean, and a mean never quite closes lips. So where the encoder hears /p b m/ the lips are
brought together, where it hears /f v/ the lower lip is tucked under the teeth, and in silence they rest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d

from generator.arkit import EXPRESSIONS
from generator.motion.lips import FRAMES_AHEAD, FRAMES_BEFORE, MOUTH, PER_FRAME, LipNetwork
from generator.motion.motion import FPS
from generator.speech.acoustics import PHONE_COLUMNS
from generator.speech.articulation import close_lips, touch_teeth
from generator.speech.encoder import PHONES
from generator.speech.phones import SILENCE
from generator.speech.visemes import VISEMES, Contact

Signal = NDArray[np.float64]
Single = NDArray[np.float32]

HEARD_AT = (0.22, 0.55)
"""Probability of a bilabial from which the lips begin to meet, and from which they touch."""
APPROACH = (0.0, 0.45, 0.9, 1.0, 1.0, 1.0, 0.7, 0.25, 0.0)
"""How far lips have met 80, 60 ... -80 ms before the sound: they run ahead of it, and part with it."""
QUIET_BEFORE, QUIET_AFTER = 12, 5
"""Acoustic frames of silence, before and after, that let the mouth come to rest."""
QUIET_SMOOTHING = 5
REST_SHARE = 0.9

AHEAD = FRAMES_AHEAD
"""Motion frames beyond one that must have been heard until it is certain."""
BEFORE = max(FRAMES_BEFORE, -(-(QUIET_BEFORE + QUIET_SMOOTHING) // PER_FRAME) + 1)
"""Motion frames before one that it depends on."""
DELAY_SECONDS = AHEAD / FPS

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
        touch_teeth(weights, _contact(phones, Contact.LIP_TO_TEETH))
        close_lips(weights, _contact(phones, Contact.LIPS))
        return np.clip(weights, 0.0, 1.0).astype(np.float32)


def _contact(phones: Signal, kind: Contact) -> Signal:
    """(T,) 0..1 at 25 fps: how far the lips have met for sounds of this ``kind``."""
    heard = phones[:, _CONTACTS[kind]].sum(1)
    low, high = HEARD_AT
    certain = np.clip((heard - low) / (high - low), 0.0, 1.0)
    reach = len(APPROACH) // 2
    padded = np.pad(certain, reach)
    shifted = np.stack([padded[k : k + len(certain)] * share for k, share in enumerate(APPROACH[::-1])])
    amount: Signal = _at_motion_frames(shifted.max(0))
    return amount


def _quiet(silence: Signal) -> Signal:
    """(T,) 0..1 at 25 fps: how far a pause has brought the mouth to rest."""
    width = QUIET_BEFORE + QUIET_AFTER + 1
    origin = QUIET_BEFORE - width // 2
    lasting = minimum_filter1d(silence, width, mode="nearest", origin=origin)
    return _at_motion_frames(uniform_filter1d(lasting, QUIET_SMOOTHING, mode="nearest", origin=2))


def _at_motion_frames(signal: Signal) -> Signal:
    """50 Hz to 25 fps: a motion frame lies between two acoustic ones."""
    count = len(signal) // PER_FRAME
    between: Signal = signal[: count * PER_FRAME].reshape(count, PER_FRAME).max(1)
    return between
