"""Head and brows as people move them when they speak: flow matching, sampled block by block.

A network learned the velocity that carries noise to motion (Lipman et al., *Flow Matching for Generative
Modeling*, 2023), given the motion just before and the prosody of the moment; a few Euler steps follow it.
Guidance (Ho and Salimans, *Classifier-Free Diffusion Guidance*, 2022) makes it heed the prosody more.
Blocks are short and look no further ahead than lips do, so recorded and live speech move alike, for ever.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from generator.arkit import INDEX
from generator.motion.lips import PER_FRAME
from generator.motion.motion import ROTATION_COLUMNS, TRANSLATION_COLUMNS, WIDTH
from generator.speech.acoustics import ENERGY, PITCH, VOICING

Single = NDArray[np.float32]

_HEAD = tuple(range(ROTATION_COLUMNS.start, TRANSLATION_COLUMNS.stop))
CHANNELS: tuple[tuple[int, ...], ...] = (
    *((column,) for column in _HEAD),
    (INDEX["browInnerUp"],),
    (INDEX["browOuterUpLeft"], INDEX["browOuterUpRight"]),
    (INDEX["browDownLeft"], INDEX["browDownRight"]),
)
"""The columns of ``Motion`` that each of the flow's channels moves."""
COUNT = len(CHANNELS)
PROSODY = 4
"""Energy relative to the loudest so far, pitch, voicing, and whether they are known."""

BLOCK = 8
KNOWN = 4
"""Motion frames of a block, and how many of them have their prosody known."""
CONTEXT = 40
SPAN = CONTEXT + BLOCK
DILATIONS = (1, 2, 4, 8, 16, 1)
TIME_BANDS = 8
STEPS = 4
GUIDANCE = 1.5
STRAY_LIMIT = 3.5
"""Standard deviations from the usual that motion may reach."""
LIVELINESS = 1.5
"""Few steps and much guidance understate how widely people move; so much wider makes it good again."""
SMOOTHING_POLES = 2
SMOOTHING_KEEP = 0.45
"""Low-pass filters that carry one block over into the next."""

LOUDNESS_SCALE, PITCH_SCALE = 2.5, 2.0
LOUDNESS_START = 0.6
LOUDNESS_FALL_PER_FRAME = 0.0005


class FlowNetwork:
    """The velocity field's weights; named as ``generator.training.flow_model.Velocity`` names them."""

    def __init__(self, tensors: Mapping[str, Single]) -> None:
        self._t = tensors
        self.mean, self.scale = tensors["mean"], tensors["scale"]
        self._first = tensors["first.weight"][..., 0].T
        self._last = tensors["last.weight"][..., 0].T
        self._blocks = [
            (
                np.ascontiguousarray(tensors[f"blocks.{i}.wide.weight"].transpose(2, 1, 0)),
                tensors[f"blocks.{i}.mix.weight"][..., 0].T,
            )
            for i in range(len(DILATIONS))
        ]

    def __call__(self, inputs: Single, time: float) -> Single:
        """(B, T, COUNT) velocities of ``inputs`` (B, T, 2 COUNT + 1 + PROSODY) at ``time`` 0..1."""
        t = self._t
        hidden: Single = inputs @ self._first + t["first.bias"]
        moment = t["moment.weight"] @ time_bands(time) + t["moment.bias"]
        moment = moment.reshape(len(DILATIONS), -1)
        batch, count, width = hidden.shape
        for i, ((wide, mix), dilation) in enumerate(zip(self._blocks, DILATIONS, strict=True)):
            padded = np.zeros((batch, count + 2 * dilation, width), np.float32)
            np.add(hidden, moment[i], out=padded[:, dilation:-dilation])
            inner = padded[:, :count] @ wide[0]
            for k in (1, 2):  # one product for all taps would be big enough to wake idle threads
                inner += padded[:, k * dilation : k * dilation + count] @ wide[k]
            inner += t[f"blocks.{i}.wide.bias"]
            inner /= 1 + np.exp(-inner)
            hidden += inner @ mix
            hidden += t[f"blocks.{i}.mix.bias"]
        out: Single = hidden @ self._last + t["last.bias"]
        return out


def time_bands(time: float) -> Single:
    """(TIME_BANDS,) sines and cosines of a time 0..1."""
    angles = np.pi * 2.0 ** np.arange(TIME_BANDS // 2) * time
    bands: Single = np.concatenate([np.sin(angles), np.cos(angles)]).astype(np.float32)
    return bands


class Loudness:
    """Energy relative to the loudest heard so far, which is slowly forgotten."""

    def __init__(self) -> None:
        self._loudest = LOUDNESS_START

    def __call__(self, energy: Single) -> Single:
        """(T,) energy of motion frames to (T,), about 0 for a speaker's loud syllables, less for all else."""
        relative = np.empty_like(energy)
        for i, value in enumerate(energy):
            self._loudest = max(float(value), self._loudest - LOUDNESS_FALL_PER_FRAME)
            relative[i] = value - self._loudest
        return relative


def prosody_of(heard: Single, loudness: Loudness) -> Single:
    """(2 T, CHANNELS) acoustic frames to (T, PROSODY) at 25 fps."""
    voice = heard[:, [ENERGY, PITCH, VOICING]]
    voice = voice[: len(voice) // PER_FRAME * PER_FRAME].reshape(-1, PER_FRAME, 3).mean(1)
    return prosody(loudness(voice[:, 0]), voice[:, 1], voice[:, 2])


def prosody(loudness: Single, pitch: Single, voicing: Single) -> Single:
    """(T,) each, in the units of the acoustic frames, to (T, PROSODY), each of the order of 1."""
    known = np.ones_like(loudness)
    scaled = [1 + LOUDNESS_SCALE * loudness, PITCH_SCALE * pitch, voicing, known]
    return np.stack(scaled, axis=1).astype(np.float32)


def heard_voice(row: Single) -> tuple[float, float, float]:
    """Loudness, pitch and voicing from which ``prosody`` made this row."""
    return (float(row[0]) - 1) / LOUDNESS_SCALE, float(row[1]) / PITCH_SCALE, float(row[2])


class FlowStream:
    """Endless motion: ``block`` after ``block``, each continuing the one before."""

    def __init__(self, network: FlowNetwork, seed: int) -> None:
        self._network = network
        self._random = np.random.default_rng([seed % 2**64, *b"flow"])
        rest = -network.mean / network.scale
        self._past = np.tile(rest, (CONTEXT, 1)).astype(np.float32)
        self._heard = np.zeros((CONTEXT, PROSODY), np.float32)
        self._smooth = np.tile(rest, (SMOOTHING_POLES, 1)).astype(np.float32)

    def block(self, before: Single, ahead: Single) -> Single:
        """(BLOCK, 59) motion: head and brows.

        ``before`` (BLOCK, PROSODY) was heard during the previous block; ``ahead`` (n <= KNOWN, PROSODY) is
        what is known of this one.
        """
        self._heard = np.concatenate([self._heard, before])[-CONTEXT:]
        current = np.zeros((BLOCK, PROSODY), np.float32)
        current[: len(ahead)] = ahead
        voice = np.concatenate([self._heard, current])
        given = np.zeros((SPAN, 1), np.float32)
        given[:CONTEXT] = 1
        past = np.concatenate([self._past, np.zeros((BLOCK, COUNT), np.float32)])
        known = np.concatenate([past, given], axis=1)
        state = self._random.standard_normal((SPAN, COUNT), dtype=np.float32)
        for step in range(STEPS):
            inputs = [np.concatenate([state, known, sound], axis=1) for sound in (voice, 0 * voice)]
            heeding, unheeding = self._network(np.stack(inputs), step / STEPS)
            state = state + (unheeding + GUIDANCE * (heeding - unheeding)) / STEPS
        made = np.clip(state[CONTEXT:], -STRAY_LIMIT, STRAY_LIMIT)
        self._past = np.concatenate([self._past, made])[-CONTEXT:]
        return self._as_motion(made)

    def _as_motion(self, made: Single) -> Single:
        values = np.zeros((len(made), WIDTH), np.float32)
        rest = -self._network.mean / self._network.scale
        smooth = np.stack([self._follow(rest + LIVELINESS * (frame - rest)) for frame in made])
        real = smooth * self._network.scale + self._network.mean
        for channel, columns in enumerate(CHANNELS):
            values[:, columns] = real[:, channel, None]
        brows = sorted(column for columns in CHANNELS[-3:] for column in columns)
        values[:, brows] = np.clip(values[:, brows], 0.0, 1.0)
        return values

    def _follow(self, value: Single) -> Single:
        for pole in self._smooth:
            pole += (1 - SMOOTHING_KEEP) * (value - pole)
            value = pole
        return value.copy()
