"""What the classifier learns from: the same treatment for every class, nothing from what it is tested on."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from detector.classifier.faces import Finder
from detector.classifier.model import Network, energies
from detector.classifier.training import degrade, films, windows
from detector.classifier.training.data import Batches, disturbed
from detector.classifier.training.module import start_from
from generator.sitters import sitters

SEED = 6


@pytest.fixture(scope="module")
def still() -> films.Clip:
    picture = cv2.imread(str(sitters()[0].path))[..., ::-1]
    frame = cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA)
    return [(number / 25, frame) for number in range(40)]


def test_whole_sources_and_speakers_are_held_out_by_name():
    assert windows.split_of("grid_s33_bbac1s") == "test"
    assert windows.split_of("grid_s3_bbaf2p") == "train"
    assert windows.split_of("edtalk_03") == "test"
    assert windows.split_of("anitalker_03") == "train"
    assert windows.group_of("grid_s3_bbaf2p") == "grid_s3"
    assert windows.group_of("talk-vid_02") == "talk-vid"


def test_neither_test_films_nor_drawn_people_are_learnt_from(tmp_path: Path):
    catalogue, clips = tmp_path / "catalogue.json", tmp_path / "clips.json"
    film = {"portrait": "someone", "driver": "rules"}
    catalogue.write_text(
        json.dumps([film | {"file": f"{split}.mp4", "split": split} for split in ("train", "tune", "test")])
    )
    names = ("grid_s33_a", "celebv-text_1", "musetalk_00", "talk-vid_1", "grid_s31_b")
    clips.write_text(json.dumps([{"file": f"{name}.mp4", "label": "real"} for name in names]))
    assert [source.file.stem for source in windows._ours(catalogue)] == ["train", "tune"]
    assert [(source.file.stem, source.split) for source in windows._others(clips)] == [
        ("talk-vid_1", "train"),
        ("grid_s31_b", "tune"),
    ]


def test_a_film_of_any_size_leaves_the_treatment_with_a_face_of_the_same_range_of_sizes(still: films.Clip):
    finder = Finder()
    large = [(at, cv2.resize(frame, (640, 640))) for at, frame in still]
    for clip in (still, large):
        for seed in range(3):
            treated = degrade.treated(clip, finder, np.random.default_rng([SEED, seed]))
            assert treated is not None
            height = treated[0][1].shape[0]
            assert height < 2.2 * degrade.FACE_PX[1] * degrade.FRAMING[1] / 2
            times = [at for at, _ in treated]
            assert times == sorted(times)
            assert times[-1] == pytest.approx(still[-1][0], abs=0.12)


def test_a_held_picture_stays_a_filmed_one_moves_and_a_warped_one_bends(still: films.Clip):
    rng = np.random.default_rng(SEED)
    held, filmed = degrade.held(still, rng), degrade.filmed(still, rng)
    warped = degrade.warped(still, Finder(), rng)
    assert all((frame == still[0][1]).all() for _, frame in held)
    for moved in (filmed, warped):
        assert len(moved) == len(still)
        assert (moved[0][1] != moved[-1][1]).any()


def test_a_treatment_is_the_same_for_the_same_seed(still: films.Clip):
    one, other = (degrade.treated(still, Finder(), np.random.default_rng(SEED)) for _ in range(2))
    assert one is not None
    assert other is not None
    assert all((a == b).all() for (_, a), (_, b) in zip(one, other, strict=True))


def test_batches_hold_the_classes_that_were_asked_for(tmp_path: Path):
    rng = np.random.default_rng(SEED)
    for label, split in ((0, "train"), (1, "train"), (1, "test")):
        file = f"{label}{split}.npy"
        np.save(tmp_path / file, rng.integers(0, 256, (8, 5, 112, 112), dtype=np.uint8))
        line = windows.Window(file, f"g{label}", split, label, "film", "rules" * label, file, 8)
        with (tmp_path / "index.jsonl").open("a") as index:
            index.write(json.dumps(vars(line)) + "\n")
    batches = Batches(tmp_path, {"film/ours": 0.5, "film/real": 0.5}, 6, 4, 2, SEED)
    for stacks, labels in batches:
        assert stacks.shape == (6, 4, 5, 112, 112)
        assert set(labels.tolist()) <= {0, 1}
    alone = Batches(tmp_path, {"film/ours": 0.5, "film/real": 0.5}, 6, 4, 2, SEED, without="rules")
    assert all(labels.sum() == 0 for _, labels in alone)


def test_disturbing_keeps_the_sign_of_change_and_the_middle_grey():
    flat = np.full((3, 5, 112, 112), 128, np.uint8)
    assert (disturbed(flat, np.random.default_rng(SEED)) == 128).all()


def test_energies_do_not_tell_bright_from_dark_or_a_change_from_its_reverse():
    rng = torch.Generator().manual_seed(SEED)
    stack = torch.randint(60, 196, (1, 5, 112, 112), generator=rng).float()
    reverse = stack.clone()
    reverse[:, [0, 1, 4]] = 256 - reverse[:, [0, 1, 4]]
    assert torch.allclose(energies(stack), energies(reverse), atol=1e-4)
    assert energies(stack).shape == (1, 3, 28, 28)


def test_training_starts_from_blocks_that_have_seen_pictures():
    network, other = Network(), Network()
    start_from(network, {name: torch.ones_like(value) for name, value in _three_channels(other).items()})
    assert all((value == 1).all() for name, value in network.look[1].state_dict().items() if value.dim())
    assert (network.look[0].weight == 1.5).all()


def _three_channels(network: Network) -> dict[str, torch.Tensor]:
    state = network.look.state_dict()
    first = next(iter(state))
    return state | {first: state[first][:, :3]}
