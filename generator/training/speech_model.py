"""The speech encoder's network for training; ``generator.speech.encoder`` runs it without PyTorch."""

from __future__ import annotations

import math
from typing import Any

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from generator.speech.encoder import BLOCK_TAPS, BLOCKS, DELAY, FRONT_TAPS, PHONES, STRIDE
from generator.speech.mel import MEL_BINS

IGNORE = -1
_SILENCE = PHONES.index("SIL")
_SILENCE_WEIGHT = 0.5  # half of what is recorded
_LIP_WEIGHT = 2.0
_LIP_CONTACTS = [PHONES.index(phone) for phone in ("P", "B", "M", "F", "V")]  # what an eye misses first
_LABEL_SMOOTHING = 0.05
_VOICING_WEIGHT = 0.5
_PITCH_WEIGHT = 2.0
_MASKS, _MASK_BINS, _MASK_FRAMES = 2, 12, 10
_DROPOUT = 0.1
_WARM_UP = 0.08  # of all steps
_LEAST_RATE = 1e-3


class Block(nn.Module):
    """A residual convolution that looks back, and ``ahead`` taps forward by delaying its input."""

    def __init__(self, width: int, dilation: int, ahead: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.conv = nn.Conv1d(width, width, BLOCK_TAPS, dilation=dilation)
        self.mix = nn.Linear(width, width)
        self.drop = nn.Dropout(_DROPOUT)
        self.past = (BLOCK_TAPS - 1) * dilation
        self.skip = (BLOCK_TAPS - 1 - ahead) * dilation
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.mix.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, T, width) to the same."""
        frames = functional.pad(hidden, (0, 0, self.past, 0))
        inner = functional.silu(self.conv(self.norm(frames).transpose(1, 2)).transpose(1, 2))
        kept = frames[:, self.skip : self.skip + hidden.shape[1]]
        mixed: Tensor = kept + self.mix(self.drop(inner))
        return mixed


class SpeechModel(lightning.LightningModule):
    """Log-mel frames (B, M, 80), as ``log_mel`` gives them, to raw outputs (B, T, 42).

    The first ``DELAY`` outputs belong to frames before the first.
    """

    def __init__(
        self, mel_mean: Tensor, mel_scale: Tensor, width: int, learning_rate: float, total_steps: int
    ) -> None:
        super().__init__()
        self.mel_mean: Tensor
        self.mel_scale: Tensor
        self.save_hyperparameters(ignore=["mel_mean", "mel_scale"])
        self.register_buffer("mel_mean", mel_mean)
        self.register_buffer("mel_scale", mel_scale)
        self.front = nn.Conv1d(MEL_BINS, width, FRONT_TAPS, stride=STRIDE)
        self.blocks = nn.Sequential(*(Block(width, *block) for block in BLOCKS))
        self.head_norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, len(PHONES) + 2)
        self._learning_rate = learning_rate
        self._total_steps = total_steps

    def forward(self, mel: Tensor) -> Tensor:
        """Run the network."""
        return self._network((mel - self.mel_mean) / self.mel_scale)

    def _network(self, frames: Tensor) -> Tensor:
        hidden = self.front(frames.transpose(1, 2)).transpose(1, 2)
        out: Tensor = self.head(self.head_norm(self.blocks(hidden)))
        return out

    def training_step(self, batch: tuple[Tensor, ...], _: int) -> Tensor:
        """Loss on a batch with bands and moments masked (SpecAugment, Park et al. 2019)."""
        mel, *labels = batch
        frames = _masked((mel - self.mel_mean) / self.mel_scale)
        return self._loss(self._network(frames)[:, DELAY:], labels, "train")

    def validation_step(self, batch: tuple[Tensor, ...], _: int) -> None:
        """Log loss and accuracy."""
        mel, *labels = batch
        out = self(mel)[:, DELAY:]
        self._loss(out, labels, "validation")
        known = labels[0] != IGNORE
        hits = out[..., : len(PHONES)].argmax(-1) == labels[0]
        self.log("validation_accuracy", hits[known].float().mean(), prog_bar=True)

    def _loss(self, out: Tensor, labels: list[Tensor], stage: str) -> Tensor:
        phones, voiced, octaves = labels
        weight = torch.ones(len(PHONES), device=out.device)
        weight[_SILENCE] = _SILENCE_WEIGHT
        weight[_LIP_CONTACTS] = _LIP_WEIGHT
        phone = functional.cross_entropy(
            out[..., : len(PHONES)].flatten(0, 1), phones.flatten(), weight=weight, ignore_index=IGNORE,
            label_smoothing=_LABEL_SMOOTHING,
        )  # fmt: skip
        inside = voiced >= 0
        voicing = functional.binary_cross_entropy_with_logits(out[..., len(PHONES)][inside], voiced[inside])
        sung = voiced > 0
        miss = functional.smooth_l1_loss(
            out[..., len(PHONES) + 1][sung], octaves[sung], beta=0.1, reduction="sum"
        )
        pitch = miss / sung.sum().clamp(min=1)
        loss = phone + _VOICING_WEIGHT * voicing + _PITCH_WEIGHT * pitch
        self.log_dict({f"{stage}_loss": loss, f"{stage}_phone": phone, f"{stage}_voicing": voicing,
                       f"{stage}_pitch": pitch})  # fmt: skip
        return loss

    def configure_optimizers(self) -> Any:
        """AdamW; the learning rate warms up and falls as a cosine."""
        optimizer = torch.optim.AdamW(self.parameters(), lr=self._learning_rate, weight_decay=1e-2)

        def share(step: int) -> float:
            done = min(step / self._total_steps, 1.0)
            return min(done / _WARM_UP, 1.0) * (0.5 + 0.5 * math.cos(math.pi * done)) + _LEAST_RATE

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """The weights as ``SpeechEncoder`` takes them: convolutions (taps, in, out), matrices (in, out)."""
        renamed = {}
        for name, value in self.state_dict().items():
            if value.ndim == 3:
                value = value.permute(2, 1, 0)
            elif value.ndim == 2:
                value = value.T
            renamed[name.replace("head_norm", "head.norm")] = np.ascontiguousarray(value.cpu().numpy())
        return renamed


def _masked(frames: Tensor) -> Tensor:
    """Zero a few random bands and moments of each of (B, M, 80) standardised frames."""
    _, count, bins = frames.shape
    keep = torch.ones_like(frames)
    for row in keep:
        for _ in range(_MASKS):
            band, moment = (
                int(torch.randint(bins, (1,))),
                int(torch.randint(count, (1,))),
            )
            row[:, band : band + int(torch.randint(_MASK_BINS, (1,)))] = 0
            row[moment : moment + int(torch.randint(_MASK_FRAMES, (1,)))] = 0
    return frames * keep
