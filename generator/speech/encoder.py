"""What a voice does, 50 times a second: phones, voicing, energy and pitch, in any voice, as it is heard.

    features = SpeechEncoder.load().features(speech.samples)

    stream = encoder.stream()
    for chunk in microphone:
        features = stream.push(chunk)

A convolutional network over log-mel frames (``generator.speech.mel``); every convolution looks back, and a
bounded way ahead. Whole clips go through the same stream, so that both give the same. NumPy only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generator.released import load_released
from generator.speech.audio import SAMPLE_RATE
from generator.speech.mel import HOP, MEL_BINS, MEL_RATE, WINDOW, log_mel

Array = NDArray[np.float32]

RATE = 50
"""Feature frames a second; frame i is centred on i / 50 s."""
PHONES = (
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY",
    "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y",
    "Z", "ZH", "SIL",
)  # fmt: skip
"""The 39 ARPAbet phones without stress, and silence: the columns of ``SpeechFeatures.phones``."""

STRIDE = MEL_RATE // RATE
FRONT_TAPS = 5
FRONT_AHEAD = 2
"""Mel frames that the first convolution looks ahead."""
BLOCK_TAPS = 5
BLOCKS = ((1, 1), (2, 1), (4, 0), (1, 1), (2, 1))
"""(dilation, taps ahead) of each residual block."""
DELAY = sum(dilation * ahead for dilation, ahead in BLOCKS)
LOOK_AHEAD_SECONDS = WINDOW / 2 / SAMPLE_RATE + FRONT_AHEAD / MEL_RATE + DELAY / RATE

REFERENCE_HZ = 150.0
"""What the network's pitch is relative to; a speaker's mean is expected there before it is known."""
_PRIOR_FRAMES = 25.0
_PITCH_MEMORY_FRAMES = 500.0  # voiced ones
_VOICED = 0.5
_CHUNK_SECONDS = 20.0
_NORM_EPSILON = np.float32(1e-5)

WEIGHTS = Path(__file__).with_name("encoder.safetensors")
"""The released weights; ``encoder.json`` beside them states their hash and how they were trained."""


@dataclass(frozen=True, eq=False)
class SpeechFeatures:
    """T frames at 50 Hz.

    ``phones`` (T, 40): probabilities in the order of ``PHONES``. ``voicing`` (T,): probability that the
    vocal folds swing. ``energy`` (T,): 0 at -60 dB of full scale and below, 1 at full scale. ``pitch``
    (T,): octaves above the speaker's mean so far, 0 where unvoiced.
    """

    phones: Array
    voicing: Array
    energy: Array
    pitch: Array

    def __len__(self) -> int:
        return len(self.energy)

    @staticmethod
    def joined(parts: Sequence[SpeechFeatures]) -> SpeechFeatures:
        """The parts, one after the other; at least one."""
        return SpeechFeatures(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("phones", "voicing", "energy", "pitch")
            )
        )

    def __getitem__(self, key: slice) -> SpeechFeatures:
        return SpeechFeatures(self.phones[key], self.voicing[key], self.energy[key], self.pitch[key])


class SpeechEncoder:
    """The encoder's weights, checked."""

    def __init__(self, tensors: dict[str, Array]) -> None:
        self.tensors = {name: np.ascontiguousarray(value) for name, value in tensors.items()}

    @classmethod
    def load(cls, path: Path | None = None) -> SpeechEncoder:
        """Read released weights (``.safetensors``) and the statement (``.json``) beside them.

        Raises ``ModelError`` if either is missing or the bytes are not those that the statement names.
        """
        return cls(load_released(path or WEIGHTS, "speech encoder"))

    def stream(self) -> SpeechStream:
        """A new stream, at its beginning."""
        return SpeechStream(self.tensors)

    def features(self, samples: NDArray[np.float32]) -> SpeechFeatures:
        """Features of (N,) samples at 16 kHz: T = ceil(N / 320) frames, at least one."""
        stream = self.stream()
        chunk = round(_CHUNK_SECONDS * SAMPLE_RATE)
        parts = [stream.push(samples[i : i + chunk]) for i in range(0, len(samples), chunk)]
        return SpeechFeatures.joined([*parts, stream.finish()])


class SpeechStream:
    """Sound in, chunk by chunk of any size; features out, ``LOOK_AHEAD_SECONDS`` later."""

    def __init__(self, tensors: dict[str, Array]) -> None:
        self._tensors = tensors
        width = tensors["front.bias"].size
        self._samples = np.zeros(WINDOW // 2, np.float32)
        self._mel = np.zeros((FRONT_AHEAD, MEL_BINS), np.float32)
        self._past = [np.zeros(((BLOCK_TAPS - 1) * dilation, width), np.float32) for dilation, _ in BLOCKS]
        self._energy = np.zeros(0, np.float32)
        self._energy_skips = 0
        self._received = 0
        self._warming = DELAY
        self._given = 0
        self._pitch_sum, self._pitch_count = 0.0, _PRIOR_FRAMES

    def push(self, samples: NDArray[np.float32]) -> SpeechFeatures:
        """Take (N,) more samples at 16 kHz and return the frames that have become certain, maybe none."""
        self._received += len(samples)
        return self._advance(np.asarray(samples, np.float32))

    def finish(self) -> SpeechFeatures:
        """The sound has ended: return the frames still owed, as if silence followed."""
        owed = max(1, -(-self._received * RATE // SAMPLE_RATE)) - self._given
        rest = self._advance(np.zeros(round((LOOK_AHEAD_SECONDS + 2 / RATE) * SAMPLE_RATE), np.float32))
        return rest[:owed]

    def _advance(self, samples: Array) -> SpeechFeatures:
        self._samples = np.concatenate([self._samples, samples])
        mel, energy = log_mel(self._samples)
        self._samples = self._samples[len(mel) * HOP :]
        self._energy = np.concatenate([self._energy, energy[self._energy_skips :: STRIDE]])
        self._energy_skips = (self._energy_skips + len(energy)) % STRIDE
        out = self._network(mel)
        skipped = min(self._warming, len(out))
        self._warming -= skipped
        out = out[skipped:]
        loud, self._energy = self._energy[: len(out)], self._energy[len(out) :]
        self._given += len(out)
        return self._features(out, loud)

    def _network(self, mel: Array) -> Array:
        """Raw outputs (T, 42) for the mel frames (M, 80) that have come."""
        t = self._tensors
        frames = np.concatenate([self._mel, (mel - t["mel_mean"]) / t["mel_scale"]])
        count = max(0, (len(frames) - FRONT_TAPS) // STRIDE + 1)
        self._mel = frames[count * STRIDE :]
        hidden = np.broadcast_to(t["front.bias"], (count, t["front.bias"].size)).astype(np.float32)
        for tap in range(FRONT_TAPS if count else 0):
            hidden += frames[tap : tap + count * STRIDE : STRIDE][:count] @ t["front.weight"][tap]
        for i, (dilation, ahead) in enumerate(BLOCKS):
            hidden = self._block(i, hidden, dilation, ahead)
        normal = _normalise(hidden, t["head.norm.weight"], t["head.norm.bias"])
        out: Array = normal @ t["head.weight"] + t["head.bias"]
        return out

    def _block(self, i: int, hidden: Array, dilation: int, ahead: int) -> Array:
        t, count = self._tensors, len(hidden)
        frames = np.concatenate([self._past[i], hidden])
        self._past[i] = frames[count:]
        if not count:
            return hidden
        normal = _normalise(frames, t[f"blocks.{i}.norm.weight"], t[f"blocks.{i}.norm.bias"])
        inner = np.broadcast_to(t[f"blocks.{i}.conv.bias"], hidden.shape).astype(np.float32)
        for tap in range(BLOCK_TAPS):
            inner += normal[tap * dilation : tap * dilation + count] @ t[f"blocks.{i}.conv.weight"][tap]
        inner /= 1 + np.exp(-inner)
        kept = frames[(BLOCK_TAPS - 1 - ahead) * dilation :][:count]
        out: Array = kept + inner @ t[f"blocks.{i}.mix.weight"] + t[f"blocks.{i}.mix.bias"]
        return out

    def _features(self, out: Array, energy: Array) -> SpeechFeatures:
        logits = out[:, : len(PHONES)]
        likely = np.exp(logits - logits.max(1, keepdims=True, initial=-np.inf))
        voicing = (1 / (1 + np.exp(-out[:, len(PHONES)]))).astype(np.float32)
        return SpeechFeatures(
            phones=likely / likely.sum(1, keepdims=True),
            voicing=voicing,
            energy=energy,
            pitch=self._relative(out[:, len(PHONES) + 1], voicing > _VOICED),
        )

    def _relative(self, octaves: Array, voiced: NDArray[np.bool_]) -> Array:
        """Octaves above the running mean of the voiced frames so far, which forgets slowly."""
        relative = np.zeros_like(octaves)
        for i in np.flatnonzero(voiced):
            forget = 1 - 1 / _PITCH_MEMORY_FRAMES
            self._pitch_sum = self._pitch_sum * forget + float(octaves[i])
            self._pitch_count = self._pitch_count * forget + 1
            relative[i] = octaves[i] - self._pitch_sum / self._pitch_count
        return relative


def _normalise(frames: Array, weight: Array, bias: Array) -> Array:
    centred = frames - frames.mean(1, keepdims=True)
    spread = np.sqrt(np.square(centred).mean(1, keepdims=True) + _NORM_EPSILON)
    out: Array = centred / spread * weight + bias
    return out
