"""The network as it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.nn import functional

from detector.classifier.model import Network, energies

_SMOOTHING = 0.02


class ClassifierModule(lightning.LightningModule):
    """Learns the class of each window, and a little of each moment. ``averaged`` is what is released."""

    def __init__(
        self,
        network: Network,
        learning_rate: float,
        weight_decay: float,
        ema: float,
        steps: int,
        moment_share: float,
    ) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.averaged = torch.optim.swa_utils.AveragedModel(
            network,
            multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(ema),  # type: ignore[no-untyped-call]
            use_buffers=True,
        )
        self.options = learning_rate, weight_decay, steps
        self.moment_share = moment_share

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        stacks, labels = batch
        cells = energies(stacks.flatten(0, 1))
        whole, moments = self.network(cells.reshape(*stacks.shape[:2], *cells.shape[1:]))
        each = labels[:, None].expand(moments.shape[:2])
        loss: Tensor = (1 - self.moment_share) * functional.cross_entropy(
            whole, labels, label_smoothing=_SMOOTHING
        ) + self.moment_share * functional.cross_entropy(moments.flatten(0, 1), each.flatten())
        self.log("train/loss", loss)
        self.log("train/right", (whole.argmax(1) == labels).float().mean())
        return loss

    def optimizer_step(self, *arguments: Any, **named: Any) -> None:
        """Step, then average, so that a checkpoint holds both."""
        super().optimizer_step(*arguments, **named)
        self.averaged.update_parameters(self.network)

    def configure_optimizers(self) -> Any:
        rate, decay, steps = self.options
        optimizer = torch.optim.AdamW(self.network.parameters(), rate, weight_decay=decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps, pct_start=0.1)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def start_from(network: Network, pretrained: Mapping[str, Tensor]) -> None:
    """Take over the first blocks of an EfficientNet-Lite0 trained on photographs.

    Its first layer saw red, green and blue; each kind of energy begins with their sum as luma.
    """
    own = network.look.state_dict()
    theirs = list(pretrained.values())[: len(own)]
    first = theirs[0].sum(1, keepdim=True).expand(-1, next(iter(own.values())).shape[1], -1, -1) / 2
    network.look.load_state_dict(dict(zip(own, [first, *theirs[1:]], strict=True)))
