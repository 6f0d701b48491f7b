"""How each phone looks: articulatory targets in ARKit weights, and how firmly each is held.

Amplitudes follow lip opening, mouth width and chin drop of real speakers, fitted phone by phone under the
same dominance functions (GRID corpus, Cooke et al. 2006: open vowels part the inner lips by 1.1-1.4 cm, /s/
by 0.9, /u/ by 0.4, /w/ by 0.1; the chin drops by 0.9 cm for /ae/, by 0.2 for /s/). A full ``jawOpen`` is a
gap of about 4 cm, so speech stays below 0.3. Names without a side mean both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from generator.arkit import INDEX

ARTICULATORS = (
    "jawOpen",
    "mouthLowerDown", "mouthUpperUp", "mouthRollLower", "mouthShrugUpper",
    "mouthFunnel", "mouthPucker", "mouthStretch", "mouthDimple",
)  # fmt: skip
"""What dominance functions shape; closures add ``mouthClose``, ``mouthPress`` and ``mouthRollUpper``."""

JAW = slice(0, 1)
APERTURE = slice(1, 5)
SHAPE = slice(5, 9)


class Contact(Enum):
    """A constriction of the lips that must be reached whatever surrounds it."""

    NONE = auto()
    LIPS = auto()
    LIP_TO_TEETH = auto()


@dataclass(frozen=True)
class Viseme:
    """Targets of one phone, and the strength (relative, after Cohen and Massaro 1993) with which the jaw, the
    lip aperture and the lip shape (rounding, spreading) impose themselves on their neighbours."""

    targets: dict[str, float]
    jaw: float
    aperture: float
    shape: float
    contact: Contact = Contact.NONE
    vowel: bool = False

    def vector(self) -> NDArray[np.float64]:
        """(len(ARTICULATORS),) targets."""
        return np.array([self.targets.get(name, 0.0) for name in ARTICULATORS])


def _vowel(
    jaw: float, lower: float = 0.0, upper: float = 0.0, *, shape: float = 0.35, **more: float
) -> Viseme:
    targets = {"jawOpen": jaw, "mouthLowerDown": lower, "mouthUpperUp": upper, **more}
    return Viseme(targets, jaw=0.8, aperture=0.7, shape=shape, vowel=True)


def _consonant(
    jaw: float, lower: float = 0.0, upper: float = 0.0, *, hold: float, shape: float = 0.08, **more: float
) -> Viseme:
    targets = {"jawOpen": jaw, "mouthLowerDown": lower, "mouthUpperUp": upper, **more}
    return Viseme(targets, jaw=hold, aperture=hold, shape=shape)


_OPEN = _vowel(0.28, 0.16, 0.12)
_FRONT_OPEN = _vowel(0.29, 0.16, 0.12, mouthStretch=0.04)
_FRONT_MID = _vowel(0.28, 0.32, 0.26, mouthStretch=0.14)
_CENTRAL = _vowel(0.20, 0.14, 0.08, shape=0.15)
_FRONT_NEAR_CLOSE = _vowel(0.18, 0.18, 0.12, mouthStretch=0.05)
_FRONT_CLOSE = _vowel(0.16, 0.34, 0.25, mouthStretch=0.20, mouthDimple=0.06)
_ROUND_OPEN = _vowel(0.13, shape=0.8, mouthFunnel=0.14, mouthPucker=0.20)
_ROUND_MID = _vowel(0.13, shape=0.9, mouthFunnel=0.15, mouthPucker=0.38)
_ROUND_CLOSE = _vowel(0.06, shape=1.0, mouthFunnel=0.12, mouthPucker=0.54)
_ROUND_GLIDE = _vowel(0.08, shape=0.5, mouthFunnel=0.10, mouthPucker=0.45)
_RHOTIC_VOWEL = _vowel(0.11, 0.05, shape=0.6, mouthFunnel=0.12, mouthPucker=0.20)
_RHOTIC = _consonant(0.07, 0.02, hold=0.6, shape=0.8, mouthFunnel=0.10, mouthPucker=0.34)
_BILABIAL = Viseme({"jawOpen": 0.05}, jaw=0.9, aperture=0.9, shape=0.05, contact=Contact.LIPS)
_LABIODENTAL = Viseme(
    {"jawOpen": 0.05, "mouthUpperUp": 0.14}, jaw=0.9, aperture=0.9, shape=0.12, contact=Contact.LIP_TO_TEETH
)
_DENTAL = _consonant(0.09, 0.10, 0.05, hold=0.5)
_ALVEOLAR = _consonant(0.07, 0.24, 0.14, hold=0.5, shape=0.15, mouthStretch=0.14)
_NASAL = _consonant(0.08, 0.12, 0.06, hold=0.45)
_LATERAL = _consonant(0.10, 0.24, 0.14, hold=0.4, mouthStretch=0.06)
_SIBILANT = _consonant(0.05, 0.38, 0.25, hold=0.9, shape=0.25, mouthStretch=0.20)
_POSTALVEOLAR = _consonant(
    0.05, 0.24, 0.18, hold=0.9, shape=0.8, mouthFunnel=0.24, mouthPucker=0.16, mouthShrugUpper=0.06
)
_VELAR = _consonant(0.12, 0.14, 0.08, hold=0.25, shape=0.03)
_GLOTTAL = _consonant(0.14, 0.12, 0.08, hold=0.15, shape=0.02)
_LABIAL_GLIDE = _consonant(0.02, hold=1.6, shape=1.0, mouthFunnel=0.02, mouthPucker=0.60)
_PALATAL_GLIDE = _consonant(0.08, 0.18, 0.12, hold=0.4, shape=0.3, mouthStretch=0.18)

REST = Viseme({}, jaw=1.0, aperture=1.0, shape=0.6)

VISEMES: dict[str, tuple[Viseme, ...]] = {
    "AA": (_OPEN,), "AE": (_FRONT_OPEN,), "AH": (_CENTRAL,), "AO": (_ROUND_OPEN,),
    "AW": (_OPEN, _ROUND_GLIDE), "AY": (_OPEN, _FRONT_CLOSE),
    "EH": (_FRONT_MID,), "ER": (_RHOTIC_VOWEL,), "EY": (_FRONT_MID, _FRONT_CLOSE),
    "IH": (_FRONT_NEAR_CLOSE,), "IY": (_FRONT_CLOSE,),
    "OW": (_ROUND_MID, _ROUND_GLIDE), "OY": (_ROUND_OPEN, _FRONT_CLOSE),
    "UH": (_ROUND_MID,), "UW": (_ROUND_CLOSE,),
    "P": (_BILABIAL,), "B": (_BILABIAL,), "M": (_BILABIAL,),
    "F": (_LABIODENTAL,), "V": (_LABIODENTAL,),
    "TH": (_DENTAL,), "DH": (_DENTAL,),
    "T": (_ALVEOLAR,), "D": (_ALVEOLAR,), "N": (_NASAL,), "L": (_LATERAL,),
    "S": (_SIBILANT,), "Z": (_SIBILANT,),
    "SH": (_POSTALVEOLAR,), "ZH": (_POSTALVEOLAR,), "CH": (_POSTALVEOLAR,), "JH": (_POSTALVEOLAR,),
    "K": (_VELAR,), "G": (_VELAR,), "NG": (_VELAR,), "HH": (_GLOTTAL,),
    "R": (_RHOTIC,), "W": (_LABIAL_GLIDE,), "Y": (_PALATAL_GLIDE,),
}  # fmt: skip
"""The 39 ARPAbet phones; a diphthong is two targets, the first held longer."""


def columns(name: str) -> list[int]:
    """Columns of an articulator among the 51 expressions: its own, or those of both sides."""
    return [INDEX[name]] if name in INDEX else [INDEX[f"{name}Left"], INDEX[f"{name}Right"]]
