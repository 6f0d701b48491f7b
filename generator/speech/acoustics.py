"""What is heard, 50 times a second: the input of the motion networks.

A frame joins the sound as it is (``BANDS`` coarse log-mel bands) and what the speech encoder makes of it
(phones, voicing, energy, pitch). Whole clips and live sound give the same frames.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generator.speech import encoder
from generator.speech.audio import SAMPLE_RATE
from generator.speech.encoder import PHONES, RATE, SpeechEncoder, SpeechFeatures
from generator.speech.mel import MEL_BINS, MEL_RATE, WINDOW, log_mel

Single = NDArray[np.float32]

BANDS = 40
CHANNELS = BANDS + len(PHONES) + 3
PHONE_COLUMNS = slice(BANDS, BANDS + len(PHONES))
VOICING, ENERGY, PITCH = BANDS + len(PHONES), BANDS + len(PHONES) + 1, BANDS + len(PHONES) + 2
LOOK_AHEAD_SECONDS = encoder.LOOK_AHEAD_SECONDS

_MERGED_FRAMES = MEL_RATE // RATE
_MERGED_BINS = MEL_BINS // BANDS
_HOP = SAMPLE_RATE // MEL_RATE
_LEAD = WINDOW // 2


def bands(mel: Single) -> Single:
    """(n, 80) log-mel frames at 100 Hz to (n // 2, 40) at 50 Hz: means of neighbours."""
    count = len(mel) // _MERGED_FRAMES
    merged = mel[: count * _MERGED_FRAMES].reshape(count, _MERGED_FRAMES, BANDS, _MERGED_BINS)
    means: Single = merged.mean((1, 3))
    return means


def frames(coarse: Single, features: SpeechFeatures) -> Single:
    """(T, 40) bands and T features to (T, CHANNELS)."""
    voice = np.stack([features.voicing, features.energy, features.pitch], axis=1)
    return np.concatenate([coarse, features.phones, voice], axis=1).astype(np.float32, copy=False)


class AcousticStream:
    """``push`` sound in pieces of any size; get each frame ``LOOK_AHEAD_SECONDS`` later."""

    def __init__(self, speech_encoder: SpeechEncoder) -> None:
        self._encoder = speech_encoder.stream()
        self._samples = np.zeros(_LEAD, np.float32)
        self._mel = np.zeros((0, MEL_BINS), np.float32)
        self._bands = np.zeros((0, BANDS), np.float32)

    def push(self, samples: Single) -> Single:
        """(N,) samples at 16 kHz in, (n, CHANNELS) new frames out."""
        self._listen(samples)
        return self._join(self._encoder.push(samples))

    def finish(self) -> Single:
        """The frames still owed when the sound has ended."""
        features = self._encoder.finish()
        self._listen(np.zeros(_HOP * _MERGED_FRAMES * len(features) + WINDOW, np.float32))
        return self._join(features)

    def _listen(self, samples: Single) -> None:
        self._samples = np.concatenate([self._samples, samples.astype(np.float32, copy=False)])
        mel, _ = log_mel(self._samples)
        self._samples = self._samples[len(mel) * _HOP :]
        self._mel = np.concatenate([self._mel, mel])
        coarse = bands(self._mel)
        self._mel = self._mel[len(coarse) * _MERGED_FRAMES :]
        self._bands = np.concatenate([self._bands, coarse])

    def _join(self, features: SpeechFeatures) -> Single:
        count = len(features)
        joined = frames(self._bands[:count], features)
        self._bands = self._bands[count:]
        return joined


def hear(samples: Single, speech_encoder: SpeechEncoder) -> Single:
    """(N,) samples at 16 kHz to (ceil(N / 320), CHANNELS) frames, number i centred on i / 50 s."""
    stream = AcousticStream(speech_encoder)
    chunk = 20 * SAMPLE_RATE
    parts = [stream.push(samples[i : i + chunk]) for i in range(0, len(samples), chunk)]
    return np.concatenate([*parts, stream.finish()])
