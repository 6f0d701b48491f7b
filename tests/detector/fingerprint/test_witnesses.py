"""The parts of a fingerprint: picture words, motion, sound and ISCC."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import iscc_lib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.errors import FingerprintError
from detector.fingerprint import motion, picture, sound, surround
from detector.fingerprint.iscc import distance, iscc


def test_the_sound_bits_do_not_depend_on_how_it_is_cut_in_blocks() -> None:
    samples = np.random.default_rng(0).standard_normal(3 * sound.SAMPLE_RATE).astype(np.float32) * 0.1
    whole, loud = sound.rows([samples])
    for cuts in ([1000, 5000, 5001], list(range(170, len(samples), 170))):
        parts, _ = sound.rows(np.split(samples, cuts))
        assert np.array_equal(parts, whole)
    assert loud.all()
    assert len(whole) == pytest.approx((3 - 0.371) * sound.ROWS_PER_SECOND, abs=1)


def test_unrelated_noise_differs_in_half_of_the_bits() -> None:
    rng = np.random.default_rng(1)
    one, other = (sound.rows([rng.standard_normal(80_000).astype(np.float32)])[0] for _ in range(2))
    share, _, rows = sound.errors(one, np.ones(len(one), bool), other, 0)
    assert share == pytest.approx(0.5, abs=0.03)
    assert sound.chance(share, len(rows)) > 0.01


def test_sound_that_is_played_faster_is_the_same_in_higher_bands() -> None:
    noise = np.cumsum(np.random.default_rng(5).standard_normal(40_000)) % 7 - 3.5
    known, _ = sound.rows([(0.1 * noise).astype(np.float32)])
    faster = np.interp(np.arange(0, len(noise) - 1, 1.09), np.arange(len(noise)), noise)
    as_is, _, retuned = sound.listen([(0.1 * faster).astype(np.float32)])
    best = min(retuned, key=lambda one: sound.errors(one.bits, one.loud, known, 0)[0])
    assert best.speed == pytest.approx(1.09, abs=0.015)
    assert sound.errors(best.bits, best.loud, known, 0)[0] < 0.25
    assert sound.errors(as_is, np.ones(len(as_is), bool), known, 0)[0] > 0.4


def test_silence_is_never_compared() -> None:
    bits, loud = sound.rows([np.zeros(16_000, np.float32)])
    assert not loud.any()
    assert len(sound.words(bits, loud, 1)[0]) == 0
    assert sound.errors(bits, loud, bits, 0)[0] == 1.0


def test_motion_is_found_where_it_was_cut_from() -> None:
    rng = np.random.default_rng(2)
    known = np.cumsum(rng.standard_normal((80, motion.GRID, motion.GRID)), 0).astype(np.float32)
    query = (
        known[23:53] * 0.7 + rng.standard_normal((30, motion.GRID, motion.GRID)).astype(np.float32) * 0.2 + 9
    )
    found = motion.align(query, known)
    assert found is not None
    assert found.offset == pytest.approx(2.3, abs=0.04)
    assert found.score > 0.9
    mirrored = motion.align(query[:, :, ::-1], known, mirrored=True)
    assert mirrored is not None
    assert mirrored.score == pytest.approx(found.score, abs=1e-5)


def test_what_stands_still_aligns_with_nothing() -> None:
    still = np.zeros((50, motion.GRID, motion.GRID), np.float32)
    moving = np.random.default_rng(3).standard_normal(still.shape).astype(np.float32)
    assert motion.align(still, moving) is None
    assert motion.align(moving[:3], moving) is None


@given(st.lists(st.integers(1, 400), min_size=2, max_size=30))
@settings(max_examples=30, deadline=None)
def test_rows_are_regular_however_pictures_are_spaced(steps: list[int]) -> None:
    times = np.cumsum([0, *steps[1:]]) / 1000
    gathered = motion.Rows()
    for index, at in enumerate(times):
        gathered.add(at, np.full((motion.GRID, motion.GRID), index, np.float32))
    regular = gathered.all()
    assert len(regular) == int(np.floor(times[-1] * motion.RATE + 0.5)) + 1
    assert np.all(np.diff(regular[:, 0, 0]) >= 0)


def test_motion_is_kept_to_half_a_grey_level() -> None:
    rows = np.random.default_rng(4).uniform(-40, 40, (30, motion.GRID, motion.GRID)).astype(np.float32)
    kept = motion.unpack(motion.pack(rows))
    assert np.abs(kept - (rows - rows.mean(0))).max() <= 0.2501
    with pytest.raises(FingerprintError):
        motion.unpack(b"damaged")


def test_the_crops_of_a_picture_are_among_its_words(make: Callable) -> None:
    frame = make(4, 4, 0.2, 320).frames[0]
    whole = picture.look(0.0, frame)
    assert whole is not None
    for share in (0.95, 0.85, 0.75):
        margin = round(160 * (1 - share))
        seen = picture.look(0.0, frame[margin:-margin, margin:-margin])
        assert seen is not None
        near = [picture.distance(seen.words[0], word) for word in whole.words]
        assert min(near) <= picture.MATCH_BITS
        assert picture.CROPS[int(np.argmin(near))] == pytest.approx(share, abs=0.05)


def test_a_film_on_a_plain_ground_is_cut_out(make: Callable) -> None:
    frame = make(4, 4, 0.2, 320).frames[0]
    canvas = np.full((500, 700, 3), 25, np.uint8)
    canvas[40:360, 300:620] = frame
    corners = surround.inner(canvas)
    assert corners is not None
    expected = np.array([[300, 40], [620, 40], [620, 360], [300, 360]]) / [700, 500]
    assert corners == pytest.approx(expected, abs=0.01)
    seen, whole = picture.look(0.0, surround.cut_out(canvas, corners, 256)), picture.look(0.0, frame)
    assert seen is not None
    assert whole is not None
    assert picture.distance(seen.words[0], whole.words[0]) <= picture.MATCH_BITS


def test_a_picture_that_fills_its_frame_has_no_surround(make: Callable) -> None:
    for scene in range(8):
        assert surround.inner(make(scene, scene, 0.2, 320).frames[0]) is None
    assert surround.inner(np.zeros((90, 160, 3), np.uint8)) is None


def test_a_plain_picture_has_no_words() -> None:
    assert picture.look(0.0, np.full((64, 64, 3), 127, np.uint8)) is None


def test_an_iscc_survives_compression_and_names_the_file(
    make: Callable, save: Callable, tmp_path: Path
) -> None:
    film = make(6, 6, 3.0)
    one, other = iscc(save(film, tmp_path / "one.mp4")), iscc(save(film, tmp_path / "other.mp4", crf=35))
    assert distance(one.content, other.content) <= 6
    assert one.instance != other.instance
    assert iscc_lib.iscc_decompose(one.code)[0].removeprefix("ISCC:") == one.content.removeprefix("ISCC:")
    assert distance(one.content, iscc(save(make(7, 7, 3.0), tmp_path / "third.mp4")).content) > 12
    with pytest.raises(FingerprintError, match="different kinds"):
        distance(one.content, one.data)
