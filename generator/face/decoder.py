"""The learned face decoder: 51 ARKit weights and a portrait's own shape to displacements of its 468 vertices.

    displacement = contact((w A(s) + f(w, s) - f(0, s)) basis)

``s`` are the standardised, clamped measures of the shape (``generator.face.shape``). ``A(s)`` is the linear
response of this shape, folded once per portrait; ``f`` a small network for what combinations of expressions
do to each other; ``contact`` makes lids meet and keeps lips from crossing (``generator.face.contact``).
Inference needs NumPy and numba only.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

from generator.arkit import EXPRESSIONS, INDEX
from generator.errors import ModelError
from generator.face import contact
from generator.face.shape import describe
from generator.face.topology import VERTEX_COUNT
from generator.released import load_released

Array = NDArray[np.float64]
Single = NDArray[np.float32]

_JAW_OPEN = INDEX["jawOpen"]
_MOUTH_CLOSE = INDEX["mouthClose"]
_BLINKS = [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]

WEIGHTS = Path(__file__).with_name("decoder.safetensors")
"""The released weights; ``decoder.json`` beside them states their hash and how they were trained."""


_Real = TypeVar("_Real", np.float32, np.float64)


def admissible(weights: NDArray[_Real]) -> NDArray[_Real]:
    """Weights (..., 51) held to 0..1; ``mouthClose``, which closes an open jaw's lips, to ``jawOpen``."""
    held: NDArray[_Real] = np.minimum(np.maximum(weights, 0), 1)
    held[..., _MOUTH_CLOSE] = np.minimum(held[..., _MOUTH_CLOSE], held[..., _JAW_OPEN])
    return held


class FaceDecoder:
    """The decoder's weights, checked. ``mean_shape`` (468, 3), cm: the mean neutral it was trained on."""

    def __init__(self, tensors: dict[str, Single]) -> None:
        self._tensors = tensors
        self.mean_shape: Array = tensors["mean_shape"].astype(np.float64)
        self._lower_side = contact.lower_side(self.mean_shape)

    @classmethod
    def load(cls, path: Path | None = None) -> "FaceDecoder":
        """Read released weights (``.safetensors``) and the statement (``.json``) beside them.

        Raises ``ModelError`` if either is missing or the bytes are not those that the statement names.
        """
        return cls(load_released(path or WEIGHTS, "face decoder"))

    def standardise(self, neutral: Array) -> Single:
        """The measures of a shape as the network sees them (19,): standardised and clamped."""
        t = self._tensors
        measured = np.clip(describe(neutral), t["measure_low"], t["measure_high"])
        return ((measured - t["measure_mean"]) / t["measure_scale"]).astype(np.float32)

    def bind(self, neutral: NDArray[Any]) -> "BoundFace":
        """Prepare for one portrait: ``neutral`` (468, 3), its vertices at rest in head coordinates, cm.

        The shape is expected as the landmarks lie after a similarity onto the canonical mesh. Raises
        ``ModelError`` if it is not 468 finite points.
        """
        shape = np.asarray(neutral, np.float64)
        if shape.shape != (VERTEX_COUNT, 3) or not np.isfinite(shape).all():
            raise ModelError(f"A face shape is {VERTEX_COUNT} finite points of three coordinates.")
        t = self._tensors
        s = self.standardise(shape)
        hidden = np.tanh(t["shape.hidden.weight"] @ s + t["shape.hidden.bias"])
        rank = len(t["basis"])
        response = t["response"] + (t["shape.response.weight"] @ hidden).reshape(-1, rank)
        network = _Network(
            response=np.ascontiguousarray(response, np.float32),
            basis=np.ascontiguousarray(t["basis"]),
            first=np.ascontiguousarray(t["combine.first.weight"].T),
            first_bias=(t["combine.first.bias"] + t["combine.shape.weight"] @ s).astype(np.float32),
            second=np.ascontiguousarray(t["combine.second.weight"].T),
            second_bias=t["combine.second.bias"],
            last=np.ascontiguousarray(t["combine.last.weight"].T),
        )
        return BoundFace(shape, network, self._lower_side)


@dataclass(frozen=True)
class _Network:
    """A decoder folded for one shape. R = basis rank, H = hidden units; float32, C-contiguous.

    ``response`` (51, R), ``basis`` (R, 1404), ``first`` (51, H), ``second`` (H, H), ``last`` (H, R).
    """

    response: Single
    basis: Single
    first: Single
    first_bias: Single
    second: Single
    second_bias: Single
    last: Single

    def coefficients(self, weights: Single) -> Single:
        """Basis coefficients (R,), not yet zero at rest."""
        out: Single = _coefficients(
            weights, self.response, self.first, self.first_bias, self.second, self.second_bias, self.last
        )
        return out


class BoundFace:
    """The decoder bound to one portrait: call it with 51 ARKit weights. ``neutral`` (468, 3), cm."""

    def __init__(self, neutral: Array, network: _Network, lower_side: NDArray[np.bool_]) -> None:
        self.neutral = neutral
        self._network = network
        self._rest = network.coefficients(np.zeros(len(EXPRESSIONS), np.float32))
        self._mouth = contact.mouth(neutral, lower_side)
        self._eyes = contact.eyes(neutral)
        lids = np.stack([eye.upper for eye in self._eyes])
        columns = 3 * lids[..., None] + np.arange(3)
        self._lid_basis = np.ascontiguousarray(network.basis[:, columns.ravel()])

    def __call__(self, weights: NDArray[Any]) -> Single:
        """Displacements (468, 3), cm, for ``weights`` (51,) in ``generator.arkit.EXPRESSIONS`` order.

        Weights are made ``admissible``. Zero weights give exactly zero; the result is continuous in them.
        """
        w = np.asarray(weights, np.float32)
        if w.shape != (len(EXPRESSIONS),):
            raise ModelError(f"A face takes {len(EXPRESSIONS)} expression weights, not {w.shape}.")
        w = admissible(w)
        displaced = self._expand(w, self._network.basis).reshape(VERTEX_COUNT, 3)
        unblinking = w.copy()
        unblinking[_BLINKS] = 0.0
        opened = self._expand(unblinking, self._lid_basis).reshape(len(self._eyes), -1, 3)
        for eye, lid in zip(self._eyes, opened, strict=True):
            contact.close_eye(
                displaced, lid, w[eye.blink], eye.upper, eye.lower, eye.shut, eye.arc, eye.slack, eye.skin,
                eye.spread,
            )  # fmt: skip
        lips = self._mouth
        contact.unfold_lips(displaced, lips.rings, lips.room, lips.vertical)
        contact.part_lips(
            displaced, lips.upper, lips.lower, lips.vertical, lips.slack, lips.skin, lips.spread
        )
        return displaced

    def _expand(self, weights: Single, basis: Single) -> Single:
        expanded: Single = _expand(self._network.coefficients(weights) - self._rest, basis)
        return expanded


@numba.njit(cache=True, fastmath=True)
def _add_product(out: Single, x: Single, matrix: Single) -> None:
    """``out += x @ matrix``, skipping the zeros of ``x``."""
    for i in range(x.size):
        if x[i] != 0.0:
            for j in range(out.size):
                out[j] += x[i] * matrix[i, j]


@numba.njit(cache=True, fastmath=True)
def _silu(x: Single) -> None:
    for i in range(x.size):
        x[i] = x[i] / (np.float32(1.0) + np.exp(-x[i]))


@numba.njit(cache=True, fastmath=True)
def _coefficients(
    weights: Single,
    response: Single,
    first: Single,
    first_bias: Single,
    second: Single,
    second_bias: Single,
    last: Single,
) -> Single:
    hidden = first_bias.copy()
    _add_product(hidden, weights, first)
    _silu(hidden)
    deeper = second_bias.copy()
    _add_product(deeper, hidden, second)
    _silu(deeper)
    out = np.zeros(response.shape[1], np.float32)
    _add_product(out, weights, response)
    _add_product(out, deeper, last)
    return out


@numba.njit(cache=True, fastmath=True)
def _expand(coefficients: Single, basis: Single) -> Single:
    out = np.zeros(basis.shape[1], np.float32)
    _add_product(out, coefficients, basis)
    return out
