"""The picture's mark, through real encoders, on a moving picture drawn here."""

import io
from collections.abc import Callable

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detector.errors import WatermarkError
from detector.watermark.code import false_decode_bound
from detector.watermark.picture import PictureMark, Reading
from detector.watermark.picture.demodulate import MOST_FRAMES, Gatherer
from detector.watermark.picture.read import MOST_CALLS_A_SPAN

JOB = 0xC0FFEE1234
FPS = 25
SIDE = 384
Film = list[NDArray[np.uint8]]


def film(seconds: float, side: int = SIDE) -> Film:
    """A textured wall before which a disc moves and breathes."""
    rng = np.random.default_rng(3)
    wall = cv2.GaussianBlur(rng.uniform(0, 255, (side, side, 3)).astype(np.float32), (0, 0), 6)
    wall = np.clip(120 + 4 * (wall - wall.mean()), 20, 235).astype(np.uint8)
    frames = []
    for index in range(round(seconds * FPS)):
        frame = wall.copy()
        middle = (int(side * (0.5 + 0.03 * np.sin(index / 9))), int(side * (0.5 + 0.02 * np.cos(index / 7))))
        cv2.circle(frame, middle, side // 4, (224, 178, 150), -1, cv2.LINE_AA)
        height = 4 + int(8 * abs(np.sin(index / 3)))
        cv2.ellipse(
            frame, (middle[0], middle[1] + side // 9), (side // 14, height), 0, 0, 360, (90, 20, 30), -1
        )
        frames.append(frame)
    return frames


def recoded(frames: Film, crf: int) -> Film:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": str(crf)})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for frame in [*frames, None]:
            picture = None if frame is None else av.VideoFrame.from_ndarray(frame, format="rgb24")
            container.mux(stream.encode(picture))
    with av.open(io.BytesIO(file.getvalue())) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.fixture(scope="module")
def mark() -> PictureMark:
    return PictureMark(b"a key of the tests")


@pytest.fixture(scope="module")
def plain() -> Film:
    return film(2.4)


@pytest.fixture(scope="module")
def marked(mark: PictureMark, plain: Film) -> Film:
    embedder = mark.embedder((SIDE, SIDE), FPS, JOB)
    return [embedder.embed(frame, index / FPS) for index, frame in enumerate(plain)]


def read(mark: PictureMark, frames: Film, fps: float = FPS) -> Reading:
    return mark.read((index / fps, frame) for index, frame in enumerate(frames))


def job_of(reading: Reading) -> int | None:
    return None if reading.payload is None else reading.payload.job_id


def test_the_mark_is_faint(plain: Film, marked: Film) -> None:
    error = np.mean([np.mean((a.astype(float) - b) ** 2) for a, b in zip(plain, marked, strict=True)])
    assert 10 * np.log10(255**2 / error) >= 42.0


def test_only_blue_changes_and_the_frame_given_is_left_alone(mark: PictureMark) -> None:
    frame = np.full((SIDE, SIDE, 3), 128, np.uint8)
    result = mark.embedder((SIDE, SIDE), FPS, JOB).embed(frame, 0.0)
    assert (frame == 128).all()
    assert (result[..., :2] == 128).all()
    assert (result[..., 2] != 128).any()


def test_between_two_changes_the_pattern_stands_still(mark: PictureMark) -> None:
    frame = np.full((SIDE, SIDE, 3), 128, np.uint8)
    embedder = mark.embedder((SIDE, SIDE), FPS, JOB)
    added = [embedder.embed(frame, index / FPS) for index in range(2 * FPS)]
    changes = [index for index in range(1, 2 * FPS) if (added[index] != added[index - 1]).any()]
    assert changes == [32]  # 1.25 s


def added(mark: PictureMark, frame: NDArray[np.uint8]) -> NDArray[np.int16]:
    side = len(frame)
    marked = mark.embedder((side, side), FPS, JOB).embed(frame, 0.0)
    return marked[..., 2].astype(np.int16) - frame[..., 2]


def test_an_encoders_block_is_even_and_many_are_left_alone(mark: PictureMark) -> None:
    blocks = added(mark, np.full((512, 512, 3), 128, np.uint8)).reshape(32, 16, 32, 16).swapaxes(1, 2)
    assert (np.ptp(blocks, axis=(2, 3)) == 0).all()
    assert 0.3 < np.mean(blocks[..., 0, 0] == 0) < 0.7


def test_a_dark_wall_bears_less_than_a_bright_one_and_an_even_one_less_than_a_busy_one(
    mark: PictureMark,
) -> None:
    noise = np.random.default_rng(1).integers(-60, 60, (64, 64, 1))
    noise = np.kron(noise, np.ones((8, 8, 1), np.int16))
    dark, bright, busy = (
        float(added(mark, np.broadcast_to(wall, (512, 512, 3)).astype(np.uint8)).std())
        for wall in (np.array(30), np.array(150), 150 + noise)
    )
    assert dark < 0.7 * bright < 0.7 * 0.8 * busy


def test_no_block_of_an_even_wall_changes_by_more_than_four_levels(mark: PictureMark) -> None:
    assert np.abs(added(mark, np.full((512, 512, 3), 200, np.uint8))).max() <= 4


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda frames: recoded(frames, 23), id="crf23"),
        pytest.param(lambda frames: recoded(frames, 30), id="crf30"),
        pytest.param(lambda frames: recoded([frame[:, ::-1].copy() for frame in frames], 23), id="flip"),
        pytest.param(lambda frames: recoded([cv2.resize(f, (192, 192)) for f in frames], 23), id="half"),
        pytest.param(lambda frames: [f[30:302, 60:332] for f in frames], id="crop"),
        pytest.param(lambda frames: frames[7:57], id="trim"),
    ],
)
def test_two_seconds_give_the_job_after(
    mark: PictureMark, marked: Film, change: Callable[[Film], Film]
) -> None:
    assert job_of(read(mark, change(marked)[:50])) == JOB


def test_what_was_not_marked_gives_nothing(mark: PictureMark, plain: Film) -> None:
    reading = read(mark, plain)
    assert reading.payload is None
    assert reading.confidence == 0.0
    assert not any(segment.found for segment in reading.segments)
    assert reading.calls <= MOST_CALLS_A_SPAN


def test_another_key_gives_nothing(marked: Film) -> None:
    assert read(PictureMark(b"another key"), marked).payload is None


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_without_any_change_gives_nothing(mark: PictureMark, level: int) -> None:
    assert read(mark, [np.full((144, 256, 3), level, np.uint8)] * 60).payload is None


def test_no_frames_and_single_frames_give_nothing(mark: PictureMark, marked: Film) -> None:
    assert read(mark, []) == Reading(None, 0.0, (), 0)
    assert read(mark, marked[:1]).payload is None


def test_times_that_stand_still_give_nothing(mark: PictureMark, marked: Film) -> None:
    assert mark.read((0.0, frame) for frame in marked[:30]).payload is None


def test_a_clock_that_stands_still_makes_one_window_however_many_frames_come() -> None:
    gatherer = Gatherer()
    frame = np.zeros((8, 8, 3), np.uint8)
    assert [gatherer.see(0.0, frame) for _ in range(3 * MOST_FRAMES)] == [None] * 3 * MOST_FRAMES
    assert [window.frames for window in gatherer.done()] == [3 * MOST_FRAMES]


def test_frames_given_one_by_one_read_as_frames_given_together(mark: PictureMark, marked: Film) -> None:
    reader = mark.reader()
    for index, frame in enumerate(marked):
        reader.see(index / FPS, frame)
    assert reader.done() == read(mark, marked)


def test_windows_last_two_seconds_and_a_short_rest_joins_the_last(mark: PictureMark) -> None:
    still = [np.full((128, 128, 3), 128, np.uint8)]
    ends = [[segment.end for segment in read(mark, still * n).segments] for n in (100, 130, 149)]
    assert ends == [pytest.approx(these) for these in ([2.0, 4.0], [2.0, 5.2], [2.0, 4.0, 5.96])]


def test_the_map_says_where_the_mark_is(mark: PictureMark) -> None:
    frames = film(8.0, 256)
    embedder = mark.embedder((256, 256), FPS, JOB)
    spliced = [f if index < 100 else embedder.embed(f, index / FPS) for index, f in enumerate(frames)]
    reading = read(mark, spliced)
    assert job_of(reading) == JOB
    assert [segment.found for segment in reading.segments] == [False, False, True, True]
    assert reading.segments[-1].end == pytest.approx(8.0, abs=0.05)


def test_a_wide_frame_of_odd_size_is_marked_too(mark: PictureMark) -> None:
    frames = [cv2.resize(frame, (451, 255)) for frame in film(2.0, 256)]
    embedder = mark.embedder((451, 255), FPS, JOB)
    assert job_of(read(mark, [embedder.embed(f, i / FPS) for i, f in enumerate(frames)])) == JOB


def test_the_bound_on_false_decodes_is_kept() -> None:
    assert false_decode_bound(MOST_CALLS_A_SPAN) <= 1e-6


def test_what_cannot_be_marked_is_refused(mark: PictureMark) -> None:
    with pytest.raises(WatermarkError, match="192 pixels"):
        mark.embedder((100, 512), FPS, JOB)
    with pytest.raises(WatermarkError, match="8 or more"):
        mark.embedder((512, 512), 5.0, JOB)
    with pytest.raises(WatermarkError, match="8-bit RGB"):
        mark.embedder((512, 512), FPS, JOB).embed(np.zeros((512, 512), np.uint8), 0.0)
    with pytest.raises(ValueError, match="job id"):
        mark.embedder((512, 512), FPS, 1 << 40)
