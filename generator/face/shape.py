"""What the decoder knows about a portrait's own shape: a few robust measures, not 468 points.

Landmarks of paintings and cartoons lie far from any scanned head. Lengths that a retargeting depends on carry
over; raw coordinates do not.
"""

import numpy as np
from numpy.typing import NDArray

from generator.face import topology

Array = NDArray[np.float64]

# Name -> the two vertices whose distance it is.
MEASURES: dict[str, tuple[int, int]] = {
    "mouth width": (61, 291),
    "inner mouth width": (78, 308),
    "upper lip height": (0, 13),
    "lower lip height": (14, 17),
    "lip gap": (13, 14),
    "right eye width": (33, 133),
    "left eye width": (263, 362),
    "right eye opening": (159, 145),
    "left eye opening": (386, 374),
    "distance between eyes": (133, 362),
    "nose width": (129, 358),
    "nose length": (168, 2),
    "nose to lip": (2, 0),
    "lip to chin": (17, 152),
    "right brow height": (159, 105),
    "left brow height": (386, 334),
    "face width": (234, 454),
    "face height": (10, 152),
    "jaw width": (172, 397),
}
_FROM, _TO = np.array(list(MEASURES.values())).T
_SHORTEST = 0.1  # cm, so that closed lips and eyes have a finite logarithm


def describe(shape: Array) -> Array:
    """Logarithms of the measures (19,), in cm, of a shape (468, 3) in head coordinates."""
    lengths = np.linalg.norm(shape[_FROM] - shape[_TO], axis=1)
    described: Array = np.log(np.maximum(lengths, _SHORTEST))
    return described


def mouth_vertical(shape: Array) -> Array:
    """The image direction (2,) at right angles to the line through the mouth corners, pointing up."""
    right, left = topology.INNER_LIP_UPPER[0], topology.INNER_LIP_UPPER[-1]
    along = shape[left, :2] - shape[right, :2]
    length = np.hypot(*along)
    if length == 0.0:
        return np.array([0.0, 1.0])
    vertical: Array = np.array([-along[1], along[0]]) / length
    return vertical
