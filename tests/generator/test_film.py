"""A film holds the motion's frames at its rate, or it does not exist."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from generator.errors import VideoError
from generator.film import FilmStats, render_film
from generator.motion import Motion
from generator.portrait.portrait import Portrait
from generator.render.renderer import Renderer
from generator.sitters import clips, sitters
from generator.video import SoundTreatment, probe

FRAMES = 15


@pytest.fixture(scope="module")
def small(landmarker) -> Portrait:
    return Portrait.open(sitters()[0].path, size=128, landmarker=landmarker)


@pytest.fixture(scope="module")
def motion(row: Callable[..., NDArray[np.float32]]) -> Motion:
    """Half a second: the head turns while the jaw opens."""
    return Motion(np.stack([row(yaw=k, jawOpen=k / FRAMES) for k in range(FRAMES)]))


@pytest.mark.parametrize("fps", [25.0, 30.0, 12.5])
def test_a_film_has_the_motions_frames_at_its_rate(
    small: Portrait, motion: Motion, tmp_path: Path, fps: float
):
    stats = render_film(small, Motion(motion.values, fps), tmp_path / "film.mp4")
    film = probe(tmp_path / "film.mp4")
    assert (film.frames, film.width, film.height) == (FRAMES, 128, 128)
    assert film.fps == pytest.approx(fps)
    assert film.seconds == pytest.approx(FRAMES / fps, abs=0.5 / fps)
    assert (stats.frames, stats.seconds) == (FRAMES, pytest.approx(FRAMES / fps))
    assert stats.wall_seconds > 0
    assert list(tmp_path.iterdir()) == [tmp_path / "film.mp4"]


def test_a_film_shows_the_rendered_frames_in_order(small: Portrait, motion: Motion, tmp_path: Path):
    render_film(small, motion, tmp_path / "film.mp4")
    renderer = Renderer(small)
    with av.open(str(tmp_path / "film.mp4")) as container:
        shown = [frame.to_ndarray(format="rgb24").astype(float) for frame in container.decode(video=0)]
    rendered = [renderer.frame(row).astype(float) for row in motion.values]
    distance = np.array([[np.abs(a - b).mean() for b in rendered] for a in shown])
    assert (distance.argmin(1) == np.arange(FRAMES)).all()
    assert distance.diagonal().max() < 6


def test_a_film_carries_the_sound_given(small: Portrait, motion: Motion, tmp_path: Path):
    render_film(small, motion, tmp_path / "film.mp4", audio=clips()[0].path)
    film = probe(tmp_path / "film.mp4")
    assert film.audio_start is not None
    assert film.frames == FRAMES


class Stamped:
    """Paints each frame in a grey that tells when it is shown."""

    def picture(self, frame: NDArray[np.uint8], seconds: float) -> NDArray[np.uint8]:
        return np.full_like(frame, round(250 * seconds))

    def sound(self, rate: int) -> SoundTreatment:
        raise AssertionError("the film is silent")


def test_a_treatment_changes_each_frame_at_its_time(small: Portrait, motion: Motion, tmp_path: Path):
    render_film(small, motion, tmp_path / "film.mp4", treatment=Stamped())
    with av.open(str(tmp_path / "film.mp4")) as container:
        shown = [frame.to_ndarray(format="rgb24").mean() for frame in container.decode(video=0)]
    np.testing.assert_allclose(shown, 250 * np.arange(FRAMES) / motion.fps, atol=2)


def test_progress_is_told_frame_by_frame(small: Portrait, motion: Motion, tmp_path: Path):
    seen: list[bool] = []
    render_film(
        small, motion, tmp_path / "film.mp4", on_frame=lambda: seen.append((tmp_path / "film.mp4").exists())
    )
    assert seen == [False] * FRAMES, "the film takes its name only when complete"


@pytest.mark.parametrize("interruption", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("at", [1, 7, FRAMES])
def test_an_interrupted_film_leaves_nothing_behind(
    small: Portrait, motion: Motion, tmp_path: Path, interruption: type[BaseException], at: int
):
    calls: list[int] = []

    def interrupt() -> None:
        calls.append(1)
        if len(calls) == at:
            raise interruption("stop")

    with pytest.raises(interruption, match="stop"):
        render_film(small, motion, tmp_path / "film.mp4", on_frame=interrupt)
    assert len(calls) == at
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_film_leaves_an_older_one_as_it_was(small: Portrait, motion: Motion, tmp_path: Path):
    render_film(small, motion, tmp_path / "film.mp4")
    before = (tmp_path / "film.mp4").read_bytes()

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render_film(small, motion[:5], tmp_path / "film.mp4", on_frame=interrupt)
    assert (tmp_path / "film.mp4").read_bytes() == before
    assert list(tmp_path.iterdir()) == [tmp_path / "film.mp4"]


def test_a_film_that_cannot_be_written_says_so(small: Portrait, motion: Motion, tmp_path: Path):
    with pytest.raises(VideoError):
        render_film(small, motion, tmp_path / "nowhere" / "film.mp4")


def test_speed_is_frames_over_wall_time():
    assert FilmStats(frames=100, seconds=4.0, wall_seconds=2.0).frames_per_second == pytest.approx(50)
    assert FilmStats(frames=1, seconds=0.04, wall_seconds=0.0).frames_per_second > 0
