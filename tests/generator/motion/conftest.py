"""Untrained networks of the released shapes, small: what they say is noise, how they say it can be tested."""

import numpy as np
import pytest
from numpy.typing import NDArray

from generator.motion import flow
from generator.motion.lips import DILATIONS, MOUTH, STEM, LipNetwork
from generator.motion.model import MotionModel
from generator.motion.mouth import Mouth
from generator.speech.acoustics import CHANNELS
from generator.speech.encoder import BLOCK_TAPS, BLOCKS, FRONT_TAPS, PHONES, SpeechEncoder
from generator.speech.mel import MEL_BINS

WIDTH = 24


@pytest.fixture(scope="session")
def encoder() -> SpeechEncoder:
    rng = np.random.default_rng(1)

    def drawn(*shape: int) -> NDArray[np.float32]:
        return (rng.standard_normal(shape) / np.sqrt(np.prod(shape[:-1]))).astype(np.float32)

    tensors = {
        "mel_mean": np.full(MEL_BINS, -6, np.float32),
        "mel_scale": np.full(MEL_BINS, 3, np.float32),
        "front.weight": drawn(FRONT_TAPS, MEL_BINS, WIDTH),
        "front.bias": np.zeros(WIDTH, np.float32),
        "head.norm.weight": np.ones(WIDTH, np.float32),
        "head.norm.bias": np.zeros(WIDTH, np.float32),
        "head.weight": 3 * drawn(WIDTH, len(PHONES) + 2),
        "head.bias": np.zeros(len(PHONES) + 2, np.float32),
    }
    for i in range(len(BLOCKS)):
        tensors |= {
            f"blocks.{i}.norm.weight": np.ones(WIDTH, np.float32),
            f"blocks.{i}.norm.bias": np.zeros(WIDTH, np.float32),
            f"blocks.{i}.conv.weight": drawn(BLOCK_TAPS, WIDTH, WIDTH),
            f"blocks.{i}.conv.bias": np.zeros(WIDTH, np.float32),
            f"blocks.{i}.mix.weight": drawn(WIDTH, WIDTH),
            f"blocks.{i}.mix.bias": np.zeros(WIDTH, np.float32),
        }
    return SpeechEncoder(tensors)


@pytest.fixture(scope="session")
def lip_network() -> LipNetwork:
    rng = np.random.default_rng(2)

    def drawn(*shape: int) -> NDArray[np.float32]:
        return (rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)

    tensors = {
        "input_mean": np.zeros(CHANNELS, np.float32),
        "input_scale": np.ones(CHANNELS, np.float32),
        "output_mean": np.full(len(MOUTH), 0.1, np.float32),
        "output_scale": np.full(len(MOUTH), 0.1, np.float32),
        "stem.weight": drawn(WIDTH, CHANNELS, STEM),
        "stem.bias": np.zeros(WIDTH, np.float32),
        "last.weight": drawn(len(MOUTH), WIDTH, 1),
        "last.bias": np.zeros(len(MOUTH), np.float32),
    }
    for i in range(len(DILATIONS)):
        tensors |= {
            f"blocks.{i}.wide.weight": drawn(WIDTH, WIDTH, 3),
            f"blocks.{i}.wide.bias": np.zeros(WIDTH, np.float32),
            f"blocks.{i}.mix.weight": drawn(WIDTH, WIDTH, 1),
            f"blocks.{i}.mix.bias": np.zeros(WIDTH, np.float32),
        }
    return LipNetwork(tensors)


@pytest.fixture(scope="session")
def mouth(lip_network: LipNetwork) -> Mouth:
    return Mouth(lip_network)


@pytest.fixture(scope="session")
def model(mouth: Mouth) -> MotionModel:
    rng = np.random.default_rng(3)

    def drawn(*shape: int) -> NDArray[np.float32]:
        return (rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)

    tensors = {
        "mean": np.zeros(flow.COUNT, np.float32),
        "scale": np.ones(flow.COUNT, np.float32),
        "first.weight": drawn(WIDTH, 2 * flow.COUNT + 1 + flow.PROSODY, 1),
        "first.bias": np.zeros(WIDTH, np.float32),
        "moment.weight": drawn(len(flow.DILATIONS) * WIDTH, flow.TIME_BANDS),
        "moment.bias": np.zeros(len(flow.DILATIONS) * WIDTH, np.float32),
        "last.weight": drawn(flow.COUNT, WIDTH, 1),
        "last.bias": np.zeros(flow.COUNT, np.float32),
    }
    for i in range(len(flow.DILATIONS)):
        tensors |= {
            f"blocks.{i}.wide.weight": drawn(WIDTH, WIDTH, 3),
            f"blocks.{i}.wide.bias": np.zeros(WIDTH, np.float32),
            f"blocks.{i}.mix.weight": drawn(WIDTH, WIDTH, 1),
            f"blocks.{i}.mix.bias": np.zeros(WIDTH, np.float32),
        }
    return MotionModel(mouth, flow.FlowNetwork(tensors))
