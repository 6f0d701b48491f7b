"""One actor speaking Mandarin, as rig controls at 30 fps (FACEGOOD, MIT): amplitude and timing of lips.

Expects a folder with ``<take>.opus`` and ``facegood.npz``: ``names`` (116,) of controls, and for each take
``weights_<take>`` (frames, 116). Head and gaze are not recorded and stay at rest; nobody's words are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generator.arkit import EXPRESSIONS, INDEX
from generator.motion.motion import EXPRESSION_COLUMNS, FPS, WIDTH, Motion
from generator.speech.audio import SAMPLE_RATE, Speech
from generator.training.corpus import CorpusError, CorpusWriter, Description

DESCRIPTION = Description(
    name="facegood",
    licence="MIT",
    source="FACEGOOD-Audio2Face, dataSet takes 1114_2_01 to 1114_3_16, one actor",
    used_for="Training of motion models; Mandarin, without transcripts, without head motion or gaze.",
)
RIG_FPS = 30.0
CLIP_SECONDS = 12.0
NAMES_LATE = 1
"""The archive names column i with what column i + 1 holds: only so do left and right controls move alike."""
VALIDATION_TAKE = "1114_3_16"

_SIDES = {"Left": "l", "Right": "r"}
# ARKit name without its side -> rig controls without theirs, and how much of each counts.
_SIDED: dict[str, tuple[tuple[str, float], ...]] = {
    "browDown": (("brow_lower", 1.0),),
    "browOuterUp": (("brow_raise", 1.0),),
    "cheekPuff": (),
    "cheekSquint": (("cheek_raise", 1.0),),
    "eyeBlink": (("eye_blink1", 1.0), ("eye_blink2", 1.0)),
    "eyeSquint": (("eye_lidTight", 1.0), ("eye_downLidRaise", 0.5)),
    "eyeWide": (("eye_upperLidRaise", 1.0),),
    "jaw": (("jaw_sideways", 1.0),),
    "mouth": (("mouth_sideways", 1.0),),
    "mouthDimple": (("mouth_dimple", 1.0),),
    "mouthFrown": (("mouth_lipCornerDepress", 1.0), ("mouth_lipCornerDepressFix", 1.0)),
    "mouthLowerDown": (("mouth_lowerLipDepress", 1.0),),
    "mouthPress": (("mouth_press", 1.0),),
    "mouthSmile": (("mouth_lipCornerPull", 1.0), ("mouth_lipCornerPullOpen", 1.0)),
    "mouthStretch": (("mouth_lipStretch", 1.0), ("mouth_lipStretchOpen", 1.0)),
    "mouthUpperUp": (("mouth_upperLipRaise", 1.0),),
    "noseSneer": (("nose_wrinkle", 1.0),),
}
_WHOLE: dict[str, tuple[tuple[str, float], ...]] = {
    "browInnerUp": (("brow_raise_c", 1.0),),
    "cheekPuff": (("cheek_puff_l", 0.5), ("cheek_puff_r", 0.5)),
    "jawForward": (("jaw_thrust_c", 1.0),),
    "jawOpen": (("mouth_stretch_c", 0.7), ("mouth_oh_c", 0.2), ("mouth_chew_c", 0.3)),
    "mouthClose": (("mouth_pressFix_c", 0.3),),
    "mouthFunnel": (
        ("mouth_funnel_dl", 0.25), ("mouth_funnel_dr", 0.25), ("mouth_funnel_ul", 0.25),
        ("mouth_funnel_ur", 0.25), ("mouth_oh_c", 0.6),
    ),
    "mouthPucker": (("mouth_pucker_l", 0.5), ("mouth_pucker_r", 0.5), ("mouth_oo_c", 0.8)),
    "mouthRollLower": (("mouth_suck_dl", 0.5), ("mouth_suck_dr", 0.5)),
    "mouthRollUpper": (("mouth_suck_ul", 0.5), ("mouth_suck_ur", 0.5)),
    "mouthShrugLower": (("mouth_chinRaise_d", 1.0),),
    "mouthShrugUpper": (("mouth_chinRaise_u", 1.0),),
}  # fmt: skip


def to_arkit(controls: NDArray[np.floating], names: list[str]) -> NDArray[np.float32]:
    """ARKit weights (T, 51), 0..1, of rig ``controls`` (T, C) called ``names``. Raises ``CorpusError`` if
    a control that is needed is missing."""
    place = {name: i for i, name in enumerate(names)}
    weights = np.zeros((len(controls), len(EXPRESSIONS)))
    for target, source, gain in _gains():
        if source not in place:
            raise CorpusError(f"The rig has no control {source}; this is another rig than expected.")
        weights[:, INDEX[target]] += gain * controls[:, place[source]]
    weights = np.clip(weights, 0, 1)
    close, jaw = INDEX["mouthClose"], INDEX["jawOpen"]
    weights[:, close] = np.minimum(weights[:, close], weights[:, jaw])
    return weights.astype(np.float32)


def _gains() -> Iterator[tuple[str, str, float]]:
    for name, controls in _SIDED.items():
        for side, letter in _SIDES.items():
            for control, gain in controls:
                yield f"{name}{side}", f"{control}_{letter}", gain
    for name, controls in _WHOLE.items():
        for control, gain in controls:
            yield name, control, gain


def build(data: Path, out: Path, limit: int | None = None) -> CorpusWriter:
    """Cut every take into clips of ``CLIP_SECONDS``, at most ``limit`` of each."""
    archive = np.load(data / "facegood.npz")
    names = [str(name) for name in np.roll(archive["names"], NAMES_LATE)]
    writer = CorpusWriter(out, DESCRIPTION)
    for take in (key.removeprefix("weights_") for key in archive.files if key.startswith("weights_")):
        weights = to_arkit(archive[f"weights_{take}"].astype(np.float64), names)
        values = np.zeros((len(weights), WIDTH), np.float32)
        values[:, EXPRESSION_COLUMNS] = weights
        motion = Motion(values, RIG_FPS).resample(FPS)
        samples = Speech.open(data / f"{take}.opus").samples
        seconds = min(motion.seconds, len(samples) / SAMPLE_RATE)
        for i in range(int(seconds // CLIP_SECONDS))[:limit]:
            start = i * CLIP_SECONDS
            first = round(start * SAMPLE_RATE)
            writer.add(
                f"{take}_{i:02d}",
                samples[first : first + round(CLIP_SECONDS * SAMPLE_RATE)],
                speaker="facegood",
                split="validation" if take == VALIDATION_TAKE else "train",
                motion=motion.between(start, start + CLIP_SECONDS),
                provenance={
                    "recording": f"FACEGOOD {take}, from {start:g} s",
                    "motion": "rig controls renamed to ARKit weights",
                },
            )
    return writer
