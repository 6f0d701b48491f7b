"""The flow continues motion block by block, reproducibly, whatever lies ahead."""

import numpy as np
from numpy.typing import NDArray

from generator.motion.flow import BLOCK, KNOWN, PROSODY, FlowStream, Loudness
from generator.motion.model import MotionModel
from generator.motion.motion import Motion

SILENCE = np.zeros((BLOCK, PROSODY), np.float32)


def _run(model: MotionModel, seed: int, blocks: int = 6) -> NDArray[np.float32]:
    flow = FlowStream(model.flow, seed)
    return np.concatenate([flow.block(SILENCE, SILENCE[:KNOWN]) for _ in range(blocks)])


def test_the_same_seed_moves_the_same_and_another_otherwise(model: MotionModel) -> None:
    assert np.array_equal(_run(model, 1), _run(model, 1))
    assert not np.array_equal(_run(model, 1), _run(model, 2))


def test_blocks_are_valid_motion_of_head_and_brows_alone(model: MotionModel) -> None:
    motion = Motion(_run(model, 1))
    moved = set(np.flatnonzero(np.abs(motion.values).max(0)))
    assert moved <= {0, 1, 2, 3, 4, *range(51, 57)}
    assert set(range(51, 57)) <= moved


def test_prosody_moves_the_head(model: MotionModel) -> None:
    loud = SILENCE + 1
    first, second = (FlowStream(model.flow, 1) for _ in range(2))
    assert not np.allclose(first.block(SILENCE, SILENCE[:KNOWN]), second.block(SILENCE, loud[:KNOWN]))


def test_loudness_is_relative_to_the_loudest_so_far() -> None:
    loudness = Loudness()
    relative = loudness(np.array([0.5, 0.9, 0.9, 0.3], np.float32))
    assert relative[0] < 0
    assert relative[1] == relative[2] == 0
    assert relative[3] < -0.5
