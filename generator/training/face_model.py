"""The face decoder as it is trained. ``generator.face.decoder`` runs the same sums without torch."""

from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.arkit import EXPRESSIONS
from generator.face.shape import MEASURES

_MILLIMETRE = 0.1  # cm


class Combine(nn.Module):
    """What combinations of expressions do to each other on a given shape: basis coefficients."""

    def __init__(self, hidden: int, rank: int) -> None:
        super().__init__()
        self.first = nn.Linear(len(EXPRESSIONS), hidden)
        self.shape = nn.Linear(len(MEASURES), hidden, bias=False)
        self.second = nn.Linear(hidden, hidden)
        self.last = nn.Linear(hidden, rank, bias=False)
        nn.init.zeros_(self.last.weight)

    def forward(self, weights: Tensor, shape: Tensor) -> Tensor:
        hidden = functional.silu(self.first(weights) + self.shape(shape))
        coefficients: Tensor = self.last(functional.silu(self.second(hidden)))
        return coefficients


class Response(nn.Module):
    """How the linear response of the expressions changes with the shape: (B, 51, R)."""

    def __init__(self, hidden: int, rank: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(len(MEASURES), hidden)
        self.response = nn.Linear(hidden, len(EXPRESSIONS) * rank, bias=False)
        nn.init.zeros_(self.response.weight)

    def forward(self, shape: Tensor) -> Tensor:
        change: Tensor = self.response(torch.tanh(self.hidden(shape)))
        return change.reshape(len(shape), len(EXPRESSIONS), -1)


class FaceModel(lightning.LightningModule):
    """``(w A(s) + f(w, s) - f(0, s)) basis``; parameter names are the tensor names of the released file."""

    importance: Tensor

    def __init__(
        self,
        basis: Tensor,
        response: Tensor,
        importance: Tensor,
        shape_hidden: int,
        combine_hidden: int,
        learning_rate: float,
        total_steps: int,
    ) -> None:
        """``basis`` (R, 1404) cm and ``response`` (51, R) start the linear part; ``importance`` (1404,)."""
        super().__init__()
        self.basis = nn.Parameter(basis.clone())
        self.response = nn.Parameter(response.clone())
        self.shape = Response(shape_hidden, len(basis))
        self.combine = Combine(combine_hidden, len(basis))
        self.register_buffer("importance", importance, persistent=False)
        self.learning_rate = learning_rate
        self.total_steps = total_steps

    def forward(self, weights: Tensor, shape: Tensor) -> Tensor:
        """Displacements (B, 1404), cm, of ``weights`` (B, 51) on standardised measures ``shape`` (B, 19)."""
        linear = torch.einsum("be,ber->br", weights, self.response + self.shape(shape))
        combined = self.combine(weights, shape) - self.combine(torch.zeros_like(weights), shape)
        displaced: Tensor = (linear + combined) @ self.basis
        return displaced

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> Tensor:
        error = (self(batch[0], batch[1]) - batch[2]) / _MILLIMETRE
        huber = functional.huber_loss(error, torch.zeros_like(error), reduction="none")
        loss = (huber * self.importance).mean()
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> None:
        error = (self(batch[0], batch[1]) - batch[2]).unflatten(1, (-1, 3)).norm(dim=2)
        self.log("held_out/mean_mm", error.mean() / _MILLIMETRE)

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters(), self.learning_rate, weight_decay=1e-4)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, self.learning_rate, self.total_steps, pct_start=0.1
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
