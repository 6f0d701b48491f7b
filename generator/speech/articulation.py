"""Phones to moving lips: co-articulation by dominance functions, and closures that are always reached.

Every phone pulls each articulator towards its target with a strength that fades before and after it; the
weighted mean is the curve (Cohen and Massaro, *Modeling coarticulation in synthetic visual speech*, 1993).
Lip contact comes on top, as in JALI (Edwards et al. 2016): a mean of neighbours never closes lips, and
viewers forgive much, but not an open /p/, /b/ or /m/.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, shift

from generator.arkit import EXPRESSIONS, INDEX
from generator.speech.phones import SILENCE, Phone
from generator.speech.prosody import RATE, Prosody
from generator.speech.visemes import (
    APERTURE,
    ARTICULATORS,
    JAW,
    REST,
    SHAPE,
    VISEMES,
    Contact,
    Viseme,
    columns,
)

Signal = NDArray[np.float64]

LEAD_SECONDS = 0.0
"""How far targets run ahead of their sound. Anticipation is in the spread below; measured on real speakers,
openings come 20-40 ms after the middle of their phone, but viewers mind late lips more than early ones."""
CORE_SHARE = 0.5
"""Middle part of a phone over which its dominance is full."""
SPREAD_SECONDS = {"jaw": (0.03, 0.055), "aperture": (0.03, 0.055), "shape": (0.10, 0.06)}
"""Standard deviation with which dominance fades (before, after) a phone; rounding is prepared far ahead."""
SMOOTHING_SECONDS = 0.018
DIPHTHONG_SHARE = 0.6

PAUSE_CLOSES_SECONDS = 0.35
"""Pauses as long as this bring the mouth to rest; shorter ones only part of the way."""
PAUSE_OPENS_SECONDS = 0.12
PAUSE_LINGERS_SECONDS = 0.08
"""How long before a pause ends the mouth prepares, and how long after it began it lingers."""

CONTACT_SECONDS = 0.05
"""Shortest contact: longer than the 40 ms between two frames, so that one frame always shows it."""
CONTACT_RAMP_SECONDS = 0.065
CONTACT_JAW = 0.09
RELEASE_SHARE = 0.7
"""Part of a plosive after which its lips part; the rest is burst and breath."""
PLOSIVES = {"P", "B"}
LIPS_PRESS = 0.22
LIPS_ROLL = 0.10
TEETH_ROLL_LOWER = 0.34
TEETH_UPPER_UP = 0.14

STRESS_PER_DB = 0.02
STRESS_LIMITS = (0.75, 1.15)
"""Vowels open more or less by how loud they are against the clip's median vowel."""

JAW_LOUDNESS_FLOOR = 0.3
JAW_LOUDNESS_POWER = 0.25
JAW_QUIET_FACTOR = 0.5
JAW_LOUDNESS_LAG_SECONDS = 0.02
JAW_LOUDNESS_SMOOTHING_SECONDS = 0.06
"""The jaw also follows loudness, a little late; chosen on English (GRID) and Mandarin (FACEGOOD) speakers. In
the quiet before a word it opens half as far, which is how it prepares."""

UNHEARD_LOUDNESS = 0.75
"""A voiced sound this loud inside a recognised pause was missed by the recogniser (singing, noise)."""
ENERGY_FLOOR_LOUDNESS = 0.45
ENERGY_POSE = {"jawOpen": 0.18, "mouthLowerDown": 0.14, "mouthUpperUp": 0.09}
"""The loudest mouth where only energy is known."""


def articulate(phones: Sequence[Phone], prosody: Prosody, frames: int, fps: float) -> NDArray[np.float32]:
    """(frames, 51) expression weights, 0..1, with the lips and jaw that ``phones`` need; the rest is 0."""
    phones = [Phone(p.name, p.start - LEAD_SECONDS, p.end - LEAD_SECONDS, p.confidence) for p in phones]
    count = len(prosody.loudness)
    curves = _coarticulate(phones, prosody, count)
    curves[:, JAW] *= _jaw_by_loudness(prosody)[:, None]
    curves = _mix_in_energy(curves, phones, prosody)
    curves = gaussian_filter1d(curves, SMOOTHING_SECONDS * RATE, axis=0)
    at = (np.arange(frames) + 0.5) / fps * RATE
    ticks = np.arange(count)
    weights = np.zeros((frames, len(EXPRESSIONS)))
    for articulator, curve in zip(ARTICULATORS, curves.T, strict=True):
        weights[:, columns(articulator)] = np.interp(at, ticks, curve)[:, None]
    times = at / RATE
    touch_teeth(weights, _contact(phones, Contact.LIP_TO_TEETH, times))
    close_lips(weights, _contact(phones, Contact.LIPS, times))
    return np.clip(weights, 0.0, 1.0).astype(np.float32)


def _coarticulate(phones: Sequence[Phone], prosody: Prosody, count: int) -> Signal:
    """(count, articulators) weighted mean of all targets at ``RATE``."""
    pulled = np.zeros((count, len(ARTICULATORS)))
    strength = np.full((count, len(ARTICULATORS)), 1e-9)
    stress = _stress(phones, prosody)
    for phone, opening in zip(phones, stress, strict=True):
        for viseme, start, end, scale in _segments(phone):
            target = viseme.vector()
            if viseme.vowel:
                target[JAW] *= opening
                target[APERTURE] *= opening
            for name, group, firmness in (
                ("jaw", JAW, viseme.jaw),
                ("aperture", APERTURE, viseme.aperture),
                ("shape", SHAPE, viseme.shape),
            ):
                first, dominance = _dominance(start, end, SPREAD_SECONDS[name], count)
                dominance *= firmness * scale
                rows = slice(first, first + len(dominance))
                pulled[rows, group] += dominance[:, None] * target[group]
                strength[rows, group] += dominance[:, None]
    mean: Signal = pulled / strength
    return mean


def _segments(phone: Phone) -> Iterator[tuple[Viseme, float, float, float]]:
    """(viseme, start, end, scale of its strength) of the one or two targets of a phone."""
    if phone.name == SILENCE:
        end = max(phone.end - PAUSE_OPENS_SECONDS, phone.start + 0.01)
        start = min(phone.start + PAUSE_LINGERS_SECONDS, end - 0.01)
        yield REST, start, end, min(phone.seconds / PAUSE_CLOSES_SECONDS, 1.0) ** 2
        return
    visemes = VISEMES[phone.name]
    if len(visemes) == 1:
        yield visemes[0], phone.start, phone.end, 1.0
    else:
        middle = phone.start + DIPHTHONG_SHARE * phone.seconds
        yield visemes[0], phone.start, middle, 1.0
        yield visemes[1], middle, phone.end, 1.0


def _dominance(start: float, end: float, spread: tuple[float, float], count: int) -> tuple[int, Signal]:
    """First tick and values of 1 over the core of ``start`` to ``end``, fading as a Gaussian around it."""
    inset = (end - start) * (1 - CORE_SHARE) / 2
    core = (start + inset, end - inset)
    reach = 4 * max(spread)
    first = int(np.clip(np.floor((core[0] - reach) * RATE), 0, count))
    last = int(np.clip(np.ceil((core[1] + reach) * RATE) + 1, first, count))
    t = np.arange(first, last) / RATE
    away = np.maximum(core[0] - t, 0) / spread[0] + np.maximum(t - core[1], 0) / spread[1]
    values: Signal = np.exp(-0.5 * away**2)
    return first, values


def _stress(phones: Sequence[Phone], prosody: Prosody) -> Signal:
    """(phones,) factor on opening: how loud each phone is against the median vowel."""
    smooth = gaussian_filter1d(prosody.energy_db, 0.03 * RATE)
    loud = np.interp([p.centre + LEAD_SECONDS for p in phones], np.arange(len(smooth)) / RATE, smooth)
    vowels = np.array([p.name != SILENCE and VISEMES[p.name][0].vowel for p in phones])
    if not vowels.any():
        return np.ones(len(phones))
    factor: Signal = np.clip(1 + STRESS_PER_DB * (loud - np.median(loud[vowels])), *STRESS_LIMITS)
    return factor


def _jaw_by_loudness(prosody: Prosody) -> Signal:
    """(count,) ``JAW_QUIET_FACTOR``..1 on the jaw's opening."""
    late = shift(prosody.loudness, JAW_LOUDNESS_LAG_SECONDS * RATE, order=1, mode="nearest")
    smooth = gaussian_filter1d(late, JAW_LOUDNESS_SMOOTHING_SECONDS * RATE)
    heard = np.clip((smooth - JAW_LOUDNESS_FLOOR) / (1 - JAW_LOUDNESS_FLOOR), 0, 1)
    factor: Signal = np.maximum(heard**JAW_LOUDNESS_POWER, JAW_QUIET_FACTOR)
    return factor


def _mix_in_energy(curves: Signal, phones: Sequence[Phone], prosody: Prosody) -> Signal:
    """Where the recogniser is unsure or heard nothing in loud voiced sound, let energy open the mouth."""
    trust = np.ones(len(curves))
    for phone in phones:
        rows = slice(max(round(phone.start * RATE), 0), max(round(phone.end * RATE), 0))
        if phone.name == SILENCE:
            missed = prosody.voiced[rows] & (prosody.loudness[rows] > UNHEARD_LOUDNESS)
            trust[rows] = np.where(missed, 0.0, 1.0)
        else:
            trust[rows] = phone.confidence
    trust = gaussian_filter1d(trust, 0.04 * RATE)
    loud = np.clip((prosody.loudness - ENERGY_FLOOR_LOUDNESS) / (1 - ENERGY_FLOOR_LOUDNESS), 0, 1)
    pose = np.array([ENERGY_POSE.get(name, 0.0) for name in ARTICULATORS])
    by_energy = gaussian_filter1d(loud, 0.03 * RATE)[:, None] * pose
    mixed: Signal = trust[:, None] * curves + (1 - trust[:, None]) * by_energy
    return mixed


def _contact(phones: Sequence[Phone], kind: Contact, times: Signal) -> Signal:
    """(T,) 0..1: how far ``kind`` of contact is made at ``times``; 1 at the centre of each such phone."""
    amount = np.zeros_like(times)
    for phone in phones:
        if phone.name == SILENCE or VISEMES[phone.name][0].contact is not kind:
            continue
        held = phone.seconds * (RELEASE_SHARE if phone.name in PLOSIVES else 1.0)
        centre = phone.start + held / 2
        half = max(held, CONTACT_SECONDS) / 2
        reach = half + CONTACT_RAMP_SECONDS
        near = slice(*np.searchsorted(times, (centre - reach, centre + reach)))
        away = np.clip((np.abs(times[near] - centre) - half) / CONTACT_RAMP_SECONDS, 0, 1)
        amount[near] = np.maximum(amount[near], 0.5 + 0.5 * np.cos(np.pi * away))
    return amount


def close_lips(weights: Signal, amount: Signal) -> None:
    """Bring the lips together, in place: the jaw rises, ``mouthClose`` takes up what opening is left."""
    _lower_jaw_to(weights, CONTACT_JAW, amount)
    for name in ("mouthLowerDown", "mouthUpperUp", "mouthFunnel", "mouthShrugUpper", "mouthRollLower"):
        weights[:, columns(name)] *= 1 - amount[:, None]
    weights[:, INDEX["mouthClose"]] = amount * weights[:, INDEX["jawOpen"]]
    weights[:, columns("mouthPress")] = LIPS_PRESS * amount[:, None]
    weights[:, INDEX["mouthRollLower"]] += LIPS_ROLL * amount
    weights[:, INDEX["mouthRollUpper"]] = LIPS_ROLL * amount


def touch_teeth(weights: Signal, amount: Signal) -> None:
    """Tuck the lower lip under the upper teeth, in place."""
    _lower_jaw_to(weights, CONTACT_JAW, amount)
    for name in ("mouthLowerDown", "mouthFunnel"):
        weights[:, columns(name)] *= 1 - amount[:, None]
    lifted = weights[:, columns("mouthUpperUp")]
    weights[:, columns("mouthUpperUp")] = lifted + (TEETH_UPPER_UP - lifted) * amount[:, None]
    weights[:, INDEX["mouthRollLower"]] = TEETH_ROLL_LOWER * amount


def _lower_jaw_to(weights: Signal, limit: float, amount: Signal) -> None:
    jaw = weights[:, INDEX["jawOpen"]]
    weights[:, INDEX["jawOpen"]] = jaw - np.maximum(jaw - limit, 0) * amount
