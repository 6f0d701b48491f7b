"""Films from anywhere: what is decoded, what is refused, and that no file hangs or crashes the caller."""

from __future__ import annotations

import os
import time
from collections import deque
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.errors import MediaDamaged, MediaError, MediaRefused, NoPicture, NoSound
from detector.media import Limits, facts, frames, sound, sound_blocks, sound_streams
from tests.detector.filming import children

FPS = 25
RATE = 48_000
SMALL = Limits(seconds=20.0, wall_seconds=20.0, stall_seconds=10.0)


def make_film(path: Path, seconds: float = 1.0, size: int = 64, tone: float | None = 440.0) -> Path:
    """Grey that brightens from black to white, with a tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": "18", "preset": "ultrafast"})
        video.width = video.height = size
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=RATE) if tone else None
        count = round(seconds * FPS)
        for index in range(count):
            grey = np.full((size, size, 3), round(255 * index / max(1, count - 1)), np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, "rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio and tone:
            wave = 0.5 * np.sin(2 * np.pi * tone * np.arange(round(seconds * RATE)) / RATE)
            block = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), "fltp", "mono")
            block.sample_rate = RATE
            container.mux(audio.encode(block))
            container.mux(audio.encode(None))
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("media") / "film.mp4")


def test_every_picture_comes_with_its_time(film: Path) -> None:
    got = list(frames(film, SMALL))
    assert [at for at, _ in got] == pytest.approx([index / FPS for index in range(FPS)])
    levels = [picture.mean() for _, picture in got]
    assert levels == pytest.approx(np.linspace(0, 255, FPS), abs=6)
    assert all(picture.shape == (64, 64, 3) and picture.dtype == np.uint8 for _, picture in got)


def test_pictures_can_be_fewer_and_smaller(film: Path) -> None:
    got = list(frames(film, SMALL, per_second=5, longest_side=32))
    assert [at for at, _ in got] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert {picture.shape for _, picture in got} == {(32, 32, 3)}


def test_the_sound_keeps_its_pitch_at_either_rate(film: Path) -> None:
    for rate, expected in ((None, RATE), (16_000, 16_000)):
        samples, own = sound(film, SMALL, rate=rate)
        assert own == expected
        assert len(samples) / own == pytest.approx(1.0, abs=0.05)
        spectrum = np.abs(np.fft.rfft(samples))
        assert spectrum.argmax() * own / len(samples) == pytest.approx(440, abs=3)


def test_the_sound_can_come_at_several_rates_from_one_decoding(film: Path) -> None:
    pieces: dict[int, list[np.ndarray]] = {0: [], 1: []}
    for which, block, rate in sound_streams(film, (None, 8_000), SMALL):
        assert rate == (RATE, 8_000)[which]
        pieces[which].append(block)
    for which, rate in ((0, None), (1, 8_000)):
        assert np.array_equal(np.concatenate(pieces[which]), sound(film, SMALL, rate=rate)[0])


def test_a_header_tells_what_is_to_come(film: Path) -> None:
    found = facts(film, SMALL)
    assert (found.width, found.height, found.fps, found.rate) == (64, 64, 25.0, RATE)
    assert found.seconds == pytest.approx(1.0, abs=0.1)
    assert (found.picture_codec, found.sound_codec) == ("h264", "aac")


def test_a_missing_track_is_named(tmp_path: Path) -> None:
    silent = make_film(tmp_path / "silent.mp4", 0.2, tone=None)
    with pytest.raises(NoSound):
        sound(silent, SMALL)
    with av.open(str(tmp_path / "tone.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE)
        block = av.AudioFrame.from_ndarray(np.zeros((1, RATE), np.int16), "s16", "mono")
        block.sample_rate = RATE
        container.mux(stream.encode(block))
    with pytest.raises(NoPicture):
        next(frames(tmp_path / "tone.wav", SMALL))


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (Limits(bytes=1000), "MiB"),
        (Limits(seconds=0.5), "longer than"),
        (Limits(pixels=64 * 63), "64 by 64"),
        (Limits(seconds=1.0, frames_per_second=10), "more pictures"),
        (Limits(stall_seconds=0.0), "too long"),
        (Limits(wall_seconds=0.0), "too long"),
    ],
)
def test_more_than_the_limits_is_refused(film: Path, limits: Limits, sentence: str) -> None:
    with pytest.raises(MediaRefused, match=sentence):
        list(frames(film, limits))


def test_long_sound_is_refused(film: Path) -> None:
    with pytest.raises(MediaRefused, match="longer than"):
        list(sound_blocks(film, Limits(seconds=0.5)))


def test_too_little_memory_is_an_error_and_no_crash(film: Path) -> None:
    with pytest.raises(MediaError):
        list(frames(film, Limits(memory_bytes=1 << 26)))


def test_a_small_file_of_huge_pictures_is_refused_before_they_are_decoded(tmp_path: Path) -> None:
    bomb = make_film(tmp_path / "bomb.mp4", 0.2, size=4096)
    assert bomb.stat().st_size < 4096 * 4096 / 20
    began = time.monotonic()
    with pytest.raises(MediaRefused, match="4096 by 4096"):
        list(frames(bomb, SMALL))
    assert time.monotonic() - began < SMALL.wall_seconds


def test_only_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "empty.mp4").touch()
    for path in (
        tmp_path / "pipe.mp4",
        tmp_path / "empty.mp4",
        tmp_path,
        tmp_path / "none.mp4",
        Path("/dev/zero"),
    ):
        with pytest.raises(MediaRefused):
            next(frames(path, SMALL))


def test_no_playlist_is_followed(film: Path, tmp_path: Path) -> None:
    for name, text in (
        ("list.m3u8", f"#EXTM3U\n#EXTINF:1,\nfile://{film}\n"),
        ("list.ffconcat", f"ffconcat version 1.0\nfile {film}\n"),
        ("session.sdp", "v=0\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(MediaRefused, match="no video or sound"):
            next(frames(tmp_path / name, SMALL))


def test_whoever_stops_early_leaves_no_process(film: Path) -> None:
    before = children()
    pictures = frames(film, SMALL)
    next(pictures)
    assert children() > before
    pictures.close()  # type: ignore[attr-defined]
    assert children() <= before


def test_what_is_whole_of_a_cut_file_is_given(tmp_path: Path) -> None:
    whole = make_film(tmp_path / "whole.mkv", 2.0, tone=None).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    count = 0
    try:
        for _ in frames(tmp_path / "cut.mkv", SMALL):
            count += 1
    except MediaDamaged:
        pass
    assert 5 <= count < 2 * FPS


@given(data=st.data())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_never_harms_the_caller(film: Path, tmp_path: Path, data: st.DataObject) -> None:
    _survive(film, tmp_path, data)


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_much_damage_never_harms_the_caller(film: Path, tmp_path: Path, data: st.DataObject) -> None:
    _survive(film, tmp_path, data)


def _survive(film: Path, folder: Path, data: st.DataObject) -> None:
    body = bytearray(film.read_bytes())
    for _ in range(data.draw(st.integers(0, 40))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    (folder / "damaged.mp4").write_bytes(body[: data.draw(st.integers(1, len(body)))])
    before, began = children(), time.monotonic()
    for read in (frames, sound_blocks):
        with suppress(MediaError):
            deque(read(folder / "damaged.mp4", SMALL), maxlen=0)  # type: ignore[operator]
    assert time.monotonic() - began < 2 * SMALL.wall_seconds
    assert children() <= before
