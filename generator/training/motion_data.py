"""Sound and tracked mouths from corpora, as batches for the lip network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from generator.face.decoder import FaceDecoder
from generator.face.fitting import effects
from generator.motion.lips import MOUTH, PER_FRAME
from generator.motion.motion import FPS
from generator.speech import prosody
from generator.speech.acoustics import BANDS, ENERGY, hear
from generator.speech.articulation import articulate
from generator.speech.encoder import SpeechEncoder
from generator.speech.mel import ENERGY_RANGE_DB
from generator.training.corpus import Clip, Corpus, CorpusError, Split
from generator.training.ranks import rank
from generator.training.synchrony import in_sync
from generator.training.voices import warped

Single = NDArray[np.float32]
Batch = tuple[Tensor, Tensor, Tensor]

WINDOW_FRAMES = 72
TEACHER_IMPORTANCE = 0.25
"""Of clips whose mouth was not tracked but articulated by rule."""
SPEAKER_GAIN_LIMITS = (0.6, 1.7)
BALANCE = 0.4
"""Speakers are drawn in proportion to the length of their clips to this power."""

_WARP = (0.86, 1.16)  # vocal tract length, as a factor on the frequency axis
_GAIN = 1.2
_TILT = 0.9
_NOISE_SHARE = 0.5
_NOISE_LEVEL = (-9.0, -2.0)
_NOISE_GRAIN = 0.5
_MASK_BANDS = 8
_DEAF_SHARE = 0.15  # of windows in which the bands are withheld, so that phones alone must do

_SEEN = (13, 14, 81, 178, 311, 402, 78, 308, 61, 291, 0, 17, 37, 267, 84, 314, 152)
_GAPS = ((13, 14), (81, 178), (311, 402))
_DEPTH_IMPORTANCE = 0.3


@dataclass(frozen=True, eq=False)
class Example:
    """One clip: ``heard`` (2 T, CHANNELS) acoustic frames, ``mouth`` (T, len(MOUTH)) weights."""

    speaker: str
    heard: Single
    mouth: Single
    importance: float


def geometry() -> Single:
    """(len(MOUTH), K): cm that each mouth weight moves lip landmarks, gaps and mouth width."""
    decoder = FaceDecoder.load()
    effect = effects(decoder.bind(decoder.mean_shape))[list(MOUTH)]
    points = effect[:, list(_SEEN)] * (1.0, 1.0, _DEPTH_IMPORTANCE)
    gaps = [effect[:, upper, 1] - effect[:, lower, 1] for upper, lower in _GAPS]
    width = effect[:, 291, 0] - effect[:, 61, 0]
    parts = [points.reshape(len(MOUTH), -1), 2 * np.stack(gaps, 1), width[:, None]]
    return np.concatenate(parts, axis=1).astype(np.float32)


def load(corpora: Sequence[Corpus], split: Split, encoder: SpeechEncoder) -> list[Example]:
    """Clips whose picture fits the sound, all speakers' mouths scaled to the same liveliness; of clips with
    phones alone, the rules' articulation. Raises ``CorpusError`` if nothing is left."""
    found = [_example(corpus, clip, encoder) for corpus in corpora for clip in corpus.clips(split)]
    examples = [example for example in found if example is not None]
    if not examples:
        raise CorpusError(f"The corpora hold no clip to train on in the split {split!r}.")
    return _equalise(examples)


def _example(corpus: Corpus, clip: Clip, encoder: SpeechEncoder) -> Example | None:
    samples = clip.speech().samples
    motion = clip.motion() if clip.has_motion else None
    if motion is not None and not in_sync(samples, clip.phones, motion):
        return None
    heard = hear(samples, encoder)
    if motion is not None:
        mouth, importance = motion.expressions, 1.0
    elif clip.phones is not None:
        frames = len(heard) // PER_FRAME
        mouth = articulate(clip.phones, prosody.analyse(samples), frames, FPS)
        importance = TEACHER_IMPORTANCE
    else:
        return None
    frames = min(len(mouth), len(heard) // PER_FRAME)
    speaker = f"{corpus.description.name}/{clip.speaker}"
    return Example(speaker, heard[: PER_FRAME * frames], mouth[:frames, list(MOUTH)], importance)


def _equalise(examples: list[Example]) -> list[Example]:
    """Scale each speaker's mouth so that the lips part as variedly as those of the median speaker."""
    opening = geometry()[:, 3 * len(_SEEN)]
    spread: dict[str, float] = {}
    for speaker in {example.speaker for example in examples}:
        mouths = np.concatenate([example.mouth for example in examples if example.speaker == speaker])
        spread[speaker] = float((mouths @ opening).std())
    usual = float(np.median(list(spread.values())))

    def gain(speaker: str) -> np.float32:
        return np.float32(np.clip(usual / max(spread[speaker], 1e-6), *SPEAKER_GAIN_LIMITS))

    return [replace(example, mouth=example.mouth * gain(example.speaker)) for example in examples]


def statistics(examples: Sequence[Example]) -> dict[str, Tensor]:
    """Means and scales of input and output. Features keep their scale: they are near 0..1 already."""
    heard = np.concatenate([example.heard for example in examples])
    mouth = np.concatenate([example.mouth for example in examples])
    mean, scale = np.zeros(heard.shape[1]), np.ones(heard.shape[1])
    mean[:BANDS], scale[:BANDS] = heard[:, :BANDS].mean(0), heard[:, :BANDS].std(0)
    scale[BANDS:] = 0.3
    found = {
        "input_mean": mean,
        "input_scale": scale,
        "output_mean": mouth.mean(0),
        "output_scale": np.maximum(mouth.std(0), 0.02),
    }
    return {name: torch.tensor(value, dtype=torch.float32) for name, value in found.items()}


class Windows(IterableDataset[Batch]):
    """Batches of random windows, distorted as voices, rooms and microphones differ; the same for one seed
    and process.

    A batch is acoustic frames (B, CHANNELS, 2 T), weights (B, len(MOUTH), T) and importance (B,).
    """

    def __init__(self, examples: Sequence[Example], batch_size: int, batches: int, seed: int) -> None:
        self._by_speaker: dict[str, list[Example]] = {}
        for example in examples:
            if len(example.mouth) >= WINDOW_FRAMES:
                self._by_speaker.setdefault(example.speaker, []).append(example)
        self._batch_size, self._batches, self._seed = batch_size, batches, seed

    def __iter__(self) -> Iterator[Batch]:
        rng = np.random.default_rng((self._seed, rank()))
        speakers = list(self._by_speaker)
        share = np.array([sum(len(e.mouth) for e in self._by_speaker[s]) for s in speakers], float) ** BALANCE
        for _ in range(self._batches):
            drawn = rng.choice(len(speakers), self._batch_size, p=share / share.sum())
            yield self._batch([self._by_speaker[speakers[i]] for i in drawn], rng)

    def _batch(self, choices: Sequence[list[Example]], rng: np.random.Generator) -> Batch:
        heard, mouths, importance = [], [], []
        for examples in choices:
            example = examples[rng.integers(len(examples))]
            start = int(rng.integers(len(example.mouth) - WINDOW_FRAMES + 1))
            heard.append(example.heard[PER_FRAME * start : PER_FRAME * (start + WINDOW_FRAMES)])
            mouths.append(example.mouth[start : start + WINDOW_FRAMES])
            importance.append(example.importance)
        sound = distort(np.stack(heard), rng)
        return (
            torch.from_numpy(sound).transpose(1, 2),
            torch.from_numpy(np.stack(mouths)).transpose(1, 2),
            torch.tensor(importance),
        )


def distort(heard: Single, rng: np.random.Generator) -> Single:
    """(B, T, CHANNELS): other voices (bands warped), rooms and microphones (gain, tilt, noise, gaps)."""
    count = len(heard)
    slope = np.linspace(-1, 1, BANDS, dtype=np.float32)
    sound = warped(heard[..., :BANDS], rng.uniform(*_WARP, count))

    def each(*shape: int) -> Single:
        return rng.standard_normal((count, *shape), dtype=np.float32)

    noise = rng.uniform(*_NOISE_LEVEL, (count, 1, 1)).astype(np.float32) + each(1, 1) * slope
    noise = noise + _NOISE_GRAIN * rng.standard_normal(sound.shape, dtype=np.float32)
    noise[rng.random(count) > _NOISE_SHARE] = -30.0
    gain = _GAIN * each(1, 1)
    sound = np.logaddexp(sound, noise) + gain + _TILT * each(1, 1) * slope
    for clip in sound:
        masked = int(rng.integers(_MASK_BANDS))
        first = int(rng.integers(BANDS - masked))
        clip[:, first : first + masked] = clip.mean()
    sound[rng.random(count) < _DEAF_SHARE] = sound.mean()
    out = np.concatenate([sound, heard[..., BANDS:]], axis=2).astype(np.float32)
    decibels = 10 / np.log(10) * (gain[..., 0] + _GAIN * each(1))
    out[..., ENERGY] = np.clip(out[..., ENERGY] + decibels / ENERGY_RANGE_DB, 0.0, 1.0)
    return out
