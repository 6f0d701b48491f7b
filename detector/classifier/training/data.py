"""Windows of evidence in random batches. Every group (a portrait, a source, a speaker) counts alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from detector.classifier.model import CLASSES
from detector.classifier.training.windows import Window, read_index

UInt8 = NDArray[np.uint8]
Floats = NDArray[np.float32]

MID = 128
_SHIFT_PX = 8
_REREAD = 200
"""Batches after which windows made meanwhile are taken in."""


class Batches(IterableDataset[tuple[Tensor, Tensor]]):
    """(B, T, 5, 112, 112) float32 grey levels and (B,) classes, ``steps`` times.

    ``share``: of each kind of window (``kind/class``) in a batch. ``without``: a driver that is left out.
    """

    def __init__(
        self,
        folder: Path,
        share: dict[str, float],
        batch_size: int,
        moments: int,
        steps: int,
        seed: int,
        without: str | None = None,
        held_out: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.share = share
        self.batch_size = batch_size
        self.moments = moments
        self.steps = steps
        self.seed = seed
        self.without = without
        self.held_out = held_out

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        rng = np.random.default_rng(self.seed)
        for step in range(self.steps):
            if step % _REREAD == 0:
                groups = self._groups()
                kinds = [kind for kind in self.share if kind in groups]
                odds = np.array([self.share[kind] for kind in kinds])
            chosen = rng.choice(len(kinds), self.batch_size, p=odds / odds.sum())
            pairs = [self._draw(groups[kinds[int(kind)]], rng) for kind in chosen]
            stacks = np.stack([stack for stack, _ in pairs]).astype(np.float32)
            yield torch.from_numpy(stacks), torch.tensor([label for _, label in pairs])

    def _groups(self) -> dict[str, dict[str, list[Window]]]:
        found: dict[str, dict[str, list[Window]]] = defaultdict(lambda: defaultdict(list))
        for window in read_index(self.folder):
            if window.split != "train" or (self.without and window.driver == self.without):
                continue
            if window.group in self.held_out:
                continue
            member = (
                window.film if window.group in ("talk-vid", "liveportrait", "celebv-text") else window.group
            )
            found[f"{window.kind}/{CLASSES[window.label]}"][member].append(window)
        return found

    def _draw(self, groups: dict[str, list[Window]], rng: np.random.Generator) -> tuple[Floats, int]:
        names = sorted(groups)
        windows = groups[names[int(rng.integers(len(names)))]]
        window = windows[int(rng.integers(len(windows)))]
        sights = np.load(self.folder / window.file, mmap_mode="r")
        begin = int(rng.integers(len(sights) - self.moments + 1))
        return disturbed(np.array(sights[begin : begin + self.moments]), rng), window.label


def disturbed(stacks: UInt8, rng: np.random.Generator) -> Floats:
    """The same change to every moment of (T, 5, 112, 112): shifted, mirrored, stronger or fainter."""
    step = rng.integers(-_SHIFT_PX, _SHIFT_PX + 1, 2)
    levels = np.roll(stacks, tuple(step), (2, 3)).astype(np.float32) - MID
    if rng.random() < 0.5:
        levels = levels[..., ::-1].copy()
        levels[:, 2] *= -1
    for channel in (0, 1, 4):
        levels[:, channel] *= np.exp(rng.normal(0, 0.15))
    return np.asarray(levels + MID, np.float32)
