import hashlib
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from generator.errors import SpeechError
from generator.speech.audio import Speech


def tone(seconds: float = 1.0, rate: int = 16000, hertz: float = 440.0) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def write_wav(path: Path, samples: np.ndarray, rate: int = 16000, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype(np.int16).tobytes())
    return path


def encode(
    path: Path, codec: str, samples: np.ndarray, video: bool = False, format: str | None = None
) -> Path:
    with av.open(path, "w", format=format) as container:
        stream = container.add_stream(codec, rate=48000)
        stream.layout = "mono"
        if video:
            picture = container.add_stream("mpeg4", rate=25)
            picture.width = picture.height = 64
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux(picture.encode(frame))
            container.mux(picture.encode(None))
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16)[None], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, 0, Fraction(1, 48000)
        resampler = av.AudioResampler(stream.format, "mono", 48000)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def test_sound_is_read_as_16_khz_mono_with_its_origin(tmp_path: Path) -> None:
    stereo = np.repeat(tone(1.0, 44100), 2)
    path = write_wav(tmp_path / "a.wav", stereo, 44100, channels=2)
    speech = Speech.open(path)
    assert speech.sample_rate == 16000
    assert speech.samples.dtype == np.float32
    assert speech.seconds == pytest.approx(1.0, abs=0.002)
    assert np.abs(np.fft.rfft(speech.samples)).argmax() == pytest.approx(440, abs=2)
    assert np.abs(speech.samples).max() == pytest.approx(0.3, abs=0.03)
    assert speech.path == path
    assert speech.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp3", "libmp3lame"),
        ("a.m4a", "aac"),
        ("a.opus", "libopus"),
        ("a.flac", "flac"),
        ("a.webm", "libopus"),
    ],
)
def test_common_formats_are_read_whole(tmp_path: Path, name: str, codec: str) -> None:
    speech = Speech.open(encode(tmp_path / name, codec, tone(2.0, 48000)))
    assert speech.seconds == pytest.approx(2.0, abs=0.06)


def test_the_sound_of_a_video_is_read(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", "aac", tone(1.0, 48000), video=True)
    assert Speech.open(path).seconds == pytest.approx(1.0, abs=0.06)


def test_a_video_without_sound_is_refused(tmp_path: Path) -> None:
    with av.open(tmp_path / "a.mp4", "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        container.mux(
            stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24"))
        )
        container.mux(stream.encode(None))
    with pytest.raises(SpeechError, match="no sound track"):
        Speech.open(tmp_path / "a.mp4")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="no file at"):
        Speech.open(tmp_path / "absent.wav")


@pytest.mark.parametrize("content", [b"hello " * 500, b"\x89PNG\r\n\x1a\n" + bytes(500)])
def test_a_file_that_is_no_sound_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(SpeechError, match=r"a\.wav"):
        Speech.open(tmp_path / "a.wav")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    with pytest.raises(SpeechError, match="is empty"):
        Speech.open(tmp_path / "a.wav")


def test_sound_without_samples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match=r"a\.wav"):
        Speech.open(write_wav(tmp_path / "a.wav", np.zeros(0)))


def test_silence_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="is silent"):
        Speech.open(write_wav(tmp_path / "a.wav", np.zeros(16000)))


def test_too_long_a_file_is_refused_by_what_it_promises(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="more than the 2 s"):
        Speech.open(write_wav(tmp_path / "a.wav", tone(3.0)), max_seconds=2.0)


def test_too_long_a_file_is_refused_even_if_it_promises_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.au"
    sound = (tone(3.0) * 32767).astype(">i2").tobytes()
    path.write_bytes(b".snd" + b"".join(n.to_bytes(4, "big") for n in (24, 0xFFFFFFFF, 3, 16000, 1)) + sound)
    assert Speech.open(path).seconds == pytest.approx(3.0)
    with pytest.raises(SpeechError, match="more than the 2 s"):
        Speech.open(path, max_seconds=2.0)


def test_too_big_a_file_is_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="MB"):
        Speech.open(write_wav(tmp_path / "a.wav", tone()), max_bytes=1000)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.wav", "pcm_s16le"),
        ("a.mp3", "libmp3lame"),
        ("a.m4a", "aac"),
        ("a.flac", "flac"),
        ("a.webm", "libopus"),
    ],
)
def test_a_file_cut_short_is_refused_not_half_spoken(tmp_path: Path, name: str, codec: str) -> None:
    path = encode(tmp_path / name, codec, tone(4.0, 48000))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with pytest.raises(SpeechError, match=r"damaged|cut short"):
        Speech.open(path)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp3", "libmp3lame"),
        ("a.m4a", "aac"),
        ("a.flac", "flac"),
        ("a.opus", "libopus"),
        ("a.webm", "libopus"),
    ],
)
def test_a_file_damaged_in_the_middle_is_refused(tmp_path: Path, name: str, codec: str) -> None:
    path = encode(tmp_path / name, codec, tone(4.0, 48000))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = np.random.default_rng(0).bytes(3000)
    path.write_bytes(content)
    with pytest.raises(SpeechError, match=r"damaged|cut short|hole"):
        Speech.open(path)


def test_tags_behind_the_sound_do_no_harm(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp3", "libmp3lame", tone(2.0, 48000))
    path.write_bytes(path.read_bytes() + b"TAG" + b"x" * 125)
    assert Speech.open(path).seconds == pytest.approx(2.0, abs=0.06)
