"""The network: an EfficientNet-Lite0 cut at stride 16 looks at each moment, a small convolution over time at
what comes before and after it.

Tan and Le, *EfficientNet*, 2019, in timm's ``tf_efficientnet_lite0``; attention over moments after Ilse,
Tomczak and Welling, *Attention-based deep multiple instance learning*, 2018.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from detector.classifier._timm import timm
from detector.classifier.evidence import CHANNELS

CLASSES = ("real", "ours", "other")
"""A film of a face that was not generated; one of ours; one that others generated."""
WIDTH = 96
_BLOCKS = 5
_BLOCK_CHANNELS = 112
_MID = 128.0
_SCALE = 64.0


class Network(nn.Module):
    """Evidence to log-odds of ``CLASSES``."""

    means: Tensor
    precision: Tensor
    """What the classes look like in ``judge``'s last features, and how they vary (training set)."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        whole: Any = timm.create_model("tf_efficientnet_lite0", in_chans=CHANNELS, num_classes=0)
        self.look = nn.Sequential(whole.conv_stem, whole.bn1, *whole.blocks[:_BLOCKS])
        self.project = nn.Linear(2 * _BLOCK_CHANNELS, WIDTH)
        self.over_time = nn.ModuleList([nn.Conv1d(WIDTH, WIDTH, 3, padding=1) for _ in range(2)])
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(WIDTH, len(CLASSES))
        self.attend = nn.Linear(WIDTH, 1)
        self.register_buffer("means", torch.zeros(len(CLASSES), WIDTH))
        self.register_buffer("precision", torch.eye(WIDTH))

    def maps(self, stacks: Tensor) -> Tensor:
        """(N, 5, 112, 112) grey levels to (N, 112, 7, 7) features."""
        seen: Tensor = self.look((stacks - _MID) / _SCALE)
        return seen

    def features(self, maps: Tensor) -> Tensor:
        """(N, 112, 7, 7) to (N, 96)."""
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

    def forward(self, stacks: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, 5, 112, 112) grey levels to log-odds of the whole (B, 3) and of each moment (B, T, 3)."""
        batch, moments = stacks.shape[:2]
        features = self.features(self.maps(stacks.flatten(0, 1))).unflatten(0, (batch, moments))
        odds, attention, _ = self.judge(features)
        return (attention.softmax(1)[..., None] * odds).sum(1), odds
