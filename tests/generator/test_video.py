"""A film is exact in time and colour, complete or absent, and costs constant memory."""

import os
import signal
import subprocess
import sys
import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from generator.errors import VideoError
from generator.video import VideoInfo, VideoWriter, probe, rgb_to_yuv420

FRAME_SECONDS = 0.04


def picture(index: int = 0, width: int = 96, height: int = 64) -> NDArray[np.uint8]:
    """Soft colours that drift with ``index``."""
    x, y = np.meshgrid(np.linspace(0, 3, width), np.linspace(0, 2, height))
    waves = [np.sin(x + 0.1 * index), np.cos(y - 0.07 * index), np.sin(x + y + 0.05 * index)]
    return (127.5 + 100 * np.stack(waves, axis=-1)).astype(np.uint8)


def sound_file(
    path: Path, seconds: float, clicks: list[float], rate: int = 16_000, channels: int = 1
) -> Path:
    """Silence with single-sample clicks at the given seconds."""
    samples = np.zeros((round(seconds * rate), channels), "<i2")
    samples[[round(click * rate) for click in clicks]] = 26_000
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


def film(path: Path, frames: int, audio: Path | None = None, fps: float | Fraction = 25.0) -> VideoInfo:
    with VideoWriter(path, (96, 64), fps=fps, audio=audio) as writer:
        for index in range(frames):
            writer.write(picture(index))
    return probe(path)


def heard(path: Path) -> tuple[float, NDArray[np.float32]]:
    """When the decoded sound starts, in seconds of presentation time, and its samples at 48 kHz."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    assert frames[0].time is not None
    return frames[0].time, np.concatenate([frame.to_ndarray() for frame in frames], axis=1)


def seen(path: Path) -> tuple[list[float], list[NDArray[np.uint8]]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    exactly = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
    rgb = [frame.to_ndarray(format="rgb24", interpolation=exactly) for frame in frames]
    return [frame.time for frame in frames], rgb  # type: ignore[return-value]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "films" if (tmp_path / "films").mkdir() is None else tmp_path


# time


@pytest.mark.parametrize("fps", [25.0, 24.0, 30.0, Fraction(30_000, 1001)])
def test_every_frame_is_there_at_a_constant_rate_from_zero(folder: Path, fps: float | Fraction):
    info = film(folder / "a.mp4", 31, fps=fps)
    times, _ = seen(folder / "a.mp4")
    assert info.frames == 31
    assert info.fps == pytest.approx(float(fps))
    np.testing.assert_allclose(times, np.arange(31) / float(fps), atol=1e-4)


@pytest.mark.parametrize(
    ("rate", "channels"), [(8_000, 1), (16_000, 1), (44_100, 2), (48_000, 1), (96_000, 2), (48_000, 6)]
)
def test_a_click_is_heard_when_it_was_spoken(folder: Path, rate: int, channels: int):
    clicks = [0.3, 1.2345, 2.9]
    audio = sound_file(folder / "a.wav", 4.0, clicks, rate, channels)
    film(folder / "a.mp4", 100, audio)
    start, samples = heard(folder / "a.mp4")
    assert samples.shape[0] == min(channels, 2)
    for click in clicks:
        first = round((click - 0.1 - start) * 48_000)
        loudest = first + int(np.abs(samples[0, first : first + 9_600]).argmax())
        assert start + loudest / 48_000 == pytest.approx(click, abs=0.001)


@pytest.mark.parametrize("sound_seconds", [0.5, 1.99, 2.0, 2.01, 5.0])
def test_sound_starts_and_ends_with_the_picture(folder: Path, sound_seconds: float):
    info = film(folder / "a.mp4", 50, sound_file(folder / "a.wav", sound_seconds, [0.1]))
    start, samples = heard(folder / "a.mp4")
    assert (info.start, info.audio_start, start) == (0, 0, 0)
    assert info.seconds == info.audio_seconds == 2.0
    assert samples.shape[1] / 48_000 == pytest.approx(2.0, abs=FRAME_SECONDS)


def test_sound_that_ends_early_is_followed_by_silence(folder: Path):
    film(folder / "a.mp4", 50, sound_file(folder / "a.wav", 0.5, [0.1]))
    _, samples = heard(folder / "a.mp4")
    assert np.abs(samples[0, 4_000:6_000]).max() > 0.1
    assert np.abs(samples[0, 30_000:]).max() < 1e-3


def test_compressed_sound_is_as_exact_as_a_recording(folder: Path):
    recording = sound_file(folder / "a.wav", 2.0, [0.5, 1.5])
    film(folder / "first.mp4", 50, recording)
    film(folder / "again.mp4", 50, folder / "first.mp4")
    _, samples = heard(folder / "again.mp4")
    assert abs(int(np.abs(samples[0, :48_000]).argmax()) - 24_000) <= 48
    assert abs(int(np.abs(samples[0, 48_000:]).argmax()) - 24_000) <= 48


class LateAndLouder:
    """Twice as loud; gives back what it took 1000 samples ago."""

    def __init__(self, rate: int) -> None:
        assert rate == 48_000
        self.held = np.zeros((0, 2), np.float32)

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        self.held = np.concatenate([self.held, 2 * samples])
        ready, self.held = self.held[:-1_000], self.held[-1_000:]
        return ready

    def finish(self) -> NDArray[np.float32]:
        return self.held


def test_treated_sound_stays_in_step(folder: Path):
    audio = sound_file(folder / "a.wav", 2.0, [0.4, 1.2], 48_000, channels=2)
    levels = []
    for treat in (None, LateAndLouder):
        with VideoWriter(folder / "a.mp4", (96, 64), audio=audio, treat=treat) as writer:
            for index in range(50):
                writer.write(picture(index))
        start, samples = heard(folder / "a.mp4")
        for click in (0.4, 1.2):
            near = np.abs(samples[0, round((click - 0.1) * 48_000) : round((click + 0.1) * 48_000)])
            assert start + click - 0.1 + near.argmax() / 48_000 == pytest.approx(click, abs=0.001)
        levels.append(near.max())
    assert levels[1] == pytest.approx(2 * levels[0], rel=0.1)


def test_a_silent_film_has_no_sound_track(folder: Path):
    info = film(folder / "a.mp4", 5)
    assert info.audio_seconds is None
    assert info.seconds == pytest.approx(0.2)


def test_a_single_frame_makes_a_film(folder: Path):
    info = film(folder / "a.mp4", 1, sound_file(folder / "a.wav", 1.0, [0.01]))
    assert info.frames == 1
    assert info.audio_seconds == pytest.approx(0.04, abs=0.001)


# colour


def test_colours_come_back_as_they_were(folder: Path):
    film(folder / "a.mp4", 10)
    _, frames = seen(folder / "a.mp4")
    for index, frame in enumerate(frames):
        difference = frame.astype(float) - picture(index)
        assert np.abs(difference).mean() < 2
        assert np.abs(difference.mean(axis=(0, 1))).max() < 1.5


def test_the_film_is_tagged_bt709_limited_range(folder: Path):
    film(folder / "a.mp4", 2)
    with av.open(str(folder / "a.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert context.pix_fmt == "yuv420p"
        assert context.colorspace == Colorspace.ITU709
        assert context.color_primaries == ColorPrimaries.BT709
        assert context.color_trc == ColorTrc.BT709
        assert context.color_range == ColorRange.MPEG


even = st.integers(1, 12).map(lambda half: 2 * half)


@settings(max_examples=50, deadline=None)
@given(rgb=st.tuples(even, even).flatmap(lambda size: hnp.arrays(np.uint8, (*size, 3))))
def test_conversion_follows_the_bt709_equations(rgb: NDArray[np.uint8]):
    height, width, _ = rgb.shape
    luma = np.zeros((height, width + 5), np.uint8)
    blue, red = np.zeros((2, height // 2, width // 2 + 3), np.uint8)
    rgb_to_yuv420(rgb, luma, blue, red)

    exact = rgb / 255 @ np.array([0.2126, 0.7152, 0.0722])
    padded = np.pad(rgb / 255, ((0, 0), (1, 0), (0, 0)), mode="edge")
    sited = (padded[:, 0:-1:2] + 2 * padded[:, 1::2] + np.roll(padded, -1, axis=1)[:, 1::2]) / 4
    sited = (sited[0::2] + sited[1::2]) / 2
    y = sited @ np.array([0.2126, 0.7152, 0.0722])
    assert np.abs(luma[:, :width] - (16 + 219 * exact)).max() < 0.51
    assert np.abs(blue[:, : width // 2] - (128 + 224 * (sited[..., 2] - y) / 1.8556)).max() < 0.51
    assert np.abs(red[:, : width // 2] - (128 + 224 * (sited[..., 0] - y) / 1.5748)).max() < 0.51
    assert not luma[:, width:].any()


# the file


def test_the_header_comes_before_the_pictures(folder: Path):
    film(folder / "a.mp4", 5, sound_file(folder / "a.wav", 1.0, []))
    content = (folder / "a.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize(
    "view",
    [
        lambda frame: np.asfortranarray(frame),
        lambda frame: frame[:, ::-1][:, ::-1],
        lambda frame: np.dstack([frame, frame])[..., :3],
        lambda frame: np.pad(frame, ((0, 0), (3, 4), (0, 0)))[:, 3:-4],
    ],
)
def test_a_frame_may_lie_in_memory_in_any_way(folder: Path, view):
    film(folder / "plain.mp4", 1)
    with VideoWriter(folder / "strided.mp4", (96, 64)) as writer:
        writer.write(view(picture()))
    assert (folder / "strided.mp4").read_bytes() == (folder / "plain.mp4").read_bytes()


def test_a_size_that_is_no_multiple_of_sixteen_keeps_its_edges(folder: Path):
    frame = picture(width=130, height=98)
    frame[:, -4:] = 235
    with VideoWriter(folder / "a.mp4", (130, 98)) as writer:
        writer.write(frame)
    _, (decoded,) = seen(folder / "a.mp4")
    assert decoded.shape == (98, 130, 3)
    assert np.abs(decoded[:, -2:].astype(int) - 235).mean() < 4


# what can go wrong


@pytest.mark.parametrize("size", [(95, 64), (96, 63), (0, 64), (-2, 64)])
def test_an_odd_or_empty_size_is_refused(folder: Path, size: tuple[int, int]):
    with pytest.raises(VideoError, match="even width and height"):
        VideoWriter(folder / "a.mp4", size)


@pytest.mark.parametrize(
    "frame", [picture(width=98), picture().astype(np.float32), picture()[..., 0], picture()[..., :2]]
)
def test_a_frame_of_another_shape_or_type_is_refused(folder: Path, frame: NDArray[np.uint8]):
    with pytest.raises(VideoError, match="must be uint8"), VideoWriter(folder / "a.mp4", (96, 64)) as writer:
        writer.write(frame)
    assert list(folder.iterdir()) == []


def test_a_film_without_frames_is_refused(folder: Path):
    with pytest.raises(VideoError, match="No frame was written"):
        film(folder / "a.mp4", 0)
    assert list(folder.iterdir()) == []


def test_a_missing_folder_is_named(folder: Path):
    with pytest.raises(VideoError, match=r"nowhere does not exist"):
        film(folder / "nowhere" / "a.mp4", 1)


def test_a_folder_in_place_of_the_film_is_refused_before_any_work(folder: Path):
    (folder / "a.mp4").mkdir()
    with pytest.raises(VideoError, match="is a folder"):
        VideoWriter(folder / "a.mp4", (96, 64))


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder that nobody may write")
def test_a_folder_that_cannot_be_written_is_explained():
    with pytest.raises(VideoError, match=r"/sys/kernel/a\.mp4 cannot be written"):
        film(Path("/sys/kernel/a.mp4"), 1)


@pytest.mark.parametrize("content", [b"", b"no sound at all", b"RIFF\x24\0\0\0WAVEfmt "])
def test_a_sound_that_cannot_be_read_is_named(folder: Path, content: bytes):
    (folder / "a.wav").write_bytes(content)
    with pytest.raises(VideoError, match=r"a\.wav"):
        film(folder / "a.mp4", 5, folder / "a.wav")
    assert [file.name for file in folder.iterdir()] == ["a.wav"]


def test_a_missing_sound_is_named(folder: Path):
    with pytest.raises(VideoError, match=r"a\.wav cannot be read"):
        film(folder / "a.mp4", 5, folder / "a.wav")
    assert list(folder.iterdir()) == []


def test_odd_metadata_does_not_spoil_a_sound(folder: Path):
    audio = sound_file(folder / "a.wav", 1.0, [0.5])
    note = b"INFOINAM\x04\0\0\0\xe9\xff\xfe\0"
    content = audio.read_bytes() + b"LIST" + len(note).to_bytes(4, "little") + note
    audio.write_bytes(content[:4] + (len(content) - 8).to_bytes(4, "little") + content[8:])
    assert film(folder / "a.mp4", 25, audio).audio_seconds == 1.0


def test_a_sound_on_the_network_is_not_opened(folder: Path):
    with pytest.raises(VideoError, match="cannot be read"):
        film(folder / "a.mp4", 5, Path("http:/127.0.0.1/a.wav"))


def test_a_film_without_sound_is_no_sound_file(folder: Path):
    film(folder / "silent.mp4", 2)
    with pytest.raises(VideoError, match="has no sound"):
        film(folder / "a.mp4", 5, folder / "silent.mp4")


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_film_leaves_nothing_and_spares_the_one_before(
    folder: Path, error: type[BaseException]
):
    def frames() -> Iterator[NDArray[np.uint8]]:
        yield from map(picture, range(40))
        raise error

    (folder / "a.mp4").write_bytes(b"the film before")
    with pytest.raises(error), VideoWriter(folder / "a.mp4", (96, 64)) as writer:
        list(map(writer.write, frames()))
    assert [file.name for file in folder.iterdir()] == ["a.mp4"]
    assert (folder / "a.mp4").read_bytes() == b"the film before"


def test_a_finished_film_takes_no_more_frames(folder: Path):
    with VideoWriter(folder / "a.mp4", (96, 64)) as writer:
        writer.write(picture())
    with pytest.raises(VideoError, match="is finished"):
        writer.write(picture())
    assert probe(folder / "a.mp4").frames == 1


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from generator.errors import VideoError
from generator.video import VideoWriter
noise = np.random.default_rng(0).integers(0, 256, (40, 64, 96, 3), dtype=np.uint8)

def film(path):
    with VideoWriter(path, (96, 64)) as writer:
        for frame in noise:
            writer.write(frame)
    return path

whole = film(Path(sys.argv[1]).parent.with_name("whole.mp4")).stat().st_size
limit = int(whole * float(sys.argv[2]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    film(Path(sys.argv[1]))
except VideoError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs a limit on the size of files")
@pytest.mark.parametrize("share", [0.0, 0.4, 0.995])
def test_a_full_disk_is_explained_and_leaves_nothing(folder: Path, share: float):
    command = [sys.executable, "-c", FULL_DISK, str(folder / "a.mp4"), str(share)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert "a.mp4 cannot be written" in done.stdout
    assert "space left" in done.stdout
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not a film"])
def test_probing_what_is_no_film_says_so(folder: Path, content: bytes):
    (folder / "a.mp4").write_bytes(content)
    with pytest.raises(VideoError, match=r"a\.mp4 cannot be read as a film"):
        probe(folder / "a.mp4")


def test_probing_a_sound_says_it_has_no_picture(folder: Path):
    with pytest.raises(VideoError, match="has no picture"):
        probe(sound_file(folder / "a.wav", 0.1, []))


# length


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ten_minutes_take_no_more_memory_than_one(folder: Path):
    frames = [picture(index) for index in range(50)]
    audio = sound_file(folder / "a.wav", 600.0, [599.5])
    with VideoWriter(folder / "a.mp4", (96, 64), audio=audio) as writer:
        for index in range(15_000):
            writer.write(frames[index % 50])
            if index == 1_500:
                after_one_minute = resident_bytes()
        growth = resident_bytes() - after_one_minute
    info = probe(folder / "a.mp4")
    assert (info.frames, info.seconds, info.audio_seconds) == (15_000, 600.0, 600.0)
    start, samples = heard(folder / "a.mp4")
    assert start + int(np.abs(samples[0]).argmax()) / 48_000 == pytest.approx(599.5, abs=0.001)
    assert growth < 20e6
