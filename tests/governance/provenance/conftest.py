"""Real keys, a real film and the account of its making."""

import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import pytest

from governance.provenance import Authority, Ingredient, Making, seal

FPS = 25
SAMPLE_RATE = 16000


def write_film(path: Path, seconds: float = 1.0, size: int = 64, seed: int = 0) -> Path:
    """A small H.264 + AAC film of noise and a tone."""
    rng = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS)
        video.width = video.height = size
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=SAMPLE_RATE)
        audio.layout = "mono"
        for index in range(round(seconds * FPS)):
            picture = rng.integers(0, 255, (size, size, 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        tone = 0.1 * np.sin(np.arange(round(seconds * SAMPLE_RATE)) * 0.2).astype(np.float32)
        for start in range(0, tone.size, 1024):
            sound = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], format="fltp", layout="mono")
            sound.sample_rate = SAMPLE_RATE
            sound.pts = start
            container.mux(audio.encode(sound))
        container.mux(audio.encode(None))
    return path


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture(scope="session")
def other_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("other") / "other.mp4", seed=1)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.init(tmp_path_factory.mktemp("house") / "keys", organisation="The Daily House")


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another house, with the very same name."""
    return Authority.init(tmp_path_factory.mktemp("stranger") / "keys", organisation="The Daily House")


@pytest.fixture(scope="session")
def making() -> Making:
    return Making(
        title="Ada speaks",
        portrait=Ingredient("ada.png", "image/png", "1a" * 32, "portrait"),
        speech=Ingredient("ada.flac", "audio/flac", "2b" * 32, "speech"),
        motion=None,
        weights=(
            Ingredient("decoder.safetensors", "application/octet-stream", "3c" * 32, "weights"),
            Ingredient("mouth.safetensors", "application/octet-stream", "4d" * 32, "weights"),
        ),
        rights="public-domain",
        driver="rules",
        seed=7,
        software_version="0.1.0",
        created=datetime(2026, 11, 22, 10, 30, tzinfo=UTC),
    )


@pytest.fixture(scope="session")
def sealed(
    film: Path, making: Making, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("sealed") / "sealed.mp4"
    seal(film, path, making, authority)
    return path


@pytest.fixture
def tight_disk() -> Callable[[int], AbstractContextManager[None]]:
    """Within ``tight_disk(n)`` no file of this process can grow beyond ``n`` bytes."""

    @contextmanager
    def limited(limit_bytes: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited
