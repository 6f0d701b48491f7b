"""The lip network as it is trained. ``generator.motion.lips`` runs the same sums without torch."""

from __future__ import annotations

from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.motion.lips import AHEAD, BEFORE, DILATIONS, MOUTH, PER_FRAME, STEM, STEM_BEFORE


class Block(nn.Module):
    """A residual block of one dilated and one pointwise convolution."""

    def __init__(self, width: int, index: int, dropout: float) -> None:
        super().__init__()
        self.wide = nn.Conv1d(width, width, 3, dilation=DILATIONS[index])
        self.mix = nn.Conv1d(width, width, 1)
        self.padding = BEFORE[index], AHEAD[index]
        self.dropout = nn.Dropout1d(dropout)
        nn.init.zeros_(self.mix.weight)

    def forward(self, hidden: Tensor) -> Tensor:
        inner = functional.silu(self.wide(functional.pad(self.dropout(hidden), self.padding)))
        result: Tensor = hidden + self.mix(inner)
        return result


class Lips(nn.Module):
    """(B, C, 2 T) acoustic frames to (B, len(MOUTH), T) standardised weights."""

    input_mean: Tensor
    input_scale: Tensor
    output_mean: Tensor
    output_scale: Tensor

    def __init__(self, statistics: dict[str, Tensor], width: int, dropout: float) -> None:
        super().__init__()
        for name, value in statistics.items():
            self.register_buffer(name, value)
        self.stem = nn.Conv1d(len(self.input_mean), width, STEM, stride=PER_FRAME)
        self.blocks = nn.ModuleList([Block(width, i, dropout) for i in range(len(DILATIONS))])
        self.last = nn.Conv1d(width, len(MOUTH), 1)

    def forward(self, heard: Tensor) -> Tensor:
        x = (heard - self.input_mean[:, None]) / self.input_scale[:, None]
        hidden = functional.silu(self.stem(functional.pad(x, (STEM_BEFORE, STEM - STEM_BEFORE - PER_FRAME))))
        for block in self.blocks:
            hidden = block(hidden)
        result: Tensor = self.last(hidden)
        return result


class LipModel(lightning.LightningModule):
    """Trains ``Lips`` on tracked mouths: weights, what they do to the lips' shape, and how both change."""

    geometry: Tensor

    def __init__(
        self,
        lips: Lips,
        geometry: Tensor,
        learning_rate: float,
        weight_decay: float,
        ema: float,
        total_steps: int,
    ) -> None:
        """``geometry`` (len(MOUTH), K): cm that each weight moves each of K measures of the lips."""
        super().__init__()
        self.lips = lips
        self.register_buffer("geometry", geometry, persistent=False)
        self.averaged = torch.optim.swa_utils.AveragedModel(
            lips,
            multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(ema),  # type: ignore[no-untyped-call]
        )
        self.options = learning_rate, weight_decay, total_steps

    def loss(self, heard: Tensor, mouth: Tensor, importance: Tensor, lips: nn.Module) -> Tensor:
        """``mouth`` (B, len(MOUTH), T) weights; ``importance`` (B,) of each example."""
        wanted = (mouth - self.lips.output_mean[:, None]) / self.lips.output_scale[:, None]
        made = lips(heard)
        scale = self.lips.output_scale[:, None] * self.geometry
        shape = torch.einsum("bct,ck->bkt", made - wanted, scale)
        terms = (
            0.3 * _huber(made - wanted),
            30.0 * _huber(shape),
            60.0 * _huber(shape.diff(dim=2)),
        )
        total: Tensor = (sum(terms) * importance).mean()
        return total

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> Tensor:
        loss = self.loss(*batch, self.lips)
        self.log("train/loss", loss)
        return loss

    def optimizer_step(self, *arguments: Any, **named: Any) -> None:
        """Step, then average, so that a checkpoint holds both."""
        super().optimizer_step(*arguments, **named)
        self.averaged.update_parameters(self.lips)

    def configure_optimizers(self) -> Any:
        rate, decay, steps = self.options
        optimizer = torch.optim.AdamW(self.lips.parameters(), rate, weight_decay=decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps, pct_start=0.05)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def _huber(error: Tensor) -> Tensor:
    """(B, ...) to (B,)"""
    return functional.smooth_l1_loss(error, torch.zeros_like(error), reduction="none").flatten(1).mean(1)
