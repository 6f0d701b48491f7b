"""Pictures of the film; over faces, where the classifier saw what speaks for ours (Grad-CAM)."""

from __future__ import annotations

from base64 import b64encode
from html import escape

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.evidence import clock
from detector.inspection import Examination
from detector.protocol import Classifier
from detector.stills import Still
from detector.verdict import Instant, Verdict
from detector.watching import attempt
from detector.wording import likelihood

UInt8 = NDArray[np.uint8]

LONGEST_SIDE = 360
NEAR_SECONDS = 0.2
"""A moment of the classifier's that is no farther from a still is the still's."""

_QUALITY = 80
_WARM = (214, 72, 28)
_STRONGEST = 0.75


def gallery(examination: Examination, classifier: Classifier | None) -> str:
    """A list of figures; empty without pictures."""
    verdict = examination.verdict
    figures = [_figure(still, _instant(verdict, still.at), classifier) for still in examination.stills]
    return (
        f'<ul class="gallery">{"".join(f"<li>{figure}</li>" for figure in figures)}</ul>' if figures else ""
    )


def _instant(verdict: Verdict, at: float) -> Instant | None:
    near = min(verdict.instants, key=lambda one: abs(one.at - at), default=None)
    return near if near and abs(near.at - at) <= NEAR_SECONDS else None


def _figure(still: Still, instant: Instant | None, classifier: Classifier | None) -> str:
    when = f"{clock(still.at)}.{int(10 * still.at) % 10}"
    picture, alt, caption = still.picture, f"The film at {when}", when
    if instant is not None:
        caption += f"; face like ours: {likelihood(instant.ours)}, generated: {likelihood(instant.synthetic)}"
        heat = None
        if classifier is not None:
            heat, _ = attempt(lambda: classifier.heatmap(still.trail, instant.box))
        if heat is not None:
            picture = _warmed(picture, heat)
            alt += ", its face tinted where most speaks for our generator"
    image = f'<img src="{_data(picture)}" alt="{escape(alt)}">'
    return f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>"


def _warmed(picture: UInt8, heat: NDArray[np.float32]) -> UInt8:
    share = _STRONGEST * np.clip(heat, 0.0, 1.0)[..., None]
    return np.asarray(np.rint(picture * (1 - share) + np.array(_WARM) * share), np.uint8)


def _data(picture: UInt8) -> str:
    height, width = picture.shape[:2]
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return f"data:image/jpeg;base64,{b64encode(data.tobytes()).decode('ascii')}"
