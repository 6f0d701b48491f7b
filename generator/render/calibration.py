"""Measures how far a portrait appears to turn, so that a commanded angle is the angle one sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from generator.face import topology
from generator.motion.motion import ROTATION_COLUMNS, WIDTH
from generator.portrait.landmarks import FaceLandmarker
from generator.portrait.portrait import Portrait
from generator.portrait.pose import fit_pose, landmarks_to_view, rotation_degrees
from generator.portrait.turning import KNOTS_DEG, TurnGain
from generator.render.renderer import Renderer

GAIN_RANGE = (0.7, 2.4)
MOST_BEND = 1.35
"""Gains of small and large angles differ by this factor at most: small turns are measured with more noise."""
LEAST_SHARE = 0.2
"""A turn that is seen as less than this share of it was not measured rightly, and is not corrected."""
_DIRECTIONS = {"yaw_left": (-1, 0), "yaw_right": (1, 0), "pitch_down": (0, -1), "pitch_up": (0, 1)}


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
    seen = fit_pose(landmarker.canonical[0], landmarks_to_view(face.landmarks[: topology.VERTEX_COUNT]))
    turned: NDArray[np.float64] = seen.rotation @ portrait.pose.rotation.T
    seen_yaw, seen_pitch, _ = rotation_degrees(turned)
    return seen_yaw, seen_pitch


def measure_gain(portrait: Portrait, landmarker: FaceLandmarker) -> TurnGain:
    """The gain for each direction, by rendering, measuring and correcting: first for the larger angle, whose
    measurement is surer, then for both."""
    gain = portrait.gain
    for knots in ((1,), (0, 1)):
        corrected = {}
        for name, (across, up) in _DIRECTIONS.items():
            gains = list(getattr(gain, name))
            for knot in knots:
                angle = KNOTS_DEG[knot]
                turned = replace(portrait, gain=gain)
                seen = measured_turn(turned, landmarker, across * angle, up * angle)
                share = (seen[0] * across + seen[1] * up) / angle
                if share > LEAST_SHARE:
                    gains[knot] = gains[knot] / share
            if knots == (1,):
                gains[0] = gains[1]
            gains[0] = np.clip(gains[0], gains[1] / MOST_BEND, gains[1] * MOST_BEND)
            small, large = (float(np.clip(value, *GAIN_RANGE)) for value in gains)
            corrected[name] = (small, large)
        gain = TurnGain(**corrected)
    return gain
