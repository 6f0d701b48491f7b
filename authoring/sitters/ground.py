"""What lies behind the sitter: an evening landscape or a gallery wall; RGB 0..255."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIZE = 1024
Image = NDArray[np.float32]


def cloud(exponent: float, seed: int, stretch: float = 1.0) -> Image:
    """Zero-mean unit-variance noise with a power-law spectrum; `stretch` > 1 draws it out sideways."""
    rng = np.random.default_rng(seed)
    radius = np.hypot(np.fft.fftfreq(SIZE)[:, None], np.fft.rfftfreq(SIZE)[None] * stretch)
    radius[0, 0] = 1.0
    noise = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(SIZE, SIZE))) / radius**exponent, s=(SIZE, SIZE))
    return ((noise - noise.mean()) / noise.std()).astype(np.float32)


def evening_sky() -> Image:
    """A hazy evening over blue hills: cool above, gold towards the horizon, brighter on the right."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    heights = np.array([0.0, 0.30, 0.58, 0.76, 1.0])
    colours = np.array(
        [[72, 82, 80], [104, 110, 98], [154, 144, 112], [202, 172, 120], [204, 172, 118]], float
    )
    sky = np.stack([np.interp(y + 0.035 * cloud(2.2, 6), heights, colours[:, k]) for k in range(3)], -1)
    mass = cloud(2.15, 3, 1.7) + 0.16 * cloud(1.5, 4, 1.7)
    lit, shade = np.clip(mass, 0, 1.8)[..., None], np.clip(-mass, 0, 1.8)[..., None]
    sky += (lit * [20, 16, 9] - shade * [13, 11, 8]) * np.clip(1.15 - 0.8 * y, 0, 1)[..., None]
    sky *= (0.66 + 0.40 * np.exp(-(((x - 0.86) / 0.48) ** 2) - ((y - 0.62) / 0.62) ** 2))[..., None]
    for index, (height, blue) in enumerate(((0.700, 0.95), (0.742, 0.70), (0.792, 0.40), (0.850, 0.10))):
        ridge = (
            height
            + (0.030 - 0.004 * index) * cloud(2.1, 60 + index)[300]
            + 0.003 * cloud(1.2, 70 + index)[300]
        )
        colour = np.array([132.0, 138, 122]) * blue + np.array([66.0, 60, 38]) * (1 - blue)
        fade = np.clip((y - ridge[None]) / 0.09, 0, 1)[..., None]
        hill = colour * (0.96 - 0.10 * fade) + (np.array([188.0, 168, 124]) - colour) * 0.35 * fade * blue
        hill = hill * (0.74 + 0.30 * x[..., None]) + 3 * cloud(1.6, 80 + index, 2.0)[..., None]
        cover = np.clip((y - ridge[None]) * SIZE / (9 - 2 * index), 0, 1)[..., None]
        sky = sky * (1 - cover) + hill * cover
    return np.clip(sky, 0, 255).astype(np.float32)


def gallery_wall() -> Image:
    """A quiet warm grey wall with a pool of light behind the shadowed side."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    glow = np.exp(-(((x - 0.70) / 0.50) ** 2) - ((y - 0.42) / 0.52) ** 2)
    share = np.clip(0.08 + 0.78 * glow + 0.012 * cloud(1.6, 9), 0, 1)[..., None]
    return (np.array([38.0, 39, 40]) * (1 - share) + np.array([122.0, 121, 114]) * share).astype(np.float32)
