"""Measures how far a portrait appears to turn, so that a commanded angle is the angle one sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from generator.face import topology
from generator.motion.motion import ROTATION_COLUMNS, WIDTH
from generator.portrait.landmarks import FaceLandmarker
from generator.portrait.portrait import Portrait, TurnGain
from generator.portrait.pose import fit_similarity, landmarks_to_view, rotation_degrees
from generator.render.renderer import Renderer

PROBE_DEG = 11.0
"""The angle at which the gain is measured."""
GAIN_RANGE = (0.7, 2.4)
_ROUNDS = 2


def measured_turn(
    portrait: Portrait, landmarker: FaceLandmarker, yaw: float, pitch: float
) -> tuple[float, float]:
    """Yaw and pitch (degrees), relative to the portrait at rest, that the landmark model sees in a frame
    rendered with ``yaw`` and ``pitch`` commanded. NaN where the face is lost."""
    motion = np.zeros(WIDTH, np.float32)
    motion[ROTATION_COLUMNS] = yaw, pitch, 0
    frame = Renderer(portrait).frame(motion)
    face = landmarker.track(frame, portrait.landmarks)
    if face is None:
        return float("nan"), float("nan")
    seen = fit_similarity(landmarker.canonical[0], landmarks_to_view(face.landmarks[: topology.VERTEX_COUNT]))
    turned: NDArray[np.float64] = seen.rotation @ portrait.pose.rotation.T
    seen_yaw, seen_pitch, _ = rotation_degrees(turned)
    return seen_yaw, seen_pitch


def measure_gain(portrait: Portrait, landmarker: FaceLandmarker) -> TurnGain:
    """The gain for each direction, by rendering, measuring and correcting."""
    probes = {
        "yaw_left": (-PROBE_DEG, 0.0),
        "yaw_right": (PROBE_DEG, 0.0),
        "pitch_down": (0.0, -PROBE_DEG),
        "pitch_up": (0.0, PROBE_DEG),
    }
    gain = portrait.gain
    for _ in range(_ROUNDS):
        corrected = {}
        for name, (yaw, pitch) in probes.items():
            seen = measured_turn(replace(portrait, gain=gain), landmarker, yaw, pitch)
            share = (seen[0] / yaw) if yaw else (seen[1] / pitch)
            step = 1 / share if np.isfinite(share) and share > 0.2 else 1.0
            corrected[name] = float(np.clip(getattr(gain, name) * step, *GAIN_RANGE))
        gain = TurnGain(**corrected)
    return gain
