"""Do the lips do what the speaker's did? Opening and width against a tracked truth, and lip closure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generator.speech.phones import Phone

Array = NDArray[np.float64]

BILABIALS = frozenset({"P", "B", "M"})
VOWELS = frozenset({"AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY"})
"""Those that are not said through nearly closed lips."""
CLOSED_CM = 0.05
"""Inner lips nearer than this, beyond their gap at rest, count as touching: at 512 px about a pixel."""
SLACK_SECONDS = 0.04
"""How far outside its sound, by the aligner's clock, a closure may lie."""


@dataclass(frozen=True)
class Closures:
    """Bilabials spoken, and how many of them were seen closed."""

    spoken: int = 0
    closed: int = 0

    def __add__(self, other: Closures) -> Closures:
        return Closures(self.spoken + other.spoken, self.closed + other.closed)

    @property
    def recall(self) -> float:
        """0..1; NaN when none was spoken."""
        return self.closed / self.spoken if self.spoken else float("nan")


def normalise(clips: Sequence[Array]) -> list[Array]:
    """One speaker's ``clips``, each (T,), by the mean and standard deviation of all of them together.

    How wide somebody opens their mouth is theirs; a driver is judged on when and how far relative to that.
    """
    together = np.concatenate(list(clips))
    mean, spread = float(together.mean()), float(together.std())
    return [(clip - mean) / max(spread, 1e-9) for clip in clips]


def correlation(found: Array, truth: Array) -> float:
    """Pearson's r of two curves (T,); 0 where one of them does not move."""
    a, b = found - found.mean(), truth - truth.mean()
    scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / scale if scale > 1e-9 else 0.0


def error_cm(found: Sequence[Array], truth: Sequence[Array]) -> float:
    """Root mean square difference, cm, once the speaker's range (mean and spread) is given to ``found``."""
    reference = np.concatenate(list(truth))
    scaled = np.concatenate(normalise(found)) * reference.std() + reference.mean()
    return float(np.sqrt(np.mean((scaled - reference) ** 2)))


def closures(opening: Array, phones: Sequence[Phone], fps: float, closed_cm: float = CLOSED_CM) -> Closures:
    """How many /p/, /b/ and /m/ bring the lips together in some frame shown during them.

    ``opening`` (T,) is the gap in cm; frame i is shown from i / fps on.
    """
    spoken = closed = 0
    for phone in phones:
        if phone.name not in BILABIALS:
            continue
        first = max(int(np.floor((phone.start - SLACK_SECONDS) * fps)), 0)
        last = min(int(np.ceil((phone.end + SLACK_SECONDS) * fps)), len(opening))
        if first >= last:
            continue
        spoken += 1
        closed += bool(opening[first:last].min() <= closed_cm)
    return Closures(spoken, closed)


def vowels_open(opening: Array, phones: Sequence[Phone], fps: float, closed_cm: float = CLOSED_CM) -> float:
    """Share of vowels in whose middle the lips are apart; NaN without vowels.

    It keeps closures honest: a mouth that hardly opens closes for every bilabial.
    """
    middles = [int(phone.centre * fps) for phone in phones if phone.name in VOWELS]
    apart = [opening[frame] > closed_cm for frame in middles if frame < len(opening)]
    return float(np.mean(apart)) if apart else float("nan")
