"""What is trained is what runs: the released file's sums equal the network's."""

import numpy as np
import pytest

from generator.face.decoder import FaceDecoder

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from generator.training.face_model import FaceModel  # noqa: E402


def test_the_numpy_decoder_repeats_the_trained_network() -> None:
    torch.manual_seed(0)
    rank = 12
    model = FaceModel(
        basis=torch.randn(rank, 1404),
        response=torch.randn(51, rank),
        importance=torch.ones(1404),
        shape_hidden=8,
        combine_hidden=16,
        learning_rate=1e-3,
        total_steps=1,
    )
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    released = FaceDecoder.load()
    constants = {k: v for k, v in released._tensors.items() if k.startswith(("mean_", "measure_"))}
    tensors = {name: value.detach().numpy() for name, value in model.state_dict().items()}
    decoder = FaceDecoder(constants | tensors)

    shape = released.mean_shape * [1.05, 0.95, 1.0]
    weights = np.random.default_rng(0).random(51).astype(np.float32)
    with torch.no_grad():
        expected = model(torch.tensor(weights)[None], torch.tensor(decoder.standardise(shape))[None])[0]
    face = decoder.bind(shape)
    assert np.allclose(face._expand(weights, face._network.basis), expected, atol=1e-4)
