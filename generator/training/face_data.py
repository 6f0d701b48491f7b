"""Faces to learn from: ICT FaceKit identities, and how their skin moves, with what the kit's sums get wrong.

A target is the kit's linear sum, retargeted to the identity (mouth and jaw by mouth width, lids by eye
opening), with competing expressions saturated, lips that are open at rest closed where expressions ask for
it, the red of the lips kept from folding over itself, lips kept from crossing by an elastic contact solve,
and lids closed exactly.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from generator.arkit import EXPRESSIONS, INDEX
from generator.face import contact, topology
from generator.face.alignment import align
from generator.face.shape import MEASURES, describe, mouth_vertical
from generator.training.correspondence import Correspondence, FaceKit
from generator.training.elastic import ElasticSheet
from generator.training.expressions import saturate

Array = NDArray[np.float64]

_MOUTH_SCALE = (0.7, 1.25)
_LID_SCALE = (0.4, 2.6)
_SQUINT_SCALE = (0.5, 1.6)
_WIDE_SCALE = (0.5, 1.15)
_BROW_SCALE = (0.6, 1.1)
_ROLL_SCALE = (0.5, 1.1)

_UPPER_LIP = np.array(topology.INNER_LIP_UPPER[1:-1])
_LOWER_LIP = np.array(topology.INNER_LIP_LOWER[1:-1])
_LIP_SEAM = np.array([topology.INNER_LIP_UPPER[0], topology.INNER_LIP_UPPER[-1]])


def expression_basis(kit: FaceKit, correspondence: Correspondence, canonical: Array) -> Array:
    """The kit's displacements of the 51 ARKit expressions at the 468 vertices, (51, 468, 3) in cm.

    Made symmetric by the ``canonical`` mesh's own symmetry: a left smile mirrors a right one.
    """
    sided = {name.replace("_L", "Left").replace("_R", "Right"): name for name in kit.expressions}

    def displacement(name: str) -> Array:
        names = [sided[name]] if name in sided else [f"{name}_L", f"{name}_R"]
        both: Array = np.sum([correspondence.displacements(kit.expressions[n]) for n in names], axis=0)
        return both

    basis = np.stack([displacement(name) for name in EXPRESSIONS])
    reflection = np.array([-1.0, 1.0, 1.0])
    _, opposite = cKDTree(canonical).query(canonical * reflection)
    swapped = [INDEX[_opposite(name)] for name in EXPRESSIONS]
    symmetric: Array = (basis + basis[swapped][:, opposite] * reflection) / 2
    return symmetric


def _opposite(name: str) -> str:
    if name.endswith("Left"):
        return name.removesuffix("Left") + "Right"
    if name.endswith("Right"):
        return name.removesuffix("Right") + "Left"
    return name


_CLOSING = {
    "mouthPressLeft": 2.0, "mouthPressRight": 2.0, "mouthRollUpper": 1.5, "mouthRollLower": 1.5,
    "mouthClose": 8.0,
}  # fmt: skip
"""How strongly expressions ask that lips, open at rest, come together."""


@dataclass(frozen=True)
class Targets:
    """Makes training targets from a ``basis`` (51, 468, 3), a mean neutral (468, 3) and elastic skin."""

    basis: Array
    mean_shape: Array
    lower_side: NDArray[np.bool_]
    sheet: ElasticSheet

    @classmethod
    def build(
        cls, kit: FaceKit, correspondence: Correspondence, canonical: Array, triangles: NDArray[np.int32]
    ) -> "Targets":
        """Targets in the frame of the ``canonical`` mesh (468, 3) with its ``triangles`` (898, 3)."""
        mean_shape = correspondence.points(kit.neutral)
        basis = expression_basis(kit, correspondence, canonical)
        lower_side = contact.lower_side(mean_shape)
        return cls(basis, mean_shape, lower_side, ElasticSheet(triangles, ~lower_side))

    def gains(self, shape: Array) -> Array:
        """How much of each kit expression (51,) a face of this ``shape`` (468, 3) makes."""
        ratio = dict(zip(MEASURES, np.exp(describe(shape) - describe(self.mean_shape)), strict=True))
        mouth = np.clip(ratio["mouth width"], *_MOUTH_SCALE)
        jaw = np.clip(np.sqrt(ratio["mouth width"] * ratio["lip to chin"]), *_MOUTH_SCALE)
        gains = np.ones(len(EXPRESSIONS))
        for i, name in enumerate(EXPRESSIONS):
            side = "left" if name.endswith("Left") else "right"
            if name.startswith("mouthRoll"):
                lip = "upper" if name.endswith("Upper") else "lower"
                gains[i] = np.clip(ratio[f"{lip} lip height"], *_ROLL_SCALE)
            elif name.startswith("mouth"):
                gains[i] = jaw if name == "mouthClose" else mouth
            elif name.startswith("jaw"):
                gains[i] = jaw
            elif name.startswith("eyeBlink"):
                gains[i] = np.clip(ratio[f"{side} eye opening"], *_LID_SCALE)
            elif name.startswith("browDown"):
                gains[i] = np.clip(ratio[f"{side} brow height"], *_BROW_SCALE)
            elif name.startswith("eyeWide"):
                gains[i] = np.clip(ratio[f"{side} eye opening"], *_WIDE_SCALE)
            elif name.startswith("eye"):
                gains[i] = np.clip(ratio[f"{side} eye opening"], *_SQUINT_SCALE)
        return gains

    def __call__(self, shape: Array, weights: Array) -> Array:
        """Displacements (B, 468, 3), cm, of a neutral ``shape`` (468, 3) under ``weights`` (B, 51)."""
        basis = self.basis * self.gains(shape)[:, None, None]
        held = saturate(weights)
        moved: Array = np.einsum("be,enc->bnc", held, basis)
        self._close_eyes(moved, shape, held, basis)
        self._close_lips(moved, shape, held)
        self._unfold_lips(moved, shape)
        self._part_lips(moved, shape)
        return moved

    def _close_lips(self, moved: Array, shape: Array, held: Array) -> None:
        """Bring together lips that are open at rest, as far as the expressions ask for closed lips."""
        asked = held[:, [INDEX[name] for name in _CLOSING]] @ np.array(list(_CLOSING.values()))
        closing = 1.0 - np.exp(-asked)
        gap = contact.mouth(shape, self.lower_side).slack
        share = contact.LOWER_LIP_SHARE
        carried = self.sheet.carry(np.r_[_UPPER_LIP, _LOWER_LIP], _LIP_SEAM)
        lifted = carried @ np.r_[(share - 1) * gap, share * gap]
        moved[..., :2] += closing[:, None, None] * lifted[:, None] * mouth_vertical(shape)

    def _unfold_lips(self, moved: Array, shape: Array) -> None:
        lips = contact.mouth(shape, self.lower_side)
        for displaced in moved:
            contact.unfold_lips(displaced, lips.rings, lips.room, lips.vertical)

    def _part_lips(self, moved: Array, shape: Array) -> None:
        vertical = mouth_vertical(shape)
        slack = contact.mouth(shape, self.lower_side).slack
        parted = (moved[:, _UPPER_LIP, :2] - moved[:, _LOWER_LIP, :2]) @ vertical
        apart = self.sheet.part(_UPPER_LIP, _LOWER_LIP, _LIP_SEAM, -slack - parted)
        moved[..., :2] += apart[..., None] * vertical

    def _close_eyes(self, moved: Array, shape: Array, held: Array, basis: Array) -> None:
        for eye in contact.eyes(shape):
            other = np.arange(len(EXPRESSIONS)) != eye.blink
            opened = np.einsum("be,enc->bnc", held[:, other], basis[other][:, eye.upper])
            lower = moved[:, eye.lower]
            goal = np.array([
                [
                    contact.lid_displacement(o[i], v[i], w, eye.shut[i], eye.arc[i], eye.slack[i])
                    for i in range(len(eye.upper))
                ]
                for o, v, w in zip(opened, lower, held[:, eye.blink], strict=True)
            ])  # fmt: skip
            correction = goal - moved[:, eye.upper]
            fixed = np.r_[eye.corners, eye.lower]
            moved += np.einsum("ni,bic->bnc", self.sheet.carry(eye.upper, fixed), correction)


@dataclass(frozen=True)
class Identities:
    """Samples neutral shapes: the kit's identity modes, widened towards painted and drawn faces."""

    mean: Array
    modes: Array
    canonical: Array

    @classmethod
    def build(cls, kit: FaceKit, correspondence: Correspondence, canonical: Array) -> "Identities":
        modes = np.stack([correspondence.displacements(mode) for mode in kit.identities])
        return cls(correspondence.points(kit.neutral), modes, canonical)

    def scanned(self, rng: np.random.Generator) -> Array:
        """One identity (468, 3) of the kit, posed on the canonical mesh as a portrait is."""
        shape = self.mean + np.tensordot(rng.normal(size=len(self.modes)), self.modes, 1)
        return align(shape, self.canonical)(shape)

    def stylised(self, rng: np.random.Generator) -> Array:
        """One identity with its eyes, mouth, lips and chin rescaled as painters and cartoonists do."""
        shape = self.mean + np.tensordot(rng.normal(size=len(self.modes)), self.modes, 1)
        eyes, width = np.exp(rng.normal((0.05, 0.0), (0.3, 0.12)))
        brow = rng.normal(0.0, 0.3)
        for ring_up, ring_low in (
            (topology.RIGHT_EYE_UPPER, topology.RIGHT_EYE_LOWER),
            (topology.LEFT_EYE_UPPER, topology.LEFT_EYE_LOWER),
        ):
            own = np.exp(rng.normal(0.0, 0.08))
            centre = shape[list(ring_up + ring_low)].mean(0)
            shape = _rescale(shape, centre, (2.2, 1.6), (width, np.clip(eyes * own, 0.45, 2.5)))
            window = np.exp(-((((shape[:, :2] - centre[:2] - (0.0, 2.5)) / (3.5, 1.2)) ** 4).sum(1)))
            shape[:, 1] += brow * window
        mouth = np.exp(rng.normal(-0.05, 0.15))
        lips = np.exp(rng.normal(-0.1, 0.2))
        shape = _rescale(shape, shape[[13, 14]].mean(0), (3.5, 1.8), (mouth, lips))
        shape = _rescale(shape, shape[2], (5.0, 7.0), (1.0, np.exp(rng.normal(0.0, 0.07))))
        shape *= np.exp(rng.normal(0.0, 0.04, 3))
        shape[:, 0] += rng.normal(0.0, 0.01) * shape[:, 0] ** 2  # a head not seen from the front
        if rng.random() < 0.6:
            shape = _open_lips(shape, rng.random() ** 2)
        if rng.random() < 0.3:
            middle = (shape[list(topology.INNER_LIP_UPPER)] + shape[list(topology.INNER_LIP_LOWER)]) / 2
            shape[list(topology.INNER_LIP_UPPER)] = shape[list(topology.INNER_LIP_LOWER)] = middle
        return align(shape, self.canonical)(shape)


def _rescale(shape: Array, centre: Array, reach: tuple[float, float], factors: tuple[float, float]) -> Array:
    """Scale x and y about ``centre`` inside a Gaussian window of ``reach`` cm."""
    offset = shape[:, :2] - centre[:2]
    window = np.exp(-((offset / reach) ** 4).sum(1, keepdims=True))
    rescaled = shape.copy()
    rescaled[:, :2] += window * offset * (np.array(factors) - 1.0)
    return rescaled


def _open_lips(shape: Array, gap: float) -> Array:
    """Part the lips at rest by ``gap`` cm in the middle."""
    parted = shape.copy()
    profile = np.sin(np.pi * np.linspace(0, 1, 11))
    for inner, outer, sign in (
        (topology.INNER_LIP_UPPER, topology.OUTER_LIP_UPPER, 0.5),
        (topology.INNER_LIP_LOWER, topology.OUTER_LIP_LOWER, -0.5),
    ):
        parted[list(inner), 1] += sign * gap * profile
        parted[list(outer), 1] += sign * gap * profile
    return parted
