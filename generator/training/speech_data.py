"""What the speech encoder learns from: labelled clips, heard through many rooms, microphones and noises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import fftconvolve, istft, resample, stft
from torch import Tensor
from torch.utils.data import Dataset

from generator.speech.audio import SAMPLE_RATE
from generator.speech.encoder import DELAY, FRONT_AHEAD, FRONT_TAPS, PHONES, RATE, REFERENCE_HZ, STRIDE
from generator.speech.mel import MEL_BINS, WINDOW, log_mel
from generator.speech.phones import Phone
from generator.speech.prosody import RATE as PROSODY_RATE
from generator.speech.prosody import analyse
from generator.training.corpus import Clip
from generator.training.speech_model import IGNORE
from generator.training.voices import warped

Array = NDArray[np.float32]
Signal = NDArray[np.float64]

_SPEED = (0.82, 1.22)
_NOISE_DB = (3.0, 35.0)
_GAIN_DB = (-30.0, 0.0)
_REVERB_SECONDS = (0.1, 0.6)
_TRACT = (0.84, 1.2)
"""Vocal tract length, as a factor on the frequency axis."""
_COLOUR_KNOTS = 5
_COLOUR = 0.7
_LOUDNESS = 0.7
"""Standard deviations of a microphone's colouring and of level, in nepers of power."""
_CHANCE = {
    "speed": 0.8,
    "reverb": 0.35,
    "noise": 0.7,
    "babble": 0.3,
    "tilt": 0.6,
    "telephone": 0.1,
    "whisper": 0.08,
}


@dataclass(frozen=True)
class Heard:
    """One clip as heard: log-mel ``mel`` (M, 80), 100 Hz, and at 50 Hz ``phones`` (T,) indices, ``voiced``
    (T,) 0 or 1, and ``octaves`` (T,) above ``REFERENCE_HZ``."""

    mel: Array
    phones: NDArray[np.int64]
    voiced: Array
    octaves: Array


@dataclass(frozen=True)
class Source:
    """One clip's sound and what is known about it."""

    samples: Signal
    phones: Sequence[Phone]
    f0_hz: Signal

    @classmethod
    def of(cls, clip: Clip) -> Source:
        """Raises ``SpeechError`` if the sound cannot be read."""
        samples = clip.speech().samples
        return cls(samples.astype(np.float64), clip.phones or (), analyse(samples).f0_hz)

    def played(self, speed: float) -> Source:
        """The same faster and higher (``speed`` above 1) or slower and deeper, as a tape would be."""
        phones = [Phone(phone.name, phone.start / speed, phone.end / speed) for phone in self.phones]
        at = np.arange(round(len(self.f0_hz) / speed)) * speed
        f0 = self.f0_hz[np.minimum(np.round(at).astype(int), len(self.f0_hz) - 1)] * speed
        return Source(resample(self.samples, round(len(self.samples) / speed)), phones, f0)

    def heard_as(self, samples: Signal) -> Source:
        """The same words, of which only ``samples`` (N,) arrived."""
        return Source(samples, self.phones, self.f0_hz)


def clean(source: Source) -> Heard:
    """The clip as it was recorded."""
    return _heard(source.samples, source, 1.0, whispered=False)


def augmented(source: Source, others: Sequence[Source], rng: np.random.Generator) -> Heard:
    """The clip at another speed and pitch, in a room, among noise and ``others``, through a microphone."""

    def happens(name: str) -> bool:
        return bool(rng.random() < _CHANCE[name])

    samples, speed = source.samples, 1.0
    whispered = happens("whisper")
    if whispered:
        samples = whisper(samples, rng)
    if happens("speed"):
        count = round(len(samples) / np.exp(rng.uniform(*np.log(_SPEED))))
        speed = len(samples) / count
        samples = resample(samples, count)
    if happens("reverb"):
        samples = _reverberate(samples, rng)
    if happens("noise"):
        babble = happens("babble")
        noise = _babble(others, len(samples), rng) if babble else _coloured(len(samples), rng)
        wanted = _loudness(samples) * 10 ** (-rng.uniform(*_NOISE_DB) / 20)
        samples = samples + noise * (wanted / max(_loudness(noise), 1e-9))
    if happens("tilt"):
        samples = _tilt(samples, rng)
    if happens("telephone"):
        samples = _band(samples, 300.0, 3400.0)
    samples = samples * (10 ** (rng.uniform(*_GAIN_DB) / 20) / max(np.abs(samples).max(), 1e-6))
    return _heard(samples, source, speed, whispered=whispered)


def in_noise(source: Source, decibels: float, rng: np.random.Generator) -> Source:
    """The clip in coloured noise, so many ``decibels`` below it."""
    noise = _coloured(len(source.samples), rng)
    gain = _loudness(source.samples) * 10 ** (-decibels / 20) / _loudness(noise)
    return source.heard_as(source.samples + noise * gain)


def whispering(source: Source, rng: np.random.Generator) -> Source:
    """The clip whispered: nothing of it is voiced."""
    return Source(whisper(source.samples, rng), source.phones, np.zeros_like(source.f0_hz))


def whisper(samples: Signal, rng: np.random.Generator) -> Signal:
    """Speech without a voice: its smoothed spectrum, filled with noise."""
    _, _, spectrum = stft(samples, SAMPLE_RATE, nperseg=400)
    power = np.abs(spectrum) ** 2
    kernel = np.hanning(11) / np.hanning(11).sum()
    smooth = np.apply_along_axis(np.convolve, 0, power, kernel, "same")
    _, _, noise = stft(rng.normal(size=len(samples)), SAMPLE_RATE, nperseg=400)
    _, whispered = istft(
        np.sqrt(smooth) * noise / np.sqrt((np.abs(noise) ** 2).mean()), SAMPLE_RATE, nperseg=400
    )
    fitted = np.zeros(len(samples))
    count = min(len(samples), len(whispered))
    fitted[:count] = whispered[:count]
    return fitted * 0.3


class Crops(Dataset[tuple[Tensor, ...]]):
    """``heard`` clips, cut to ``frames`` frames at a place that changes at every look (or the first)."""

    def __init__(self, heard: Sequence[Heard], frames: int, *, random: bool) -> None:
        self._heard, self._frames, self._random = heard, frames, random

    def __len__(self) -> int:
        return len(self._heard)

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        clip = self._heard[index]
        spare = max(0, len(clip.phones) - self._frames)
        start = int(torch.randint(spare + 1, (1,))) if self._random else 0
        first = start * STRIDE - FRONT_AHEAD
        count = (self._frames + DELAY - 1) * STRIDE + FRONT_TAPS
        at = np.arange(first, first + count)
        mel = clip.mel[np.clip(at, 0, len(clip.mel) - 1)]
        if self._random:
            mel = _elsewhere(mel, np.random.default_rng(int(torch.randint(2**31, (1,)))))
        rows = np.arange(start, start + self._frames)
        inside = rows < len(clip.phones)
        rows = np.minimum(rows, len(clip.phones) - 1)
        return (
            torch.from_numpy(mel),
            torch.from_numpy(np.where(inside, clip.phones[rows], IGNORE)),
            torch.from_numpy(np.where(inside, clip.voiced[rows], np.float32(IGNORE))),
            torch.from_numpy(clip.octaves[rows]),
        )


def labels(source: Source, frames: int, speed: float = 1.0) -> tuple[NDArray[np.int64], Array, Array]:
    """Phone indices, voicing and octaves (T,) of ``frames`` frames at 50 Hz of the clip played faster."""
    at = np.arange(frames) / RATE * speed
    ends = np.array([phone.end for phone in source.phones])
    names = np.array([PHONES.index(phone.name) for phone in source.phones])
    said = names[np.minimum(np.searchsorted(ends, at, side="right"), len(names) - 1)]
    f0 = source.f0_hz[np.minimum(np.round(at * PROSODY_RATE).astype(int), len(source.f0_hz) - 1)] * speed
    octaves = np.log2(np.where(f0 > 0, f0, REFERENCE_HZ) / REFERENCE_HZ)
    return said.astype(np.int64), (f0 > 0).astype(np.float32), octaves.astype(np.float32)


def _elsewhere(mel: Array, rng: np.random.Generator) -> Array:
    """(M, 80) log-mel frames of the same words from another mouth, through another microphone."""
    said = warped(mel[None], rng.uniform(*_TRACT, 1))[0]
    knots = np.linspace(0, MEL_BINS - 1, _COLOUR_KNOTS)
    colour = np.interp(np.arange(MEL_BINS), knots, rng.normal(0, _COLOUR, _COLOUR_KNOTS))
    heard: Array = (said + colour + rng.normal(0, _LOUDNESS)).astype(np.float32)
    return heard


def _heard(samples: Signal, source: Source, speed: float, *, whispered: bool) -> Heard:
    ahead = round(0.2 * SAMPLE_RATE)
    mel, _ = log_mel(np.pad(samples, (WINDOW // 2, ahead)).astype(np.float32))
    phones, voiced, octaves = labels(source, -(-len(samples) * RATE // SAMPLE_RATE), speed)
    return Heard(mel, phones, voiced * (not whispered), octaves)


def _loudness(samples: Signal) -> float:
    return float(np.sqrt(np.square(samples).mean()))


def _reverberate(samples: Signal, rng: np.random.Generator) -> Signal:
    decay = rng.uniform(*_REVERB_SECONDS)
    time = np.arange(round(decay * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.normal(size=len(time)) * np.exp(-6.9 * time / decay)
    tail[: round(0.003 * SAMPLE_RATE)] = 0
    tail *= rng.uniform(0.1, 0.8) / max(np.sqrt(np.square(tail).sum()), 1e-9)
    tail[0] = 1.0
    heard: Signal = fftconvolve(samples, tail)[: len(samples)]
    return heard


def _coloured(count: int, rng: np.random.Generator) -> Signal:
    spectrum = np.fft.rfft(rng.normal(size=count))
    slope = rng.uniform(-1.2, 0.2)
    spectrum *= np.maximum(np.arange(len(spectrum)) * SAMPLE_RATE / count, 20.0) ** slope
    noise: Signal = np.fft.irfft(spectrum, count)
    return noise


def _babble(others: Sequence[Source], count: int, rng: np.random.Generator) -> Signal:
    mixed = np.zeros(count)
    for i in rng.integers(len(others), size=rng.integers(2, 6)):
        mixed += np.resize(np.roll(others[i].samples, rng.integers(SAMPLE_RATE)), count)
    return mixed


def _tilt(samples: Signal, rng: np.random.Generator) -> Signal:
    spectrum = np.fft.rfft(samples)
    hertz = np.arange(len(spectrum)) * SAMPLE_RATE / len(samples)
    knots = np.log(np.array([50.0, 200.0, 600.0, 1800.0, 4000.0, 8000.0]))
    gain_db = np.interp(np.log(np.maximum(hertz, 50.0)), knots, rng.normal(0, 4.0, len(knots)))
    tilted: Signal = np.fft.irfft(spectrum * 10 ** (gain_db / 20), len(samples))
    return tilted


def _band(samples: Signal, low: float, high: float) -> Signal:
    spectrum = np.fft.rfft(samples)
    hertz = np.arange(len(spectrum)) * SAMPLE_RATE / len(samples)
    band: Signal = np.fft.irfft(spectrum * ((hertz > low) & (hertz < high)), len(samples))
    return band
