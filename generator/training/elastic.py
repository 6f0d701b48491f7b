"""An elastic sheet over the 468 vertices: how skin follows when a few of its points are moved."""

import numpy as np
from numpy.typing import NDArray

from generator.face import topology

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

_ANCHORING = 0.15  # against unit springs along edges: skin follows over about three edges
_UPPER_LIP_ANCHORING = 0.45
_SWEEPS = 60

_OPENINGS = (
    topology.INNER_LIP_UPPER + topology.INNER_LIP_LOWER,
    topology.RIGHT_EYE_UPPER + topology.RIGHT_EYE_LOWER,
    topology.LEFT_EYE_UPPER + topology.LEFT_EYE_LOWER,
)


class ElasticSheet:
    """The compliance (468, 468) of the face mesh with its mouth and eyes cut open."""

    def __init__(self, triangles: NDArray[np.int32], stiff: NDArray[np.bool_]) -> None:
        """``triangles`` (898, 3) of the canonical mesh; ``stiff`` (468,) vertices hold their place more."""
        count = topology.VERTEX_COUNT
        closed = np.any([np.isin(triangles, ring).all(1) for ring in _OPENINGS], axis=0)
        skin = triangles[~closed]
        adjacency = np.zeros((count, count))
        for a, b in ((0, 1), (1, 2), (2, 0)):
            adjacency[skin[:, a], skin[:, b]] = adjacency[skin[:, b], skin[:, a]] = 1.0
        operator = np.diag(adjacency.sum(1) + np.where(stiff, _UPPER_LIP_ANCHORING, _ANCHORING)) - adjacency
        self.compliance: Array = np.asarray(np.linalg.inv(operator.T @ operator), np.float64)

    def carry(self, moved: Indices, fixed: Indices) -> Array:
        """Response (468, len(moved)) to unit movements of ``moved`` while ``fixed`` stay."""
        held = np.r_[moved, fixed]
        response = self.compliance[:, held] @ np.linalg.inv(self.compliance[np.ix_(held, held)])
        return response[:, : len(moved)]

    def part(self, upper: Indices, lower: Indices, fixed: Indices, lacking: Array) -> Array:
        """Least-energy movement (B, 468) that widens gaps ``upper - lower`` by ``lacking`` (B, N) or more.

        Solves the contact problem by projected Gauss-Seidel on its dual.
        """
        block = self.compliance[:, fixed]
        free = self.compliance - block @ np.linalg.solve(block[fixed], block.T)
        pull = free[:, upper] - free[:, lower]
        coupling = pull[upper] - pull[lower]
        pressure = np.zeros_like(lacking)
        for _ in range(_SWEEPS):
            for i in range(len(upper)):
                step = (lacking[:, i] - pressure @ coupling[:, i]) / coupling[i, i]
                pressure[:, i] = np.maximum(0.0, pressure[:, i] + step)
        moved: Array = pressure @ pull.T
        return moved
