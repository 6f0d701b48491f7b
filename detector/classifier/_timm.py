"""timm, also where torchvision was built for another torch.

timm imports torchvision, whose import fails when its compiled operators cannot be loaded (a CUDA wheel beside
a CPU torch). None of them is used here; declaring them is enough.
"""

from __future__ import annotations

import importlib

import torch

_OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[torch.library.Library] = []


def _import() -> None:
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        for operator in _OPERATORS:
            if not hasattr(torch.ops.torchvision, operator.split("(")[0]):
                library.define(operator)  # type: ignore[no-untyped-call]
        _declared.append(library)


_import()

import timm  # noqa: E402

__all__ = ["timm"]
