"""Lips and jaw from what is heard: a small convolutional network, run with NumPy on whole or growing sound.

Input are acoustic frames at 50 Hz (``generator.speech.acoustics``), output the ``MOUTH`` weights at 25 fps.
It looks ``LOOK_AHEAD`` acoustic frames ahead, so that live speech gives the same lips as a recording.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from generator.arkit import EXPRESSIONS, INDEX

Single = NDArray[np.float32]

MOUTH = tuple(INDEX[name] for name in EXPRESSIONS if name.startswith(("jaw", "mouth")))
"""The expressions that speech drives directly."""

PER_FRAME = 2
"""Acoustic frames per motion frame."""
STEM = 6
STEM_BEFORE = 2
"""Acoustic frames that a motion frame sees at first hand, and how many of them precede it."""
DILATIONS = (1, 1, 2, 2)
AHEAD = (1, 1, 0, 0)
"""Of each block's kernel of three, how many motion frames lie ahead."""
BEFORE = tuple(2 * dilation - ahead for dilation, ahead in zip(DILATIONS, AHEAD, strict=True))

FRAMES_AHEAD = sum(AHEAD) + 1
"""Motion frames that must have been heard beyond one until it is certain."""
FRAMES_BEFORE = sum(BEFORE) + 1
"""Motion frames before one that it still depends on."""


class LipNetwork:
    """The network's weights; named as ``generator.training.motion_model.Lips`` names them."""

    def __init__(self, tensors: Mapping[str, Single]) -> None:
        self._stem = _taps(tensors["stem.weight"]), tensors["stem.bias"]
        self._blocks = [
            (
                _taps(tensors[f"blocks.{i}.wide.weight"]),
                tensors[f"blocks.{i}.wide.bias"],
                tensors[f"blocks.{i}.mix.weight"][..., 0].T,
                tensors[f"blocks.{i}.mix.bias"],
            )
            for i in range(len(DILATIONS))
        ]
        self._last = tensors["last.weight"][..., 0].T, tensors["last.bias"]
        self._input = tensors["input_mean"], tensors["input_scale"]
        self._output = tensors["output_mean"], tensors["output_scale"]

    def __call__(self, heard: Single) -> Single:
        """(T * 2, C) acoustic frames to (T, len(MOUTH)) weights, unbounded."""
        mean, scale = self._input
        taps, bias = self._stem
        x: Single = (heard - mean) / scale
        padded: Single = np.pad(x, ((STEM_BEFORE, STEM - STEM_BEFORE - PER_FRAME), (0, 0)))
        hidden: Single = _silu(sum_taps(padded, taps, 1, len(heard) // PER_FRAME, PER_FRAME) + bias)
        for (taps, bias, mix, mix_bias), dilation, ahead, before in zip(
            self._blocks, DILATIONS, AHEAD, BEFORE, strict=True
        ):
            padded = np.pad(hidden, ((before, ahead), (0, 0)))
            inner = _silu(sum_taps(padded, taps, dilation, len(hidden)) + bias)
            hidden = hidden + inner @ mix + mix_bias
        last, last_bias = self._last
        mean, scale = self._output
        out: Single = (hidden @ last + last_bias) * scale + mean
        return out


def _taps(weight: Single) -> Single:
    """A torch convolution's (O, C, K) as K matrices (C, O)."""
    return np.ascontiguousarray(weight.transpose(2, 1, 0))


def sum_taps(padded: Single, taps: Single, dilation: int, count: int, stride: int = 1) -> Single:
    """A dilated convolution of (T, C) that was padded before: (count, O)."""
    total = np.zeros((count, taps.shape[2]), np.float32)
    for k, tap in enumerate(taps):
        first = k * dilation
        total += padded[first : first + stride * (count - 1) + 1 : stride] @ tap
    return total


def _silu(x: Single) -> Single:
    activated: Single = x / (1 + np.exp(-x))
    return activated
