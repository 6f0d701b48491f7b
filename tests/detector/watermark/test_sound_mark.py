"""The voice alone says which job made it, whatever became of the film."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
from fractions import Fraction
from itertools import pairwise
from math import gcd
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

import generator.sitters
from benchmarks.audibility import RATE, noise_to_mask
from detector.errors import WatermarkError
from detector.watermark.code import CHIPS, false_decode_bound
from detector.watermark.sound import SoundMark
from detector.watermark.sound.layout import BANDS, PERIOD, Layout
from detector.watermark.sound.read import CANDIDATES_CHANGED, CANDIDATES_UNCHANGED

KEY = bytes(range(32))
JOB = 0xC0FFEE1234
MARK = SoundMark(KEY)
GOLDEN = "cf096fa9798db7b713f23b5d881f64a85ab9aa00de97a0ed1edda9be49adba84"
"""SHA-256 of the layout of KEY: marks made once must stay readable."""


def clip(name):
    with av.open(str(Path(generator.sitters.__file__).parent / "speech" / f"{name}.flac")) as container:
        rate = container.streams.audio[0].rate
        convert = av.AudioResampler(format="fltp", layout="mono", rate=rate)
        frames = [part for frame in container.decode(audio=0) for part in convert.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]), rate


def resampled(sound, rate, to):
    common = gcd(rate, to)
    return resample_poly(sound, to // common, rate // common).astype(np.float32)


def coded(sound, rate, codec, bitrate):
    file = io.BytesIO()
    if codec == "libopus":
        sound, rate = resampled(sound, rate, 48000), 48000
    with av.open(
        file, "w", format={"aac": "adts", "libopus": "ogg", "libmp3lame": "mp3"}[codec]
    ) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        stream.bit_rate = bitrate
        fifo = av.AudioFifo()
        frame = av.AudioFrame.from_ndarray(sound[None].clip(-1, 1), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        for part in av.AudioResampler(stream.codec_context.format.name, "mono", rate).resample(frame):
            fifo.write(part)
        while (part := fifo.read(stream.codec_context.frame_size or 1024, partial=True)) is not None:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        rate = container.streams.audio[0].rate
        convert = av.AudioResampler(format="fltp", layout="mono", rate=rate)
        parts = [part for block in container.decode(audio=0) for part in convert.resample(block)]
    return np.concatenate([part.to_ndarray()[0] for part in parts]), rate


@pytest.fixture(scope="module")
def voice():
    return clip("welcome")


@pytest.fixture(scope="module")
def marked(voice):
    sound, rate = voice
    return MARK.embed(sound, rate, JOB)


def job(sound, rate, mark=MARK):
    payload = mark.read(sound, rate).payload
    return payload.job_id if payload else None


class TestSurvival:
    @pytest.mark.parametrize(
        ("codec", "bitrate"), [("aac", 48000), ("libopus", 24000), ("libmp3lame", 64000)]
    )
    def test_codecs(self, marked, voice, codec, bitrate):
        assert job(*coded(marked, voice[1], codec, bitrate)) == JOB

    @pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
    def test_resampling(self, marked, voice, rate):
        assert job(resampled(marked, voice[1], rate), rate) == JOB

    @pytest.mark.parametrize("percent", [-2, 1, 2])
    def test_small_changes_of_speed(self, marked, voice, percent):
        reading = MARK.read(resampled(marked, 100 + percent, 100), voice[1])
        assert reading.payload is not None
        assert reading.payload.job_id == JOB
        assert reading.speed == pytest.approx(percent / 100, abs=0.004)

    @pytest.mark.parametrize("begin_seconds", [0.0, 0.7313, 2.9])
    def test_five_seconds_from_anywhere(self, marked, voice, begin_seconds):
        begin = int(begin_seconds * voice[1])
        assert job(marked[begin : begin + 5 * voice[1]], voice[1]) == JOB

    def test_gain_clipping_and_noise(self, marked, voice):
        noise = np.random.default_rng(1).standard_normal(len(marked)).astype(np.float32)
        assert job(marked * 0.05, voice[1]) == JOB
        assert job((4 * marked).clip(-1, 1), voice[1]) == JOB
        assert job(marked + noise * marked.std() * 10 ** (-30 / 20), voice[1]) == JOB

    @pytest.mark.parametrize("rate", [16000, 44100])
    def test_marked_at_other_rates(self, voice, rate):
        assert job(MARK.embed(resampled(*voice, rate), rate, JOB), rate) == JOB

    def test_stereo_and_its_mono(self, voice):
        sound, rate = voice
        stereo = MARK.embed(np.stack([sound, 0.3 * np.roll(sound, 20)], axis=1), rate, JOB)
        assert stereo.shape == (len(sound), 2)
        assert job(stereo, rate) == JOB
        assert job(stereo[:, 1], rate) == JOB


class TestNothingElseIsRead:
    def test_unmarked_voice(self, voice):
        reading = MARK.read(*voice)
        assert reading.payload is None
        assert reading.confidence == 0.0
        assert all(segment.job_id is None for segment in reading.segments)

    def test_another_key(self, marked, voice):
        assert job(marked, voice[1], SoundMark(b"another key, thirty-two bytes ..")) is None

    @pytest.mark.parametrize("level", [0.0, 1e-30, 1.0, 1e30])
    def test_silence_and_extremes(self, level):
        noise = np.random.default_rng(2).standard_normal(60000) * level
        assert job(noise, 16000) is None
        assert np.isfinite(MARK.embed(noise, 16000, JOB)).all()

    def test_too_short_to_search(self, marked, voice):
        for length in (0, 1, 1000, voice[1]):
            assert MARK.read(marked[:length], voice[1]).segments == ()

    def test_bound_on_false_decodes(self):
        assert false_decode_bound(1 + CANDIDATES_UNCHANGED + CANDIDATES_CHANGED) < 1e-6


class TestMap:
    def test_says_where_the_mark_is_and_whose(self, voice):
        sound, rate = voice
        long = np.concatenate([sound, sound[::-1]])
        parts = [MARK.embed(long, rate, 1), long, MARK.embed(long, rate, 2)]
        reading = MARK.read(np.concatenate(parts), rate)
        seconds = len(long) / rate
        for segment in reading.segments:
            inside = [int(t // seconds) for t in (segment.start_seconds, segment.end_seconds - 0.05)]
            if inside[0] == inside[1]:
                assert segment.job_id == (1, None, 2)[inside[0]]
        assert {segment.job_id for segment in reading.segments} == {1, None, 2}

    def test_covers_the_sound(self, marked, voice):
        segments = MARK.read(marked, voice[1]).segments
        assert segments[0].start_seconds == 0.0
        assert segments[-1].end_seconds == pytest.approx(len(marked) / voice[1], abs=0.1)
        for one, following in pairwise(segments):
            assert following.start_seconds == one.end_seconds

    def test_block_size_does_not_matter(self, marked, voice):
        reader = MARK.reader(voice[1])
        for begin in range(0, len(marked), 3001):
            reader.push(marked[begin : begin + 3001])
        assert reader.finish() == MARK.read(marked, voice[1])

    def test_memory_does_not_grow_with_length(self):
        block = np.random.default_rng(3).standard_normal(4 * 8000).astype(np.float32) * 0.1

        def peak_bytes(blocks):
            reader = MARK.reader(8000)
            tracemalloc.start()
            for _ in range(blocks):
                reader.push(block)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return peak

        peak_bytes(8)
        assert peak_bytes(16) < 1.2 * peak_bytes(8)


class TestEmbedding:
    @given(cuts=st.lists(st.integers(0, 24000), max_size=8))
    @settings(max_examples=5, deadline=None)
    def test_blocks_of_any_size_give_the_same(self, cuts):
        sound = np.random.default_rng(4).standard_normal(24000) * 0.1
        embedder = MARK.embedder(22050, JOB)
        parts = [embedder.push(part) for part in np.split(sound, sorted(cuts))]
        streamed = np.concatenate([*parts, embedder.finish()])
        assert np.array_equal(streamed, MARK.embed(sound, 22050, JOB))

    def test_is_late_by_32_ms_at_most(self):
        embedder = MARK.embedder(16000, JOB)
        pushed = given_back = 0
        for _ in range(100):
            given_back += len(embedder.push(np.zeros(160, np.float32)))
            pushed += 160
            assert pushed - given_back <= 0.032 * 16000

    def test_leaves_what_is_above_the_band_alone(self, voice):
        sound, rate = voice
        change = MARK.embed(sound, rate, JOB) - sound
        power = np.abs(np.fft.rfft(change)) ** 2
        hertz = np.fft.rfftfreq(len(change), 1 / rate)
        assert power[(hertz < 850) | (hertz > 6200)].sum() < 1e-3 * power.sum()

    @pytest.mark.parametrize("name", ["welcome", "painting", "cartoon"])
    def test_keeps_20_db_below_the_voice(self, name):
        sound, rate = clip(name)
        change = MARK.embed(sound, rate, JOB) - sound
        assert 20 * np.log10(sound.std() / change.std()) > 20

    @pytest.mark.parametrize("name", ["welcome", "painting", "cartoon"])
    def test_lies_below_what_the_voice_masks_but_for_one_frame_in_fifty(self, name):
        sound, rate = clip(name)
        host, marked = (resampled(each, rate, RATE) for each in (sound, MARK.embed(sound, rate, JOB)))
        masking = noise_to_mask(host, marked)
        assert masking.mean_db < -12
        assert masking.p95_db < -10
        assert masking.disturbed < 0.02

    def test_silence_stays_silent(self):
        assert not MARK.embed(np.zeros(30000, np.float32), 24000, JOB).any()

    def test_an_empty_sound(self):
        assert MARK.embed(np.empty(0, np.float32), 16000, JOB).shape == (0,)


class TestLayout:
    def test_never_changes(self):
        layout = Layout.of(KEY)
        parts = layout.signs.tobytes() + layout.pilot.tobytes() + layout.chip.astype("<i8").tobytes()
        assert hashlib.sha256(parts).hexdigest() == GOLDEN

    def test_gives_every_chip_its_tiles(self):
        layout = Layout.of(KEY)
        counts = np.bincount(layout.chip[layout.chip >= 0], minlength=CHIPS)
        assert (counts.min(), counts.max()) == (3, 4)
        assert counts.sum() + np.count_nonzero(layout.pilot) == PERIOD * BANDS


class TestRefusals:
    @pytest.mark.parametrize("rate", [0, 7999, 200_000])
    def test_rates(self, rate):
        with pytest.raises(WatermarkError, match="resample it"):
            MARK.embedder(rate, JOB)
        with pytest.raises(WatermarkError, match="resample it"):
            MARK.read(np.zeros(100, np.float32), rate)

    @pytest.mark.parametrize("job_id", [-1, 1 << 40])
    def test_job_ids(self, job_id):
        with pytest.raises(WatermarkError, match="job id"):
            MARK.embedder(16000, job_id)

    @pytest.mark.parametrize("sound", [np.zeros(9, np.int16), np.full(9, np.nan), np.zeros((2, 2, 2))])
    def test_what_is_no_sound(self, sound):
        with pytest.raises(WatermarkError, match="Sound must be"):
            MARK.embed(sound, 16000, JOB)
        with pytest.raises(WatermarkError, match="Sound must be"):
            MARK.read(sound, 16000)

    def test_channels_that_change(self):
        embedder = MARK.embedder(16000, JOB)
        embedder.push(np.zeros((10, 2)))
        with pytest.raises(WatermarkError, match="channels changed"):
            embedder.push(np.zeros(10))

    def test_a_short_key(self):
        with pytest.raises(WatermarkError, match="16 bytes"):
            SoundMark(b"short")
