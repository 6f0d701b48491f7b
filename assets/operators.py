"""Lets torchvision be imported beside a torch that was built for other hardware.

torchvision comes from the package index built for CUDA alone. Beside a CPU torch its compiled operators do
not load, and its import fails where it describes two of them. timm and torchmetrics import it for other
things; nobody here calls those operators, so naming them is enough.
"""

from __future__ import annotations

import importlib
import sys

import torch

_OPERATORS = ("nms", "qnms")
_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_LIBRARY = "torchvision"


def declare() -> None:
    """Make ``import torchvision`` work, if there is one; nothing happens where it does so already."""
    try:
        importlib.import_module(_LIBRARY)
    except ModuleNotFoundError:
        return
    except RuntimeError as error:
        if f"operator {_LIBRARY}::" not in str(error):
            raise
        for name in [name for name in sys.modules if name.partition(".")[0] == _LIBRARY]:
            del sys.modules[name]
        for operator in _OPERATORS:
            torch.library.define(f"{_LIBRARY}::{operator}", _SIGNATURE)
        importlib.import_module(_LIBRARY)
