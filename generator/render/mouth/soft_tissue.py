"""The tongue, and the cheeks, palate and throat around it."""

from __future__ import annotations

import numpy as np

from generator.easing import smoothstep
from generator.render.mouth.surface import OralMesh, Part, fan, grid, surface

_TONGUE_MIDLINE = np.array(
    # y, z, half-width, thickness of the rim, depth of the groove, all cm
    [
        [-1.20, -2.30, 0.55, 0.10, 0.00],
        [-1.02, -1.72, 0.78, 0.12, 0.00],
        [-0.78, -1.46, 0.86, 0.14, 0.01],
        [-0.55, -1.42, 0.92, 0.20, 0.03],
        [-0.36, -1.54, 1.02, 0.28, 0.05],
        [-0.20, -1.82, 1.18, 0.38, 0.08],
        [-0.06, -2.30, 1.42, 0.46, 0.11],
        [0.08, -2.90, 1.66, 0.52, 0.13],
        [0.17, -3.60, 1.84, 0.56, 0.12],
        [0.15, -4.35, 1.94, 0.58, 0.09],
        [-0.05, -5.05, 1.92, 0.58, 0.05],
        [-0.50, -5.65, 1.80, 0.55, 0.02],
        [-1.20, -6.05, 1.60, 0.50, 0.00],
    ]
)
"""From under the tip, round it, along the dorsum to the root."""
_TONGUE_ACROSS = 15
_RIM_TURN = np.radians(112)


def tongue() -> OralMesh:
    """Tip, blade and body with the midline groove, at rest behind the lower incisors."""
    y, z, half, rim, groove = (_TONGUE_MIDLINE[:, k, None] for k in range(5))
    turn = np.linspace(-_RIM_TURN, _RIM_TURN, _TONGUE_ACROSS)
    across = np.sin(turn)
    crown = np.abs(across) ** 2.2 * 0.45 + np.where(np.abs(turn) > np.pi / 2, 1 - np.abs(across), 0) * 1.6
    down = rim * (crown + 0.55 * np.abs(turn / _RIM_TURN) ** 4) + groove * np.exp(-((turn / 0.17) ** 2))
    along = np.linspace(0, 1, len(y))[:, None]
    round_tip = 0.50 * across**2 * (1 - smoothstep(0.15, 0.7, along))
    vertices = np.column_stack(
        [(half * across).ravel(), (y - down).ravel(), np.broadcast_to(z - round_tip, down.shape).ravel()]
    )
    count = len(y)
    core = np.repeat(np.column_stack([0 * y[:, 0], y[:, 0] - 0.7, z[:, 0] - 0.9]), _TONGUE_ACROSS, 0)
    blade = np.repeat(1 - smoothstep(0.25, 0.72, along[:, 0]), _TONGUE_ACROSS)
    air = 1 - 0.16 * np.exp(-((turn / 0.15) ** 2)) * (groove / 0.13) - 0.45 * np.abs(turn / _RIM_TURN) ** 3
    air = air * (0.62 + 0.38 * smoothstep(0.1, 0.32, along))
    follow = np.repeat(0.94 - 0.34 * along[:, 0], _TONGUE_ACROSS)
    return surface(
        vertices,
        grid(count, _TONGUE_ACROSS),
        inside=core,
        part=Part.TONGUE,
        jaw=follow,
        blade=blade,
        open_air=air,
    )


_CAVITY_SECTIONS = np.array(
    # z, half-width, top y, bottom y, all cm: vestibule, palate, soft palate, throat
    [
        [-0.25, 2.9, 1.0, -1.5],
        [-1.4, 3.2, 1.35, -1.7],
        [-2.8, 3.3, 1.45, -1.8],
        [-4.3, 3.1, 1.35, -1.8],
        [-5.6, 2.6, 0.85, -1.9],
        [-6.4, 2.0, 0.15, -2.1],
        [-6.9, 1.5, -0.3, -2.3],
        [-7.3, 0.7, -0.8, -1.9],
    ]
)
_CAVITY_AROUND = 18
_CAVITY_AIR = np.array([0.5, 0.6, 0.8, 1.0, 1.1, 1.0, 0.9, 0.8])
"""Cheeks lie in the shade of the lips; the soft palate catches light that tongue and teeth throw back."""


def cavity() -> OralMesh:
    """Cheeks, palate, mouth floor and throat, seen from within."""
    z, half, top, bottom = (_CAVITY_SECTIONS[:, k, None] for k in range(4))
    turn = 2 * np.pi * np.arange(_CAVITY_AROUND) / _CAVITY_AROUND
    height = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** 0.8
    x = half * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.8
    y = (top + bottom) / 2 + (top - bottom) / 2 * height
    vertices = np.column_stack([x.ravel(), y.ravel(), np.broadcast_to(z, x.shape).ravel()])
    sections = len(z)
    last = (sections - 1) * _CAVITY_AROUND
    vertices = np.vstack([vertices, vertices[last:].mean(0) - (0, 0, 0.1)])
    end = fan(_CAVITY_AROUND, len(vertices) - 1)[:, [0, 2, 1]] + (0, last, last)
    centre = np.repeat(np.column_stack([0 * z, (top + bottom) / 2, z + 1.0]), _CAVITY_AROUND, 0)
    centre = np.vstack([centre, vertices[-1] + (0, 0, 1.0)])
    follow = 0.5 - 0.5 * np.append(np.tile(height, sections), 0.2)
    follow *= 1 - 0.35 * smoothstep(4.5, 7.2, -vertices[:, 2])
    air = np.append((_CAVITY_AIR[:, None] * (1.0 - 0.2 * np.abs(height))).ravel(), _CAVITY_AIR[-1])
    return surface(
        vertices,
        np.vstack([grid(sections, _CAVITY_AROUND, wrap=True), end]),
        inside=centre,
        part=Part.CAVITY,
        jaw=follow,
        open_air=air,
        inward=True,
    )
