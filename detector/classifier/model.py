"""The network: the first blocks of an EfficientNet-Lite0 look at each moment, a small convolution over time
at what comes before and after it.

Tan and Le, *EfficientNet*, 2019, in timm's ``tf_efficientnet_lite0``; attention over moments after Ilse,
Tomczak and Welling, *Attention-based deep multiple instance learning*, 2018.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from detector.classifier._timm import timm

CLASSES = ("real", "ours", "other")
"""A film of a face that was not generated; one of ours; one that others generated."""
WIDTH = 96
_BLOCKS = 2
_BLOCK_CHANNELS = 24
_ENERGIES = 3
_CELL_PX = 4
_MID = 128.0
_USUAL = (3.0, 1.5, 1.2)
_SPREAD = (2.0, 1.8, 1.25)
"""Of the energies in films of all classes."""


def energies(stacks: Tensor) -> Tensor:
    """(N, 5, 112, 112) grey levels to (N, 3, 28, 28): how strong in each cell the picture's edges are, its
    change, and what the flow leaves unexplained of it.

    Strengths without signs, in cells: who is shown can hardly be seen any more. The flow itself is left out;
    with it portraits that were not learnt from were recognised less often.
    """
    levels = stacks - _MID
    right = levels[:, :1, :, 2:] - levels[:, :1, :, :-2]
    down = levels[:, :1, 2:] - levels[:, :1, :-2]
    edges = functional.pad(right, (1, 1)) ** 2 + functional.pad(down, (0, 0, 1, 1)) ** 2
    change = torch.cat([edges / 4, (levels[:, [1, 4]] / 4) ** 2], dim=1)
    strength = functional.avg_pool2d(change, _CELL_PX).log1p()
    usual, spread = (torch.tensor(values).view(1, -1, 1, 1) for values in (_USUAL, _SPREAD))
    return (strength - usual) / spread


class Network(nn.Module):
    """Evidence to log-odds of ``CLASSES``."""

    means: Tensor
    precision: Tensor
    """What the classes look like in ``judge``'s last features, and how they vary (training set)."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        whole: Any = timm.create_model("tf_efficientnet_lite0", in_chans=_ENERGIES, num_classes=0)
        self.look = nn.Sequential(whole.conv_stem, whole.bn1, *whole.blocks[:_BLOCKS])
        self.project = nn.Linear(2 * _BLOCK_CHANNELS, WIDTH)
        self.over_time = nn.ModuleList([nn.Conv1d(WIDTH, WIDTH, 3, padding=1) for _ in range(2)])
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(WIDTH, len(CLASSES))
        self.attend = nn.Linear(WIDTH, 1)
        self.register_buffer("means", torch.zeros(len(CLASSES), WIDTH))
        self.register_buffer("precision", torch.eye(WIDTH))

    def maps(self, stacks: Tensor) -> Tensor:
        """(N, 5, 112, 112) grey levels to (N, 24, 7, 7) features."""
        seen: Tensor = self.look(energies(stacks))
        return seen

    def features(self, maps: Tensor) -> Tensor:
        """(N, 24, 7, 7) to (N, 96)."""
        pooled = torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], dim=1)
        return functional.silu(self.project(pooled))

    def judge(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, T, 96) features of moments in turn to log-odds (B, T, 3), attention (B, T), and what both are
        made from (B, T, 96)."""
        hidden = self.dropout(features).transpose(1, 2)
        for layer in self.over_time:
            hidden = hidden + functional.silu(layer(hidden))
        mixed = hidden.transpose(1, 2)
        return self.classify(self.dropout(mixed)), self.attend(mixed).squeeze(-1), mixed

    def distance(self, mixed: Tensor) -> Tensor:
        """(T, 96) features of ``judge`` to (T,) Mahalanobis distances to the nearest class."""
        apart = mixed[:, None] - self.means
        nearest: Tensor = (
            torch.einsum("tcd,de,tce->tc", apart, self.precision, apart).amin(1).clamp_min(0).sqrt()
        )
        return nearest

    def forward(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, 3, 28, 28) ``energies`` to log-odds of the whole (B, 3) and of each moment (B, T, 3)."""
        batch, moments = cells.shape[:2]
        features = self.features(self.look(cells.flatten(0, 1))).reshape(batch, moments, WIDTH)
        odds, attention, _ = self.judge(features)
        return (attention.softmax(1)[..., None] * odds).sum(1), odds
