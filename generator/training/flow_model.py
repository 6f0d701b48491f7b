"""The velocity field as it is trained. ``generator.motion.flow`` runs the same sums without torch."""

from __future__ import annotations

from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.motion.flow import CONTEXT, COUNT, DILATIONS, PROSODY, SPAN, TIME_BANDS

DEAF_SHARE = 0.2
"""Of examples that do without prosody, for guidance."""
CONTEXT_NOISE = 0.08
"""Standard deviations by which the context is disturbed, so that the flow mends its own errors."""


class Block(nn.Module):
    """A residual block of one dilated and one pointwise convolution."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.wide = nn.Conv1d(width, width, 3, dilation=dilation, padding=dilation)
        self.mix = nn.Conv1d(width, width, 1)
        nn.init.zeros_(self.mix.weight)

    def forward(self, hidden: Tensor, moment: Tensor) -> Tensor:
        inner = functional.silu(self.wide(hidden + moment[..., None]))
        result: Tensor = hidden + self.mix(inner)
        return result


class Velocity(nn.Module):
    """(B, 2 COUNT + 1 + PROSODY, T) state, context, mask and prosody at times (B,) to (B, COUNT, T)."""

    mean: Tensor
    scale: Tensor

    def __init__(self, width: int, mean: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.first = nn.Conv1d(2 * COUNT + 1 + PROSODY, width, 1)
        self.moment = nn.Linear(TIME_BANDS, len(DILATIONS) * width)
        self.blocks = nn.ModuleList([Block(width, dilation) for dilation in DILATIONS])
        self.last = nn.Conv1d(width, COUNT, 1)

    def forward(self, inputs: Tensor, time: Tensor) -> Tensor:
        hidden = self.first(inputs)
        angles = torch.pi * 2.0 ** torch.arange(TIME_BANDS // 2, device=time.device) * time[:, None]
        bands = torch.cat([angles.sin(), angles.cos()], 1)
        moments = self.moment(bands).unflatten(1, (len(DILATIONS), -1))
        for i, block in enumerate(self.blocks):
            hidden = block(hidden, moments[:, i])
        result: Tensor = self.last(hidden)
        return result


class FlowModel(lightning.LightningModule):
    """Trains ``Velocity`` by conditional flow matching on the frames that follow a given context."""

    def __init__(
        self, velocity: Velocity, learning_rate: float, weight_decay: float, ema: float, total_steps: int
    ) -> None:
        super().__init__()
        self.velocity = velocity
        self.averaged = torch.optim.swa_utils.AveragedModel(
            velocity,
            multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(ema),  # type: ignore[no-untyped-call]
        )
        self.options = learning_rate, weight_decay, total_steps

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """``batch``: standardised motion (B, COUNT, SPAN) and prosody (B, PROSODY, SPAN)."""
        motion, voice = batch
        count = len(motion)
        time = torch.rand(count, device=motion.device)
        noise = torch.randn_like(motion)
        at = time[:, None, None]
        state = (1 - at) * noise + at * motion
        given = torch.zeros(count, 1, SPAN, device=motion.device)
        given[..., :CONTEXT] = 1
        context = (motion + CONTEXT_NOISE * torch.randn_like(motion)) * given
        heeding = (torch.rand(count, 1, 1, device=motion.device) > DEAF_SHARE).float()
        made = self.velocity(torch.cat([state, context, given, voice * heeding], 1), time)
        error = (made - (motion - noise)).square()
        loss: Tensor = error[..., CONTEXT:].mean() + 0.1 * error[..., :CONTEXT].mean()
        self.log("train/loss", loss)
        return loss

    def optimizer_step(self, *arguments: Any, **named: Any) -> None:
        """Step, then average, so that a checkpoint holds both."""
        super().optimizer_step(*arguments, **named)
        self.averaged.update_parameters(self.velocity)

    def configure_optimizers(self) -> Any:
        rate, decay, steps = self.options
        optimizer = torch.optim.AdamW(self.velocity.parameters(), rate, weight_decay=decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps, pct_start=0.05)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
