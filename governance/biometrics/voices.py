"""Whose voice it is: the GE2E speaker encoder (Wan et al., ICASSP 2018) with Resemblyzer's released weights.

voices = Voices.load()
voices.likeness(voices.template(sample), spoken) >= SAME_VOICE
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import assets
from governance.biometrics.templates import VoiceTemplate
from governance.errors import NoVoice

WEIGHTS = "ge2e_speaker_encoder.pt"
SAMPLE_RATE = 16_000
MIN_SPEECH_SECONDS = 3.0

MIN_HEARD_SECONDS = 2.0
"""What is enough to be compared with a template."""

SAME_VOICE = 0.77
"""Likeness from which a recording is of the template's voice (``python -m benchmarks.biometrics``)."""
SAME_VOICE_TEMPLATES = 0.82
"""Cosine from which two templates are of one voice; a longer recording is nearer to any other."""

_MELS = 40
_FFT = 400
_HOP = 160
_FRAMES = 160
"""1.6 s of mel frames: what the encoder was trained to hear at once."""
_STEP = 77
"""Mel frames from one such stretch to the next."""
_COVERAGE = 0.75
"""The last stretch counts when this part of it is sound."""
_LEVEL_DB = -30.0
_WINDOW = 480
_RANGE_DB = 30.0
"""A window this far below the loudest ones is a pause."""
_KEPT_PAUSE_WINDOWS = 3

Array = NDArray[np.float32]


class Voices:
    """The network, on the CPU."""

    def __init__(self, network: _Encoder) -> None:
        self._network = network

    @classmethod
    def load(cls) -> Voices:
        """The network, read once a process. Raises ``assets.AssetMissing`` if it was not fetched."""
        return _load()

    def template(self, samples: Array) -> VoiceTemplate:
        """The voice in ``samples``, (N,) float32 mono at 16 kHz, -1..1.

        Raises:
            NoVoice: it holds less than ``MIN_SPEECH_SECONDS`` of sound.
        """
        return VoiceTemplate.of(self._stretches(samples, MIN_SPEECH_SECONDS).mean(0))

    def likeness(self, template: VoiceTemplate, samples: Array) -> float:
        """How like ``template`` the voice in ``samples`` is, -1..1: the mean over stretches of 1.6 s, and so
        independent of their number, unlike the cosine between two templates.

        Raises:
            NoVoice: ``samples`` hold less than ``MIN_HEARD_SECONDS`` of sound.
        """
        return float((self._stretches(samples, MIN_HEARD_SECONDS) @ template.vector).mean())

    def _stretches(self, samples: Array, least_seconds: float) -> Array:
        """(B, 256) unit vectors."""
        spoken = _without_pauses(samples)
        if len(spoken) < least_seconds * SAMPLE_RATE:
            raise NoVoice(
                "There is too little speech in the recording: speak for some seconds, near the microphone."
            )
        with torch.inference_mode():
            vectors: Array = self._network(torch.from_numpy(_stretches(_mel(spoken)))).numpy()
        return vectors


class _Encoder(nn.Module):
    """Stretches of mel power (B, 160, 40) to unit vectors (B, 256)."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(_MELS, VoiceTemplate.size, 3, batch_first=True)
        self.linear = nn.Linear(VoiceTemplate.size, VoiceTemplate.size)

    def forward(self, mels: Tensor) -> Tensor:
        _, (hidden, _) = self.lstm(mels)
        return nn.functional.normalize(torch.relu(self.linear(hidden[-1])), dim=1)


@cache
def _load() -> Voices:
    stored = torch.load(assets.path(WEIGHTS), map_location="cpu", weights_only=True)["model_state"]
    network = _Encoder()
    network.load_state_dict({name: stored[name] for name in network.state_dict()})
    return Voices(network.eval())


def _without_pauses(samples: Array) -> Array:
    """At no less than -30 dB, and with all but the shortest pauses cut out."""
    samples = samples[: len(samples) // _WINDOW * _WINDOW]
    power = np.square(samples, dtype=np.float64).reshape(-1, _WINDOW).mean(1)
    if len(power) <= 2 * _KEPT_PAUSE_WINDOWS or not power.max():
        return np.zeros(0, np.float32)
    loud = power > np.percentile(power, 95) * 10 ** (-_RANGE_DB / 10)
    near = np.convolve(loud, np.ones(2 * _KEPT_PAUSE_WINDOWS + 1), "same") > 0
    spoken: Array = samples.reshape(-1, _WINDOW)[near].ravel()
    gain = np.sqrt(10 ** (_LEVEL_DB / 10) / np.square(spoken, dtype=np.float64).mean())
    louder: Array = (spoken * max(1.0, gain)).astype(np.float32)
    return louder


def _mel(samples: Array) -> Array:
    """Mel power (T, 40), a frame each 10 ms, centred; Slaney's scale and area normalisation."""
    padded = np.pad(samples, _FFT // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP]
    spectrum = np.fft.rfft(windows * np.hanning(_FFT + 1)[:-1])
    power = spectrum.real**2 + spectrum.imag**2
    mel: Array = (power @ _filters()).astype(np.float32)
    return mel


@cache
def _filters() -> NDArray[np.float64]:
    """(201, 40) triangles of equal area."""
    edges = _hertz(np.linspace(0, _slaney(SAMPLE_RATE / 2), _MELS + 2))
    at = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE)[:, None]
    rising = (at - edges[:-2]) / np.diff(edges[:-1])
    falling = (edges[2:] - at) / np.diff(edges[1:])
    filters: NDArray[np.float64] = np.maximum(0, np.minimum(rising, falling)) * 2 / (edges[2:] - edges[:-2])
    return filters


def _slaney(hertz: float) -> float:
    """Hertz, above 1000, on the mel scale of Slaney's Auditory Toolbox (1998)."""
    return 15 + 27 * float(np.log(hertz / 1000) / np.log(6.4))


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def _stretches(mel: Array) -> Array:
    """(B, 160, 40), half overlapping; the last is filled up with silence."""
    starts = [start for start in range(0, len(mel), _STEP) if len(mel) - start >= _COVERAGE * _FRAMES]
    padded = np.pad(mel, ((0, _FRAMES), (0, 0)))
    return np.stack([padded[start : start + _FRAMES] for start in starts or [0]])
