"""A portrait, made ready to be moved: the one thing that is computed per picture rather than per frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from generator.errors import PortraitError
from generator.face import topology
from generator.face.decoder import FaceDecoder
from generator.portrait.eyes import EYES, EyeLayer, build_eyes
from generator.portrait.framing import Aspect, frame_portrait
from generator.portrait.image import open_image
from generator.portrait.landmarks import Face, FaceLandmarker
from generator.portrait.lips import close_lips
from generator.portrait.mesh import HeadMesh, build_mesh
from generator.portrait.palette import Palette
from generator.portrait.pose import Pose, fit_pose, landmarks_to_view
from generator.portrait.skin import Skin
from generator.portrait.turning import TurnGain
from generator.render.mouth import MouthInterior

Array = NDArray[np.float64]

MIN_FACE_PX = 64
"""Faces less high than this hold too few pixels to move."""
MAX_TURN_DEG = 45.0
"""Beyond this yaw or pitch one eye or the mouth is hidden."""
LOWER_LID_DROP = 0.022
"""The lower lid's edge lies this far (eye widths) below its landmarks, on the lash line."""


@dataclass(frozen=True)
class Portrait:
    """A still portrait with everything its animation needs.

    Attributes:
        frame: (H, W, 3) uint8, what a frame shows at rest.
        sha256: of the picture file's bytes.
        mime: the picture file's media type.
        landmarks: (478, 3) in the frame's pixels.
        pose: head coordinates (cm) to the frame's view coordinates (px, y up).
        mesh: vertices and triangles.
        skin: the face decoder bound to this face's shape, kept from folding in this view.
        eyes: the two eyes, image left first.
        mouth: teeth, tongue and cavity.
        lip_gap_cm: largest gap between the lips at rest (0 when the portrait's mouth is closed).
        gain: measured correction of head turns.
        faces_found: how many faces the picture holds.
    """

    frame: NDArray[np.uint8]
    sha256: str
    mime: str
    landmarks: Array
    pose: Pose
    mesh: HeadMesh
    skin: Skin
    eyes: tuple[EyeLayer, ...]
    mouth: MouthInterior
    lip_gap_cm: float
    gain: TurnGain
    faces_found: int

    @classmethod
    def open(
        cls,
        source: Path | bytes,
        *,
        size: int = 512,
        aspect: Aspect = Aspect.SQUARE,
        face: int | None = None,
        landmarker: FaceLandmarker | None = None,
    ) -> Portrait:
        """Read a picture and prepare the face in it.

        Args:
            source: a picture file, or its bytes.
            size: the frame's longer side in pixels, even, 128 to 1024.
            aspect: a square around the head, or the whole picture.
            face: which face, counted from 0, largest first; ``None`` takes the largest.
            landmarker: reuse a loaded landmark model.

        Raises:
            PortraitError: the picture cannot be read, or holds no face that can be animated.
            assets.AssetMissing: the landmark model was never fetched.
        """
        from generator.render.calibration import measure_gain

        picture = open_image(source)
        landmarker = landmarker or FaceLandmarker()
        found = landmarker.find(picture.rgb)
        chosen = _choose(found, face)
        frame, landmarks = frame_portrait(picture.rgb, chosen, size, aspect)
        refined = landmarker.track(frame, landmarks)
        if refined is not None:
            landmarks = refined.landmarks
        canonical, triangles = landmarker.canonical
        pose = fit_pose(canonical, landmarks_to_view(landmarks[: topology.VERTEX_COUNT]))
        _require_frontal(pose)

        neutral, gap_cm = _neutral_face(frame, landmarks, pose)
        mesh = build_mesh(neutral, pose, triangles, frame.shape[1], frame.shape[0])
        uv = mesh.uv[: topology.VERTEX_COUNT].astype(np.float64)
        palette = Palette.of(frame, uv)
        lips = neutral[[topology.INNER_LIP_UPPER[5], topology.INNER_LIP_LOWER[5]]]
        mouth_corners = neutral[[topology.OUTER_LIP_UPPER[0], topology.OUTER_LIP_UPPER[-1]]]
        portrait = cls(
            frame=frame,
            sha256=picture.sha256,
            mime=picture.mime,
            landmarks=landmarks,
            pose=pose,
            mesh=mesh,
            skin=Skin.of(FaceDecoder.load().bind(neutral), pose, triangles, lips_closed=gap_cm == 0),
            eyes=build_eyes(frame, uv, landmarks, palette.grain),
            mouth=MouthInterior.build(
                lip_centre_cm=lips.mean(0),
                mouth_width_cm=float(np.linalg.norm(mouth_corners[1] - mouth_corners[0])),
                lip_rgb=palette.lip,
                skin_rgb=palette.skin,
                highlight_rgb=palette.highlight,
                grain=palette.grain,
                lip_gap_cm=gap_cm,
            ),
            lip_gap_cm=gap_cm,
            gain=TurnGain(),
            faces_found=len(found),
        )
        return replace(portrait, gain=measure_gain(portrait, landmarker))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a frame, px."""
        return self.frame.shape[1], self.frame.shape[0]


def _choose(found: list[Face], face: int | None) -> Face:
    if not found:
        raise PortraitError(
            "No face was found in the picture. "
            "Choose one in which a face is lit, uncovered and turned to the viewer."
        )
    if face is not None and not 0 <= face < len(found):
        raise PortraitError(
            f"The picture holds {len(found)} face(s); choose --face from 0 to {len(found) - 1}."
        )
    chosen = found[face or 0]
    if chosen.height_px < MIN_FACE_PX:
        raise PortraitError(
            f"The face is only {chosen.height_px:.0f} px high; at least {MIN_FACE_PX} px are needed. "
            "Choose a larger picture."
        )
    return chosen


def _require_frontal(pose: Pose) -> None:
    yaw, pitch, _ = pose.degrees
    if max(abs(yaw), abs(pitch)) > MAX_TURN_DEG:
        raise PortraitError(
            f"The head is turned by {max(abs(yaw), abs(pitch)):.0f} degrees; "
            f"up to {MAX_TURN_DEG:.0f} can be animated. "
            "Choose a picture that faces the viewer more."
        )


def _neutral_face(frame: NDArray[np.uint8], landmarks: Array, pose: Pose) -> tuple[Array, float]:
    """(468, 3) the face at rest in head coordinates (cm), nearly closed lips closed on their own dark
    line, and the lip gap that remains (cm)."""
    face = landmarks[: topology.VERTEX_COUNT].copy()
    for ring in EYES:
        lower = np.array(ring.lower)
        across = face[lower[-1], :2] - face[lower[0], :2]
        down = np.array([-across[1], across[0]])
        along = np.sin(np.pi * np.linspace(0, 1, len(lower))) ** 0.7
        face[lower, :2] += LOWER_LID_DROP * along[:, None] * down
    grey = np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)
    face, gap_px = close_lips(grey, face, pose.scale)
    return pose.to_head(landmarks_to_view(face)), gap_px / pose.scale
