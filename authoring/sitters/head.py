"""A fictional head from ICT FaceKit: identity, expression and a few sculptor's corrections.

Lengths are centimetres in the FaceKit frame: +x = sitter's left, +y = up, +z = towards the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Array = NDArray[np.float64]

SKIN_PARTS = ("face", "headneck", "eyesocketL", "eyesocketR", "mouthsocket")
SKIN_VERTICES = 11248  # "face" and "headneck" come first in the vertex order


@dataclass(frozen=True)
class FaceKit:
    """The arrays of the FaceKit archive that the sitters need."""

    neutral: Array
    identities: Array
    expressions: dict[str, Array]
    faces: NDArray[np.int32]
    landmarks68: NDArray[np.int64]
    parts: dict[str, tuple[int, int]]
    mirror: NDArray[np.int64]

    @classmethod
    def load(cls, path: Path) -> FaceKit:
        with np.load(path) as data:
            neutral = data["neutral"].astype(float)
            return cls(
                neutral=neutral,
                identities=data["identities"].astype(float),
                expressions={
                    str(name): shape.astype(float)
                    for name, shape in zip(data["expression_names"], data["expressions"], strict=True)
                },
                faces=data["faces"],
                landmarks68=data["landmarks68"],
                parts={
                    str(name): (int(first), int(last))
                    for name, (first, last) in zip(data["part_names"], data["part_ranges"], strict=True)
                },
                mirror=cKDTree(neutral).query(neutral * [-1, 1, 1])[1],
            )

    def vertex_mask(self, parts: tuple[str, ...]) -> NDArray[np.bool_]:
        mask = np.zeros(len(self.neutral), bool)
        for part in parts:
            first, last = self.parts[part]
            mask[first:last] = True
        return mask


@dataclass(frozen=True)
class Likeness:
    """What makes one sitter: a random identity and the corrections a portraitist would make."""

    seed: int
    amplitude: float = 0.5
    symmetry: float = 0.8
    expression: dict[str, float] = field(default_factory=dict)
    eye_size: float = 1.0
    jaw_width: float = 1.0
    neck_width: float = 1.0
    ear_tuck: float = 0.0  # cm, tops of the ears towards the skull
    nose_width: float = 1.0
    lip_fullness: float = 1.0
    chin_length: float = 1.0
    nod: float = 0.0  # degrees, chin down
    body_turn: float = 0.0  # degrees, shoulders turned towards the picture's right


def smoothstep(low: float, high: float, value: Array) -> Array:
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def turn_body(points: Array, degrees: float) -> Array:
    """Twist everything below the jaw about the spine; the shoulders get the full angle."""
    share = smoothstep(-8.0, -17.0, points[:, 1])
    angle = np.radians(degrees) * share
    x, z = points[:, 0], points[:, 2] + 1.6
    turned = points.copy()
    turned[:, 0] = x * np.cos(angle) + z * np.sin(angle)
    turned[:, 2] = z * np.cos(angle) - x * np.sin(angle) - 1.6
    return turned


def sculpt(kit: FaceKit, likeness: Likeness) -> Array:
    """All FaceKit vertices of one sitter, (26719, 3) cm."""
    rng = np.random.default_rng(likeness.seed)
    weights = rng.normal(0.0, likeness.amplitude, len(kit.identities))
    vertices = kit.neutral + np.tensordot(weights, kit.identities, 1)
    half = likeness.symmetry / 2
    vertices = vertices * (1 - half) + vertices[kit.mirror] * [-1, 1, 1] * half
    for name, weight in likeness.expression.items():
        vertices = vertices + weight * kit.expressions[name]
    vertices = _scale_eyes(vertices, kit, likeness.eye_size)
    vertices = _scale_lips(vertices, kit, likeness.lip_fullness)
    vertices = _narrow(vertices, likeness.jaw_width, centre=-4.6, spread=4.4)
    vertices = _slim_nose(vertices, kit, likeness.nose_width)
    vertices = _narrow(vertices, likeness.neck_width, centre=-12.0, spread=3.2)
    vertices = _tuck_ears(vertices, kit, likeness.ear_tuck)
    vertices = _shorten_chin(vertices, likeness.chin_length)
    return _nod(_model_neck(vertices), likeness.nod)


def _tuck_ears(vertices: Array, kit: FaceKit, depth: float) -> Array:
    x, y, z = kit.neutral.T
    top = smoothstep(7.3, 8.6, np.abs(x)) * smoothstep(0.0, 3.0, y) * smoothstep(4.5, 2.5, z)
    tucked = vertices.copy()
    tucked[:, 0] -= depth * top * np.sign(x)
    return tucked


def _shorten_chin(vertices: Array, factor: float) -> Array:
    """Scale the face below the mouth; what lies under the chin follows it up and fades out at the neck."""
    y = vertices[:, 1]
    depth = np.clip(-4.6 - y, 0.0, 3.2) * smoothstep(-2.0, 3.0, vertices[:, 2])
    shorter = vertices.copy()
    shorter[:, 1] += (1.0 - factor) * depth * smoothstep(-15.0, -9.0, y)
    return shorter


def _nod(vertices: Array, degrees: float) -> Array:
    """Tip the head forward about the ears; the neck bends between y = -13 and -5 cm."""
    angle = np.radians(degrees) * smoothstep(-13.0, -5.0, vertices[:, 1])
    y, z = vertices[:, 1] + 3.0, vertices[:, 2]
    tipped = vertices.copy()
    tipped[:, 1] = y * np.cos(angle) - z * np.sin(angle) - 3.0
    tipped[:, 2] = z * np.cos(angle) + y * np.sin(angle)
    return tipped


def _scale_eyes(vertices: Array, kit: FaceKit, factor: float) -> Array:
    scaled = vertices.copy()
    for part in ("lacL", "lacR"):
        first, last = kit.parts[part]
        centre = vertices[first:last].mean(0)
        offset = vertices - centre
        near = np.exp(-((offset / [2.3, 1.7, 3.0]) ** 2).sum(1))
        scaled += (factor - 1.0) * near[:, None] * offset * [1.0, 1.25, 0.35]
    return scaled


def _scale_lips(vertices: Array, kit: FaceKit, factor: float) -> Array:
    lips = vertices[kit.landmarks68[48:68]]
    centre = lips.mean(0)
    offset = vertices - centre
    near = np.exp(-((offset / [2.6, 1.3, 2.0]) ** 2).sum(1))
    return (
        vertices
        + (factor - 1.0) * near[:, None] * offset * [0.0, 1.0, 0.0]
        + ((factor - 1.0) * 0.35 * near[:, None] * [0.0, 0.0, 1.0])
    )


def _slim_nose(vertices: Array, kit: FaceKit, factor: float) -> Array:
    """Narrow the wings and lower the tip, so that less of the nostrils shows."""
    tip = vertices[kit.landmarks68[30]]
    near = np.exp(-(((vertices - tip) / [2.2, 2.4, 3.0]) ** 2).sum(1))
    droop = np.exp(-(((vertices - tip) / [1.1, 0.9, 1.6]) ** 2).sum(1))
    slim = vertices.copy()
    slim[:, 0] *= 1.0 + (factor - 1.0) * near
    slim[:, 1] -= 2.0 * (1.0 - factor) * droop
    return slim


def _narrow(vertices: Array, factor: float, centre: float, spread: float) -> Array:
    near = np.exp(-(((vertices[:, 1] - centre) / spread) ** 2))
    narrowed = vertices.copy()
    narrowed[:, 0] *= 1.0 + (factor - 1.0) * near
    return narrowed


def _model_neck(vertices: Array) -> Array:
    """Raise the two sternomastoid muscles and the collar bones, hollow the pit between them."""
    x, y, z = vertices.T
    front = smoothstep(-2.0, 1.5, z) * smoothstep(-8.0, -10.0, y)
    along = np.clip((y + 8.0) / -9.0, 0.0, 1.0)
    muscle = np.exp(-(((np.abs(x) - (4.9 - 3.7 * along)) / 0.85) ** 2)) * smoothstep(-17.6, -15.8, y)
    bone_height = -16.3 + 0.16 * np.abs(x)
    bone = np.exp(-(((y - bone_height) / 0.55) ** 2)) * smoothstep(0.9, 2.4, np.abs(x))
    pit = np.exp(-((x / 0.9) ** 2) - ((y + 16.2) / 0.9) ** 2)
    relief = front * (0.34 * muscle + 0.30 * bone - 0.45 * pit)
    raised = vertices.copy()
    raised[:, 2] += relief
    return raised


def scalp_weight(kit: FaceKit) -> Array:
    """How far each skin vertex is inside the hairline: 0 on the face, 1 on the scalp."""
    x, y, z = kit.neutral[:SKIN_VERTICES].T
    bearing = np.arctan2(np.abs(x), z + 0.5)  # 0 at the front, pi at the back
    hairline = np.interp(
        bearing,
        [0, 0.25, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5, 1.9, 2.3, np.pi],
        [9.3, 9.4, 9.4, 8.7, 6.9, 4.7, 3.3, 2.6, 0.5, -3.5, -5.0],
    )
    return smoothstep(-0.6, 0.6, y - hairline)


def push_out(kit: FaceKit, vertices: Array, amount: Array) -> Array:
    """Skin vertices moved along their normals by `amount` cm; the other vertices stay."""
    normals = skin_normals(kit, vertices)
    pushed = vertices.copy()
    pushed[:SKIN_VERTICES] += normals * amount[:, None]
    return pushed


def skin_normals(kit: FaceKit, vertices: Array) -> Array:
    triangles = kit.faces[:, :3]
    triangles = triangles[(triangles < SKIN_VERTICES).all(1)]
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    face_normals = np.cross(b - a, c - a)
    normals = np.zeros((SKIN_VERTICES, 3))
    for k in range(3):
        np.add.at(normals, triangles[:, k], face_normals)
    return normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9)
