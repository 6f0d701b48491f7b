"""What a face decoder is held to, in millimetres, on identities and combinations it never saw."""

import numpy as np
from numpy.typing import NDArray

from generator.arkit import EXPRESSIONS, INDEX
from generator.face import topology
from generator.face.decoder import FaceDecoder
from generator.face.shape import mouth_vertical
from generator.training.face_data import Targets

Array = NDArray[np.float64]

_MM = 10.0  # per cm
_LIPS = sorted({
    *topology.INNER_LIP_UPPER, *topology.INNER_LIP_LOWER,
    *topology.OUTER_LIP_UPPER, *topology.OUTER_LIP_LOWER,
})  # fmt: skip
_LIDS = sorted({
    *topology.RIGHT_EYE_UPPER, *topology.RIGHT_EYE_LOWER, *topology.LEFT_EYE_UPPER, *topology.LEFT_EYE_LOWER,
})  # fmt: skip
_EYES = (
    (topology.RIGHT_EYE_UPPER, topology.RIGHT_EYE_LOWER),
    (topology.LEFT_EYE_UPPER, topology.LEFT_EYE_LOWER),
)


def importance() -> Array:
    """How much each coordinate (1404,) counts in training: lips and lids before cheeks."""
    counts = np.ones(topology.VERTEX_COUNT)
    counts[_LIPS] = 4.0
    counts[_LIDS] = 3.0
    return np.repeat(counts / counts.mean(), 3)


def lip_gaps(shape: Array, displaced: NDArray[np.float32]) -> Array:
    """Signed gaps (9,), cm, between the inner lips along the mouth's vertical; negative if they cross."""
    moved = shape + displaced
    upper, lower = topology.INNER_LIP_UPPER[1:-1], topology.INNER_LIP_LOWER[1:-1]
    gaps: Array = (moved[list(upper), :2] - moved[list(lower), :2]) @ mouth_vertical(shape)
    return gaps


def lid_gaps(shape: Array, displaced: NDArray[np.float32]) -> Array:
    """Signed vertical gaps (2, 9), cm, between the lids of the right and the left eye."""
    moved = shape + displaced
    return np.stack([moved[list(upper), 1] - moved[list(lower), 1] for upper, lower in _EYES])


def measure(
    decoder: FaceDecoder,
    targets: Targets,
    shapes: Array,
    weights: NDArray[np.float32],
    moved: NDArray[np.float32],
) -> dict[str, float]:
    """Errors of ``decoder`` against targets ``moved`` (N, M, 1404) for N ``shapes`` and (N, M, 51) weights.

    ``kit_sum_mean_mm`` is what the kit's plain linear sum would be off by.
    Identities alternate between scanned and restyled, as ``generator.training.face.sample`` draws them.
    """
    errors = np.empty((*weights.shape[:2], topology.VERTEX_COUNT))
    crossing, closed = 0.0, 0.0
    blink = np.zeros(len(EXPRESSIONS), np.float32)
    blink[[INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = 1.0
    for i, shape in enumerate(shapes):
        face = decoder.bind(shape)
        floor = np.minimum(lip_gaps(shape, np.zeros(shape.shape, np.float32)), 0.0)
        for j, w in enumerate(weights[i]):
            displaced = face(w)
            errors[i, j] = np.linalg.norm(displaced - moved[i, j].reshape(-1, 3), axis=1)
            crossing = max(crossing, float((floor - lip_gaps(shape, displaced)).max()))
        closed = max(closed, float(lid_gaps(shape, face(blink)).max()))
    summed = np.einsum("nme,ed->nmd", weights, targets.basis.reshape(len(EXPRESSIONS), -1))
    plain = np.linalg.norm((summed - moved).reshape(*weights.shape[:2], -1, 3), axis=-1)
    scale = np.linalg.norm(moved.reshape(*weights.shape[:2], -1, 3), axis=-1)
    return {
        "mean_mm": _rounded(errors.mean()),
        "mean_scanned_mm": _rounded(errors[::2].mean()),
        "mean_restyled_mm": _rounded(errors[1::2].mean()),
        "percentile_99_mm": _rounded(np.percentile(errors, 99)),
        "lips_mean_mm": _rounded(errors[..., _LIPS].mean()),
        "lids_mean_mm": _rounded(errors[..., _LIDS].mean()),
        "kit_sum_mean_mm": _rounded(plain.mean()),
        "mean_displacement_mm": _rounded(scale.mean()),
        "jaw_open_lip_gap_mm": _rounded(_jaw_open_gap(decoder, targets)),
        "worst_lip_crossing_mm": _rounded(crossing),
        "worst_gap_of_closed_lids_mm": _rounded(closed),
    }


def _jaw_open_gap(decoder: FaceDecoder, targets: Targets) -> float:
    weights = np.zeros(len(EXPRESSIONS), np.float32)
    weights[INDEX["jawOpen"]] = 1.0
    return float(lip_gaps(targets.mean_shape, decoder.bind(targets.mean_shape)(weights)).max())


def _rounded(centimetres: float) -> float:
    return round(float(centimetres) * _MM, 4)
