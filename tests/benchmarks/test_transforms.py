"""Transforms do to a film what they say, the same every time."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks.transforms import TRANSFORMS, Clip, read, write

SIDE, FPS, SECONDS, RATE = 96, 25, 3, 48_000


def clip() -> Clip:
    """A bright square that moves right over a gradient, under a rising tone."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    frames = []
    for index in range(FPS * SECONDS):
        frame = np.stack([rows * 2, columns * 2, rows + columns], -1).astype(np.uint8)
        frame[40:60, 10 + index // 2 : 30 + index // 2] = 230
        frames.append(frame)
    times = np.arange(RATE * SECONDS) / RATE
    return Clip(frames, (0.3 * np.sin(2 * np.pi * (300 + 200 * times) * times)).astype(np.float32))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(clip(), tmp_path_factory.mktemp("transforms") / "film.mp4")


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_transform_makes_a_film_of_what_it_keeps(name: str, film: Path, tmp_path: Path) -> None:
    transform = TRANSFORMS[name]
    made = read(transform(film, tmp_path / "out.mp4", np.random.default_rng(1)))
    assert bool(made.frames) == (name != "voice alone")
    assert bool(len(made.sound)) == (name != "muted")
    if made.frames and len(made.sound):
        assert len(made.frames) / made.fps == pytest.approx(len(made.sound) / RATE, abs=0.15)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_same_seed_does_the_same(name: str) -> None:
    first, again = (TRANSFORMS[name].change(clip(), np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first.frames, again.frames)
    assert np.array_equal(first.sound, again.sound)


@pytest.mark.parametrize("name", ["crop 0.71, corner", "picture in picture", "noise", "trim to 2 s"])
def test_another_seed_does_another(name: str) -> None:
    made = [TRANSFORMS[name].change(clip(), np.random.default_rng(seed)) for seed in range(8)]
    assert any(not np.array_equal(made[0].frames, other.frames) for other in made[1:])


def test_sizes_and_rates_are_those_that_are_named() -> None:
    rng = np.random.default_rng(0)
    sides = {
        name: TRANSFORMS[name].change(clip(), rng).frames[0].shape[0]
        for name in ("resize 50 %", "resize 150 %", "crop 0.71", "8 s, crf 23, crop 0.71, resize 50 %")
    }
    assert list(sides.values()) == [48, 144, 68, 34]
    assert len(TRANSFORMS["25 to 30 fps"].change(clip(), rng).frames) == 30 * SECONDS
    assert len(TRANSFORMS["speed +10 %"].change(clip(), rng).frames) == int(FPS * SECONDS / 1.1)
    assert TRANSFORMS["sound at 8 kHz"].change(clip(), rng).rate == 8000


def test_a_trimmed_clip_says_where_it_begins() -> None:
    made = TRANSFORMS["trim to 2 s"].change(clip(), np.random.default_rng(3))
    first = round(made.offset * FPS)
    assert len(made.frames) == 2 * FPS
    assert np.array_equal(made.frames[0], clip().frames[first])


def test_a_mirrored_picture_is_mirrored() -> None:
    made = TRANSFORMS["flip"].change(clip(), np.random.default_rng(0))
    assert np.array_equal(made.frames[0], clip().frames[0][:, ::-1])


def test_stripping_leaves_the_coded_picture_as_it_is(film: Path, tmp_path: Path) -> None:
    made = TRANSFORMS["metadata stripped"](film, tmp_path / "out.mp4", np.random.default_rng(0))
    assert _packets(made) == _packets(film)


def _packets(film: Path) -> list[bytes]:
    with av.open(str(film)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]
