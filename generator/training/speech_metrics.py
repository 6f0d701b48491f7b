"""How well the speech encoder hears speakers it has not met."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from generator.speech.encoder import PHONES, SpeechEncoder
from generator.training.corpus import Clip
from generator.training.speech_data import Source, in_noise, labels, whispering

CLASSES = (
    "P B M", "F V", "TH DH", "T D N L S Z", "SH ZH CH JH", "K G NG HH Y", "R ER", "W UW UH OW OY AO",
    "AA AE AH AW AY", "EH EY IH IY", "SIL",
)  # fmt: skip
"""Phones that look alike."""
_CLASS_OF = np.array([next(i for i, c in enumerate(CLASSES) if phone in c.split()) for phone in PHONES])
_SILENCE = PHONES.index("SIL")
_BILABIAL = CLASSES.index("P B M")


Condition = Callable[[Source, np.random.Generator], Source]

CONDITIONS: dict[str, Condition] = {
    "as recorded": lambda source, _: source,
    "20 % faster and higher": lambda source, _: source.played(1.2),
    "20 % slower and deeper": lambda source, _: source.played(1 / 1.2),
    "noise at 20 dB": lambda source, rng: in_noise(source, 20.0, rng),
    "noise at 10 dB": lambda source, rng: in_noise(source, 10.0, rng),
    "whispered": whispering,
    "20 dB quieter": lambda source, _: source.heard_as(source.samples / 10),
}


def measure(
    encoder: SpeechEncoder, clips: Sequence[Clip], condition: Condition = CONDITIONS["as recorded"]
) -> dict[str, float]:
    """Fractions of 50 Hz frames: phones and lip classes named right (everywhere, and in speech alone), the
    frames of bilabials heard as bilabial, voicing mistaken; and the median error of pitch, semitones."""
    rng = np.random.default_rng(0)
    found, true = [], []
    for clip in clips:
        source = condition(Source.of(clip), rng)
        features = encoder.features(source.samples.astype(np.float32))
        phones, voiced, octaves = labels(source, len(features))
        mean = octaves[voiced > 0].mean() if voiced.any() else 0.0
        both = (voiced > 0) & (features.voicing > 0.5)
        centre = np.median(features.pitch[both]) - np.median(octaves[both] - mean) if both.any() else 0.0
        found.append([features.phones.argmax(1), features.voicing > 0.5, features.pitch - centre])
        true.append([phones, voiced > 0, octaves - mean])
    heard, voicing, pitch = (np.concatenate(column) for column in zip(*found, strict=True))
    said, voiced, octaves = (np.concatenate(column) for column in zip(*true, strict=True))
    speech = said != _SILENCE
    lips_heard, lips = _CLASS_OF[heard], _CLASS_OF[said]
    both = voicing & voiced
    return {
        "clips": len(clips),
        "frames": len(said),
        "phone_accuracy": _share(heard == said),
        "phone_accuracy_in_speech": _share((heard == said)[speech]),
        "class_accuracy": _share(lips_heard == lips),
        "class_accuracy_in_speech": _share((lips_heard == lips)[speech]),
        "bilabial_recall": _share((lips_heard == _BILABIAL)[lips == _BILABIAL]),
        "voicing_error": _share(voicing != voiced),
        "pitch_error_semitones": round(float(12 * np.median(np.abs(pitch - octaves)[both])), 3)
        if both.any()
        else 0.0,
    }


def survey(encoder: SpeechEncoder, clips: Sequence[Clip]) -> dict[str, dict[str, float]]:
    """What ``measure`` finds, under every condition; the changed ones in brief."""
    found = {name: measure(encoder, clips, condition) for name, condition in CONDITIONS.items()}
    brief = ("phone_accuracy_in_speech", "class_accuracy_in_speech", "bilabial_recall", "voicing_error")
    return {
        name: numbers if name == "as recorded" else {key: numbers[key] for key in brief}
        for name, numbers in found.items()
    }


def _share(hits: NDArray[np.bool_]) -> float:
    return round(float(hits.mean()), 4)
