"""Numbers of how people move in conversation, as windows for the flow.

The folder holds ``tracks.npz`` (``pose`` (N, 6): yaw, pitch, roll in degrees with the tracker's signs and
x, y, z in cm; ``blendshapes`` (N, 52) scores 0..255 with ``blendshape_names``; ``prosody`` (N, 2): loudness
in dB of full scale and pitch in Hz, 0 where unvoiced) and ``clips.json`` (``start``, ``frames`` at 25 fps,
``has_speech``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, uniform_filter1d
from torch import Tensor
from torch.utils.data import IterableDataset

from generator.motion.flow import CONTEXT, COUNT, KNOWN, PROSODY, SPAN, Loudness, prosody
from generator.motion.motion import FPS
from generator.speech.mel import ENERGY_RANGE_DB
from generator.training.ranks import rank

Array = NDArray[np.float64]
Single = NDArray[np.float32]

POSE_SIGNS = (1.0, -1.0, -1.0, 1.0, 1.0, 1.0)
"""From the tracker's signs to those of ``Motion``, found on recordings that have both."""
TRANSLATION_SHARE = 0.7
"""The tracker exaggerates how far a head moves, also found there."""
POSTURE_SECONDS = 5.0
"""Slower movements are a change of posture, which nothing heard explains."""
HEAD_SPREAD_LIMITS = (3.5, 3.0, 2.5, 0.5, 0.5, 0.5)
"""Standard deviations above which a clip's head is held back to them, degrees and cm."""
TRACKING_FRAMES = 1.0
"""Standard deviation of the filter that takes away what the tracker trembles."""
BROW_SHARE = 0.45
BROW_REST_PERCENTILE = 20.0
MIRRORED = (0, 2, 3)
"""Channels that change sign when a face is seen in a mirror: yaw, roll, x."""


@dataclass(frozen=True, eq=False)
class Passage:
    """``motion`` (T, COUNT) in the units of ``Motion``, ``voice`` (T, PROSODY)."""

    motion: Single
    voice: Single


def load(folder: Path) -> list[Passage]:
    """Every clip with speech that is long enough."""
    tracks = np.load(folder / "tracks.npz")
    clips = json.loads((folder / "clips.json").read_text("utf-8"))
    scores = dict(zip(tracks["blendshape_names"].tolist(), tracks["blendshapes"].T / 255.0, strict=True))
    passages = []
    for clip in clips:
        rows = slice(clip["start"], clip["start"] + clip["frames"])
        if clip["has_speech"] and clip["frames"] > SPAN:
            scored = {name: score[rows] for name, score in scores.items()}
            motion = np.concatenate([_head(tracks["pose"][rows]), _brows(scored)], axis=1)
            passages.append(Passage(motion.astype(np.float32), _voice(tracks["prosody"][rows])))
    return passages


def _head(pose: Array) -> Array:
    moved = pose.astype(np.float64) * POSE_SIGNS
    moved[:, 3:] *= TRANSLATION_SHARE
    moved -= uniform_filter1d(moved, round(POSTURE_SECONDS * FPS), axis=0, mode="nearest")
    moved = gaussian_filter1d(moved, TRACKING_FRAMES, axis=0)
    held: Array = moved * np.minimum(1.0, HEAD_SPREAD_LIMITS / np.maximum(moved.std(0), 1e-6))
    return held


def _brows(scored: dict[str, Array]) -> Array:
    columns = [
        scored["browInnerUp"],
        (scored["browOuterUpLeft"] + scored["browOuterUpRight"]) / 2,
        (scored["browDownLeft"] + scored["browDownRight"]) / 2,
    ]
    raised = gaussian_filter1d(np.stack(columns, axis=1), TRACKING_FRAMES, axis=0)
    above = np.maximum(raised - np.percentile(raised, BROW_REST_PERCENTILE, axis=0), 0.0)
    weights: Array = np.minimum(BROW_SHARE * above, 0.5)
    return weights


def _voice(measured: Array) -> Single:
    decibels, hertz = measured.astype(np.float64).T
    energy = np.clip(1 + decibels / ENERGY_RANGE_DB, 0.0, 1.0).astype(np.float32)
    voiced = hertz > 0
    octaves = np.where(voiced, np.log2(np.maximum(hertz, 1.0)), 0.0)
    mean = octaves[voiced].mean() if voiced.any() else 0.0
    pitch = np.where(voiced, octaves - mean, 0.0).astype(np.float32)
    return prosody(Loudness()(energy), pitch, voiced.astype(np.float32))


def statistics(passages: list[Passage]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel; what has a side or a direction has mean 0."""
    motion = np.concatenate([passage.motion for passage in passages])
    mean = motion.mean(0)
    mean[:6] = 0.0
    return torch.from_numpy(mean), torch.from_numpy(np.maximum(motion.std(0), 1e-3))


class Windows(IterableDataset[tuple[Tensor, Tensor]]):
    """Batches of random windows, half of them mirrored; the same for one seed and process.

    A batch is standardised motion (B, COUNT, SPAN) and prosody (B, PROSODY, SPAN), of which the last frames
    are withheld as they are in use.
    """

    def __init__(
        self,
        passages: list[Passage],
        mean: Tensor,
        scale: Tensor,
        batch_size: int,
        batches: int,
        seed: int,
    ) -> None:
        self._passages = [Passage((p.motion - mean.numpy()) / scale.numpy(), p.voice) for p in passages]
        self._batch_size, self._batches, self._seed = batch_size, batches, seed

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        rng = np.random.default_rng((self._seed, rank()))
        lengths = np.array([len(p.motion) - SPAN for p in self._passages], float)
        for _ in range(self._batches):
            motion = np.empty((self._batch_size, SPAN, COUNT), np.float32)
            voice = np.empty((self._batch_size, SPAN, PROSODY), np.float32)
            for i, which in enumerate(rng.choice(len(lengths), self._batch_size, p=lengths / lengths.sum())):
                passage = self._passages[which]
                start = int(rng.integers(len(passage.motion) - SPAN))
                motion[i] = passage.motion[start : start + SPAN]
                voice[i] = passage.voice[start : start + SPAN]
                if rng.random() < 0.5:
                    motion[i][:, MIRRORED] *= -1
            voice[:, CONTEXT + KNOWN :] = 0
            yield torch.from_numpy(motion).transpose(1, 2), torch.from_numpy(voice).transpose(1, 2)
