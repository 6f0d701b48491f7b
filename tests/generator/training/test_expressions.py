"""The expressions the face decoder practises on are ones a face can make."""

import numpy as np
import pytest

from generator.arkit import INDEX
from generator.face.decoder import admissible
from generator.training.expressions import sample_weights, saturate


@pytest.fixture(scope="module")
def sampled() -> np.ndarray:
    return sample_weights(np.random.default_rng(0), 4000)


def test_sampled_weights_are_admissible(sampled: np.ndarray) -> None:
    assert np.array_equal(sampled, admissible(sampled))


def test_every_expression_is_practised_weak_and_strong(sampled: np.ndarray) -> None:
    assert ((sampled > 0.05) & (sampled < 0.4)).sum(0).min() > 40
    assert (sampled > 0.7).sum(0).min() > 20


def test_sampling_is_reproducible() -> None:
    first, second = (sample_weights(np.random.default_rng(5), 50) for _ in range(2))
    assert np.array_equal(first, second)


def test_single_expressions_are_left_alone() -> None:
    assert np.array_equal(saturate(np.eye(51)), np.eye(51))


def test_competing_expressions_share_a_cap() -> None:
    weights = np.zeros((1, 51))
    smile, dimple, stretch = (INDEX[f"mouth{name}Left"] for name in ("Smile", "Dimple", "Stretch"))
    weights[0, [smile, dimple, stretch]] = 1.0, 1.0, 0.5
    held = saturate(weights)[0]
    assert held[[smile, dimple, stretch]].sum() == pytest.approx(1.25)
    assert held[smile] == pytest.approx(2 * held[stretch])


def test_saturation_is_continuous() -> None:
    rng = np.random.default_rng(1)
    weights = rng.random((500, 51))
    nudged = np.clip(weights + rng.normal(0, 1e-4, weights.shape), 0, 1)
    assert np.abs(saturate(nudged) - saturate(weights)).max() < 2e-3
