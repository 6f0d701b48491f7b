"""A clip is traced to its job, and to nothing else: by its pictures, its motion and its sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.fingerprint import Fingerprint, FingerprintIndex, find, fingerprint, sound

START = 2.0
END = 5.0


@pytest.fixture(scope="module")
def index(
    tmp_path_factory: pytest.TempPathFactory, make: Callable, save: Callable
) -> Iterator[FingerprintIndex]:
    """Two scenes with three talks each, every talk another."""
    folder = tmp_path_factory.mktemp("delivered")
    with FingerprintIndex.open(folder / "index") as opened:
        for scene in (1, 2):
            for talk in (1, 2, 3):
                film = save(make(scene, 10 * scene + talk), folder / "film.mp4")
                opened.add(f"{scene}-{talk}", fingerprint(film))
        yield opened


@pytest.fixture(scope="module")
def clip(
    tmp_path_factory: pytest.TempPathFactory, make: Callable, save: Callable
) -> Callable[..., Fingerprint]:
    """Three seconds of job 2-1, each picture changed, compressed again."""

    def cut(change: Callable = lambda frame: frame, crf: int = 30) -> Fingerprint:
        film = make(2, 21).cut(START, END)
        film = replace(film, frames=[change(frame) for frame in film.frames])
        return fingerprint(save(film, tmp_path_factory.mktemp("clip") / "clip.mp4", crf))

    return cut


def small(frame: np.ndarray) -> np.ndarray:
    return cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def crop(frame: np.ndarray) -> np.ndarray:
    return frame[16:-16, 16:-16]


@pytest.mark.parametrize(
    ("change", "crf"),
    [
        (lambda frame: frame, 40),
        (small, 23),
        (crop, 23),
        (lambda frame: frame[:, ::-1], 23),
        (lambda frame: np.clip(frame * 0.8 + 30.0, 0, 255).astype(np.uint8), 23),
    ],
    ids=["crf 40", "half size", "crop 0.8", "mirrored", "contrast and brightness"],
)
def test_a_changed_clip_names_its_job_and_its_place(
    index: FingerprintIndex, clip: Callable, change: Callable, crf: int
) -> None:
    first = find(index, clip(change, crf))[0]
    assert first.job == "2-1"
    assert first.confidence > 0.9
    assert first.offset == pytest.approx(START, abs=0.15)
    assert (first.start, first.end) == pytest.approx((0, END - START), abs=0.3)
    assert {"picture", "sound"} <= set(first.witnesses)


def test_a_crop_and_a_mirror_are_told(index: FingerprintIndex, clip: Callable) -> None:
    assert find(index, clip(crop))[0].crop == pytest.approx(0.8, abs=0.05)
    assert find(index, clip(lambda frame: frame[:, ::-1]))[0].mirrored
    assert not find(index, clip())[0].mirrored


def test_a_clip_on_a_plain_ground_is_told(index: FingerprintIndex, clip: Callable) -> None:
    def placed(frame: np.ndarray) -> np.ndarray:
        canvas = np.full((256, 400, 3), 30, np.uint8)
        canvas[60:220, 30:190] = frame
        return canvas

    first = find(index, _mute(clip(placed)))[0]
    assert (first.job, first.witnesses) == ("2-1", ("picture", "motion"))


def test_a_clip_filmed_off_a_screen_is_told(index: FingerprintIndex, clip: Callable) -> None:
    def filmed(frame: np.ndarray) -> np.ndarray:
        side = frame.shape[0]
        corners = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
        seen = np.array([[9, 5], [side - 6, 10], [side - 9, side - 7], [4, side - 10]], np.float32)
        turn = cv2.getPerspectiveTransform(corners, seen)
        return np.asarray(cv2.warpPerspective(frame, turn, (side, side), borderValue=(15, 15, 18)), np.uint8)

    first = find(index, _mute(clip(filmed)))[0]
    assert (first.job, first.witnesses) == ("2-1", ("picture", "motion"))


@pytest.mark.parametrize("speed", [1.1, 0.93])
def test_a_clip_that_was_sped_up_or_slowed_is_told(
    index: FingerprintIndex, make: Callable, save: Callable, tmp_path: Path, speed: float
) -> None:
    film = make(2, 21).cut(1.0, END)
    count = int(len(film.frames) / speed)
    times = np.arange(int(len(film.sound) / speed)) * speed
    sped = replace(
        film,
        frames=[film.frames[int(index * speed)] for index in range(count)],
        sound=np.interp(times, np.arange(len(film.sound)), film.sound).astype(np.float32),
    )
    first = find(index, fingerprint(save(sped, tmp_path / "sped.mp4")))[0]
    assert (first.job, first.witnesses) == ("2-1", ("picture", "motion", "sound"))
    assert first.speed == pytest.approx(speed, abs=0.03)
    assert first.offset == pytest.approx(1.0, abs=0.15)
    assert first.end == pytest.approx(len(sped.frames) / 25, abs=0.3)


def test_a_muted_clip_is_told_by_how_it_moves(index: FingerprintIndex, clip: Callable) -> None:
    first = find(index, _mute(clip()))[0]
    assert (first.job, first.witnesses) == ("2-1", ("picture", "motion"))
    assert first.offset == pytest.approx(START, abs=0.15)


def test_a_voice_alone_is_told(index: FingerprintIndex, clip: Callable) -> None:
    heard = clip()
    first = find(index, replace(heard, sights=[], motion=heard.motion[:0]))[0]
    assert (first.job, first.witnesses) == ("2-1", ("sound",))
    assert first.offset == pytest.approx(START, abs=0.05)


def test_a_still_picture_names_no_job_for_sure(index: FingerprintIndex, clip: Callable) -> None:
    seen = _mute(clip())
    matches = find(index, replace(seen, motion=np.repeat(seen.motion[:1], 30, axis=0)))
    assert {match.job for match in matches} == {"2-1", "2-2", "2-3"}
    assert all(match.offset is None and match.confidence < 0.2 for match in matches)


def test_our_picture_under_another_voice_is_no_sure_job(
    index: FingerprintIndex, clip: Callable, make: Callable
) -> None:
    bits, loud, retuned = sound.listen([make(3, 99, 3.0).sound[::2]])
    matches = find(index, replace(clip(), sound=bits, loud=loud, retuned=retuned))
    assert matches[0].ours > 0.5
    assert all(match.confidence <= 0.5 for match in matches)


def test_films_of_others_match_nothing(
    index: FingerprintIndex, make: Callable, save: Callable, tmp_path: Path
) -> None:
    for scene in range(20, 23):
        assert find(index, fingerprint(save(make(scene, scene, 3.0), tmp_path / "other.mp4"))) == []


def test_a_plain_picture_matches_nothing(
    index: FingerprintIndex, make: Callable, save: Callable, tmp_path: Path
) -> None:
    film = make(1, 1, 3.0)
    plain = replace(film, frames=[np.full_like(frame, 90) for frame in film.frames], sound=film.sound[:0])
    assert find(index, fingerprint(save(plain, tmp_path / "plain.mp4"))) == []


def test_jobs_of_the_same_film_share_the_confidence(tmp_path: Path, make: Callable, save: Callable) -> None:
    film = fingerprint(save(make(5, 5), tmp_path / "film.mp4"))
    with FingerprintIndex.open(tmp_path / "index") as index:
        index.add("first", film)
        index.add("again", film)
        matches = find(index, film)
    assert {match.job for match in matches} == {"first", "again"}
    assert all(match.ours > 0.99 and match.confidence <= 0.5 for match in matches)


def _mute(print_: Fingerprint) -> Fingerprint:
    return replace(print_, sound=print_.sound[:0], loud=print_.loud[:0])
